"""The recorder's own health: each of its processes samples itself, so a slow client cannot hide."""

import time
from typing import Any, Protocol

import psutil
import trio
from msgspec import Struct
from msgspec.structs import asdict

from racelog.events import HostSamples
from racelog_recorder.journal import Journal

SAMPLE_S = 0.1
SAMPLES_PER_EVENT = 10
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
    samples = HostColumns(process)
    own = _Own(pump)
    deadline_s = trio.current_time()
    try:
        while True:
            deadline_s += SAMPLE_S
            await trio.sleep_until(deadline_s)
            lag_s = max(0.0, trio.current_time() - deadline_s)
            if lag_s > SAMPLE_S:
                deadline_s = trio.current_time()
            samples.add(journal.now_ns(), own.read(lag_us=lag_s * 1e6, waiting=journal.waiting))
            if len(samples) >= SAMPLES_PER_EVENT:
                journal.record(samples.take())
    finally:
        if len(samples):
            journal.record(samples.take())


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


class HostColumns:
    """Gathers readings of one process into a `HostSamples` event."""

    def __init__(self, process: str) -> None:
        self.process = process
        self._times: list[int] = []
        self._rows: list[Reading] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, t_ns: int, reading: Reading) -> None:
        """Append one reading."""
        self._times.append(t_ns)
        self._rows.append(reading)

    def take(self) -> HostSamples:
        """Return what was gathered and start anew; there must be at least one reading.

        A column that was never read is left out, except CPU and memory, which every event has.
        """
        times, rows = self._times, [asdict(row) for row in self._rows]
        self._times, self._rows = [], []
        columns = {name: [_rounded(row[name]) for row in rows] for name in rows[0]}
        read = {
            name: column for name, column in columns.items() if any(value is not None for value in column)
        }
        needed = {name: columns[name] for name in ("cpu_pct", "rss_mib")}
        merged: dict[str, Any] = {**needed, **read}
        d = [0, *(times[i + 1] - times[i] for i in range(len(times) - 1))]
        return HostSamples(t=times[0], process=self.process, d=d, **merged)


def _rounded(value: float | None) -> float | None:
    """Keep one decimal: below what any of these readings resolves."""
    return None if value is None else round(value, 1)
