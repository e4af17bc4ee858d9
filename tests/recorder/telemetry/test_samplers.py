"""Samplers of other packages: what they read is recorded under their name; one that fails is noted and read no more."""

import json
import time
from pathlib import Path

import pytest
import trio

from racelog.events import AnyEvent, EngineSamples, GpuSamples, Head, HostSamples, Note
from racelog.log.read.reader import open_log
from racelog.log.write.segment import SegmentWriter
from racelog_recorder.journal.journal import Journal
from racelog_recorder.protocol.messages import WatchedEngine
from racelog_recorder.telemetry.samplers import run_sampler
from tests.installing import Install

ENGINES = [WatchedEngine(lane=1, engine="e", url="http://h/v1")]

SOURCE = """
from racelog_recorder.telemetry.engine_metrics import EngineReading
from racelog_recorder.telemetry.gpu import GpuReading
from racelog_recorder.telemetry.self_samples import Reading

class Source:
    interval_s = 0.0

    def __init__(self, reading, **what):
        self.reading, self.left = reading, 3
        vars(self).update(what)

    def read(self):
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("unplugged")
        return self.reading

def open_sources(engines):
    return [{source}]
"""
POINT = "[racelog.samplers]\nacme = acme_module:open_sources\n"


def recorded(folder: Path) -> list[AnyEvent]:
    """Return what is recorded of the sampler until it is left alone."""
    head = Head(t=0, race_id="r", writer="1", role="telemetry", mono_origin_ns=time.monotonic_ns())

    async def main() -> None:
        journal = Journal(SegmentWriter(folder / "telemetry.rlog", head), head)
        async with trio.open_nursery() as nursery:
            await run_sampler(nursery, journal, "acme", ENGINES)
        await journal.finish()

    trio.run(main)
    return list(open_log(folder / "telemetry.rlog").events)[1:-1]


def test_a_gpu_of_a_sampler_is_recorded_under_the_sampler_s_name(install: Install, tmp_path: Path) -> None:
    install("acme", SOURCE.replace("{source}", "Source(GpuReading(power_w=7.5), device=2, name='X')"), POINT)

    samples, note = sorted(recorded(tmp_path), key=lambda event: isinstance(event, Note))

    assert isinstance(samples, GpuSamples)
    assert (samples.source, samples.device, samples.name) == ("acme", 2, "X")
    assert (samples.power_w, len(samples.d)) == ([7.5] * 3, 3)
    assert isinstance(note, Note)


def test_a_process_of_a_sampler_is_recorded_under_the_sampler_s_name(
    install: Install, tmp_path: Path
) -> None:
    source = "Source(Reading(cpu_pct=1, rss_mib=None), process='host')"
    install("acme", SOURCE.replace("{source}", source), POINT)

    (samples,) = [event for event in recorded(tmp_path) if isinstance(event, HostSamples)]

    assert (samples.process, samples.cpu_pct, samples.rss_mib) == ("acme:host", [1.0] * 3, [None] * 3)


def test_an_engine_s_reading_is_recorded_on_its_lane(install: Install, tmp_path: Path) -> None:
    source = "Source(EngineReading(running=2.0), lane=engines[0].lane)"
    install("acme", SOURCE.replace("{source}", source), POINT)

    (samples,) = [event for event in recorded(tmp_path) if isinstance(event, EngineSamples)]

    assert (samples.lane, samples.source, samples.running) == (1, "acme", [2.0] * 3)


FAILURES = [
    ("Source(GpuReading(), device=0)", "failed: RuntimeError: unplugged"),
    ("Source(3, device=0)", "failed: TypeError: read() gave 3, which is no GpuReading"),
    ("Source(GpuReading(power_w='much'), device=0)", "failed: ValidationError: Expected `float | null`, got `str`"),
    ("Source(None)", "failed: TypeError: <acme_module.Source object"),
    ("Source(None, lane=9)", "failed: ValueError: there is no lane 9"),
    ("3", "failed: TypeError: 3 has no read()"),
    ("1 / 0", "failed: ZeroDivisionError: division by zero"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "why"), FAILURES)
def test_a_sampler_that_fails_is_noted_in_the_log_and_told_to_the_recorder(
    install: Install, tmp_path: Path, capfd: pytest.CaptureFixture[str], source: str, why: str
) -> None:
    install("acme", SOURCE.replace("{source}", source), POINT)

    notes = [event for event in recorded(tmp_path) if isinstance(event, Note)]

    (said,) = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [said["say"], [said["text"]]] == ["told", [note.text for note in notes]]
    assert said["text"].startswith(
        f"no samples of acme: 'acme' of acme 1.0 (racelog.samplers, acme_module:open_sources) {why}"
    )


def test_a_sampler_that_cannot_be_loaded_is_noted(install: Install, tmp_path: Path) -> None:
    install("acme", "import no_such_thing", POINT)

    (note,) = recorded(tmp_path)

    assert isinstance(note, Note)
    assert note.text.endswith("cannot be loaded: No module named 'no_such_thing'")
