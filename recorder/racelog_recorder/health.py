"""The recorder's own health: each of its processes samples itself, so a slow client cannot hide."""

import psutil
import trio

from racelog.events import HostSamples
from racelog_recorder.journal import Journal

SAMPLE_S = 0.1
SAMPLES_PER_EVENT = 10
MIB = 1 << 20


async def sample_self(journal: Journal, process: str) -> None:
    """Record this process's CPU, memory and loop lag at 10 Hz, one event a second, until cancelled.

    Loop lag is how late a timer fired: the time anything on this loop may have had to wait.
    """
    own = psutil.Process()
    own.cpu_percent()
    samples = HostColumns(process)
    deadline_s = trio.current_time()
    try:
        while True:
            deadline_s += SAMPLE_S
            await trio.sleep_until(deadline_s)
            lag_s = max(0.0, trio.current_time() - deadline_s)
            if lag_s > SAMPLE_S:
                deadline_s = trio.current_time()
            cpu_pct, rss_mib = _read(own)
            samples.add(journal.now_ns(), cpu_pct, rss_mib, lag_s * 1e6)
            if len(samples) >= SAMPLES_PER_EVENT:
                journal.record(samples.take())
    finally:
        if len(samples):
            journal.record(samples.take())


def _read(process: psutil.Process) -> tuple[float | None, float | None]:
    """Return a process's CPU and memory; None where the system does not tell, which must not stop a race."""
    try:
        return process.cpu_percent(), process.memory_info().rss / MIB
    except (psutil.Error, OSError):
        return None, None


class HostColumns:
    """Gathers samples of one process into a `HostSamples` event."""

    def __init__(self, process: str) -> None:
        self.process = process
        self._rows: list[tuple[int, float | None, float | None, float | None]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, t_ns: int, cpu_pct: float | None, rss_mib: float | None, loop_lag_us: float | None) -> None:
        """Append one reading."""
        self._rows.append((t_ns, cpu_pct, rss_mib, loop_lag_us))

    def take(self) -> HostSamples:
        """Return what was gathered and start anew; there must be at least one reading."""
        rows, self._rows = self._rows, []
        times = [row[0] for row in rows]
        lags = [_rounded(row[3]) for row in rows]
        return HostSamples(
            t=times[0],
            process=self.process,
            d=[0, *(times[i + 1] - times[i] for i in range(len(times) - 1))],
            cpu_pct=[_rounded(row[1]) for row in rows],
            rss_mib=[_rounded(row[2]) for row in rows],
            loop_lag_us=lags if any(lag is not None for lag in lags) else [],
        )


def _rounded(value: float | None) -> float | None:
    """Keep one decimal: below what any of these readings resolves."""
    return None if value is None else round(value, 1)
