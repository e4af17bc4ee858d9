"""The answers as they arrive, one box per lane, side by side where there is room. Pure."""

from racelog.text import counted
from racelog.views.race import LaneView, RaceView, StreamView
from racelog_player.canvas import Line, Span, Style
from racelog_player.cells import cut, flat, width, wrap
from racelog_player.lanes import emoji
from racelog_player.look import FAINT, SOFT, lane_color
from racelog_player.parts import beside, line_width, ms_text, spread_rows

BEST_CELLS, LEAST_CELLS = 36, 24
"""A box is at least as wide as half a line of prose, and never narrower than a few words."""

LEAST_ROWS = 4
"""A head, the prompt, and two lines of answer."""

ROWS_A_STREAM = 8
"""From twice this many rows on, a box shows more than one answer."""

_GAP = 2


def streams_pane(race: RaceView, columns: int, rows: int) -> list[Line]:
    """Return the lanes' answers in exactly the room given, or nothing where that is too little.

    When not every lane finds room, those still racing come first.
    """
    lanes = sorted(race.lanes, key=lambda lane: lane.status not in ("racing", "waiting"))
    if rows < LEAST_ROWS or not lanes:
        return []
    across = _across(len(lanes), columns, rows)
    down = min(-(-len(lanes) // across), max(1, (rows + 1) // (LEAST_ROWS + 1)))
    chosen = sorted(lanes[: across * down], key=lambda lane: lane.lane)
    cells = (columns - 1 - _GAP * (across - 1)) // across
    lines: list[Line] = []
    for index, height in enumerate(spread_rows(rows - (down - 1), down)):
        part = chosen[index * across : (index + 1) * across]
        lines += ([[]] if index else []) + beside([_box(lane, cells, height) for lane in part], cells, _GAP)
    return lines


def _across(lanes: int, columns: int, rows: int) -> int:
    """Return how many boxes stand side by side: as many as stay readable, more when there are few rows."""
    across = max(1, min(lanes, columns // BEST_CELLS))
    if rows // -(-lanes // across) <= LEAST_ROWS + 1:
        across = max(across, min(lanes, columns // LEAST_CELLS))
    return -(-lanes // -(-lanes // across))  # four in two rows of two, not three and one


def _box(lane: LaneView, cells: int, rows: int) -> list[Line]:
    rail = Span(" ▎", Style(lane_color(lane)))
    inner = max(2, cells - 3)
    name = Span(cut(flat(lane.engine), inner - 3), Style(lane_color(lane), bold=True))
    head: Line = [emoji(lane), Span(" "), name]
    waits = f"  {lane.active} in flight" if lane.active > 1 else ""
    body = [[*head, Span(waits if line_width(head) + len(waits) <= inner else "", FAINT)]]
    shown = sorted(lane.streams, key=_streaming_s, reverse=True)[: max(1, rows // ROWS_A_STREAM)]
    if not shown:
        body.append([Span(_idle(lane), SOFT)])
    for stream, height in zip(shown, spread_rows(rows - 1, max(1, len(shown))), strict=False):
        several = len(shown) > 1  # then a blank row parts them
        body += [*_stream(stream, inner, height - several, lane_color(lane)), *([[]] if several else [])]
    return [[rail, Span(" "), *line] for line in body[:rows]]


def _streaming_s(stream: StreamView) -> float:
    """Return for how long tokens have come, or -1: who streams longest stays on the screen until it is answered."""
    return -1.0 if stream.ttft_ms is None else stream.elapsed_s - stream.ttft_ms / 1000


def _idle(lane: LaneView) -> str:
    if lane.status == "waiting":
        return "on the grid"
    if lane.status == "racing":
        return "between requests"
    return f"{counted(lane.requests_done, 'request')} in {ms_text(lane.elapsed_s * 1000)}"


def _stream(stream: StreamView, cells: int, rows: int, color: str) -> list[Line]:
    """Return one answer in ``rows`` rows: its number and times, the prompt, then its newest lines."""
    told = [f"#{stream.req}", ms_text(stream.elapsed_s * 1000)]
    if stream.ttft_ms is not None:
        told.insert(1, f"TTFT {ms_text(stream.ttft_ms)}")
    while len(told) > 1 and width(" · ".join(told)) > cells:
        told.pop()  # whole facts only: half a number is a wrong number
    facts: Line = [Span(" · ".join(told), FAINT)]
    prompt: Line = [
        Span("\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ", Style(color)),
        Span(cut(flat(stream.prompt), cells - 2), SOFT),
    ]
    heads = [prompt, facts] if rows > LEAST_ROWS else [prompt]
    text = wrap(stream.text.strip(), cells - 1, max(1, rows - len(heads)))
    lines: list[Line] = [[Span(line)] for line in text]
    if stream.ttft_ms is None:
        lines = [[Span("waiting for the first token", FAINT)]]
    elif lines:
        lines[-1] = [*lines[-1], Span("▌", Style(color))]
    return (heads + lines)[:rows]
