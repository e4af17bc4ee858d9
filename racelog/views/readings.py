"""The readings behind the verdict on the recorder (`racelog.views.health`): its processes, its stamps, its notes."""

from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from typing import Literal

from msgspec import Struct

from racelog.events import STAMP_CODES
from racelog.replay.quantiles import quantile
from racelog.replay.race import Replay
from racelog.views.health import RaceHealth, health_line, race_health

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
    verdict, reasons = _judged(race_health(replay), notes)
    return HealthView(verdict=verdict, reasons=reasons, processes=processes, stamps=stamps, notes=notes)


def _judged(health: RaceHealth, notes: list[str]) -> tuple[Verdict, list[str]]:
    """Return the verdict in one word, and the reasons: the rules' and the recorder's own warnings."""
    if health.client_limited:
        return "bad", [*health.reasons, *notes]
    if notes:
        return "watch", notes
    line = health_line(health)
    return ("good", [line]) if line else ("unknown", [])


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
