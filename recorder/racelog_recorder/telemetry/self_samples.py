"""The recorder's own health: each of its processes samples itself, so a slow client cannot hide."""

import time
from typing import Protocol

import psutil
import trio
from msgspec import Struct

from racelog.events import HostSamples
from racelog_recorder.journal.journal import Journal
from racelog_recorder.journal.samples import SampleColumns, recorded, said

SAMPLE_S = 0.1
MIB = 1 << 20


class PumpCounts(Protocol):
    """What a pump counts: drains and reads since it began, and the most reads of one drain since that was set to 0."""

    drains: int
    reads: int
    largest_drain: int


async def sample_self(journal: Journal, process: str, pump: PumpCounts | None = None) -> None:
    """Record this process's CPU, memory, loop lag and queues at 10 Hz, one event a second, until cancelled.

    Loop lag is how late a timer fired: the time anything on this loop may have had to wait. Up to a millisecond of it
    is the timer's own rounding. Cost: about 50 us a sample.
    """
    own = _Own(pump)
    deadline_s = trio.current_time()
    with recorded(journal, HostColumns(process)) as add:
        while True:
            deadline_s += SAMPLE_S
            await trio.sleep_until(deadline_s)
            lag_s = max(0.0, trio.current_time() - deadline_s)
            if lag_s > SAMPLE_S:
                deadline_s = trio.current_time()
            add(journal.now_ns(), own.read(lag_us=lag_s * 1e6, waiting=journal.waiting))


class Reading(Struct, frozen=True, kw_only=True):
    """One row of a `HostSamples` event; what could not be read is None."""

    cpu_pct: float | None
    rss_mib: float | None
    loop_lag_us: float | None = None
    pump_batch: float | None = None
    pump_batch_max: float | None = None
    backlog: float | None = None


class _Own:
    """Reads this process; what is counted is counted since the reading before.

    CPU comes from the process's own clock, which is exact; what the system shows of a process counts in hundredths
    of a second, a tenth of the span between two readings.
    """

    def __init__(self, pump: PumpCounts | None) -> None:
        self._process = psutil.Process()
        self._pump = pump
        self._at_ns = time.monotonic_ns()
        self._cpu_ns = time.process_time_ns()
        self._drains, self._reads = (pump.drains, pump.reads) if pump else (0, 0)

    def read(self, *, lag_us: float, waiting: int) -> Reading:
        """Return a reading of now."""
        at_ns, cpu_ns = time.monotonic_ns(), time.process_time_ns()
        spent, passed = cpu_ns - self._cpu_ns, at_ns - self._at_ns
        self._at_ns, self._cpu_ns = at_ns, cpu_ns
        batch, largest = self._batches()
        return Reading(
            cpu_pct=100 * spent / passed if passed else None, rss_mib=self._rss_mib(), loop_lag_us=lag_us,
            pump_batch=batch, pump_batch_max=largest, backlog=float(waiting),
        )  # fmt: skip

    def _rss_mib(self) -> float | None:
        """Return resident memory; None where the system does not tell, which must not stop a race."""
        try:
            return float(self._process.memory_info().rss) / MIB
        except (psutil.Error, OSError):
            return None

    def _batches(self) -> tuple[float | None, float | None]:
        """Return reads per drain, on average and at most, since the reading before; 0 when there was no drain."""
        pump = self._pump
        if pump is None:
            return None, None
        drains, reads = pump.drains - self._drains, pump.reads - self._reads
        self._drains, self._reads = pump.drains, pump.reads
        largest, pump.largest_drain = pump.largest_drain, 0
        return reads / drains if drains else 0.0, float(largest)


class HostColumns(SampleColumns[Reading]):
    """Gathers readings of one process into a `HostSamples` event."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def take(self) -> HostSamples:
        """Return what was gathered and start anew; there must be at least one reading.

        A column that was never read is left out, except CPU and memory, which every event has. One decimal is below
        what any of these readings resolves.
        """
        t, d, columns = self._taken(decimals=1)
        needed = {name: columns[name] for name in ("cpu_pct", "rss_mib")}
        return HostSamples(t=t, process=self._process, d=d, **(needed | said(columns)))
