"""Recorder health: can these numbers be trusted? The verdict first, then what it rests on. Pure."""

from racelog.figures import duration, percent
from racelog.views.health import TOO_SLOW
from racelog.views.readings import HealthView, ProcessHealth, StampHealth
from racelog_player.canvas import Line, Span
from racelog_player.cells import cut, flat, left, right, wrap
from racelog_player.look import ACCENT, BAD, FAINT, GOOD, HEADING, SOFT, STRONG, WARN
from racelog_player.panes.heads import heading
from racelog_player.parts import NOTHING, share_text, spark

_VERDICTS = {
    "good": (" ✓ fast enough: the numbers are the engines' own ", GOOD),
    "watch": (" ! the recorder gave a warning ", WARN),
    "bad": (f" ✗ {TOO_SLOW} ", BAD),
    "unknown": (" ? nothing was recorded to judge by ", SOFT),
}
_SPARK = 30


def health_pane(view: HealthView, columns: int, rows: int) -> list[Line]:
    """Return the page in at most ``rows`` rows."""
    word, style = _VERDICTS[view.verdict]
    lines: list[Line] = [
        heading("RECORDER HEALTH", "was this machine fast enough to measure?"),
        [],
        [Span(" "), Span(word, style._replace(bold=True, reverse=True))],
    ]
    for reason in view.reasons:
        lines += [[Span("   "), Span(line)] for line in wrap(reason, columns - 6, 3)]
    lines += [[], *_processes(view.processes, columns), [], *_stamps(view.stamps, columns)]
    return lines[:rows]


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
            Span("   " + left(cut(flat(one.engine), 18), 19), STRONG), Span(right(f"{one.chunks:,}", 10)),
            Span(right(kernel, 16)), Span(right(joined, 16)),
        ])  # fmt: skip
    words = "Times by the kernel are exact, also when the recorder is busy. Of chunks read together only the last has an exact time."
    return [*lines, *([Span(f"   {line}", FAINT)] for line in wrap(words, columns - 6, 2))]
