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
            samples.add(journal.now_ns(), own.cpu_percent(), own.memory_info().rss / MIB, lag_s * 1e6)
            if len(samples) >= SAMPLES_PER_EVENT:
                journal.record(samples.take())
    finally:
        if len(samples):
            journal.record(samples.take())


class HostColumns:
    """Gathers samples of one process into a `HostSamples` event."""

    def __init__(self, process: str) -> None:
        self.process = process
        self._rows: list[tuple[int, float, float, float | None]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, t_ns: int, cpu_pct: float, rss_mib: float, loop_lag_us: float | None) -> None:
        """Append one reading."""
        self._rows.append((t_ns, cpu_pct, rss_mib, loop_lag_us))

    def take(self) -> HostSamples:
        """Return what was gathered and start anew; there must be at least one reading."""
        rows, self._rows = self._rows, []
        times = [row[0] for row in rows]
        lags = [None if row[3] is None else round(row[3], 1) for row in rows]
        return HostSamples(
            t=times[0],
            process=self.process,
            d=[0, *(times[i + 1] - times[i] for i in range(len(times) - 1))],
            cpu_pct=[round(row[1], 1) for row in rows],
            rss_mib=[round(row[2], 1) for row in rows],
            loop_lag_us=lags if any(lag is not None for lag in lags) else [],
        )
