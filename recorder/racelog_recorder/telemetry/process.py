"""The telemetry process: the recording machine, its GPUs and what engines say of themselves, apart from every lane.

    python -m racelog_recorder.telemetry.process     spec on stdin, reports on stdout (see `racelog_recorder.protocol.messages`)

Where there is no GPU there are no GPU samples, and a note says why; what the driver does not tell is null.
"""

import os
import sys
from pathlib import Path

import psutil
import trio

from racelog.events import Head, Note
from racelog.log.write.segment import SegmentWriter
from racelog_recorder.journal.journal import Journal
from racelog_recorder.journal.samples import recorded
from racelog_recorder.protocol.messages import Report, TelemetrySpec
from racelog_recorder.protocol.pipes import (
    leave_signals_to_the_conductor,
    orders,
    read_spec,
    run_reporting,
    say,
)
from racelog_recorder.telemetry.gpu import GpuColumns, GpuSource, open_gpus
from racelog_recorder.telemetry.self_samples import MIB, HostColumns, Reading


async def record_telemetry(spec: TelemetrySpec) -> None:
    """Sample until the conductor says stop or is gone, then finish the segment."""
    head = Head(
        t=0, race_id=spec.race_id, writer=spec.writer, role="telemetry", pid=os.getpid(),
        mono_origin_ns=spec.mono_origin_ns, racelog_version=spec.racelog_version,
    )  # fmt: skip
    journal = Journal(SegmentWriter(Path(spec.segment), head), head, durability=spec.durability)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(journal.run)
        nursery.start_soon(sample_host, journal, spec.host_interval_s)
        sample_engines(nursery, journal, spec)
        start_samplers(nursery, journal, spec)
        gpus, why_not = await trio.to_thread.run_sync(open_gpus, abandon_on_cancel=True)
        if why_not:
            journal.record(Note(t=journal.now_ns(), text=why_not))
        for gpu in gpus:
            nursery.start_soon(sample_gpu, journal, gpu, spec.gpu_interval_s)
        say(Report(say="ready"))
        async for order in orders():
            if order.do == "stop":
                break
        nursery.cancel_scope.cancel()
    with trio.CancelScope(shield=True):
        await journal.finish()


def sample_engines(nursery: trio.Nursery, journal: Journal, spec: TelemetrySpec) -> None:
    """Start recording what each engine says of itself, where the race asks for it."""
    if not spec.engines:
        return
    from racelog_recorder.telemetry.engine_metrics import sample_engine  # noqa: PLC0415 - loads HTTP: a third of this process's start

    for engine in spec.engines:
        nursery.start_soon(sample_engine, journal, engine, spec.engine_interval_s)


def start_samplers(nursery: trio.Nursery, journal: Journal, spec: TelemetrySpec) -> None:
    """Start the samplers that other packages add, where there are any."""
    if not spec.samplers:
        return
    from racelog_recorder.telemetry.samplers import run_sampler  # noqa: PLC0415 - looks at what is installed

    for name in spec.samplers:
        nursery.start_soon(run_sampler, nursery, journal, name, spec.watched)


async def sample_host(journal: Journal, interval_s: float) -> None:
    """Record the whole machine's CPU and used memory until cancelled."""
    psutil.cpu_percent()
    with recorded(journal, HostColumns("host")) as add:
        while True:
            await trio.sleep(interval_s)
            used_mib = psutil.virtual_memory().used / MIB
            add(journal.now_ns(), Reading(cpu_pct=psutil.cpu_percent(), rss_mib=used_mib))


async def sample_gpu(journal: Journal, gpu: GpuSource, interval_s: float) -> None:
    """Record one GPU until cancelled; a query can block for milliseconds, so it runs in a thread."""
    with recorded(journal, GpuColumns(gpu)) as add:
        while True:
            reading = await trio.to_thread.run_sync(gpu.read, abandon_on_cancel=True)
            add(journal.now_ns(), reading)
            await trio.sleep(interval_s)


def main() -> int:
    """Run the telemetry process; return its exit code."""
    leave_signals_to_the_conductor()
    spec = read_spec(TelemetrySpec)
    return run_reporting(lambda: record_telemetry(spec))


if __name__ == "__main__":
    sys.exit(main())
