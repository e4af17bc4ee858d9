"""``racelog ls``: every race there is, readable or not."""

import json
import re

import pytest

from racelog.cli import run
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.query.recorded import store

OLDER = "20261120-010101-00000001"


@pytest.fixture
def race(home):
    return store(
        home,
        ScriptedRace([Plan("slow", requests=2), Plan("fast", ttft_ms=40, requests=3, fail=(2,))], finish=0.5),
    )


def listed(capfd, *arguments):
    assert run(["ls", *arguments]) == 0
    return capfd.readouterr()


def test_an_empty_home_says_how_to_record_one(home, capfd):
    out, err = listed(capfd)

    assert (out, err) == ("", f"racelog: no races in {home}/races yet. Record one: racelog record\n")


def test_a_home_that_is_a_file_is_said_to_be_one(tmp_path, capfd):
    (tmp_path / "mine").write_text("mine")

    status = run(["ls", "--home", str(tmp_path / "mine" / "below")])

    assert (status, capfd.readouterr().err) == (2, (
        f"racelog: no race can be looked for in {tmp_path}/mine/below/races: {tmp_path}/mine is a file, not a folder. "
        "Name another folder: --home or RACELOG_HOME\n"
    ))  # fmt: skip


def test_a_race_is_one_line(race, capfd):
    header, _, line = listed(capfd).out.splitlines()

    assert header.split() == [
        "race",
        "name",
        "started",
        "(UTC)",
        "status",
        "grid",
        "engines",
        "requests",
        "winner",
    ]
    assert re.split(" {2,}", line) == [
        RACE_ID, "scripted", "2026-11-21 01:30:00", "finished", "together", "slow, fast", "5", "fast",
    ]  # fmt: skip


def test_races_come_newest_first(race, home, capfd):
    store(home, ScriptedRace([Plan("a")]), OLDER)

    ids = [entry["race_id"] for entry in json.loads(listed(capfd, "--json").out)]

    assert ids == [RACE_ID, OLDER]


def test_json_holds_every_fact_of_the_line(race, capfd):
    expected = {
        "race_id": RACE_ID, "name": "scripted", "path": str(race), "sealed": True,
        "started_at": "2026-11-21T01:30:00.000Z", "status": "finished", "damaged": False, "grid": "together",
        "engines": ["slow", "fast"], "requests": 5, "failed": 1, "winner": "fast", "error": None,
    }  # fmt: skip

    assert json.loads(listed(capfd, "--json").out) == [expected]


def test_no_races_are_an_empty_array(capfd):
    assert json.loads(listed(capfd, "--json").out) == []


def test_a_race_that_cannot_be_read_is_listed_as_such_and_why_is_told(race, home, capfd):
    broken = home / "races" / f"{OLDER}.rlog"
    broken.write_bytes(b"nothing")

    out, err = listed(capfd)

    assert out.splitlines()[-1].split() == [OLDER, "-", "-", "unreadable", "-", "-", "-", "-"]
    assert err.startswith(f"racelog: {broken} cannot be read: ")


def test_a_damaged_race_says_so(race, capfd):
    data = bytearray(race.read_bytes())
    race.write_bytes(b"\0" * 100 + data)

    assert "finished, damaged" in listed(capfd).out


def test_a_running_race_is_unfinished(home, capfd):
    segments = ScriptedRace([Plan("a")]).write_segments(home / "races" / f"{RACE_ID}.live")
    lane = segments / "lane-0.rlog"
    lane.write_bytes(lane.read_bytes()[: lane.stat().st_size // 2])

    (entry,) = json.loads(listed(capfd, "--json").out)

    assert (entry["status"], entry["sealed"], entry["damaged"]) == ("unfinished", False, False)


def test_a_hostile_name_cannot_drive_the_terminal(home, capfd):
    store(home, ScriptedRace([Plan("\x1b[2Jengine")], name="\x1b]0;owned\x07"))

    assert "\x1b" not in listed(capfd).out
