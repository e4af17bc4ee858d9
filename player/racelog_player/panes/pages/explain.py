"""Explainers: what each number is, why it matters, what is good, and what it is right now. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from racelog.views.race import LaneView
from racelog_player.model.scene import Scene
from racelog_player.panes.widgets import NOTHING, ms_text, rate_text
from racelog_player.terminal.canvas import Line, Span, Style
from racelog_player.terminal.cells import cut, flat, left, right, wrap
from racelog_player.terminal.style import ACCENT, BAD, FAINT, GOOD, HEADING, SOFT, STRONG, WARN, lane_color


@dataclass(frozen=True, slots=True)
class Explainer:
    """One number explained. ``grades`` are (limit, word): a value below the limit earns the word; the last has none."""

    key: str
    title: str
    what: str
    why: str
    lesson: str
    value: Callable[[LaneView], float | None]
    shown: Callable[[float | None], str]
    grades: tuple[tuple[float, str], ...] = ()
    quiz: tuple[str, str] = ("", "")


def _mean_rate(lane: LaneView) -> float | None:
    return lane.output_tokens / lane.elapsed_s if lane.elapsed_s > 0 else None


EXPLAINERS = (
    Explainer(
        "TTFT", "time to first token",
        "The time from sending a request to the first piece of its answer.",
        "It is the silence after pressing enter. Above about 0.3 s people notice it, above a second they wait.",
        "Long prompts, a queue in front of the model and a cold cache make it grow. Lanes are ranked by its median.",
        lambda lane: lane.ttft_p50_ms, ms_text,
        ((200, "excellent"), (500, "good"), (1000, "acceptable"), (float("inf"), "slow")),
        ("An engine queues requests when it is full. Which number grows first?", "TTFT: the wait in the queue is part of it."),
    ),
    Explainer(
        "TPOT", "time per output token",
        "After the first token: the mean time until each next one, within one request.",
        "It is the speed of the writing. 50 ms are 20 tokens a second, faster than most people read.",
        "It is bound by memory bandwidth and by how many answers are written at once. It says nothing of the wait before.",
        lambda lane: lane.tpot_p50_ms, ms_text,
        ((20, "excellent"), (50, "good"), (100, "acceptable"), (float("inf"), "slow")),
        ("TTFT is low and TPOT high. What does a reader feel?", "A quick start, then slow text."),
    ),
    Explainer(
        "ITL", "inter-token latency",
        "Every single gap between two tokens; TPOT is the mean of a request's, ITL keeps each one.",
        "A mean hides a stall. If the answer stops for a second in the middle, ITL's p99 shows it.",
        "Stalls come when the engine takes in another long prompt while it writes. The details view has the spread.",
        lambda _: None, ms_text,
    ),
    Explainer(
        "TOK/S", "throughput",
        "Output tokens a second, all of a lane's requests together.",
        "It decides what a machine costs: twice the tokens a second is half the price of each.",
        "It grows with requests in flight, and each single answer gets slower for it: look at TPOT beside it.",
        _mean_rate, rate_text,
        (),
        ("Throughput doubles when twice as many requests run. Did answers get faster?", "No. More are written at once, each at best as fast."),
    ),
    Explainer(
        "RPS", "requests per second",
        "Requests that ended, a second.",
        "It is what a service sells. It depends on how long the answers are, so compare it on equal prompts only.",
        "Every lane here gets the same prompts in the same order, so it can be compared within one race.",
        lambda lane: lane.requests_per_s if lane.elapsed_s > 0 else None, rate_text,
    ),
    Explainer(
        "P50 P99", "percentiles",
        "p50, the median: half were faster. p99: 99 of 100 were faster, one was slower.",
        "A mean is pulled by a few slow ones, and no user is the mean. p50 is the usual day, p99 the bad one.",
        "p99 needs many requests: of 20 it is nearly the slowest one. Here: TTFT p99.",
        lambda lane: lane.ttft_p99_ms, ms_text,
        (),
        ("Of 1,000 requests, how many are slower than p99?", "Ten."),
    ),
)  # fmt: skip


_AIRY = 32
"""From this many rows on blank lines part the paragraphs."""


def explain_pane(scene: Scene, columns: int, rows: int) -> list[Line]:
    """Return the explainer that scrolling chose, with every lane's value of it judged."""
    lanes, mode = scene.race.lanes, scene.mode
    chosen = min(scene.scroll, len(EXPLAINERS) - 1)
    one = EXPLAINERS[chosen]
    airy = rows >= _AIRY
    tabs: Line = [Span(" ")]
    for index, other in enumerate(EXPLAINERS):
        tabs += [
            Span(f" {other.key} ", Style("accent", bold=True, reverse=True) if index == chosen else SOFT),
            Span(" "),
        ]
    cells = min(columns - 6, 76)
    lines: list[Line] = [tabs, [], [Span(f"   {one.key}", STRONG), Span(f"  {one.title}", ACCENT)]]
    told = [("what it is", one.what), ("why it matters", one.why)]
    told += [("good to know", one.lesson)] if mode != "expert" else []
    for title, text in told:
        lines += ([[]] if airy else []) + _paragraph(title, text, cells)
    if one.grades:
        lines += ([[]] if airy else []) + [[Span("   what is good", HEADING)], _scale(one)]
    lines.append([])
    lines += _now(
        one, lanes, scene.focus, rows - len(lines) - (3 if mode == "teacher" and one.quiz[0] else 0)
    )
    if mode != "teacher":
        lines += _others(chosen, cells, rows - len(lines))
    if mode == "teacher" and one.quiz[0]:
        answer = (
            Span(cut(one.quiz[1], columns - 10), GOOD)
            if scene.answered
            else Span("think first; enter tells", FAINT)
        )
        lines += [
            [],
            [Span("   quiz  ", WARN), Span(cut(one.quiz[0], columns - 10))],
            [Span("         "), answer],
        ]
    return lines[:rows]


def _others(chosen: int, cells: int, rows: int) -> list[Line]:
    """Return the other numbers in short, each whole or not at all: what each is, and why it matters."""
    lines: list[Line] = [[], [Span("   the other numbers", HEADING)]]
    for one in (other for index, other in enumerate(EXPLAINERS) if index != chosen):
        told = wrap(f"{one.what} {one.why}", cells, 9)
        if len(lines) + len(told) + 2 > rows:
            break
        lines += [[], [Span(f"   {one.key}", STRONG), Span(f"  {one.title}", ACCENT)]]
        lines += [[Span("   "), Span(line, SOFT)] for line in told]
    return lines if len(lines) > 2 else []  # noqa: PLR2004 - the heading alone says nothing


def _paragraph(title: str, text: str, cells: int) -> list[Line]:
    return [[Span(f"   {title}", HEADING)], *([Span("   "), Span(line)] for line in wrap(text, cells, 9))]


def grade(one: Explainer, value: float | None) -> tuple[str, Style]:
    """Return the word a value earns, and its style; nothing where there is no value or no scale."""
    if value is None or not one.grades:
        return "", SOFT
    place = next(index for index, (limit, _) in enumerate(one.grades) if value < limit)
    return one.grades[place][1], (GOOD, GOOD, WARN, BAD)[min(place, 3)]


def _scale(one: Explainer) -> Line:
    line: Line = [Span("   ")]
    for limit, word in one.grades:
        edge = f" < {one.shown(limit)}   " if limit < float("inf") else " above"
        line += [Span(word, STRONG), Span(edge, SOFT)]
    return line


def _now(one: Explainer, lanes: list[LaneView], focus: int, rows: int) -> list[Line]:
    if all(one.value(lane) is None for lane in lanes) or rows < 2:  # noqa: PLR2004 - a title and a row
        return []
    lines: list[Line] = [[Span("   right now", HEADING)]]
    for index, lane in enumerate(lanes):
        value = one.value(lane)
        word, style = grade(one, value)
        name = Span(left(flat(lane.engine), 22), Style(lane_color(lane), bold=True))
        mark = Span(" › " if index == focus else "   ", ACCENT)  # noqa: RUF001 - the sign we show
        lines.append(
            [
                mark,
                name,
                Span(right(NOTHING if value is None else one.shown(value), 10), STRONG),
                Span(f"  {word}", style),
            ]
        )
    return lines[:rows]
