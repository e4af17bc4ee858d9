"""``racelog cat``: what happened, line by line."""

import csv
import io
import json

import pytest

from racelog.cli import run
from racelog.console.narrate import story
from racelog.events import KnownEvent, Mark, Tokens, Unknown
from racelog.log.format.codec import decode_event
from racelog.log.rows.rows import facts_in_order
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import EVERY_KIND, write_log

MS = 1_000_000


@pytest.fixture
def race(tmp_path):
    return ScriptedRace([Plan("hare", requests=1, tokens=3), Plan("b", requests=1, fail=(0,))]).write_file(
        tmp_path / "race.rlog"
    )


def cat(capfd, *arguments):
    assert run(["cat", *map(str, arguments)]) == 0
    return capfd.readouterr().out


def test_a_request_reads_as_a_story(race, capfd):
    assert cat(capfd, race, "--lane", "hare").splitlines() == [
        "     0.000000  hare  is hare: m at http://127.0.0.1:9000/v1",
        "     1.000000  hare  starts",
        "     1.000000  hare  request 0 is due: prompt 0",
        "     1.000000  hare  request 0 sent, new connection",
        "     1.100000  hare  request 0 answered: HTTP 200",
        "     1.100000  hare  request 0 |  w0 w1 w2 | 3 chunks, 40.0 ms",
        "     1.140000  hare  request 0 counted by the server: 5 input, 3 output",
        "     1.140000  hare  request 0 ok, stop",
        "     1.140000  hare  finished",
    ]


def test_a_window_is_half_open_on_the_race_s_clock(race, capfd):
    told = cat(capfd, race, "--start", "1.1", "--end", "1.12", "--kind", "tok", "--json")

    assert [json.loads(line)["t"] for line in told.splitlines()] == [1_100 * MS]


def test_ndjson_is_one_object_per_chunk(race, capfd):
    told = [json.loads(line) for line in cat(capfd, race, "--format", "ndjson", "--kind", "tok").splitlines()]

    assert told[1] == {
        "t": 1_120 * MS, "k": "tok", "lane": 0, "engine": "hare", "req": 0, "text": " w1", "chunk": "content",
        "tokens": None, "stamp": "kernel", "coalesced": False,
    }  # fmt: skip


def test_csv_has_a_header_and_a_row_per_fact(race, capfd):
    rows = list(csv.reader(io.StringIO(cat(capfd, race, "--format", "csv", "--kind", "tok,end"))))

    assert rows[0] == ["t_ns", "kind", "lane", "engine", "req", "what"]
    assert ["1140000000", "tok", "0", "hare", "0", " w2"] in rows
    assert ["1100000000", "end", "1", "b", "0", "request 0 failed, http, HTTP 500"] in rows


def test_every_kind_is_told_in_words_of_its_own(tmp_path, capfd):
    path = write_log(tmp_path / "race.rlog", EVERY_KIND)

    told = cat(capfd, path)
    assert "{" not in told
    assert "     0.000000        GPU 1: 99 % busy" in told
    assert "     0.022000  e3    request 1 role |  | 1 chunk" in told


def test_there_are_words_for_every_kind():
    from racelog.console import narrate  # noqa: PLC0415 - one use

    kinds = {str(kind.__struct_config__.tag) for kind in KnownEvent.__args__}
    assert kinds - {"tok"} == set(narrate._WORDS)


@pytest.mark.parametrize(
    "line", [b'{"k":"future","t":5,"lane":7,"x":[1]}', b'{"k":"mark","v":2,"t":5,"lane":7,"title":"new"}']
)
def test_what_racelog_does_not_know_is_shown_as_it_is(line):
    event = decode_event(line)
    assert isinstance(event, Unknown)

    (told,) = story(facts_in_order([event]), {})
    assert told.startswith("     0.000000  lane 7  ")
    assert ("[1]" in told) or ("new" in told) or ("mark None" in told)


def test_nothing_of_what_a_model_said_reaches_the_terminal_alive(tmp_path, capfd):
    hostile = Tokens(t=0, lane=0, r=[0], d=[0], x=["\x1b]52;c;aGk=\x07\n\u202e"])
    path = write_log(tmp_path / "race.rlog", [hostile, Mark(t=1, label="\x1b[2J")])

    told = cat(capfd, path)
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert len(told.splitlines()) == 4


def test_interleaved_requests_are_told_apart_in_the_order_they_begin():
    batch = Tokens(t=0, lane=0, r=[1, 2, 1, 2], d=[0, 1 * MS, 1 * MS, 1 * MS], x=["a", "x", "b", "y"])

    assert [line.split("  ")[-1] for line in story(facts_in_order([batch]), {})] == [
        "request 1 | ab | 2 chunks, 2.00 ms\n",
        "request 2 | xy | 2 chunks, 2.00 ms\n",
    ]


def test_a_pause_ends_a_line():
    batch = Tokens(t=0, lane=0, r=[1, 1], d=[0, 251 * MS], x=["a", "b"])

    assert len(list(story(facts_in_order([batch]), {}))) == 2


def test_facts_are_told_in_time_order_though_columns_overlap():
    first = Tokens(t=0, lane=0, r=[1, 1], d=[0, 10], x=["a", "b"])
    second = Tokens(t=5, lane=1, r=[1, 1], d=[0, 10], x=["c", "d"])

    facts = list(facts_in_order([first, second, Mark(t=12, label="x")]))
    assert [fact.t for fact in facts] == [0, 5, 10, 12, 15]


def test_damage_is_told_and_the_rest_is_read(race, capfd):
    race.write_bytes(b"\0" * 9 + race.read_bytes())

    assert run(["cat", str(race), "--kind", "fin"]) == 3
    assert "9 bytes at offset 0" in capfd.readouterr().err
