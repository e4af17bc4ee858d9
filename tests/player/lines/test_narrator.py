"""Tables for people, in every width from 80 cells on: no row wraps, and long names of one beginning stay apart."""

import re
from collections.abc import Callable
from functools import lru_cache

import pytest

from racelog.display.cells import width
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import race_view
from racelog.views.summary import race_summary
from racelog_player.lines.narrator import result_table, standings_table
from racelog_recorder.cli.summary_text import summary_lines

NAME = "Llama-3.3-70B-Instruct-quantized-w4a16-group128-revision-"


@lru_cache
def replay(engines: int) -> Replay:
    plans = [Plan(f"{NAME}{number}", ttft_ms=90 + number, requests=20) for number in range(engines)]
    made = Replay(RaceTracks(ScriptedRace(plans).events()))
    made.seek_end()
    return made


TABLES: dict[str, Callable[[int, int], list[str]]] = {
    "play --plain": lambda engines, columns: result_table(race_summary(replay(engines)), columns),
    "play --at": lambda engines, columns: standings_table(race_view(replay(engines)), columns),
    "record": lambda engines, columns: summary_lines(race_summary(replay(engines)), columns),
}


def rows(table: str, engines: int, columns: int) -> list[str]:
    """Return the rows that hold an engine's numbers."""
    return [line for line in TABLES[table](engines, columns) if re.match(r"\d+(?:st|nd|rd|th)? +Llama", line)]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("engines", [2, 5, 10])
@pytest.mark.parametrize("columns", [80, 100, 120, 200])
def test_no_row_of_a_table_wraps_and_no_two_engines_look_alike(
    table: str, engines: int, columns: int
) -> None:
    found = rows(table, engines, columns)
    names = {next(word for word in row.split() if word.startswith("Llama")) for row in found}

    assert (max(map(width, found)) <= columns, len(names)) == (True, engines)


@pytest.mark.parametrize("table", ["play --plain", "play --at"])
def test_into_a_pipe_a_table_has_whole_names(table: str) -> None:
    last = TABLES[table](2, None)  # type: ignore[arg-type]  # as a pipe has no width

    assert [
        f"{NAME}{number}" in line
        for number, line in zip((0, 1), [one for one in last if NAME in one][-2:], strict=True)
    ] == [True, True]
