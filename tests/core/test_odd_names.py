"""Names that no one would choose: a file's that is no UTF-8, a race's that is a path, a word of a hundred thousand letters."""

import json
import os
from pathlib import Path

import pytest

from racelog.cli import run
from racelog.display.text import printable
from racelog.events import LaneStart
from racelog.testing.races import Plan, ScriptedRace
from racelog.urls import without_url_secrets
from tests.core.query.recorded import write_log

RACE = ScriptedRace([Plan("a", requests=1, tokens=2)])


@pytest.fixture
def odd(home: Path) -> Path:
    """A race in the home whose file's name has a byte that is no UTF-8."""
    (home / "races").mkdir(parents=True)
    RACE.write_file(home / "races" / "good.rlog")
    named = os.fsdecode(os.fsencode(str(home / "races")) + b"/caf\xff.rlog")
    os.link(home / "races" / "good.rlog", named)
    return Path(named)


def test_one_such_file_does_not_take_the_list_away(odd: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ls", "--json"]) == 0

    assert len(json.loads(capfd.readouterr().out)) == 2


@pytest.mark.parametrize(
    "verb", [("info",), ("info", "--json"), ("verify", "--json"), ("cat",), ("play", "--plain")]
)
def test_it_is_read_like_any_other(
    verb: tuple[str, ...], odd: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([verb[0], str(odd), *verb[1:]]) == 0
    assert "Traceback" not in capfd.readouterr().err


def test_it_can_be_queried(odd: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["sql", "select path from races", str(odd)]) == 0
    assert "caf" in capfd.readouterr().out


@pytest.mark.parametrize("race_id", ["../../evil", "a/b", "\x1b[31m", "x" * 300, "..", ""])
def test_files_are_named_harmlessly_whatever_the_race_is_called(race_id: str, tmp_path: Path) -> None:
    log = write_log(tmp_path / "odd.rlog", RACE.lane_events(0), race_id=race_id)

    assert run(["export", str(log), "-f", "md", "-o", str(tmp_path / "out")]) == 0
    assert [path.suffix for path in (tmp_path / "out").iterdir()] == [".md"]
    assert {path.name for path in tmp_path.iterdir()} <= {"odd.rlog", "out", "home"}


def test_a_word_without_end_costs_no_more_than_itself() -> None:
    word = "x" * 2_000_000

    assert printable(word + "é") == word + "é"
    assert without_url_secrets(f"{word}:/") == f"{word}:/"


@pytest.mark.parametrize("t", [-(1 << 63), -(1 << 63) + 1, (1 << 62)])
@pytest.mark.parametrize(
    "verb", [("info",), ("play", "--at", "end", "--json"), ("card", "-o", "card.png"), ("cat",)], ids=" ".join
)
def test_a_stamp_that_is_centuries_off_costs_no_century(
    verb: tuple[str, ...],
    t: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    events = [LaneStart(t=t, lane=0) if isinstance(event, LaneStart) else event for event in RACE.events()]
    log = write_log(tmp_path / "far.rlog", events)

    assert run([verb[0], str(log), *verb[1:]]) == 0
    assert "Traceback" not in capfd.readouterr().err


@pytest.fixture
def odd_folder(tmp_path: Path) -> Path:
    """A folder whose name has a byte that is no UTF-8."""
    folder = Path(os.fsdecode(os.fsencode(str(tmp_path)) + b"/h\xff me"))
    (folder / "races").mkdir(parents=True)
    RACE.write_file(folder / "races" / "good.rlog")
    return folder


def test_sql_answers_in_a_home_whose_name_is_no_utf_8(
    odd_folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RACELOG_HOME", str(odd_folder))

    code = run(["sql", "select count(*) as n from requests", "-f", "json"])

    told = capfd.readouterr()
    assert (code, json.loads(told.out)) == (0, [{"n": 1}])
    assert "its path is not UTF-8, and DuckDB takes no other; choose another folder" in told.err


@pytest.mark.parametrize("form", ["csv", "parquet", "sql"])
def test_what_duckdb_cannot_write_to_such_a_folder_is_told(
    form: str, odd_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    race = str(odd_folder / "races" / "good.rlog")
    asked = ["sql", "from lanes", race, "-o", str(odd_folder / "rows.parquet")]

    code = run(asked if form == "sql" else ["export", race, "-f", form, "-o", str(odd_folder)])

    assert (code, "DuckDB takes no other; choose another folder" in capfd.readouterr().err) == (4, True)
    assert [place.name for place in odd_folder.iterdir()] == ["races"]
