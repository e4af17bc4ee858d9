"""The race as Markdown fit for a pull request: who won, a table, and what the numbers mean."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from racelog.display.figures import MS_PER_S, UNKNOWN, duration, number, times
from racelog.display.text import counted, markdown_escaped, printable
from racelog.events import RaceFacts
from racelog.export.single import write_single
from racelog.export.source import Source
from racelog.views.summary import LaneSummary, RaceSummary, race_ending

HEADINGS = (
    "",
    "engine",
    "model",
    "TTFT p50",
    "p99",
    "TPOT p50",
    "p99",
    "ITL p99",
    "tokens/s",
    "ok",
    "failed",
)

SMALL_PRINT = (
    "TTFT: request sent to first token. TPOT: (last - first token) / (streamed tokens - 1), per request. "
    "ITL: gaps between token chunks, pooled. Warm-up requests and failures are left out of latencies."
)

_SPECIAL = "\\`*_[]<>|#~"


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.md``.

    Raises:
        InputError: it is there already and ``force`` is not set.
        StorageError: it cannot be written.
    """

    def content() -> bytes:
        return ("\n".join(lines(source)) + "\n").encode()

    return write_single(source, folder, form, content, force=force)


def lines(source: Source) -> Iterator[str]:
    """Yield the summary line by line. Text from outside is escaped: it can neither draw, link nor mention."""
    race = source.summary
    yield f"### {escaped(race.name or race.race_id)}"
    yield ""
    yield _verdict(race)
    yield ""
    for warning in source.warnings():
        yield f"> **{escaped(warning)}**"
        yield ""
    yield f"| {' | '.join(HEADINGS)} |"
    yield f"| {' | '.join('---' if title in ('engine', 'model') else '---:' for title in HEADINGS)} |"
    by_id = {lane.lane: lane for lane in race.lanes}
    for lane in race.standings:
        yield f"| {' | '.join(_cells(by_id[lane]))} |"
    yield ""
    notes = [f"**{escaped(lane.engine)}** DNF: {escaped(lane.dnf)}." for lane in race.lanes if lane.dnf]
    for note in [*notes, *([f"But {escaped(race.caveat)}."] if race.caveat else [])]:
        yield note
        yield ""
    yield SMALL_PRINT
    yield ""
    yield "<details><summary>Circumstances</summary>"
    yield ""
    yield from (f"- {fact}" for fact in _circumstances(source))
    yield ""
    yield "</details>"


def escaped(text: str) -> str:
    """Return ``text`` as Markdown shows it letter by letter; ``@`` mentions nobody."""
    return markdown_escaped(printable(text), _SPECIAL)


def _verdict(race: RaceSummary) -> str:
    winner = next((lane for lane in race.lanes if lane.lane == race.winner), None)
    if winner is None:
        return f"{escaped(race.nobody)}."
    if not race.won:
        return f"**{escaped(winner.engine)}**: {race.ranked_by} {duration(winner.ttft_ms.p50) if winner.ttft_ms else UNKNOWN}."
    if winner.ttft_ms is None:  # answers without a token, and a first token of one that was cut off
        return f"**{escaped(winner.engine)}** wins."
    told = f"**{escaped(winner.engine)}** wins: {race.ranked_by} {duration(winner.ttft_ms.p50)}"
    others = [
        (lane.ttft_ms.p50, lane.engine)
        for lane in race.lanes
        if lane is not winner and lane.place is not None and lane.ttft_ms
    ]
    if not others:
        return f"{told}."
    second_ms, engine = min(others)
    lead = f"{times(second_ms / winner.ttft_ms.p50)} " if winner.ttft_ms.p50 else ""
    return f"{told}, {lead}ahead of {escaped(engine)} ({duration(second_ms)})."


def _cells(lane: LaneSummary) -> Iterator[str]:
    yield "DNF" if lane.dnf else "-" if lane.place is None else str(lane.place)
    yield escaped(f"{lane.emoji} {lane.engine}".strip())
    yield escaped(lane.model)
    for spread, name in (
        (lane.ttft_ms, "p50"), (lane.ttft_ms, "p99"), (lane.tpot_ms, "p50"), (lane.tpot_ms, "p99"), (lane.itl_ms, "p99"),
    ):  # fmt: skip
        yield "-" if spread is None else duration(getattr(spread, name))
    yield "-" if lane.tokens_per_s is None else number(lane.tokens_per_s)
    yield f"{lane.ok:,}"
    yield f"{lane.failed:,}"


def _circumstances(source: Source) -> Iterator[str]:
    race = source.summary
    if (facts := source.log.first(RaceFacts)) is not None and facts.imported_from:
        yield f"imported: measured by {escaped(facts.imported_from)}, not by racelog"
    yield f"race `{printable(race.race_id).replace('`', '')}`, {race_ending(race)}, {duration(race.duration_s * MS_PER_S)}, grid {race.grid}"
    load = f"concurrency {race.concurrency}, " if race.concurrency else ""
    yield f"{load}seed {race.seed}, started {escaped(race.started_at) or 'at an unknown time'}"
    for lane in race.lanes:
        basis = ", ".join(lane.token_basis) or "none"
        stamps = ", ".join(f"{count:,} {who}" for who, count in lane.stamps.items()) or "none"
        yield f"{escaped(lane.engine)}: {counted(lane.output_tokens, 'output token')} (basis: {basis}); stamps: {stamps}"
    if race.host:
        yield "host: " + escaped(", ".join(_told(race.host)))


def _told(facts: dict[str, Any]) -> Iterator[str]:
    """Yield facts as ``name value``; those inside another stand for themselves."""
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _told(value)
        else:
            yield f"{name} {value}"
