"""A damaged log: every command says so in one sentence, shows the rest, and exits with code 3."""

from pathlib import Path

import pytest

from racelog.cli import run
from racelog.events import RaceFacts
from racelog.log.format.units import UnitScanner
from racelog.log.read.lost import lost_facts
from racelog.log.read.reader import open_log
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3)])


def harm(file: Path, *numbers: int) -> None:
    """Flip a byte in the frames of these units."""
    data = bytearray(file.read_bytes())
    units = list(UnitScanner().feed(bytes(data)))
    for number in numbers:
        data[units[number].offset + 12] ^= 1
    file.write_bytes(data)


@pytest.fixture
def nameless(tmp_path: Path) -> Path:
    """A race whose conductor's facts cannot be read: what its lanes recorded can."""
    folder = RACE.write_segments(tmp_path / "race")
    harm(folder / "conductor.rlog", 1, 2)
    return folder


SHOWING = {
    "info": (), "dump": (), "cat": (), "play": ("--at", "0s", "--json"), "card": ("-o", "card.png"),
    "export": ("-f", "md"), "cut": ("--start", "0s", "-o", "part.rlog"), "sql": (), "recover": ("-o", "whole.rlog"),
    "verify": (), "merge": ("-o", "merged.rlog"),
}  # fmt: skip


@pytest.mark.parametrize("verb", SHOWING)
def test_every_verb_tells_the_damage_and_exits_with_code_3(
    verb: str,
    nameless: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    query = ("select count(*) from requests", "--no-cache") if verb == "sql" else ()

    status = run([verb, *query, str(nameless), *SHOWING[verb]])

    out, err = capfd.readouterr()
    assert status == 3
    assert "damage" in out + err or "lost" in out + err or "left out" in err
    assert "bytes at offset" in out + err


def test_the_sentence_names_what_the_damage_took_and_how_to_go_on(
    nameless: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(["info", str(nameless)])

    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert "the race's name, start and plan, the names of 2 engines (lane 0, 1), 2 prompts" in err
    assert f"racelog verify {nameless}; save what reads: racelog recover {nameless} -o OUT.rlog" in err


def test_a_lane_whose_facts_are_lost_is_called_by_its_number(nameless: Path) -> None:
    tracks = RaceTracks(open_log(nameless).events)

    assert [track.facts.engine for track in tracks.lanes.values()] == ["lane 0", "lane 1"]


def test_a_lane_that_was_left_out_on_purpose_is_not_brought_back() -> None:
    assert list(RaceTracks(RACE.events(), only=frozenset({"a"})).lanes) == [0]


def test_a_lane_without_a_name_is_chosen_by_its_number(
    nameless: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["cat", str(nameless), "--lane", "1", "--kind", "end"]) == 3
    assert len(capfd.readouterr().out.splitlines()) == 2


def test_a_whole_log_has_lost_nothing() -> None:
    assert lost_facts([RACE.head(), *RACE.events()]) == []


def test_what_others_stand_on_is_named() -> None:
    rest = [event for event in RACE.events() if not isinstance(event, RaceFacts)]

    assert lost_facts(rest) == [
        "the head (the clock that instants count from)",
        "the race's name, start and plan",
    ]


def test_a_race_under_way_is_no_loss(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = RACE.write_segments(tmp_path / "race")
    lane = folder / "lane-0.rlog"
    lane.write_bytes(lane.read_bytes()[:-3])

    assert run(["info", str(folder)]) == 0
    assert capfd.readouterr().err == ""


def test_all_races_of_a_home_answer_without_the_damaged_one_being_a_failure(
    home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (home / "races").mkdir(parents=True)
    stored = RACE.write_file(home / "races" / "one.rlog")
    harm(stored, 3)

    assert run(["sql", "select count(*) from lanes"]) == 0
    assert "one.rlog is damaged" in capfd.readouterr().err
    assert run(["sql", "select count(*) from lanes", "latest"]) == 3
