"""``racelog dump``: the events as the log holds them."""

import msgspec
import pytest

from racelog.cli import run
from racelog.events import Unknown
from racelog.log.format.codec import decode_event
from racelog.log.read.reader import open_log
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import write_log

STRANGE = b'{"k":"strange","t":5,"lane":1,"x":[1, 2],"y":"\\u00e9"}'


@pytest.fixture
def race(tmp_path):
    events = ScriptedRace([Plan("a", requests=1), Plan("b", requests=1)]).events()
    unknown = Unknown(t=5, k="strange", raw=msgspec.Raw(STRANGE))
    return write_log(tmp_path / "race.rlog", sorted([*events, unknown], key=lambda event: event.t))


def dumped(capfdbinary, *arguments):
    assert run(["dump", *map(str, arguments)]) == 0
    return capfdbinary.readouterr().out.splitlines()


def test_a_dump_reads_back_as_the_log(race, capfdbinary):
    events = [decode_event(line) for line in dumped(capfdbinary, race)]

    assert [event.t for event in open_log(race).events] == [event.t for event in events]
    known = [event for event in events if not isinstance(event, Unknown)]
    assert [event for event in open_log(race).events if not isinstance(event, Unknown)] == known


def test_an_unknown_kind_passes_through_untouched(race, capfdbinary):
    assert dumped(capfdbinary, race, "--kind", "strange") == [STRANGE]


def test_kinds_are_chosen_by_their_tags(race, capfdbinary):
    lines = dumped(capfdbinary, race, "--kind", "req, end")

    assert {msgspec.json.decode(line)["k"] for line in lines} == {"req", "end"}


@pytest.mark.parametrize("lane", ["1", "b"])
def test_a_lane_is_chosen_by_number_or_engine(race, lane, capfdbinary):
    lines = [msgspec.json.decode(line) for line in dumped(capfdbinary, race, "--lane", lane)]

    assert {line["lane"] for line in lines} == {1}
    assert {line["k"] for line in lines} >= {"lane", "tok", "end", "strange"}


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--kind", "tokens", "no such kind 'tokens'; there are calibration, clock, control"),
        ("--lane", "c", "there are 0 (a), 1 (b)"),
    ],
)
def test_a_wrong_choice_is_answered_with_what_there_is(race, option, value, message, capfd):
    assert run(["dump", str(race), option, value]) == 2
    assert message in capfd.readouterr().err


def test_damage_is_told_and_the_rest_is_dumped(race, capfd):
    data = bytearray(race.read_bytes())
    race.write_bytes(b"\0" * 9 + data)

    assert run(["dump", str(race), "--kind", "fin"]) == 3
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 1
    assert err.startswith(
        f"racelog: {race} is damaged: race.rlog: 9 bytes at offset 0: no trailer. This is the rest."
    )
