"""`racelog.open` and `racelog.connect` take the same names, and say what a name is to those who give something else."""

from pathlib import Path

import pytest

import racelog
from racelog.errors import InputError, RaceNotFound
from racelog.events import Tokens
from racelog.export import write
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import store

OLDER, NEWER = "20261120-010101-00000001", "20261122-010101-00000002"


@pytest.fixture
def races(home):
    race = ScriptedRace([Plan("a", requests=2, tokens=3)])
    return [store(home, race, OLDER), store(home, race, NEWER)]


def ids(connection):
    return [row[0] for row in connection.execute("select race_id from races order by 1").fetchall()]


@pytest.mark.parametrize("name", ["latest", NEWER, "20261122"])
def test_a_race_is_opened_by_the_names_that_connect_takes(name, races):
    assert racelog.open(name).path == races[1]
    assert ids(racelog.connect(name)) == [NEWER]


def test_the_latest_is_opened_without_a_name(races):
    assert racelog.open().path == races[1]


def test_a_race_of_another_home_is_opened(races, home, monkeypatch):
    monkeypatch.setenv("RACELOG_HOME", "/nowhere")

    assert racelog.open("latest", home=home).path == races[1]


def test_a_race_that_was_sealed_meanwhile_is_opened_by_its_old_path(races):
    assert racelog.open(races[1].with_suffix(".live")).path == races[1]


@pytest.mark.parametrize("several", [list, tuple, set])
def test_a_list_of_races_is_as_good_as_the_races(several, races):
    assert ids(racelog.connect(several([OLDER, NEWER]))) == [OLDER, NEWER]
    assert ids(racelog.connect(several(races))) == [OLDER, NEWER]


def test_an_empty_list_is_not_every_race(races):
    with pytest.raises(InputError, match="the list of races is empty; for every race there is, name none"):
        racelog.connect([])


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_not_the_folder_that_one_is_in(name, races):
    for ask in (racelog.open, racelog.connect):
        with pytest.raises(RaceNotFound, match="the race has no name"):
            ask(name)


@pytest.mark.parametrize("wrong", [3, None, 1.5])
def test_what_is_no_name_is_told_what_one_is(wrong):
    for ask in (racelog.open, racelog.connect):
        with pytest.raises(
            TypeError, match=r"a race is a path, an id, the beginning of one, or 'latest'; not"
        ):
            ask(wrong)


def test_a_path_and_bytes_are_names(races):
    assert racelog.open(Path(races[0])).path == races[0]
    assert ids(racelog.connect(str(races[0]).encode()))  # type: ignore[arg-type]  # not promised == [OLDER]


@pytest.mark.parametrize("wrong", ["latest", Path("race.rlog"), None])
def test_a_stream_of_what_is_no_open_file_is_refused(wrong):
    with pytest.raises(TypeError, match="a log flows from an open binary file"):
        racelog.stream(wrong)


def test_a_stream_of_text_is_refused(races):
    with (
        races[0].open(encoding="utf-8") as file,
        pytest.raises(TypeError, match=r"as open\(path, 'rb'\) gives"),
    ):
        racelog.stream(file)


def test_a_lane_or_a_kind_that_is_none_is_refused_and_not_empty(races):
    log = racelog.open("latest")

    with pytest.raises(TypeError, match="a lane is its number or its engine's name"):
        log.select(lane=["a"])  # type: ignore[call-overload]  # what it is about
    with pytest.raises(TypeError, match=r"kind is a type of racelog\.events, such as Tokens"):
        log.select(kind="tok")  # type: ignore[call-overload]  # as above
    assert len(list(log.select(lane="a", kind=Tokens))) > 0


def test_one_form_of_an_export_needs_no_list(races, tmp_path):
    assert [file.suffix for file in write("latest", "md", tmp_path)] == [".md"]
