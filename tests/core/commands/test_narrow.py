"""Tables on terminals of every width: no line wraps, and what has no room is named."""

import re

import pytest

from racelog.commands.ls import HEADINGS
from racelog.commands.page import race_page
from racelog.commands.page_lines import page_lines
from racelog.console.output import Heading, table_lines
from racelog.display.cells import width
from racelog.log.read.reader import open_log
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.summary import race_summary
from racelog_recorder.cli.summary_text import summary_lines

ROW = [
    "20261121-013000-0a1b2c3d", "a long name of a race, as people give them", "2026-11-21 01:30:00", "finished", "time-trial",
    "llama.cpp, vLLM, SGLang, 模型引擎🚀", "1,200", "llama.cpp-with-speculation",
]  # fmt: skip
NAMES = ScriptedRace(
    [Plan("模型引擎🚀", ttft_ms=1234.5, requests=12), Plan("b", ttft_ms=12_345, requests=12)]
)


def plain(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_list_of_races_fits_the_terminal(columns: int) -> None:
    assert max(map(width, plain(table_lines(HEADINGS, [ROW], columns)))) <= columns


def test_the_list_of_races_keeps_the_race_its_state_and_its_winner_at_80_columns() -> None:
    told = plain(table_lines(HEADINGS, [ROW], 80))
    assert told[0].split() == ["race", "name", "status", "engines", "requests", "winner"]
    assert told[-1] == "no room for: started (UTC), grid"


def test_a_table_that_fits_leaves_nothing_out() -> None:
    assert len(table_lines([Heading("a"), Heading("b", gives_way=1)], [["1", "2"]], 80)) == 3


@pytest.mark.parametrize("columns", [80, 100, 120])
def test_the_numbers_of_a_race_fit_the_terminal(tmp_path, columns: int) -> None:
    log = open_log(NAMES.write_file(tmp_path / "race.rlog"))
    lines = plain(list(page_lines(race_page(log), columns)))
    table = lines[4 : lines.index("", 5)]
    assert max(map(width, table)) <= columns


@pytest.mark.parametrize("columns", [60, 80, None])
def test_the_closing_table_is_padded_by_cells(columns: int | None) -> None:
    lines = summary_lines(race_summary(Replay(RaceTracks(NAMES.events()))), columns)
    rows = [line for line in lines if line[:3] in ("1st", "2nd")]
    ends = {width(row[: row.index("12/12") + 5]) for row in rows}
    assert len(ends) == 1
