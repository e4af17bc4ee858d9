"""What a card says: every string and number decided, nothing about how it looks.

RaceSummary --card_spec--> CardSpec --racelog_cards.draw--> picture
"""

from collections import Counter
from typing import Literal

from msgspec import Struct

from racelog.display.figures import duration, duration_parts, number, percent, rate, tick, times
from racelog.display.text import counted
from racelog.views.evidence.health import TOO_SLOW
from racelog.views.summary import LaneSummary, RaceSummary, Spread, ending
from racelog.views.verdict import status_word
from racelog_cards.charts import Chart, chart_of
from racelog_cards.footer import FAULT_NAME, footer_of
from racelog_cards.numbers import day
from racelog_cards.wording import Draws, first_shown, model_shown, numbered, shown

MOST_ROWS = 10
PHOTO_FINISH = 1.1
"""Below this ratio of medians "x times faster" says more than the race does."""
COLUMNS = ("TTFT median", "TTFT p99", "TPOT median", "Throughput", "Success", "Requests")
NOTHING = "\N{EN DASH}"

Tone = Literal["plain", "best", "warn", "absent"]


class Cell(Struct, frozen=True):
    """One number of the table; ``best`` is the best of its column."""

    text: str
    tone: Tone = "plain"


class Row(Struct, frozen=True, kw_only=True):
    """One lane: ``place`` is None without a number or a rival, ``mark`` stands for it, ``tag`` is what went wrong."""

    lane: int
    place: int | None
    mark: str
    name: str
    model: str
    tag: str
    cells: tuple[Cell, ...]


class Hero(Struct, frozen=True, kw_only=True):
    """The headline: who, the number that decided it, and the lead, over the lane named ``rival`` if any."""

    label: str
    lane: int | None
    name: str
    value: str
    unit: str
    caption: str
    lead: str
    rival: str
    medal: bool


class CardSpec(Struct, frozen=True, kw_only=True):
    """A whole card. ``colors`` are the plan's wishes, lane id and colour, in lane order."""

    title: str
    subtitle: tuple[str, ...]
    notice: str
    hero: Hero
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    chart: Chart
    footer: tuple[str, ...]
    colors: tuple[tuple[int, str], ...]


def card_spec(summary: RaceSummary, draws: Draws, *, title: str = "") -> CardSpec:
    """Return the card of ``summary``, at most ten lanes by place; ``title`` replaces the race's name. Pure."""
    lanes = _by_place(summary)
    names = _names(lanes, draws)
    rows = _rows(lanes[:MOST_ROWS], names, draws)
    headline = _title(title, summary, [names[lane.lane] for lane in lanes], draws)
    return CardSpec(
        title=headline,
        subtitle=_subtitle(summary),
        notice=_notice(summary),
        hero=_hero(summary, lanes, names, draws),
        columns=COLUMNS,
        rows=rows,
        chart=chart_of(lanes[:MOST_ROWS]),
        footer=footer_of(
            summary,
            draws,
            hidden_lanes=len(lanes) - len(rows),
            numbered=numbered([headline, *names.values()]),
        ),
        colors=tuple((lane.lane, lane.color) for lane in summary.lanes),
    )


def _by_place(summary: RaceSummary) -> list[LaneSummary]:
    """Return the lanes from first to last, whatever the standings leave out at the end."""
    order = {lane: place for place, lane in enumerate(summary.standings)}
    return sorted(summary.lanes, key=lambda lane: (order.get(lane.lane, len(order)), lane.lane))


def _names(lanes: list[LaneSummary], draws: Draws) -> dict[int, str]:
    """Return a name for each lane, no two alike: emoji that no font draws are named where names need them."""
    names = {
        lane.lane: first_shown((lane.engine, lane.model), draws, f"Lane {lane.lane + 1}") for lane in lanes
    }
    for lane in _alike(lanes, names):
        names[lane.lane] = shown(lane.engine, draws, emoji=True) or names[lane.lane]
    for lane in _alike(lanes, names):
        names[lane.lane] += f" (lane {lane.lane + 1})"
    return {lane.lane: f"{shown(lane.emoji, draws)} {names[lane.lane]}".strip() for lane in lanes}


def _alike(lanes: list[LaneSummary], names: dict[int, str]) -> list[LaneSummary]:
    """Return the lanes whose name another has too."""
    times_used = Counter(names.values())
    return [lane for lane in lanes if times_used[names[lane.lane]] > 1]


def _title(asked: str, summary: RaceSummary, names: list[str], draws: Draws) -> str:
    return first_shown((asked, summary.name), draws, _matchup(names))


def _matchup(names: list[str]) -> str:
    match names:
        case []:
            return "A race without lanes"
        case [_] | [_, _] | [_, _, _]:
            return " vs ".join(names)
        case _:
            return f"{len(names)} engines, one race"


def _subtitle(summary: RaceSummary) -> tuple[str, ...]:
    grid = {"together": "started together", "time-trial": "time trial, one lane at a time"}
    per_lane = summary.requests_per_lane
    load = counted(per_lane, "request") if per_lane else f"{duration(summary.duration_s * 1000)} of racing"
    if len(summary.lanes) > 1 and per_lane:
        load += " each"
    if summary.load.rate_per_s is not None:
        load += f", {summary.load.arrival} arrivals at {tick(summary.load.rate_per_s)}/s".replace(",  ", ", ")
    elif summary.concurrency:
        load += f", {summary.concurrency:,} at a time" if summary.concurrency > 1 else ", one at a time"
    parts = (day(summary.started_at), grid.get(summary.grid, "") if len(summary.lanes) > 1 else "", load)
    return tuple(part for part in parts if part)


def _notice(summary: RaceSummary) -> str:
    if summary.unlike:
        return "not like for like"
    died, out = (sum(test(lane) for lane in summary.lanes) for test in (_died, _out))
    if died:
        return ending("partial", died)
    if out:
        return f"{counted(out, 'lane')} did not finish"
    early = {"unfinished": "unfinished race", "stopped": "stopped early"}.get(summary.status, "")
    return early or (TOO_SLOW if summary.health.client_limited else "")


def _died(lane: LaneSummary) -> bool:
    return lane.status == "died"


def _out(lane: LaneSummary) -> bool:
    return bool(lane.dnf)


def _hero(summary: RaceSummary, lanes: list[LaneSummary], names: dict[int, str], draws: Draws) -> Hero:
    best = next((lane for lane in lanes if lane.lane == summary.winner and lane.ttft_ms), None)
    if summary.unlike:
        return Hero(
            label="NOT LIKE FOR LIKE", lane=None, name="No winner", value="", unit="", caption=shown(summary.unlike, draws), lead="",
            rival="", medal=False,
        )  # fmt: skip
    if best is None or best.ttft_ms is None:
        tried = sum(lane.ok + lane.failed + lane.cancelled + lane.open for lane in lanes)
        caption = f"none of {counted(tried, 'request')} succeeded" if tried else "no request was sent"
        return Hero(
            label="NO RESULT", lane=None, name="No winner", value="", unit="", caption=caption,
            lead=_misses(lanes), rival="", medal=False,
        )  # fmt: skip
    value, unit = duration_parts(best.ttft_ms.p50)
    alone = len(lanes) == 1
    lead, rival = (_pace(best), "") if alone else _lead(best.ttft_ms.p50, best.lane, lanes, names)
    return Hero(
        label="RESULT" if alone else "WINNER", lane=best.lane, name=names[best.lane], value=value, unit=unit,
        caption="median time to first token", lead=lead, rival=rival, medal=not alone,
    )  # fmt: skip


def _lead(fastest_ms: float, winner: int, lanes: list[LaneSummary], names: dict[int, str]) -> tuple[str, str]:
    """Return how far ahead the winner is and of whom (the next lane that lived), when that can be said."""
    rivals = [lane for lane in lanes if lane.lane != winner and not lane.dnf and lane.ttft_ms]
    next_ms = rivals[0].ttft_ms.p50 if rivals and rivals[0].ttft_ms else 0.0
    if fastest_ms <= 0 or next_ms <= fastest_ms:
        return "", ""
    rival, ratio = names[rivals[0].lane], next_ms / fastest_ms
    if ratio < PHOTO_FINISH:
        return f"{duration(next_ms - fastest_ms)} ahead of", rival
    return f"{times(ratio)} faster to first token than", rival


def _pace(lane: LaneSummary) -> str:
    """Return a lone lane's speed: ``415 tok/s, 20 ms per token``."""
    written = rate(lane.tokens_per_s, "tok/s") if lane.tokens_per_s else ""
    each = f"{duration(lane.tpot_ms.p50)} per token" if lane.tpot_ms else ""
    return ", ".join(part for part in (written, each) if part)


def _misses(lanes: list[LaneSummary]) -> str:
    """Return what became of the requests of a race without a success, and the failures' kinds."""
    kinds = sorted({kind for lane in lanes for kind in lane.errors if FAULT_NAME.fullmatch(kind)})
    named = f"failed ({', '.join(kinds[:3])})" if kinds else "failed"
    failed = sum(lane.failed for lane in lanes)
    cancelled = sum(lane.cancelled for lane in lanes)
    left_open = sum(lane.open for lane in lanes)
    said = ((failed, named), (cancelled, "cancelled"), (left_open, "never finished"))
    return ", ".join(f"{count:,} {what}" for count, what in said if count)


def _rows(lanes: list[LaneSummary], names: dict[int, str], draws: Draws) -> tuple[Row, ...]:
    best = _best(lanes) if any(lane.place for lane in lanes) and len(lanes) > 1 else {}
    ranked = len(names) > 1
    several_models = len({lane.model for lane in lanes}) > 1
    return tuple(
        Row(
            lane=lane.lane,
            place=lane.place if lane.ttft_ms and ranked else None,
            mark="" if not ranked else str(lane.place) if lane.place and lane.ttft_ms else "DNF" if lane.dnf else NOTHING,
            name=names[lane.lane],
            model=_model_beside(names[lane.lane], lane.model, draws) if several_models else "",
            tag={"died": status_word("died"), "stopped": "stopped", "racing": "unfinished", "waiting": "never started"}.get(lane.status, ""),
            cells=_cells(lane, best),
        )
        for lane in lanes
    )  # fmt: skip


def _model_beside(name: str, model: str, draws: Draws) -> str:
    """Return the model's name where it says more than the lane's."""
    shown_model = model_shown(model, draws)
    return "" if shown_model == name else shown_model


def _values(lane: LaneSummary) -> tuple[float | None, ...]:
    """Return the lane's numbers in the order of the first four columns, None where there is none."""
    ok = lane.tokens_per_s if lane.ok else None
    return (_p50(lane.ttft_ms), lane.ttft_ms.p99 if lane.ttft_ms else None, _p50(lane.tpot_ms), ok)


def _p50(spread: Spread | None) -> float | None:
    return spread.p50 if spread else None


def _best(lanes: list[LaneSummary]) -> dict[int, str]:
    """Return the best of the first four columns as digits: the lowest time, the highest rate, no tie of all.

    A lane that did not finish is no measure of the others.
    """
    columns = zip(*(_values(lane) for lane in lanes if not lane.dnf), strict=True)
    best = {}
    for column, values in enumerate(columns):
        present = [value for value in values if value is not None]
        if len({number(value) for value in present}) > 1:
            best[column] = number((max if column == COLUMNS.index("Throughput") else min)(present))
    return best


def _cells(lane: LaneSummary, best: dict[int, str]) -> tuple[Cell, ...]:
    star = "*" if lane.ok and lane.token_basis != ["usage"] else ""
    units = ("ms", "ms", f"ms{star}", f"tok/s{star}")
    cells = []
    for column, (value, unit) in enumerate(zip(_values(lane), units, strict=True)):
        if value is None:
            cells.append(Cell(NOTHING, "absent"))
            continue
        text = rate(value, unit) if unit.startswith("tok") else duration(value) + unit[2:]
        cells.append(Cell(text, "best" if best.get(column) == number(value) else "plain"))
    share = lane.success_rate
    success = (
        Cell(NOTHING, "absent") if share is None else Cell(percent(share), "plain" if share == 1 else "warn")
    )
    return (*cells, success, Cell(f"{lane.requests:,}"))
