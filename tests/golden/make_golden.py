"""Writes the golden logs of the present format version that are not there yet; never over one that is.

    python -m tests.golden.make_golden

The committed files are the truth: another zstd may compress differently, and the test compares what is read. A new
format version gets a folder of its own; the old ones stay, and stay readable. What each log shows: v1/README.md.
"""

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Raw, structs

from racelog.errors import NewerLog, NotALog
from racelog.events import (
    FORMAT_VERSION,
    AnyEvent,
    Calibration,
    ClockAnchor,
    Control,
    EngineSamples,
    Gap,
    GpuSamples,
    HostSamples,
    LaneEnd,
    LaneFacts,
    LaneStart,
    Mark,
    Note,
    Prompt,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Unknown,
    Usage,
)
from racelog.log.format.codec import encode_events
from racelog.log.read.reader import open_log
from racelog.log.rewrite.join import joined
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import Plan, ScriptedRace
from tests.golden.vectors import VECTORS

REAL = Path(__file__).parents[2] / "recorder" / "racelog_recorder" / "demo" / "demo.rlog"
REFUSALS = {NotALog: "not a log", NewerLog: "newer framing"}

HERE = Path(__file__).parent
RACE = ScriptedRace(
    [Plan("tortoise", requests=2, tokens=4), Plan("hare", ttft_ms=30, requests=2, tokens=4, fail=(1,))]
)
HOSTILE = '\x1b]52;c;aGk=\x07\x1b[2J\u202egnp.exe\x00\x7f\u2028\r\n\ufeff👩\u200d🚀é"\\'

EVERY_KIND: list[AnyEvent] = [
    ClockAnchor(t=0, mono_ns=5_000_000_000, wall_ns=1_795_224_600_000_000_000, boot_ns=5_100_000_000),
    RaceFacts(
        t=0, race_id="20261121-013000-0a1b2c3d", name="every kind", started_at="2026-11-21T01:30:00.000Z", seed=7,
        grid="time-trial", requests=1, duration_ns=60_000_000_000, concurrency=2, plan={"engines": [{"name": "a"}]},
        host={"cpu": "test", "cores": 2}, imported_from="aiperf",
    ),
    LaneFacts(
        t=0, lane=0, engine="a", model="m", url="http://127.0.0.1:9000/v1", dialect="openai-completions",
        color="#ff8800", emoji="🐢", transport="pump",
    ),
    Prompt(t=0, prompt=0, messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]),
    LaneStart(t=1_000, lane=0),
    RequestScheduled(t=1_000, lane=0, req=0, prompt=0, phase="warmup", params={"max_tokens": 5, "temperature": 0.5}),
    RequestSent(t=1_100, lane=0, req=0, connection="reused", connect_ns=90),
    ResponseHeaders(t=2_000, lane=0, req=0, status=200, headers={"server": "uvicorn"}),
    Tokens(
        t=2_000, lane=0, r=[0, 0, 0, 0, 0], d=[0, 5, 0, 7, 9], x=["", "Hm", "Hel", "lo", ""], c="orctm",
        n=[0, 1, 1, 2, None], s="kKuUk",
    ),
    Usage(
        t=2_021, lane=0, req=0, input_tokens=9, output_tokens=4, cached_tokens=2, reasoning_tokens=1,
        server={"prompt_ms": 1.5},
    ),
    RequestEnd(
        t=2_021, lane=0, req=0, status="failed", error="http", message="HTTP 500", finish_reason="error"
    ),
    HostSamples(t=2_050, process="lane-0", d=[0, 10], cpu_pct=[12.5, None], rss_mib=[80.25, 81.0], loop_lag_us=[3.0, 4.5]),
    GpuSamples(
        t=2_060, source="nvml", device=0, d=[0, 100], name="NVIDIA H200", util_pct=[98.0, 97.0],
        mem_used_mib=[1024.0, None], mem_total_mib=[143771.0, 143771.0], power_w=[650.5, 651.0], temp_c=[61.0, 61.0],
        sm_clock_mhz=[1980.0, None], energy_j=[12.25, 13.5],
    ),
    Mark(t=2_100, label="half time", by="user"),
    Note(t=2_150, text="the clock stepped", level="warning", lane=0),
    Gap(t=2_200, reason="queue full", chunks=3, events=1, bytes=512, lane=0),
    LaneEnd(t=3_000, lane=0, status="stopped", reason="asked to"),
]  # fmt: skip

SINCE_THEN: list[AnyEvent] = [
    RaceFacts(
        t=0, race_id="20261121-013000-0a1b2c3d", name="since then", started_at="2026-11-21T01:30:00.000Z", seed=7,
        concurrency=0, rate_per_s=12.5, arrival="gamma", max_open=64,
    ),
    LaneFacts(t=0, lane=0, engine="a", model="m", url="https://127.0.0.1:9000/v1"),
    Calibration(
        t=500, lane=0, streams=64, tokens=3_200, coalesced=7, p50_us=11.5, p99_us=31.0, max_us=420.25, stamp="kernel",
        tokens_per_s=3_188.5, loop_lag_us=900.0, truth_p99_us=14.5,
    ),
    Control(t=1_000, what="go"),
    LaneStart(t=1_050, lane=0, cpus=[2, 3]),
    RequestScheduled(t=1_060, lane=0, req=0, prompt=0),
    RequestSent(t=1_100, lane=0, req=0, connection="new", connect_ns=90, dns_ns=10, tcp_ns=30, tls_ns=50),
    HostSamples(
        t=1_200, process="lane:a", d=[0, 10], cpu_pct=[12.5, 13.0], rss_mib=[80.25, 81.0], loop_lag_us=[3.0, None],
        pump_batch=[1.5, None], pump_batch_max=[4.0, None], backlog=[0.0, 1.0],
    ),
    Control(t=1_300, what="pause", by="user"),
    Control(t=1_400, what="resume", by="user"),
    Control(t=1_500, what="eliminate", lane=0, by="user", reason="last at the half"),
    RequestEnd(t=1_600, lane=0, req=0, status="cancelled"),
    LaneEnd(t=1_700, lane=0, status="stopped", reason="eliminated: last at the half"),
    Control(t=1_800, what="stop", by="signal"),
    Control(t=1_900, what="cancel", by="signal"),
]  # fmt: skip
"""Kinds and fields that format 1 got after its first goldens were made."""

ENGINES_SPEAK: list[AnyEvent] = [
    LaneFacts(t=0, lane=0, engine="a", model="m", url="http://127.0.0.1:9000/v1"),
    EngineSamples(
        t=1_000, lane=0, source="prometheus", d=[0, 1_000], running=[2.0, 3.0], waiting=[0.0, None],
        kv_cache_pct=[12.5, 13.0], input_tokens=[100.0, 180.0], output_tokens=[40.0, 90.0], cached_tokens=[16.0, 16.0],
        preemptions=[0.0, 1.0],
    ),
    EngineSamples(t=3_000, lane=0, source="prometheus", d=[0], running=[None]),
]  # fmt: skip
"""What engines say of themselves, a kind that came later still."""

IMPORTED: list[AnyEvent] = [
    LaneFacts(t=0, lane=0, engine="a", model="m", url="https://127.0.0.1:9000/v1", kept="ends"),
    Calibration(
        t=500, lane=0, streams=64, tokens=3_200, coalesced=7, p50_us=11.5, p99_us=31.0, max_us=420.25, stamp="kernel",
        tokens_per_s=3_188.5, loop_lag_us=900.0, truth_p99_us=14.5, tls=True,
    ),
]  # fmt: skip
"""Fields of the day that imports and calibration over TLS came."""

COUNTED: list[AnyEvent] = [
    LaneFacts(t=0, lane=0, engine="a", model="m", url="https://127.0.0.1:9000/v1"),
    Usage(
        t=600, lane=0, req=0, input_tokens=12, output_tokens=1, cached_tokens=11, reasoning_tokens=290, total_tokens=303,
    ),
]  # fmt: skip
"""A server's own sum, which tells whether its count of the answer has the reasoning in it."""

JUDGED: list[AnyEvent] = [
    RaceFacts(t=0, race_id=RACE.head().race_id, name="judged", started_at="2026-11-30T22:00:00Z", seed=0, requests=1, finish=0.9),
    LaneFacts(t=0, lane=0, engine="a", model="m", url="http://127.0.0.1:9000/v1", params={"max_tokens": 8, "temperature": 0}),
    LaneStart(t=0, lane=0),
    LaneEnd(t=700, lane=0, status="finished"),
]  # fmt: skip
"""What a verdict goes by: the share of its requests an engine must finish, and what each lane's requests were given."""

ADDRESSED: list[AnyEvent] = [
    LaneFacts(
        t=0, lane=0, engine="a", model="m", url="http://127.0.0.1:9000", dialect="ollama", path="api/chat"
    ),
    LaneStart(t=0, lane=0),
    LaneEnd(t=700, lane=0, status="finished"),
]
"""Where a lane's requests went, under its URL."""

ODD: list[AnyEvent] = [
    Unknown(t=5, k="from.the.future", raw=Raw(b'{"k":"from.the.future","t":5,"x":[1,2.50,{"y":null}]}')),
    Unknown(t=6, k="mark", raw=Raw(b'{"k":"mark","v":2,"t":6,"label":{"en":"a newer mark"}}')),
    Unknown(t=7, k="note", raw=Raw(b'{ "k":"note", "t":7, "text":"a field from the future", "mood":["blue"] }')),
    Mark(t=-8, label="before the origin"),
    Mark(t=(1 << 63) - 1, label="the last instant"),
    Tokens(t=9, lane=0, r=[0, 0], d=[0, 0], x=[HOSTILE, ""]),
    Tokens(t=9, lane=0, r=[], d=[], x=[]),
    Note(t=10, text=HOSTILE),
]  # fmt: skip


def segment(folder: Path, events: list[AnyEvent], *, finish: bool = True) -> bytes:
    """Return one segment of the writer 0x...1 with ``events`` in units of five."""
    path = folder / "made.rlog"
    with SegmentWriter(path, RACE.head()) as writer:
        for start in range(0, len(events), 5):
            writer.commit(events[start : start + 5])
        if finish:
            writer.finish(max((event.t for event in events), default=0), "closed")
    data = path.read_bytes()
    path.unlink()
    return data


def logs(folder: Path) -> dict[str, bytes]:
    """Return every golden log's bytes by its name."""
    race = segment(folder, RACE.events())
    live = RACE.write_segments(folder / "live")
    conductor, slow, fast = (file.read_bytes() for file in sorted(live.iterdir()))
    flipped = bytearray(race)
    flipped[len(race) // 2] ^= 0x10
    return {
        "minimal": segment(folder, [], finish=False),
        "full": segment(folder, EVERY_KIND),
        "full-2": segment(folder, SINCE_THEN),
        "full-3": segment(folder, ENGINES_SPEAK),
        "full-4": segment(folder, IMPORTED),
        "full-usage": segment(folder, COUNTED),
        "full-verdict": segment(folder, JUDGED),
        "full-request-path": segment(folder, ADDRESSED),
        "odd": segment(folder, ODD),
        "torn": race[:-30],
        "flipped": bytes(flipped),
        "zeros": race + bytes(4096),
        "concatenated": fast + b"not a unit" + slow + conductor + slow,
    }


def races(folder: Path) -> dict[str, bytes]:
    """Return one race as it was recorded and as it was sealed, and a race of real engines."""
    live = RACE.write_segments(folder / "race", per_unit=2)
    files = sorted(live.iterdir())
    target = folder / "sealed.rlog"
    fresh = structs.replace(
        RACE.head(9, "seal"), pid=None, sources=[f"{writer:016x}" for writer in (1, 2, 3)]
    )
    with SegmentWriter(target, fresh, sealed=True) as writer:
        writer.commit(list(joined(open_log(live).events)))
        writer.finish(1_500_000_000, "sealed")
    return {
        "race-live": b"".join(file.read_bytes() for file in files),
        "race-sealed": target.read_bytes(),
        "real-engines": REAL.read_bytes(),
    }


def expectation(path: Path) -> tuple[bytes, str]:
    """Return what reading the log at ``path`` gives: its events as lines, and its report, or the refusal, as JSON.

    What damage is called is left out: a later racelog, or another program, may find better words.
    """
    try:
        log = open_log(path)
    except (NotALog, NewerLog) as refusal:
        return b"", json.dumps({"refused": REFUSALS[type(refusal)]}, indent=2) + "\n"
    report = asdict(log.report)
    for damage in report["damage"]:
        del damage["reason"]
    return encode_events(log.events), json.dumps(report, indent=2) + "\n"


def main() -> None:
    """Write the golden logs that are missing and what reading them gives."""
    target = HERE / f"v{FORMAT_VERSION}"
    target.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        made = logs(Path(folder)) | races(Path(folder))
    made |= {name: build() for name, (_, build) in VECTORS.items()}
    for name, data in made.items():
        path = target / f"{name}.rlog"
        if path.exists():  # golden logs are never replaced
            continue
        path.write_bytes(data)
        events, report = expectation(path)
        path.with_suffix(".jsonl").write_bytes(events)
        path.with_suffix(".report.json").write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
