"""What frames the race: title, transport, keys, help, countdown, and a word for terminals too small. Pure."""

from collections.abc import Sequence
from functools import lru_cache

from racelog.display.figures import duration, progress
from racelog.display.text import counted
from racelog.replay.speed import speed_text
from racelog.views.evidence.health import TOO_SLOW, clock_checked, health_line
from racelog.views.race import RaceView
from racelog_player.model.lag import lag_text
from racelog_player.model.scene import Page, Scene, Stage, Transport
from racelog_player.model.times import clock_text
from racelog_player.panes.lanes import emoji
from racelog_player.panes.widgets import between, line_width, ms_text
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat, left, named, right, width
from racelog_player.terminal.style import ACCENT, BAD, FAINT, GOOD, HEADING, SOFT, STRONG, WARN, lane_color

GO_S = 0.7
"""For this long after the start the title says GO."""

GLOSSARY = (
    ("TTFT", "time to first token"), ("TPOT", "time per token after it"), ("p50", "the median"),
    ("p99", "99 of 100 were faster"), ("E2E", "request sent to last byte"),
)  # fmt: skip

Keys = tuple[tuple[str, str], ...]
"""Keys as the footer shows them, each with what it does."""

_HELP, _PAGES = ("?", "all keys"), ("i t c d e a n", "pages")
_PAGES_BY_WORD = (
    ("i", "answers"), ("t", "timeline"), ("c", "charts"), ("d", "details"), ("e", "explain"), ("a", "achievements"),
    ("n", "insights"),
)  # fmt: skip
"""Each by its name where there is room for all of them."""

_RACE_KEYS = (("space", "pause"), ("← →", "5 s"), _HELP, _PAGES, ("↑ ↓", "speed"), ("q", "leave"))

_DIGITS = {
    "3": ("█████", "    █", " ████", "    █", "█████"),
    "2": ("█████", "    █", "█████", "█    ", "█████"),
    "1": ("  ██ ", " ███ ", "  ██ ", "  ██ ", " ████"),
    "G": ("█████", "█    ", "█  ██", "█   █", "█████"),
    "O": ("█████", "█   █", "█   █", "█   █", "█████"),
    "!": ("██", "██", "██", "  ", "██"),
}


def title(scene: Scene, columns: int) -> Line:
    """Return the top row: which race this is and how much of it has passed."""
    race, transport = scene.race, scene.transport
    facts = ["one after another, aligned at the start" if race.grid == "time-trial" else "all at once"]
    facts += [f"{counted(scene.requests, 'request')} each"] if scene.requests else []
    facts += [f"{scene.concurrency:,} in flight"] if scene.concurrency > 1 else []
    start: Line = [Span(" 🏁 "), Span(flat(race.name) or "race", STRONG)]
    start += [Span(f"{' · ' if index else '  '}{fact}", SOFT) for index, fact in enumerate(facts)]
    passed, whole = transport.position_ns / 1e9, transport.end_ns / 1e9
    clock = f"{passed:.1f} s" if transport.live else f"{passed:.1f} of {whole:.1f} s"
    go = scene.stage is Stage.RACING and 0 < race.position_s < GO_S and not transport.over
    end: Line = [Span(" GO! ", Style(GOOD.fg, bold=True, reverse=True)), Span("  ")] if go else [Span("  ")]
    if scene.held:
        end = [Span(" RACE PAUSED ", Style(WARN.fg, bold=True, reverse=True)), Span("  ")]
    elif race.health.client_limited:
        end = [Span(f" {TOO_SLOW} ", Style(WARN.fg, bold=True, reverse=True)), Span("  ")]
    end += [Span(clock), Span(" ")]
    while len(start) > 2 and line_width(start) + line_width(end) > columns:  # noqa: PLR2004 - the flag and the name stay
        start.pop()
    return between(start, end, columns)


def transport_line(transport: Transport, columns: int) -> Line:
    """Return the playhead: state, speed, clock and the line it moves along."""
    if transport.at_edge:
        late = lag_text(transport.late_ns)
        head: Line = [
            Span(" ● ", BAD),
            Span("LIVE", BAD),
            Span(f"  {clock_text(transport.position_ns)}", STRONG),
        ]
        hint = [Span("   ← looks back, the recording goes on", FAINT)]
        return [*head, *([Span(f"   {late}", WARN)] if late else hint)]
    head, tail = _beside_rail(transport)
    return [*head, *_rail(transport, rail_place(transport, columns)[1]), *tail]


def rail_place(transport: Transport, columns: int) -> tuple[int, int]:
    """Return the first column of the line the playhead moves along, and its cells; 0 where there is none."""
    if transport.at_edge:
        return 0, 0
    head, tail = _beside_rail(transport)
    room = columns - line_width(head) - line_width(tail)
    return line_width(head), room if room > 4 else 0  # noqa: PLR2004 - shorter is no line


def _beside_rail(transport: Transport) -> tuple[Line, Line]:
    """Return what stands before and behind the line the playhead moves along."""
    sign = "■ " if transport.over else "❚❚" if transport.paused else "▶ "
    head = [
        Span(f" {sign} ", WARN if transport.paused and not transport.over else GOOD),
        Span(left(speed_text(transport.speed), 5), STRONG),
        Span(f" {clock_text(transport.position_ns)}", STRONG),
        Span(f" / {clock_text(transport.end_ns)}  ", SOFT),
    ]
    if transport.live:
        return head, [Span(f"  {duration(transport.behind_ns / 1e6)} behind, f: live ", WARN)]
    late = lag_text(transport.late_ns)
    return head, [Span(f"  {late} ", WARN) if late else Span(" ")]


def _rail(transport: Transport, cells: int) -> Line:
    """Return the line the playhead moves along; a loop's stretch stands out on it, and where the race was paused."""
    end = max(1, transport.end_ns)
    knob = min(cells - 1, int(transport.position_ns / end * cells))
    return list(_rail_at(knob, cells, end, transport.loop_ns or (0, -1), transport.held_ns))


@lru_cache(maxsize=16)
def _rail_at(
    knob: int, cells: int, end: int, loop_ns: tuple[int, int], held_ns: tuple[tuple[int, int], ...]
) -> Line:
    """Return the line with the playhead at cell ``knob``; it stands there for many frames."""
    low, high = loop_ns
    line: Line = []
    for cell in range(cells):
        looped = low * cells <= cell * end < high * cells if high >= 0 else False
        style = WARN if looped else ACCENT if cell < knob else FAINT
        paused = any(begin * cells <= cell * end < stop * cells for begin, stop in held_ns)
        sign = "┄" if paused else "━" if cell < knob or looped else "─"
        span = Span("●", STRONG) if cell == knob else Span(sign, style)
        if line and line[-1].style == span.style:
            line[-1] = Span(line[-1].text + span.text, span.style)
        else:
            line.append(span)
    return line


def keys_line(scene: Scene, columns: int, of_page: Keys = ()) -> Line:
    """Return the bottom row: a question, what is being typed, a notice, or the keys: those ``of_page``, or the race's."""
    if scene.typing is not None:
        hint = "   1m23.4s · 50% · +250ms · @finish · enter goes, esc does not"
        return [Span(" go to ", WARN), Span(scene.typing, STRONG), Span("▌", ACCENT), Span(hint, FAINT)]
    if scene.question:
        return [Span(" "), Span(f" {scene.question} ", Style(WARN.fg, bold=True, reverse=True))]
    if scene.notice:
        return [Span(" "), Span(cut(flat(scene.notice), columns - 2), WARN)]
    keys = of_page or _RACE_KEYS
    if scene.page is Page.RACE and scene.transport.over:
        again = (("r", "race again"),) if scene.transport.controls else ()
        keys = (("q", "to leave"), ("space", "play again"), *again, _HELP, _PAGES)
    elif scene.page is Page.RACE and scene.transport.controls and scene.transport.live:
        keys = (
            ("p", "race on" if scene.held else "pause race"),
            ("q", "stop"),
            _HELP,
            _PAGES,
            ("m", "mark"),
            ("r", "restart"),
            ("← →", "look back"),
            ("space", "hold view"),
            ("x", "take one out"),
        )
    by_word = [each for key in keys for each in (_PAGES_BY_WORD if key == _PAGES else (key,))]
    whole = _named(by_word, columns)
    return whole if len(whole) == 1 + 3 * len(by_word) else _named(keys, columns)


def _named(keys: Sequence[tuple[str, str]], columns: int) -> Line:
    """Return keys with what they do, as many as fit: the first ones before the last ones."""
    line: Line = [Span(" ")]
    used = 1
    for key, meaning in keys:
        size = width(f"{key} {meaning}")
        if used + size <= columns:
            line += [Span(key, STRONG), Span(f" {meaning}", SOFT), Span("   ")]
            used += size + 3
    return line


def glossary(columns: int) -> Line:
    """Return what the abbreviations mean, as many as fit."""
    line: Line = [Span(" ")]
    for word, meaning in GLOSSARY:
        part = [Span(word, SOFT), Span(f" {meaning}   ", FAINT)]
        if line_width([*line, *part]) <= columns:
            line += part
    return line


def small_print(scene: Scene, columns: int) -> Line:
    """Return the row of small print: why the numbers are not the engines' alone, else what the words mean."""
    health = scene.race.health
    verdict = flat(health_line(health))
    if health.client_limited:
        return [Span(" "), Span(cut(verdict, columns - 2), WARN)]
    line = glossary(columns)
    told = [Span(verdict, FAINT), Span(" ")]
    return between(line, told, columns) if verdict and line_width([*line, *told]) < columns else line


def grid_pane(scene: Scene, columns: int, rows: int) -> list[Line]:
    """Return the start: the lanes on the grid, and the count down to it."""
    lines: list[Line] = [[Span(" BEFORE THE START", HEADING)], []]
    names = min(28, columns // 3, max((width(flat(lane.engine)) for lane in scene.race.lanes), default=0))
    for lane in scene.race.lanes[: max(1, rows - 9)]:
        name = Span(named(lane.engine, names), Style(lane_color(lane), bold=True))
        lines.append(
            [
                Span("  "),
                emoji(lane),
                Span(" "),
                name,
                Span("  "),
                Span(cut(flat(lane.model), columns // 3), SOFT),
                Span(_calibrated(scene, lane.lane), FAINT),
            ]
        )
    lines += [[], [Span(f"  {getting_ready(scene)}", SOFT)]] if scene.countdown_s is None else []
    if scene.countdown_s is not None and scene.countdown_s <= 3:  # noqa: PLR2004 - 3-2-1
        word = "GO!" if scene.countdown_s <= 0 else str(scene.countdown_s)
        lines += [[], *_big(word, columns, GOOD if word == "GO!" else WARN)]
    elif scene.countdown_s is not None:
        lines += [[], [Span(f"  start in {scene.countdown_s} s", STRONG)]]
    return lines[:rows]


def getting_ready(scene: Scene) -> str:
    """Return what is done before the start, as far as the log tells."""
    checked = [lane.calibration is not None for lane in scene.race.health.lanes]
    if not checked:
        return "waiting for the recorder's first words"
    if all(checked):
        return "all clocks checked; next: warm-up, then the start"
    if any(checked):
        return f"checking clocks: {sum(checked)} of {len(checked)} done, about one second each"
    return "getting ready: clock check (about one second), warm-up, then the start"


def _calibrated(scene: Scene, lane: int) -> str:
    """Return how far a lane's stamps are from the truth, once that was measured."""
    found = next((one.calibration for one in scene.race.health.lanes if one.lane == lane), None)
    return f"  {clock_checked(found)}" if found else ""


def _big(word: str, columns: int, style: Style) -> list[Line]:
    """Return a short word in letters five rows high, each block two cells wide, in the middle."""
    rows = ["   ".join(_DIGITS[letter][row] for letter in word) for row in range(5)]
    wide = ["".join(sign * 2 for sign in row) for row in rows]
    indent = max(0, (columns - len(wide[0])) // 2)
    return [[Span(" " * indent), Span(row.rstrip(), style)] for row in wide]


def small(race: RaceView, transport: Transport, columns: int, rows: int) -> list[Line]:
    """Return what a terminal below the least size can still show: a line per lane, in order of place."""
    lanes = {lane.lane: lane for lane in race.lanes}
    lines: list[Line] = [
        [
            Span(cut(flat(race.name) or "race", columns - 10), STRONG),
            Span(right(clock_text(transport.position_ns), 10), SOFT),
        ]
    ]
    for lane_id in race.standings[: max(1, rows - 2)]:
        lane = lanes[lane_id]
        percent = "" if lane.progress is None else progress(lane.progress)
        name = Span(named(lane.engine, max(4, columns - 17)), Style(lane_color(lane), bold=True))
        lines.append([name, Span(right(percent, 6)), Span(right(ms_text(lane.ttft_p50_ms), 10), SOFT)])
    return [*lines[: rows - 1], [Span(cut("enlarge to 60×15 for the race · q leaves", columns), FAINT)]]  # noqa: RUF001
