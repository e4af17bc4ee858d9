"""The answers as they arrive, one box per lane, side by side where there is room. Pure."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from racelog.display.text import counted
from racelog.views.race import LaneView, RaceView, StreamView
from racelog.views.recent import Ended
from racelog_player.panes.lanes import emoji
from racelog_player.panes.widgets import beside, line_width, ms_text, spread_rows
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat, left, named, right, width, wrap
from racelog_player.terminal.style import BAD, FAINT, GOOD, HEADING, SOFT, lane_color

BEST_CELLS, LEAST_CELLS = 36, 24
"""A box is at least as wide as half a line of prose, and never narrower than a few words."""

LEAST_ROWS = 4
"""A head, the prompt, and two lines of answer."""

ROWS_A_STREAM = 8
"""From twice this many rows on, a box shows more than one answer."""

LEAST_HEADED, MOST_ENDED = 4, 40
"""From so many rows on the list of requests that ended has a heading: a blank, the heading and two of them."""

DENSE_ROWS = 6
"""The same for an expert."""

_GAP = 2
_SIGNS = {"ok": ("✓", GOOD), "failed": ("✗", BAD), "cancelled": ("■", SOFT)}


def streams_pane(
    race: RaceView,
    columns: int,
    rows: int,
    recent: Mapping[int, Sequence[Ended]] | None = None,
    *,
    dense: bool = False,
) -> list[Line]:
    """Return the lanes' answers in exactly the room given, or nothing where that is too little.

    When not every lane finds room, those still racing come first, and the last row names the others. Below the answers
    that stream stand the requests of each lane that ended last, ``recent``, as many as there is room for; ``dense``: more answers, each with fewer rows.
    """
    lanes = sorted(race.lanes, key=lambda lane: lane.status not in ("racing", "waiting"))
    if rows < LEAST_ROWS or not lanes:
        return []
    across, down = _grid(len(lanes), columns, rows)
    rest: list[Line] = []
    if len(lanes) > across * down and rows > LEAST_ROWS:
        rows -= 1
        across, down = _grid(len(lanes), columns, rows)
        rest = [_others(lanes[across * down :], columns)]
    chosen = sorted(lanes[: across * down], key=lambda lane: lane.lane)
    cells = (columns - 1 - _GAP * (across - 1)) // across
    lines: list[Line] = []
    for index, height in enumerate(spread_rows(rows - (down - 1), down)):
        part = chosen[index * across : (index + 1) * across]
        lines += ([[]] if index else []) + beside(
            [
                _box(
                    lane,
                    cells,
                    height,
                    (recent or {}).get(lane.lane, ()),
                    DENSE_ROWS if dense else ROWS_A_STREAM,
                )
                for lane in part
            ],
            cells,
            _GAP,
        )
    return lines + rest


def _others(lanes: Sequence[LaneView], columns: int) -> Line:
    """Return how many lanes have no box, how to read their answers, and, with room, their names; facts are left out whole."""
    how = "tab picks one, enter opens its answers"
    count = f"{counted(len(lanes), 'more engine')}"
    names = ", ".join(flat(lane.engine) for lane in sorted(lanes, key=lambda lane: lane.lane))
    forms = (f"{count}: {names} · {how}", f"{count}: {how}", f"+{len(lanes)}: tab, enter", f"+{len(lanes)}")
    return [Span(" "), Span(next((form for form in forms if width(form) < columns), ""), FAINT)]


def _grid(lanes: int, columns: int, rows: int) -> tuple[int, int]:
    """Return how many boxes stand side by side and how many one below another."""
    across = _across(lanes, columns, rows)
    return across, min(-(-lanes // across), max(1, (rows + 1) // (LEAST_ROWS + 1)))


def _across(lanes: int, columns: int, rows: int) -> int:
    """Return how many boxes stand side by side: as many as stay readable, more when there are few rows."""
    across = max(1, min(lanes, columns // BEST_CELLS))
    if rows // -(-lanes // across) <= LEAST_ROWS + 1:
        across = max(across, min(lanes, columns // LEAST_CELLS))
    return -(-lanes // -(-lanes // across))  # four in two rows of two, not three and one


def _box(lane: LaneView, cells: int, rows: int, ended: Sequence[Ended], rows_each: int) -> list[Line]:
    rail = Span(" ▎", Style(lane_color(lane)))
    inner = max(2, cells - 3)
    name = Span(named(lane.engine, inner - 3).rstrip(), Style(lane_color(lane), bold=True))
    head: Line = [emoji(lane), Span(" "), name]
    waits = f"  {lane.active} in flight" if lane.active > 1 else ""
    body = [[*head, Span(waits if line_width(head) + len(waits) <= inner else "", FAINT)]]
    shown = sorted(lane.streams, key=_streaming_s, reverse=True)[: max(1, rows // rows_each)]
    if not shown:
        body.append([Span(_idle(lane, inner), SOFT)])
    for stream, height in zip(shown, spread_rows(rows - 1, max(1, len(shown))), strict=False):
        several = len(shown) > 1  # then a blank row parts them
        body += [*_stream(stream, inner, height - several, lane_color(lane)), *([[]] if several else [])]
    body = body[:rows]
    while len(body) > 1 and not body[-1]:
        body.pop()
    body += _history(ended, inner, rows - len(body))
    return [[rail, Span(" "), *line] for line in body]


def _history(ended: Sequence[Ended], cells: int, rows: int) -> list[Line]:
    """Return the requests that ended last in exactly ``rows`` rows: a heading below blank rows, the newest at the bottom."""
    heading = rows >= LEAST_HEADED
    room = min(rows - (2 if heading else 1), MOST_ENDED)
    shown = ended[-room:] if room > 0 else ()
    if not shown:
        return [[] for _ in range(rows)]
    width_req = max(len(f"#{one.req}") for one in shown)
    lines: list[Line] = [[Span(cut("LAST REQUESTS", cells), HEADING)]] if heading else []
    lines += [_ended(one, cells, width_req) for one in shown]
    return [*([] for _ in range(rows - len(lines))), *lines]


@lru_cache(maxsize=2048)
def _ended(one: Ended, cells: int, width_req: int) -> Line:
    """Return one request that ended in a row: its number and times, or why it failed; facts are left out whole.

    Remembered: it stands there for many frames.
    """
    sign, style = _SIGNS.get(one.status, ("·", SOFT))
    start = f"{sign} {left(f'#{one.req}', width_req)} "
    if one.error:
        return [Span(start, style), Span(cut(flat(one.error), cells - width(start)), SOFT)]
    facts = [
        f"TTFT {right(ms_text(one.ttft_ms), 7)}",
        f"E2E {right(ms_text(one.e2e_ms), 7)}",
        counted(one.tokens, "token"),
    ]
    while len(facts) > 1 and width(start + "  ".join(facts)) > cells:
        facts.pop()
    return [Span(start, style), Span(cut("  ".join(facts), cells - width(start)), SOFT)]


def _streaming_s(stream: StreamView) -> float:
    """Return for how long tokens have come, or -1: who streams longest stays on the screen until it is answered."""
    return -1.0 if stream.ttft_ms is None else stream.elapsed_s - stream.ttft_ms / 1000


def _idle(lane: LaneView, cells: int) -> str:
    """Return what a lane without an open request does, in ``cells``; a number is whole or left out."""
    if lane.status == "waiting":
        return "not started"
    if lane.status == "racing":
        return "between requests"
    done = counted(lane.requests_done, "request")
    forms = (
        f"{done} in {ms_text(lane.elapsed_s * 1000)}",
        f"{lane.requests_done:,} in {ms_text(lane.elapsed_s * 1000)}",
        f"{lane.requests_done:,} done",
    )
    return next((form for form in forms if width(form) <= cells), "")


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
