"""Recorder health: can these numbers be trusted? The verdict first, then what it rests on. Pure."""

from racelog.display.figures import duration, percent
from racelog.views.evidence.health import (
    CALIBRATION_P99_US,
    COALESCED_SHARE,
    FULL_SHARE,
    LATE_SEND_SHARE,
    LOOP_LAG_US,
    TOO_SLOW,
    LaneHealth,
    RaceHealth,
)
from racelog.views.evidence.readings import HealthView, ProcessHealth, StampHealth
from racelog_player.panes.pages.heads import heading
from racelog_player.panes.widgets import NOTHING, ms_text, scrolled, share_text, spark
from racelog_player.terminal.canvas import Line, Span
from racelog_player.terminal.cells import flat, left, named, prose, right
from racelog_player.terminal.style import ACCENT, BAD, FAINT, GOOD, HEADING, SOFT, STRONG, WARN

_VERDICTS = {
    "good": (" ✓ fast enough: the numbers are the engines' own ", GOOD),
    "watch": (" ! the recorder gave a warning ", WARN),
    "bad": (f" ✗ {TOO_SLOW} ", BAD),
    "unknown": (" ? nothing was recorded to judge by ", SOFT),
}
_SPARK = 30


def health_pane(view: HealthView, health: RaceHealth, columns: int, rows: int, scroll: int) -> list[Line]:
    """Return the page in at most ``rows`` rows, scrolled down by ``scroll``; ``health`` has what the rules look at."""
    word, style = _VERDICTS[view.verdict]
    lines: list[Line] = [
        heading("RECORDER HEALTH", "was this machine fast enough to measure?"),
        [],
        [Span(" "), Span(word, style._replace(bold=True, reverse=True))],
    ]
    for reason in view.reasons:
        lines += [[Span("   "), Span(line)] for line in prose(reason, columns - 6, 4)]
    lines += [[], *_processes(view.processes, columns), [], *_stamps(view.stamps, columns)]
    lines += [[], *_rules(health.lanes)]
    return scrolled(lines, rows, scroll) if len(lines) > rows else lines


def _rules(lanes: list[LaneHealth]) -> list[Line]:
    """Return what the rules look at, lane by lane, below their limits; a value beyond its limit stands out."""
    limits = [
        percent(FULL_SHARE), ms_text(LOOP_LAG_US / 1000), percent(COALESCED_SHARE), percent(LATE_SEND_SHARE), "0",
        ms_text(CALIBRATION_P99_US / 1000),
    ]  # fmt: skip
    titles = ("CPU full", "loop p99", "together", "sent late", "lost", "clock p99")
    lines: list[Line] = [
        [Span(left(" RULES", 22), HEADING), *(Span(right(title, 9), SOFT) for title in titles)],
        [Span(left("   at most", 22), FAINT), *(Span(right(limit, 9), FAINT) for limit in limits)],
    ]
    for lane in lanes:
        check = lane.calibration
        values = [
            share_text(lane.full_share), NOTHING if lane.loop_lag_p99_us is None else ms_text(lane.loop_lag_p99_us / 1000),
            share_text(lane.coalesced_share), share_text(lane.late_send_share), f"{lane.lost_chunks + lane.lost_events:,}",
            NOTHING if check is None else ms_text(check.p99_us / 1000),
        ]  # fmt: skip
        name = Span("   " + left(named(lane.engine, 18), 19), STRONG)
        sign = Span("  ✗ too slow", BAD) if lane.client_limited else Span("")
        lines.append([name, *(Span(right(value, 9)) for value in values), sign])
    return lines


def _processes(processes: list[ProcessHealth], columns: int) -> list[Line]:
    titles = (("CPU", 8), ("p99", 8), ("memory", 10), ("loop delay p50", 15), ("p99", 10))
    lines: list[Line] = [
        [Span(left(" PROCESSES", 22), HEADING), *(Span(right(name, cells), SOFT) for name, cells in titles)]
    ]
    if not processes:
        return [lines[0], [Span("   no readings in this log", SOFT)]]
    for one in processes:
        values = (
            (_pct(one.cpu_pct), 8), (_pct(one.cpu_p99_pct), 8),
            (NOTHING if one.rss_mib is None else f"{one.rss_mib:,.0f} MiB", 10),
            (_lag(one.lag_p50_us), 15), (_lag(one.lag_p99_us), 10),
        )  # fmt: skip
        line: Line = [
            Span("   " + left(flat(one.process), 19), STRONG),
            *(Span(right(text, cells)) for text, cells in values),
        ]
        room = min(_SPARK, columns - 78)
        if room > 4:  # noqa: PLR2004 - fewer is no history
            line += [Span("   "), Span(spark([round(value) for value in one.history], room, 100), ACCENT)]
        lines.append(line)
    return lines


def _pct(value: float | None) -> str:
    return NOTHING if value is None else percent(value / 100)


def _lag(value: float | None) -> str:
    if value is None:
        return NOTHING
    return duration(value / 1000)


def _stamps(stamps: list[StampHealth], columns: int) -> list[Line]:
    lines: list[Line] = [[
        Span(left(" TOKEN TIMES", 22), HEADING), Span(right("chunks", 10), SOFT), Span(right("by the kernel", 16), SOFT),
        Span(right("read together", 16), SOFT),
    ]]  # fmt: skip
    for one in stamps:
        kernel = share_text(one.kernel_share)
        joined = share_text(one.coalesced_share)
        lines.append([
            Span("   " + left(named(one.engine, 18), 19), STRONG), Span(right(f"{one.chunks:,}", 10)),
            Span(right(kernel, 16)), Span(right(joined, 16)),
        ])  # fmt: skip
    words = "Times by the kernel are exact, also when the recorder is busy. Of chunks read together only the last has an exact time."
    return [*lines, *([Span(f"   {line}", FAINT)] for line in prose(words, columns - 6, 3))]
