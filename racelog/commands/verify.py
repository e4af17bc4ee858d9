"""``racelog verify``: whether a log is whole."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from racelog.console.arguments import home_option, json_option, race_argument, race_path
from racelog.console.loss import tell_passed_over
from racelog.console.output import emit_json
from racelog.console.progress import ProgressLine
from racelog.console.reading import STDIN, piped_log
from racelog.display.text import counted, printable, shortened
from racelog.errors import ExitCode

if TYPE_CHECKING:
    from racelog.log.read.reader import FileDamage
    from racelog.log.rewrite.verify import Verdict, WriterAccount

MOST_FINDINGS = 20
"""More of one kind are counted, not listed: one lost unit can orphan thousands of chunks. --json lists all."""

TEXT_SHOWN = 500
"""How much of what a finding quotes is shown."""

EXAMPLES = """\b
Examples:
  racelog verify                 the last race
  racelog verify race.rlog && echo sound
  racelog verify race.rlog --json | jq .damage
  ssh host cat race.rlog | racelog verify -

\b
Exit status: 0 whole, or unfinished with nothing committed lost; 1 not a log; 2 wrong usage;
  3 readable, but not whole.
"""

COLOURS = {"whole": "green", "unfinished": "yellow", "loss": "red", "contradictory": "red"}


@click.command(epilog=EXAMPLES, short_help="Is every byte of a race whole?")
@race_argument
@json_option
@home_option
def verify(race: str, home: Path | None, *, as_json: bool) -> int:
    """Check every byte of RACE: checksums, contents, blocks (units) that are missing, and that it can have happened so.

    A race that still runs, or whose recorder was killed, is unfinished: its torn tail was never committed, and
    that is no damage. With - for RACE, a log is checked as it flows in on standard input.
    """
    from racelog.log.rewrite.verify import verify_log, verify_stream  # noqa: PLC0415 - not needed for --help

    if race == STDIN:
        verdict = verify_stream(piped_log())
    else:
        with ProgressLine() as progress:
            path = race_path(race, home)
            verdict = verify_log(path, progress)
        tell_passed_over(path)
    if as_json:
        emit_json(verdict_json(verdict))
    else:
        for line in verdict_lines(verdict):
            click.echo(line)
    return ExitCode.OK if verdict.state in ("whole", "unfinished") else ExitCode.LOSS


def verdict_json(verdict: "Verdict") -> dict[str, Any]:
    """Return the verdict as a JSON object; ``verdict`` is its state."""
    import msgspec  # noqa: PLC0415 - not needed for --help

    return {"verdict": verdict.state, **msgspec.to_builtins(verdict)}


SILENT = "everything of the lane {engine}: it has no fact here, not even of its start or end"


def silent_lines(engines: list[str]) -> Iterator[str]:
    """Yield a line for each engine whose lane left nothing in a log."""
    yield from _few((f"missing: {SILENT.format(engine=engine)}" for engine in engines), "lane")


def verdict_lines(verdict: "Verdict") -> Iterator[str]:
    """Yield the verdict for people: one line that says it all, then every finding with its place."""
    word = click.style(verdict.state, fg=COLOURS[verdict.state], bold=True)
    yield f"{word}: {printable(verdict.path)}: {_reason(verdict)}"
    yield (
        f"  {counted(verdict.files, 'file')}, {counted(verdict.bytes, 'byte')}, {counted(verdict.units, 'unit')}, "
        f"{counted(verdict.events, 'event')}, {counted(verdict.chunks, 'chunk')}"
    )
    yield from _few((f"damaged: {place}" for place in _stretches(verdict.damage)), "damaged place")
    for account in verdict.writers:
        yield from _few(_missing(account), "missing range")
    yield from silent_lines(verdict.silent_lanes)
    yield from _few((f"recorded: {death}" for death in verdict.deaths), "death")
    yield from _few(
        (
            f"unfinished: {place.file}: {counted(place.length, 'byte')} not committed at offset {place.offset:,}"
            for place in verdict.uncommitted
        ),
        "unfinished file",
    )
    yield from _few((f"contradiction: {one}" for one in verdict.contradictions), "contradiction")
    yield from _few(
        (
            f"recorded gap at {gap.t:,} ns: {counted(gap.chunks, 'chunk')}, {counted(gap.events, 'event')}, "
            f"{counted(gap.bytes, 'byte')}: {gap.reason}"
            for gap in verdict.recorded_gaps
        ),
        "recorded gap",
    )
    yield from _few(
        (
            f"unknown kind {kind!r}: {counted(count, 'event, kept as it is', 'events, kept as they are')}"
            for kind, count in verdict.unknown_kinds.items()
        ),
        "unknown kind",
    )
    if verdict.duplicate_units:
        yield f"  {counted(verdict.duplicate_units, 'unit')} there more than once, read once"
    if verdict.superseded_units:
        yield f"  {counted(verdict.superseded_units, 'unit')} of segments that were sealed into a file here, not read"


def _reason(verdict: "Verdict") -> str:
    """Return the rest of the verdict's first line: what its word rests on."""
    match verdict.state:
        case "whole":
            return "every unit holds, every writer closed its segment"
        case "unfinished":
            unended = sum(not account.finished for account in verdict.writers)
            torn = sum(place.length for place in verdict.uncommitted)
            return (
                f"{unended} of {counted(len(verdict.writers), 'writer')} did not end, {counted(torn, 'byte')} not "
                "committed; nothing that was committed is lost"
            )
        case "loss":
            return f"{', '.join(_losses(verdict))}; the rest reads"
        case _:
            return f"every unit holds, but {counted(len(verdict.contradictions), 'fact')} cannot be"


def _losses(verdict: "Verdict") -> Iterator[str]:
    if verdict.damage:
        damaged = sum(place.length for place in verdict.damage)
        yield f"{counted(damaged, 'byte')} damaged in {counted(len(verdict.damage), 'place')}"
    missing = sum(last - first + 1 for account in verdict.writers for first, last in account.missing_units)
    if missing:
        yield f"{counted(missing, 'unit')} missing"
    if any(account.loses_by_not_ending for account in verdict.writers):
        yield "the sealed file has no end"
    if verdict.silent_lanes:
        yield f"nothing of {counted(len(verdict.silent_lanes), 'lane')}"


def _missing(account: "WriterAccount") -> Iterator[str]:
    who = f"{account.role or 'writer'} {account.writer}"
    for first, last in account.missing_units:
        units = f"unit {first}" if first == last else f"units {first} to {last}"
        yield f"missing: {units} of {who}"
    if account.lost_events and account.missing_units:
        yield f"missing: {counted(account.lost_events, 'event')} of {who}, by its own count"
    if account.loses_by_not_ending:
        yield f"missing: the end of {who}; the file was cut after it was sealed"


def _stretches(damage: "Iterable[FileDamage]") -> Iterator[str]:
    """Yield places in words, neighbours of one kind as one: a megabyte of noise may hold 10,000 that look like trailers."""
    for _, places in groupby(_with_run(damage), key=itemgetter(0)):
        first, *others = [place for _, place in places]
        if not others:
            yield str(first)
            continue
        size = others[-1].offset + others[-1].length - first.offset
        yield f"{replace(first, length=size)}, {len(others) + 1:,} times in a row"


def _with_run(damage: "Iterable[FileDamage]") -> "Iterator[tuple[int, FileDamage]]":
    """Yield each place with the number of the run of neighbours of one kind that it is in."""
    run, before = 0, None
    for place in damage:
        joins = before is not None and (before.file, before.reason, before.offset + before.length) == (
            place.file, place.reason, place.offset,
        )  # fmt: skip
        run, before = run + (not joins), place
        yield run, place


def _few(findings: Iterable[str], what: str) -> Iterator[str]:
    """Yield the first findings of a kind as lines, and how many there are more."""
    rest = iter(findings)
    for finding in islice(rest, MOST_FINDINGS):
        yield f"  {printable(shortened(finding, TEXT_SHOWN))}"
    if more := sum(1 for _ in rest):
        yield f"  and {counted(more, what)} more; all of them: --json"
