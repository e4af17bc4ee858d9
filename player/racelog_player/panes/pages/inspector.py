"""The inspector: requests of one engine as they stream, the first token marked. Pure."""

from racelog.display.figures import number
from racelog.display.text import counted
from racelog.views.inspector import LEFT_OPEN, InspectorView, RequestView
from racelog_player.panes.pages.heads import lane_heading, nothing
from racelog_player.panes.widgets import beside, line_width, ms_text, spread_rows
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat, width, wrap
from racelog_player.terminal.style import ACCENT, BAD, FAINT, GOOD, SOFT, STRONG, WARN, color_of, mix

PROMPT_CELLS = 200
"""A prompt is cut at this many characters (docs/metrics.md#other-limits-of-what-is-shown)."""

_BASES = {"chunks": " (chunks counted)"}
"""What must be said of a count that is not the server's."""

_TWO = 150
"""From this many columns on requests stand two abreast: a line of prose is not read well beyond 100 cells."""

LEAST_ROWS = 6
"""A head, the prompt, the marks in time, two lines of answer and a blank."""

DENSE_ROWS = 5
"""For an expert: one line of answer."""


def inspector_pane(
    view: InspectorView, columns: int, rows: int, scroll: int, least_rows: int = LEAST_ROWS
) -> list[Line]:
    """Return the requests in at most ``rows`` rows, a page of them at a time; ``scroll`` is the chosen one, with a sign.

    A request has ``least_rows`` at least.
    """
    if not view.requests:
        return nothing("ANSWERS", "no request has been sent on this lane yet")
    chosen = min(scroll, len(view.requests) - 1)
    across = 2 if columns >= _TWO and len(view.requests) > 1 else 1
    cells = (columns - 2 * (across - 1)) // across
    fit = max(1, min(-(-len(view.requests) // across), (rows - 2) // least_rows))
    first = chosen // (fit * across) * fit * across
    shown = view.requests[first : first + fit * across]
    note = f"{view.active} in flight · {chosen + 1} of {len(view.requests)} chosen, enter opens it"
    lines: list[Line] = [
        lane_heading("ANSWERS", (view.lane, view.engine, view.color, view.emoji), note, columns),
        [],
    ]
    color = color_of(view.lane, view.color)
    for index, height in enumerate(spread_rows(rows - len(lines), fit)):
        boxes = [
            _request(one, cells, height, color, chosen=one is view.requests[chosen])
            for one in shown[index * across : (index + 1) * across]
        ]
        lines += beside(boxes, cells, 2) if across > 1 else [row for box in boxes for row in box]
    return lines[:rows]


def _request(request: RequestView, columns: int, rows: int, color: str, *, chosen: bool) -> list[Line]:
    """Return one request in exactly ``rows`` rows, the last one blank."""
    rail, mark = Span("▎ ", Style(color)), Span("▸", ACCENT) if chosen else Span(" ")
    inner = columns - 4
    body: list[Line] = [request_head(request, inner), _prompt(request, inner), request_marks(request, inner)]
    body += _answer(request, inner, rows - len(body) - 1, color)
    body = body[: rows - 1]
    lines: list[Line] = [[mark if not index else Span(" "), rail, *line] for index, line in enumerate(body)]
    return [*lines, *([[]] * (rows - len(body)))]


def request_head(request: RequestView, cells: int) -> Line:
    """Return a request's number, how it fares, for how long, and, with room in ``cells``, what connecting took."""
    signs = {
        "open": ("● streaming", GOOD),
        "ok": ("✓ done", SOFT),
        "failed": ("✗ failed", BAD),
        "cancelled": ("■ cancelled", SOFT),
        LEFT_OPEN: (f"■ {LEFT_OPEN}", SOFT),
    }
    text, style = signs.get(request.status, (request.status, SOFT))
    if request.status == "open" and request.ttft_ms is None:
        text, style = "○ waiting for the first token", WARN
    kind = "  warm-up, does not count" if request.phase == "warmup" else ""
    line = [Span(f"#{request.req}", STRONG), Span("  "), Span(text, style), Span(kind, FAINT),
            Span(f"  {ms_text(request.elapsed_ms)}", STRONG if request.status == "open" else SOFT)]  # fmt: skip
    room = cells - line_width(line)
    told = next((text for text in _connecting(request) if width(text) <= room), "")
    return [*line, Span(told, FAINT)]


def _connecting(request: RequestView) -> list[str]:
    """Return what connecting took before the request was sent, in full and in short; nothing where it had not to."""
    if request.connect_ms is None:
        return []
    steps = (("DNS", request.dns_ms), ("TCP", request.tcp_ms), ("TLS", request.tls_ms))
    told = ", ".join(f"{name} {number(value)}" for name, value in steps if value is not None)
    again = "connected again" if request.connection == "reopened" else "connected"
    whole = f"   {again} in {ms_text(request.connect_ms)}"
    return [f"{whole}: {told}", whole] if told else [whole]


def _prompt(request: RequestView, cells: int) -> Line:
    tokens = f"  {counted(request.input_tokens, 'token')}" if request.input_tokens else ""
    asked = cut(flat(request.prompt), min(PROMPT_CELLS, cells - 2 - width(tokens)))
    sign = Span("\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ", ACCENT)
    return [
        sign,
        Span(asked or "(the log does not hold the prompt)", ACCENT if asked else FAINT),
        Span(tokens, FAINT),
    ]


def request_marks(request: RequestView, cells: int) -> Line:
    """Return what happened when, since the request was sent; facts that do not fit are left out whole."""
    basis = _BASES.get(request.token_basis, "")
    facts: list[tuple[int, str, Style]] = [(0, "sent 0 ms", FAINT)]
    if request.headers_ms is not None:
        facts.append((4, f"headers {ms_text(request.headers_ms)}", FAINT))
    if request.ttft_ms is not None:
        facts.append((0, f"first token {ms_text(request.ttft_ms)}", Style("warn")))
        facts.append((1, f"{counted(request.tokens, 'token')}{basis}", SOFT))
    if request.tpot_ms is not None:
        facts.append((2, f"{ms_text(request.tpot_ms)} a token", SOFT))
    if request.one_piece:
        facts.append((2, "the answer came in one piece", SOFT))
    elif request.slowest_gap_ms is not None:
        facts.append((3, f"longest gap {ms_text(request.slowest_gap_ms)}", FAINT))
    if request.end_ms is not None:
        facts.append((2, f"end {ms_text(request.end_ms)}", FAINT))
    while len(facts) > 1 and sum(len(text) + 3 for _, text, _ in facts) - 3 > cells:
        facts.remove(max(facts, key=lambda fact: fact[0]))
    line: Line = []
    for _, text, style in facts:
        line += [Span(" ─ " if line else "", FAINT), Span(text, style)]
    return line


def _answer(request: RequestView, cells: int, rows: int, color: str) -> list[Line]:
    """Return the newest lines of the answer: its first token in reverse, what came just now in the lane's colour."""
    if rows <= 0:
        return []
    if request.status == "failed" and not request.first:
        return [[Span(cut(flat(request.error) or "no reason recorded", cells), BAD)]]
    first, text = flat(request.first.lstrip()), request.first.lstrip() + request.settled + request.fresh
    lines = wrap(text, cells - 1, 10_000)
    shown = lines[-rows:]
    marked = len(first) if len(lines) <= rows and shown and shown[0].startswith(first) else 0
    fresh = len(flat(request.fresh.replace("\n", "")))
    bright = Style(mix(color, "text", 0.25), bold=True)
    drawn: list[Line] = []
    for index in range(len(shown) - 1, -1, -1):
        line, begin = shown[index], marked if index == 0 else 0
        new = min(len(line) - begin, fresh)
        fresh -= new
        drawn.append([Span(line[begin : len(line) - new]), Span(line[len(line) - new :], bright)])
    drawn.reverse()
    if marked:
        drawn[0] = [Span(first, Style("warn", reverse=True)), *drawn[0]]
    if request.status == "open" and drawn:
        drawn[-1] = [*drawn[-1], Span("▌", Style(color))]
    if request.status == "failed" and request.error:
        drawn = [*drawn[: rows - 1], [Span(cut(flat(request.error), cells), BAD)]]
    return drawn
