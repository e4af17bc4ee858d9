"""``racelog cut``: a stretch of a race that makes sense by itself."""

import json

import pytest

from racelog.cli import run
from racelog.events import (
    HostSamples,
    LaneFacts,
    LaneStart,
    Mark,
    Note,
    Prompt,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    Tokens,
)
from racelog.log.read.reader import open_log
from racelog.log.rewrite.cut import Window, cut
from racelog.log.rewrite.verify import verify_log
from racelog.testing.races import Plan, ScriptedRace

MS = 1_000_000
# Lane 0: request 0 from 1000 to 1240 ms, request 1 from 1240 to 1480 ms, ...; lane 1 the same, later.
RACE = ScriptedRace([Plan("a", requests=3), Plan("b", requests=3, start_ms=1500)])


@pytest.fixture
def race(tmp_path):
    return RACE.write_file(tmp_path / "race.rlog")


def cut_file(race, *options):
    target = race.with_name("out.rlog")
    return run(["cut", str(race), *map(str, options), "-o", str(target)]), target


def test_a_cut_is_a_whole_log(race, capfd):
    code, out = cut_file(race, "--start", "1.3s", "--end", "1400ms")

    assert code == 0
    assert verify_log(out).state == "whole"
    assert capfd.readouterr().out.endswith(f" events to {out}\n")


def test_the_race_its_lanes_and_prompts_stay(race):
    _, out = cut_file(race, "--start", "1.3", "--end", "1.4")
    whole, part = open_log(race), open_log(out)

    for kind in (RaceFacts, LaneFacts, Prompt):
        assert list(whole.of(kind)) == list(part.of(kind))


def test_a_request_under_way_is_kept_from_its_beginning_and_one_that_is_over_is_not(race):
    _, out = cut_file(race, "--start", "1.3", "--end", "1.4")
    log = open_log(out)

    assert [event.req for event in log.of(RequestScheduled)] == [1]
    assert list(log.of(RequestEnd)) == []
    (batch,) = log.of(Tokens)
    assert (batch.t, batch.r) == (1340 * MS, [1, 1, 1])


def test_instants_stay_as_they_are(race):
    _, out = cut_file(race, "--start", "1.3")

    starts = list(open_log(race).of(LaneStart))
    assert starts == list(open_log(out).of(LaneStart))


def test_a_lane_is_chosen_by_its_engine_and_all_else_of_others_goes(race):
    _, out = cut_file(race, "--lane", "b")
    log = open_log(out)

    assert [facts.lane for facts in log.of(LaneFacts)] == [1]
    assert {1} == {batch.lane for batch in log.of(Tokens)}


def test_a_note_at_the_edge_says_that_this_is_a_cut(race):
    _, out = cut_file(race, "--start", "1.3", "--end", "1.4", "--lane", "a")

    (note,) = open_log(out).of(Note)
    assert (
        note.t,
        note.text,
    ) == (1400 * MS, "cut from 1.3 s to 1.4 s lane 0: requests under way at its edges may be incomplete")


def test_a_window_holds_its_start_and_not_its_end():
    first, last = Mark(t=10, label="first"), Mark(t=20, label="last")

    assert cut([first, last], Window(10, 20))[:1] == [first]
    assert last not in cut([first, last], Window(10, 20))


def test_samples_are_cut_between_their_rows():
    samples = HostSamples(t=0, process="host", d=[5, 5, 5], cpu_pct=[1.0, 2.0, 3.0], rss_mib=[None] * 3)

    (part, _note) = cut([samples], Window(10, 15))
    assert part == HostSamples(t=10, process="host", d=[0], cpu_pct=[2.0], rss_mib=[None])


def test_json_says_what_was_cut(race, capfd):
    code, out = cut_file(race, "--start", "1.3", "--end", "1:00", "--json")

    assert code == 0
    told = json.loads(capfd.readouterr().out)
    assert (1300 * MS, 60_000 * MS, None, str(out)) == (
        told["start_ns"],
        told["end_ns"],
        told["lane"],
        told["target"],
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "cut what? give --start, --end, --lane or --race-id"),
        (("--start", "2s", "--end", "1s"), "--end (1 s) must be after --start (2 s)"),
        (("--start", "1h"), "nothing to cut from 3600 s; the race has facts from 0.000 s to"),
        (("--lane", "c"), "there are 0 (a), 1 (b)"),
        (("--start", "soon"), "'soon' is not an instant; write seconds (12.5), 1m30s, 1500ms or 1:30"),
        (("--start", "9" * 30), "is not an instant"),
    ],
)
def test_a_wrong_choice_is_answered_with_what_to_do(race, options, message, capfd):
    code, out = cut_file(race, *options)

    assert code == 2
    assert message in capfd.readouterr().err
    assert not out.exists()


def test_an_existing_file_is_overwritten_only_by_force(race):
    race.with_name("out.rlog").write_bytes(b"precious")

    assert cut_file(race, "--start", "1")[0] == 2
    assert race.with_name("out.rlog").read_bytes() == b"precious"
    assert cut_file(race, "--start", "1", "--force")[0] == 0


def test_a_damaged_race_is_cut_and_its_damage_told(race, capfd):
    race.write_bytes(b"\0" * 9 + race.read_bytes())

    assert cut_file(race, "--start", "1")[0] == 3
    assert "9 bytes at offset 0" in capfd.readouterr().err
