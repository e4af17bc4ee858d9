"""The page that ``racelog info`` prints, as lines of text."""

import textwrap
from collections.abc import Iterator

import click

from racelog.commands.page import RacePage
from racelog.console.output import Heading, table_lines
from racelog.display.figures import MS_PER_S, UNKNOWN, duration, number, percent, rate, times
from racelog.display.text import counted, printable, shortened
from racelog.faults import advice
from racelog.views.evidence.health import LaneHealth, health_line
from racelog.views.summary import LaneSummary, RaceSummary, Spread, race_ending
from racelog.views.verdict import status_word

SMALL_PRINT = (
    "TTFT: first token chunk minus request sent. TPOT: (last - first token chunk) / (streamed tokens - 1), per "
    "request. ITL: gaps between successive token chunks of a request, pooled. tok/s: output tokens of successes over "
    "the lane's own racing time. Warm-up and failed requests do not count. All times are CLOCK_MONOTONIC; a kernel "
    "stamp is the arrival itself, a user stamp is when the recorder saw it, coalesced chunks were read together. In an "
    "open loop a request's wait for its turn is told apart and is in no other number."
)

BASIS = {
    "usage": "counted by the server (usage)",
    "server": "counted by the server per chunk",
    "chunks": "chunks, for want of a count; a chunk is not a token",
}

SELF_EXPLAINING = frozenset({"hostname", "os", "cpu"})

FAULTS_SHOWN = 6
MESSAGE_SHOWN = 160
"""How many kinds of failure a lane's lines explain, and how much of a message."""

NOTES_SHOWN, DAMAGE_SHOWN, TEXT_SHOWN, NAME_SHOWN = 100, 20, 2000, 200
"""How many notes and damaged places the page has, `racelog cat` and `racelog verify` tell all; and how much of a text or a name."""

PLAIN_WIDTH = 100
"""Width of wrapped text where there is no terminal to ask."""


def page_lines(page: RacePage, width: int | None) -> Iterator[str]:
    """Yield the page for people; ``width`` is the terminal's, None where there is none."""
    race, columns = page.race, min(width or PLAIN_WIDTH, PLAIN_WIDTH)
    yield from _title(race, columns)
    yield ""
    for line in _wrapped(winner_line(race), columns):
        yield click.style(line, bold=True)
    for line in _wrapped(f"But {race.caveat}." if race.caveat else "", columns):
        yield click.style(line, fg="yellow")
    yield ""
    yield from _numbers(race, width)
    yield ""
    for lane in _ranked(race):
        yield from _lane_lines(lane, page.transports.get(lane.lane, ""), columns)
        if race.load.rate_per_s is not None and lane.queue_ms is not None:
            waits = " / ".join(
                duration(value) for value in (lane.queue_ms.p50, lane.queue_ms.p99, lane.queue_ms.max)
            )
            yield f"  sent p50 / p99 / max {waits} after the schedule"
    yield ""
    yield from _circumstances(page, columns)
    yield ""
    for line in _wrapped(SMALL_PRINT, columns):
        yield click.style(line, dim=True)


def _wrapped(text: str, columns: int, *, label: str = "") -> list[str]:
    """Return ``text`` made inert and wrapped, with ``label`` in the margin of its first line."""
    margin = f"{label:<7}" if label else ""
    return textwrap.wrap(
        printable(shortened(text, TEXT_SHOWN)),
        columns,
        initial_indent=margin,
        subsequent_indent=" " * len(margin),
        break_on_hyphens=False,
    )


def _title(race: RaceSummary, columns: int) -> Iterator[str]:
    yield (
        click.style(printable(shortened(race.name or race.race_id, NAME_SHOWN)), bold=True)
        + f"  {race_ending(race)}"
    )
    facts = [
        race.race_id,
        f"started {race.started_at}" if race.started_at else "",
        race.grid,
        counted(len(race.lanes), "engine"),
        f"{counted(race.requests_per_lane, 'request')} per lane" if race.requests_per_lane else "",
        race.load.words,
        duration(race.duration_s * MS_PER_S),
        f"seed {race.seed}",
    ]
    for line in _wrapped(" · ".join(fact for fact in facts if fact), columns):
        yield click.style(line, dim=True)


def winner_line(race: RaceSummary) -> str:
    """Return who won and by how much, or that nobody did; of a lane alone what it reached."""
    lanes = {lane.lane: lane for lane in race.lanes}
    ranked = [lanes[lane] for lane in race.standings if lanes[lane].place is not None]
    if race.winner is None or not ranked:
        return f"{printable(race.nobody)}."
    first = lanes[race.winner]
    best = first.ttft_ms
    if not race.won:
        return f"{printable(_label(first))}: {race.ranked_by} {duration(best.p50) if best else UNKNOWN}"
    told = f"Winner: {printable(_label(first))}"
    if best is None:
        return told
    told += f", {race.ranked_by} {duration(best.p50)}"
    second = next((lane for lane in ranked if lane.lane != first.lane), None)
    if second is None or second.ttft_ms is None or not best.p50:
        return told
    ratio = second.ttft_ms.p50 / best.p50
    return f"{told}, {times(ratio)} ahead of {printable(_label(second))} ({duration(second.ttft_ms.p50)})"


def _label(lane: LaneSummary) -> str:
    return shortened(f"{lane.emoji} {lane.engine}".strip(), NAME_SHOWN)


def _ranked(race: RaceSummary) -> list[LaneSummary]:
    lanes = {lane.lane: lane for lane in race.lanes}
    return [lanes[lane] for lane in race.standings]


def _numbers(race: RaceSummary, width: int | None) -> Iterator[str]:
    """Yield the table of engines, first to last place; times in milliseconds."""
    measured = (
        ("TTFT p50", 0), ("TTFT p90", 4), ("TTFT p99", 1), ("TPOT p50", 0), ("TPOT p99", 3), ("ITL p50", 6),
        ("ITL p99", 5), ("tok/s", 0), ("success", 0),
    )  # fmt: skip
    headings = [
        Heading("#", right=True), Heading("engine", names=True),
        *(Heading(title, right=True, gives_way=gives_way) for title, gives_way in measured),
    ]  # fmt: skip
    rows = [_number_row(lane) for lane in _ranked(race)]
    yield from table_lines(headings, rows, width)


def _number_row(lane: LaneSummary) -> list[str | None]:
    return [
        "DNF" if lane.dnf else None if lane.place is None else str(lane.place),
        _label(lane),
        *_quantiles(lane.ttft_ms, "p50", "p90", "p99"),
        *_quantiles(lane.tpot_ms, "p50", "p99"),
        *_quantiles(lane.itl_ms, "p50", "p99"),
        None if lane.tokens_per_s is None else number(lane.tokens_per_s),
        None if lane.success_rate is None else percent(lane.success_rate),
    ]


def _quantiles(spread: Spread | None, *names: str) -> list[str | None]:
    return [None if spread is None else duration(getattr(spread, name)) for name in names]


def _lane_lines(lane: LaneSummary, transport: str, columns: int) -> Iterator[str]:
    """Yield what the table has no room for: requests, tokens and their basis, stamps, errors."""
    indent = "  "
    served = " at ".join(shortened(text, NAME_SHOWN) for text in (lane.model, lane.url) if text)
    yield f"{click.style(printable(_label(lane)), bold=True)}  {printable(served)}"
    word = "ended" if lane.dnf and lane.status == "finished" else status_word(lane.status)
    ended = f"{word}{f' ({shortened(lane.reason, NAME_SHOWN)})' if lane.reason else ''} after {duration(lane.duration_s * MS_PER_S)}"
    parts = [("ok", lane.ok), ("failed", lane.failed), ("cancelled", lane.cancelled), ("open", lane.open)]
    counts = ", ".join(f"{number:,} {word}" for word, number in parts if number or word == "ok")
    answered = f" · {rate(lane.requests_per_s, 'ok/s')}" if lane.requests_per_s else ""
    yield indent + printable(f"{ended} · {counted(lane.requests, 'request')}: {counts}{answered}")
    for line in _wrapped(f"DNF: {lane.dnf}" if lane.dnf else "", columns - len(indent)):
        yield indent + click.style(line, fg="red")
    basis = ", ".join(BASIS.get(name, name) for name in lane.token_basis) or "none counted"
    cached = "" if lane.cached_share is None else f", {percent(lane.cached_share)} of them from its cache"
    yield indent + f"tokens: {lane.input_tokens:,} in{cached}, {lane.output_tokens:,} out · {basis}"
    if lane.one_piece:
        yield (
            indent + f"one piece: {counted(lane.one_piece, 'answer')} came in one piece, without TPOT and ITL"
        )
    stamps = ", ".join(f"{count:,} {who}" for who, count in lane.stamps.items()) or "none"
    through = f" · transport {transport}" if transport else ""
    yield indent + printable(
        f"token times: {stamps}, {lane.coalesced:,} read together with a later one{through}"
    )
    for line in _wrapped(_connecting(lane), columns - 2 * len(indent)):
        yield indent + line
    yield from (indent + line for line in _fault_lines(lane, columns - len(indent)))


def _connecting(lane: LaneSummary) -> str:
    """Return how its requests came by their connections and what that took, empty where the log does not tell."""
    ways = (
        ("new", "opened"),
        ("reused", "reused"),
        ("reopened", "opened again after the server had dropped them"),
    )
    counts = [f"{lane.connections[way]:,} {words}" for way, words in ways if lane.connections.get(way)]
    if not counts or lane.connect_ms is None:
        return f"connections: {', '.join(counts)}" if counts else ""
    steps = (("DNS", lane.dns_ms), ("TCP", lane.tcp_ms), ("TLS", lane.tls_ms))
    told = ", ".join(f"{name} {duration(step.p50)}" for name, step in steps if step is not None)
    took = f"{duration(lane.connect_ms.p50)} in the median{f' ({told})' if told else ''}, max {duration(lane.connect_ms.max)}"
    return f"connections: {', '.join(counts)} · connecting took {took}"


def _fault_lines(lane: LaneSummary, columns: int) -> Iterator[str]:
    """Yield the failures by kind, and for each what the first one said and what to look at."""
    if not lane.faults:
        return
    errors = ", ".join(f"{fault.count:,} {fault.label}" for fault in lane.faults)
    yield click.style(printable(f"errors: {errors}"), fg="red")
    for fault in lane.faults[:FAULTS_SHOWN]:
        hint = advice(fault.kind)
        said = shortened(fault.told, MESSAGE_SHOWN)
        yield from _wrapped(f"{said} · look at: {hint}" if hint else said, columns, label=" ")


def _circumstances(page: RacePage, columns: int) -> Iterator[str]:
    """Yield where and when it ran, what the recorder noticed, and the state of the log."""
    race, log, clock = page.race, page.log, page.clock
    yield from _wrapped(", ".join(_host_facts(race.host)) or "not recorded", columns, label="Host")
    yield from _start(race, columns)
    yield from _client(page, columns)
    if clock.mono_origin_ns:  # 0 where a tool that was imported kept no such clock
        wall = f", {clock.wall_origin}" if clock.wall_origin else ""
        yield f"Clock  t = 0 is CLOCK_MONOTONIC {clock.mono_origin_ns:,} ns{wall}"
    yield printable(f"Log    {log.path}")
    yield from _wrapped(_log_facts(page), columns, label=" ")
    for lost in log.damage[:DAMAGE_SHOWN]:
        yield click.style(printable(f"       damaged: {shortened(lost, TEXT_SHOWN)}"), fg="red")
    if (more := len(log.damage) - DAMAGE_SHOWN) > 0:
        yield f"       damaged: {counted(more, 'place')} more: racelog verify"
    for note in page.notes[:NOTES_SHOWN]:
        yield from _wrapped(note, columns, label="Note")
    if unsaid := page.notes[NOTES_SHOWN:]:
        yield f"Note   and {counted(len(unsaid), 'note')} more: racelog cat --kind note,gap,control"


def _start(race: RaceSummary, columns: int) -> Iterator[str]:
    """Yield how well the lanes kept to the agreed start, where one is on record."""
    load = race.load
    late = [start.late_us for start in load.starts if start.late_us is not None]
    parts = [f"{duration(max(late) / 1000)} after the agreed instant at the latest"] if late else []
    if load.start_spread_us is not None:
        parts.insert(
            0, f"{len(load.starts)} lanes within {duration(load.start_spread_us / 1000)} of each other"
        )
    names = {lane.lane: lane.engine for lane in race.lanes}
    pinned = [
        f"{names[start.lane]} on CPU {', '.join(map(str, start.cpus))}" for start in load.starts if start.cpus
    ]
    if pinned:
        parts.append(f"pinned: {'; '.join(pinned)}")
    if load.paused_s:
        parts.append(f"paused {duration(load.paused_s * MS_PER_S)}")
    if parts:
        yield from _wrapped(" · ".join(parts), columns, label="Start")


def _client(page: RacePage, columns: int) -> Iterator[str]:
    """Yield whether the recorder kept up, and what says so, lane by lane."""
    health = page.race.health
    verdict = (
        health_line(health).removeprefix("the recorder ")
        or "not judged: this log holds no readings of its recorder"
    )
    for line in _wrapped(verdict, columns, label="Client"):
        yield click.style(line, fg="yellow") if health.client_limited else line
    for lane in health.lanes:
        if told := "; ".join(_evidence(lane)):
            yield from _wrapped(f"{lane.engine}: {told}", columns, label=" ")


def _evidence(lane: LaneHealth) -> Iterator[str]:
    """Yield what was read of one lane's recorder."""
    if (found := lane.calibration) is not None:
        errors = " / ".join(duration(value / 1000) for value in (found.p50_us, found.p99_us, found.max_us))
        yield (
            f"clock checked over {found.over} at {counted(found.streams, 'stream')} x "
            f"{rate(found.tokens_per_s / max(1, found.streams), 'tok/s')}: error p50 / p99 / max {errors}, {percent(found.coalesced_share)} read together with a later one, "
            f"times by {found.stamp}"
        )
    if lane.late_send_share is not None:
        yield f"{percent(lane.late_send_share)} of {counted(lane.sends, 'request')} sent late"
    if lane.cpu_pct_p50 is not None and lane.full_share is not None:
        yield f"CPU median {percent(lane.cpu_pct_p50 / 100)} of a core, full {percent(lane.full_share)} of the time"
    if lane.loop_lag_p99_us is not None:
        yield f"event loop delay p99 {duration(lane.loop_lag_p99_us / 1000)}"
    if lane.most_waiting:
        yield f"{counted(lane.most_waiting, 'batch', 'batches')} waiting for the disk at most"


def _log_facts(page: RacePage) -> str:
    log = page.log
    per_token = f", {number(log.bytes_per_token)} per output token" if log.bytes_per_token else ""
    closed = "sealed" if log.sealed else "closed, not sealed" if log.finished else "unfinished"
    version = f" · recorded by racelog {page.race.racelog_version}" if page.race.racelog_version else ""
    return (
        f"{log.bytes:,} bytes in {counted(log.files, 'file')}{per_token} · {counted(log.units, 'unit')}, "
        f"{counted(log.events, 'event')}, {counted(log.chunks, 'chunk')} · {closed}, "
        f"{'damaged' if log.damage else 'no damage found'}{version}"
    )


def _host_facts(host: dict[str, object]) -> Iterator[str]:
    """Yield the host's facts in words; nested ones (versions) one by one, those that speak for themselves bare."""
    for key, value in host.items():
        if isinstance(value, dict):
            yield from (f"{name} {inner}" for name, inner in value.items())
        else:
            yield str(value) if key in SELF_EXPLAINING else f"{key} {value}"
