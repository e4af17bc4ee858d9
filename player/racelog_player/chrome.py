"""What frames the race: title, transport, keys, help, countdown, and a word for terminals too small. Pure."""

from racelog.replay.speed import speed_text
from racelog.views.race import RaceView
from racelog_player.canvas import Line, Span, Style
from racelog_player.cells import cut, flat, left, right
from racelog_player.keys import HELP
from racelog_player.lanes import emoji
from racelog_player.look import FAINT, GOOD, SOFT, STRONG, WARN, lane_color
from racelog_player.parts import between, line_width, ms_text
from racelog_player.scene import Scene, Stage, Transport
from racelog_player.times import clock_text

GO_S = 0.7
"""For this long after the start the title says GO."""

GLOSSARY = (
    ("TTFT", "time to first token"), ("TPOT", "time per token after it"), ("p50", "the median"),
    ("p99", "99 of 100 were faster"), ("E2E", "request sent to last byte"),
)  # fmt: skip

_RED = Style("#ff6b6b", bold=True)

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
    facts += [f"{scene.requests:,} requests each"] if scene.requests else []
    facts += [f"{scene.concurrency:,} in flight"] if scene.concurrency > 1 else []
    start: Line = [Span(" 🏁 "), Span(flat(race.name) or "race", STRONG)]
    start += [Span(f"{' · ' if index else '  '}{fact}", SOFT) for index, fact in enumerate(facts)]
    passed, whole = transport.position_ns / 1e9, transport.end_ns / 1e9
    clock = f"{passed:.1f} s" if transport.live else f"{passed:.1f} of {whole:.1f} s"
    go = scene.stage is Stage.RACING and 0 < race.position_s < GO_S and not transport.over
    end: Line = [Span(" GO! ", Style(GOOD.fg, bold=True, reverse=True)), Span("  ")] if go else [Span("  ")]
    end += [Span(clock), Span(" ")]
    while len(start) > 2 and line_width(start) + line_width(end) > columns:  # noqa: PLR2004 - the flag and the name stay
        start.pop()
    return between(start, end, columns)


def transport_line(transport: Transport, columns: int) -> Line:
    """Return the playhead: state, speed, clock and the line it moves along."""
    if transport.at_edge:
        head: Line = [
            Span(" ● ", _RED),
            Span("LIVE", _RED),
            Span(f"  {clock_text(transport.position_ns)}", STRONG),
        ]
        return [*head, Span("   ← looks back, the recording goes on", FAINT)]
    sign = "■ " if transport.over else "❚❚" if transport.paused else "▶ "
    head = [
        Span(f" {sign} ", WARN if transport.paused and not transport.over else GOOD),
        Span(left(speed_text(transport.speed), 5), STRONG),
        Span(f" {clock_text(transport.position_ns)}", STRONG),
        Span(f" / {clock_text(transport.end_ns)}  ", SOFT),
    ]
    tail: Line = [Span(" ")]
    if transport.live:
        tail = [Span(f"  {transport.behind_ns / 1e9:.1f} s behind, f: live ", WARN)]
    room = columns - line_width(head) - line_width(tail)
    share = transport.position_ns / transport.end_ns if transport.end_ns else 0.0
    knob = min(room - 1, int(share * room))
    line: Line = [Span("━" * knob, Style("#8ab4f8")), Span("●", STRONG), Span("─" * (room - 1 - knob), FAINT)]
    return [*head, *(line if room > 4 else []), *tail]  # noqa: PLR2004 - shorter is no line


def keys_line(scene: Scene, columns: int) -> Line:
    """Return the bottom row: a question, a notice, or the keys."""
    if scene.question:
        return [Span(" "), Span(f" {scene.question} ", Style(WARN.fg, bold=True, reverse=True))]
    if scene.notice:
        return [Span(" "), Span(cut(flat(scene.notice), columns - 2), WARN)]
    keys = [
        ("space", "pause"),
        ("← →", "5 s"),
        ("↑ ↓", "speed"),
        ("[ ]", "moments"),
        ("?", "help"),
        ("q", "leave"),
    ]
    if scene.transport.over:
        keys = [("q", "to leave"), ("space", "play again"), ("← →", "5 s"), ("[ ]", "moments"), ("?", "help")]
    elif scene.transport.controls:
        keys = [
            ("space", "pause view"),
            ("← →", "5 s"),
            ("m", "mark"),
            ("f", "live"),
            ("?", "help"),
            ("q", "stop"),
        ]
    line: Line = [Span(" ")]
    for key, meaning in keys:
        part = [Span(key, STRONG), Span(f" {meaning}   ", SOFT)]
        if line_width([*line, *part]) <= columns:
            line += part
    return line


def glossary(columns: int) -> Line:
    """Return what the abbreviations mean, as many as fit."""
    line: Line = [Span(" ")]
    for word, meaning in GLOSSARY:
        part = [Span(word, SOFT), Span(f" {meaning}   ", FAINT)]
        if line_width([*line, *part]) <= columns:
            line += part
    return line


def help_pane(columns: int) -> list[Line]:
    """Return the keys and what they do, then the words on the screen."""
    lines: list[Line] = [[Span(" KEYS", Style(SOFT.fg, bold=True))]]
    lines += [
        [Span("   "), Span(left(key, 10), STRONG), Span(cut(meaning, columns - 14))] for key, meaning in HELP
    ]
    lines += [[], [Span(" WORDS", Style(SOFT.fg, bold=True))]]
    lines += [[Span("   "), Span(left(word, 10), STRONG), Span(meaning)] for word, meaning in GLOSSARY]
    return lines


def grid_pane(scene: Scene, columns: int, rows: int) -> list[Line]:
    """Return the start: the lanes on the grid, and the count down to it."""
    lines: list[Line] = [[Span(" ON THE GRID", Style(SOFT.fg, bold=True))], []]
    for lane in scene.race.lanes[: max(1, rows - 9)]:
        name = Span(left(flat(lane.engine), min(28, columns // 3)), Style(lane_color(lane), bold=True))
        lines.append(
            [
                Span("  "),
                emoji(lane),
                Span(" "),
                name,
                Span("  "),
                Span(cut(flat(lane.model), columns // 3), SOFT),
            ]
        )
    if not scene.race.lanes:
        lines.append([Span("  waiting for the recorder", SOFT)])
    if scene.countdown_s is not None and scene.countdown_s <= 3:  # noqa: PLR2004 - 3-2-1
        word = "GO!" if scene.countdown_s <= 0 else str(scene.countdown_s)
        lines += [[], *_big(word, columns, GOOD if word == "GO!" else WARN)]
    elif scene.countdown_s is not None:
        lines += [[], [Span(f"  start in {scene.countdown_s} s", STRONG)]]
    return lines[:rows]


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
        percent = "" if lane.progress is None else f"{lane.progress * 100:.0f} %"
        name = Span(left(flat(lane.engine), max(4, columns - 17)), Style(lane_color(lane), bold=True))
        lines.append([name, Span(right(percent, 6)), Span(right(ms_text(lane.ttft_p50_ms), 10), SOFT)])
    return [*lines[: rows - 1], [Span(cut("enlarge to 60×15 for the race · q leaves", columns), FAINT)]]  # noqa: RUF001
