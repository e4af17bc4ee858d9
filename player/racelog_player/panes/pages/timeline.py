"""The timeline: the last requests as bars, stacked per engine, over what the GPU did meanwhile. Pure."""

from functools import lru_cache

from racelog.display.figures import progress
from racelog.display.text import counted
from racelog.views.timeline import BarView, GpuTrack, LaneBars, TimelineView
from racelog_player.panes.lanes import WIDE
from racelog_player.panes.pages.axes import ticks
from racelog_player.panes.pages.heads import heading, lane_sign, nothing
from racelog_player.panes.widgets import ms_text
from racelog_player.terminal.canvas import Depth, Line, Span, Style
from racelog_player.terminal.cells import flat, left, named, right
from racelog_player.terminal.style import BAD, FAINT, SOFT, TRACK, WARN, Look, color_of, mix

_NAME_CELLS, _WIDE_NAME_CELLS = 14, 24
_TAIL_CELLS = 7
_OUTCOMES = {
    "ok": "",
    "slow": "slow",
    "failed": "failed",
    "cancelled": "stopped",
    "streaming": "",
    "waiting": "waits",
}
_COLORS = {
    "ok": "good",
    "slow": "warn",
    "failed": "bad",
    "cancelled": "faint",
    "streaming": "accent",
    "waiting": "accent",
}
"""A bar's colour is its request's status (docs/metrics.md#other-limits-of-what-is-shown); whose it is says the name before it, in the lane's."""

_SOLID, _WAITS = "█", "░"
_SIGNS = {"ok": "█", "slow": "▓", "failed": "x", "cancelled": "-", "streaming": "▒", "waiting": "▒"}
"""Where there is no colour, each status has a sign of its own."""

_LEGEND = (
    ("ok", "ok"),
    ("slow", "slow"),
    ("failed", "failed"),
    ("cancelled", "stopped"),
    ("streaming", "streams"),
)
_BLOCKS = " ▁▂▃▄▅▆▇█"


def timeline_pane(view: TimelineView, look: Look, columns: int, rows: int) -> list[Line]:
    """Return the bars in at most ``rows`` rows: as many of each lane's newest requests as fit."""
    if not any(lane.bars for lane in view.lanes):
        return nothing("TIMELINE", "no request has been sent yet")
    names = _NAME_CELLS if columns < WIDE else _WIDE_NAME_CELLS
    cells = columns - names - _TAIL_CELLS - 2
    gpus = [_gpu(gpu, view, names, cells) for gpu in view.gpus][: max(0, (rows - 8) // 2)]
    shown = sum(len(lane.bars) for lane in view.lanes)
    lines = [heading("TIMELINE", f"the last {counted(shown, 'request')}"), _legend(look)]
    room = rows - len(lines) - 1 - len(gpus)
    share = _shares([len(lane.bars) for lane in view.lanes], room)
    for lane, height in zip(view.lanes, share, strict=True):
        lines += _lane(lane, view, look, (names, cells), height)
    return [*lines, *gpus, _axis(view, names, cells)][:rows]


def _legend(look: Look) -> Line:
    line: Line = [Span(" "), Span(_WAITS * 2, SOFT), Span(" waits   ", FAINT)]
    for outcome, word in _LEGEND:
        line += [Span(_sign(outcome, look) * 2, Style(_COLORS[outcome])), Span(f" {word}   ", FAINT)]
    return line


def _sign(outcome: str, look: Look) -> str:
    """Return what a bar is drawn with: its colour tells its status, or, where there is none, its sign."""
    return _SIGNS[outcome] if look.depth is Depth.NONE or look.ascii_only else _SOLID


def _shares(wanted: list[int], room: int) -> list[int]:
    """Return rows per lane: what each wants, cut evenly where that is too much; every lane keeps one."""
    return list(_shared(tuple(wanted), room))


@lru_cache(maxsize=64)
def _shared(wanted: tuple[int, ...], room: int) -> tuple[int, ...]:
    shares = [min(one, 1) for one in wanted]
    while sum(shares) < room and any(share < one for share, one in zip(shares, wanted, strict=True)):
        poorest = min(
            (index for index, one in enumerate(wanted) if shares[index] < one),
            key=lambda index: shares[index],
        )
        shares[poorest] += 1
    return tuple(shares)


def _lane(lane: LaneBars, view: TimelineView, look: Look, room: tuple[int, int], height: int) -> list[Line]:
    names, cells = room
    lines: list[Line] = []
    for index, one in enumerate(lane.bars[len(lane.bars) - height :] if height else []):
        name = Span(named(lane.engine, names - 4), Style(color_of(lane.lane, lane.color), bold=True))
        start: Line = [Span(" "), lane_sign(lane.lane, lane.color, lane.emoji), Span(" "), name]
        if index:
            start = [Span(right(f"#{one.req}", names), FAINT)]
        lines.append([*start, Span(" "), *_bar(one, view, look, cells), Span(" "), _tail(one)])
    return lines


def _bar(one: BarView, view: TimelineView, look: Look, cells: int) -> Line:
    """Return a request's cells: blank before it, weak while it waits, solid while it answers."""
    span_s = max(view.to_s - view.from_s, 1e-9)

    def cell(t: float) -> int:
        return min(cells, max(0, round((t - view.from_s) / span_s * cells)))

    start, end = cell(one.start_s), max(cell(one.start_s) + 1, cell(one.end_s))
    end = min(cells, end)
    first = end if one.first_s is None else min(end, max(start, cell(one.first_s)))
    first = (
        start if one.first_s is None and one.outcome == "failed" else first
    )  # a failure is seen, however short
    color = _COLORS[one.outcome]
    weak = mix(color, TRACK, 0.5)
    return [
        Span(" " * start),
        Span(_WAITS * (first - start), Style(weak)),
        Span(
            _sign(one.outcome, look) * (end - first), Style(mix(color, TRACK, 0.55) if one.warmup else color)
        ),
        Span(" " * (cells - end)),
    ]


def _tail(one: BarView) -> Span:
    word = _OUTCOMES[one.outcome]
    if word:
        return Span(left(word, _TAIL_CELLS), BAD if word == "failed" else WARN if word == "slow" else FAINT)
    seconds = one.end_s - one.start_s
    return Span(right(ms_text(seconds * 1000), _TAIL_CELLS - 1) + " ", SOFT)


def _gpu(gpu: GpuTrack, view: TimelineView, names: int, cells: int) -> Line:
    """Return a GPU's use as blocks on the same time axis; blank where nothing was read."""
    span_s = max(view.to_s - view.from_s, 1e-9)
    levels: list[list[float]] = [[] for _ in range(cells)]
    for t_s, used in zip(gpu.t_s, gpu.util_pct, strict=True):
        if used is not None:
            levels[min(cells - 1, max(0, int((t_s - view.from_s) / span_s * cells)))].append(used)
    last = 0.0
    blocks = ""
    for read in levels:
        last = max(read) if read else last
        blocks += _BLOCKS[min(8, round(last / 100 * 8))]
    now = next((used for used in reversed(gpu.util_pct) if used is not None), None)
    name = flat(gpu.name).removeprefix("NVIDIA ").split(" ")[0]
    return [
        Span(" " + left(name, names - 1), SOFT), Span(" "), Span(blocks, Style("accent")),
        Span(right("" if now is None else progress(now / 100), _TAIL_CELLS), SOFT),
    ]  # fmt: skip


def _axis(view: TimelineView, names: int, cells: int) -> Line:
    return [
        Span(" " * (names + 1)),
        Span(ticks(view.from_s, view.to_s, cells), FAINT),
        Span(" s", FAINT),
    ]
