"""The recorder's own health: was the client the bottleneck? Every race answers it from its own recording."""

from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from typing import Literal

from msgspec import Struct

from racelog.events import STAMP_CODES
from racelog.replay.quantiles import quantile
from racelog.replay.race import Replay

BUSY_PCT, FULL_PCT = 70.0, 95.0
"""Of one core: from the first a process has little left, from the second it cannot keep up."""

LATE_US, TOO_LATE_US = 5_000.0, 50_000.0
"""Loop lag p99: Python's own stamps are off by as much, kernel stamps are not."""

Verdict = Literal["good", "watch", "bad", "unknown"]


class ProcessHealth(Struct, frozen=True, kw_only=True):
    """One process (or ``host``) up to now; ``history`` is CPU percent, the last 60 readings."""

    process: str
    cpu_pct: float | None
    cpu_p99_pct: float | None
    rss_mib: float | None
    lag_p50_us: float | None
    lag_p99_us: float | None
    history: list[float]


class StampHealth(Struct, frozen=True, kw_only=True):
    """One lane's chunks so far: how many the kernel stamped, and how many shared a read with a later one."""

    lane: int
    engine: str
    chunks: int
    kernel_share: float | None
    coalesced_share: float | None


class HealthView(Struct, frozen=True, kw_only=True):
    """The verdict, the reasons for it, and the readings behind them."""

    verdict: Verdict
    reasons: list[str]
    processes: list[ProcessHealth]
    stamps: list[StampHealth]
    notes: list[str]


def health_view(replay: Replay) -> HealthView:
    """Return the recorder's health where ``replay`` stands. Cost: all readings and stamps so far."""
    until = max((fold.position_ns for fold in replay.lanes.values()), default=replay.position_ns)
    processes = _processes(replay, until)
    stamps = [_stamps(replay, lane) for lane in replay.lanes]
    notes = [note.text for note in replay.tracks.notes if note.t <= until and note.level != "info"]
    verdict, reasons = _judged(processes, stamps, notes)
    return HealthView(verdict=verdict, reasons=reasons, processes=processes, stamps=stamps, notes=notes)


def _judged(
    processes: list[ProcessHealth], stamps: list[StampHealth], notes: list[str]
) -> tuple[Verdict, list[str]]:
    """Return the worst of what the readings say, and every reason for it."""
    found: list[tuple[Verdict, str]] = []
    for process in processes:
        share = process.cpu_p99_pct
        if share is not None and process.process != "host" and share >= BUSY_PCT:
            found.append(
                (
                    "bad" if share >= FULL_PCT else "watch",
                    f"{process.process} used {share:.0f} % of a core at its busiest",
                )
            )
        lag = process.lag_p99_us
        if lag is not None and lag >= LATE_US:
            stamped = all(lane.kernel_share in (1.0, None) for lane in stamps)
            worst: Verdict = "bad" if lag >= TOO_LATE_US and not stamped else "watch"
            saved = "; the kernel's stamps are not touched by it" if stamped else ""
            found.append(
                (worst, f"{process.process} answered its loop {lag / 1000:.1f} ms late at p99{saved}")
            )
    found += [
        (
            "watch",
            f"{lane.engine}: {1 - lane.kernel_share:.0%} of chunks stamped in Python, not by the kernel",
        )
        for lane in stamps
        if lane.kernel_share is not None and lane.kernel_share < 1
    ]
    found += [("watch", note) for note in notes]
    if not found:
        if processes:
            return "good", ["the recorder kept up: no process was busy, no loop was late"]
        if any(lane.kernel_share == 1 for lane in stamps):
            return "good", ["the kernel stamped every chunk; how busy the recorder was is not in this log"]
        return "unknown", []
    verdict: Verdict = "bad" if any(severity == "bad" for severity, _ in found) else "watch"
    return verdict, [reason for _, reason in found]


def _processes(replay: Replay, until_ns: int) -> list[ProcessHealth]:
    columns: dict[str, tuple[list[float], list[float], list[float]]] = {}
    for batch in replay.tracks.host:
        cpu, rss, lag = columns.setdefault(batch.process, ([], [], []))
        stop = bisect_right(list(accumulate(batch.d, initial=batch.t))[1:], until_ns)
        cpu += [value for value in batch.cpu_pct[:stop] if value is not None]
        rss += [value for value in batch.rss_mib[:stop] if value is not None]
        lag += [value for value in batch.loop_lag_us[:stop] if value is not None]
    return [
        ProcessHealth(
            process=process, cpu_pct=cpu[-1] if cpu else None, cpu_p99_pct=quantile(sorted(cpu), 0.99),
            rss_mib=rss[-1] if rss else None, lag_p50_us=quantile(sorted(lag), 0.5),
            lag_p99_us=quantile(sorted(lag), 0.99), history=cpu[-60:],
        )
        for process, (cpu, rss, lag) in sorted(columns.items())
    ]  # fmt: skip


def _stamps(replay: Replay, lane: int) -> StampHealth:
    fold = replay.lanes[lane]
    letters = Counter(fold.track.stamp[: bisect_right(fold.track.t, fold.position_ns)])
    chunks = sum(letters.values())
    kernel = sum(n for letter, n in letters.items() if STAMP_CODES.get(letter, ("", False))[0] == "kernel")
    joined = sum(n for letter, n in letters.items() if STAMP_CODES.get(letter, ("", False))[1])
    return StampHealth(
        lane=lane, engine=fold.track.facts.engine, chunks=chunks,
        kernel_share=kernel / chunks if chunks else None, coalesced_share=joined / chunks if chunks else None,
    )  # fmt: skip
