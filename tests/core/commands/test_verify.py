"""``racelog verify``: whole, unfinished, loss or contradiction, with the place of every finding."""

import json

import pytest
from msgspec import Raw

from racelog.cli import run
from racelog.events import (
    AnyEvent,
    Finish,
    Gap,
    Head,
    LaneEnd,
    LaneFacts,
    Mark,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    ResponseHeaders,
    Tokens,
    Unknown,
    Usage,
)  # fmt: skip
from racelog.log.format.codec import encode_events
from racelog.log.format.units import TRAILER_BYTES, Damage, Trailer, UnitKind, encode_unit
from racelog.log.read.reader import FileDamage
from racelog.log.rewrite.seal import seal
from racelog.log.rewrite.verify import TAIL_REASONS, verify_log
from racelog.testing.races import Plan, ScriptedRace
from tests.core.log.bytes_of import scan, units
from tests.core.query.recorded import write_log

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3, fail=(1,))])


@pytest.fixture
def segments(tmp_path):
    return RACE.write_segments(tmp_path / "race.live")


@pytest.fixture
def sealed(segments, tmp_path):
    return seal(segments, tmp_path / "race.rlog")


def cut(path, length):
    path.write_bytes(path.read_bytes()[:length])


def test_a_sealed_race_is_whole(sealed, capfd):
    size = sealed.stat().st_size

    assert run(["verify", str(sealed)]) == 0
    assert capfd.readouterr().out.splitlines() == [
        f"whole: {sealed}: every unit holds, every writer closed its segment",
        f"  1 file, {size:,} bytes, 3 units, 34 events, 9 chunks",
    ]


def test_a_finished_directory_of_segments_is_whole(segments):
    verdict = verify_log(segments)

    assert (verdict.state, verdict.files, len(verdict.writers)) == ("whole", 3, 3)


def test_a_torn_tail_of_a_running_race_is_unfinished_and_nothing_is_lost(segments, capfd):
    lane = segments / "lane-1.rlog"
    ends = [found.end for found in units(lane.read_bytes())]
    cut(lane, ends[1] + 30)

    assert run(["verify", str(segments)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].endswith(
        ": 1 of 3 writers did not end, 30 bytes not committed; nothing that was committed is lost"
    )
    assert lines[2] == f"  unfinished: lane-1.rlog: 30 bytes not committed at offset {ends[1]:,}"


def test_every_cut_of_an_unfinished_segment_is_unfinished_and_of_a_sealed_file_is_loss(segments, tmp_path):
    one = RACE.write_file(tmp_path / "one.rlog")
    sealed = seal(segments, tmp_path / "sealed.rlog")
    for path, state in ((one, "unfinished"), (sealed, "loss")):
        data = path.read_bytes()
        for length in range(units(data)[0].end, len(data), 7):
            path.write_bytes(data[:length])

            assert state == verify_log(path).state, length


def test_a_sealed_file_cut_at_a_unit_says_its_end_is_missing(sealed, capfd):
    cut(sealed, units(sealed.read_bytes())[-1].offset)

    assert run(["verify", str(sealed)]) == 3
    out = capfd.readouterr().out
    assert "loss: " in out.splitlines()[0]
    assert "the file was cut after it was sealed" in out


def test_a_flipped_byte_is_loss_with_file_offset_length_and_reason(sealed, capfd):
    data = bytearray(sealed.read_bytes())
    unit = units(bytes(data))[1]
    data[unit.offset + 20] ^= 1
    sealed.write_bytes(data)
    length = unit.end - unit.offset

    assert run(["verify", str(sealed)]) == 3
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == f"loss: {sealed}: {length:,} bytes damaged in 1 place, 1 unit missing; the rest reads"
    assert lines[2] == f"  damaged: race.rlog: {length:,} bytes at offset {unit.offset:,}: checksum mismatch"
    assert lines[3].startswith("  missing: unit 1 of seal ")
    assert lines[4].startswith("  missing: 32 events of seal ")


def test_a_flipped_bit_at_every_byte_of_a_sealed_file_is_loss(sealed):
    data = sealed.read_bytes()
    for at in range(0, len(data), 5):
        sealed.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :])

        assert verify_log(sealed).state == "loss", at


def test_zeros_after_an_unfinished_writer_are_its_torn_tail(segments):
    lane = segments / "lane-0.rlog"
    end = units(lane.read_bytes())[-1].offset
    lane.write_bytes(lane.read_bytes()[:end] + b"\0" * 4096)

    verdict = verify_log(segments)

    assert verdict.state == "unfinished"
    assert verdict.uncommitted == [FileDamage("lane-0.rlog", end, 4096, "zero tail")]


def test_bytes_after_a_writer_that_ended_are_loss(sealed):
    size = sealed.stat().st_size
    sealed.write_bytes(sealed.read_bytes() + b"\0" * 10)

    assert verify_log(sealed).damage == [FileDamage("race.rlog", size, 10, "zero tail")]


def test_a_missing_unit_is_named_though_no_byte_is_damaged(tmp_path):
    path = RACE.write_file(tmp_path / "race.rlog")
    data = path.read_bytes()
    gone = units(data)[2:4]
    path.write_bytes(data[: gone[0].offset] + data[gone[1].end :])

    verdict = verify_log(path)

    assert (verdict.state, verdict.damage) == ("loss", [])
    assert [(account.missing_units, account.lost_events) for account in verdict.writers] == [([(2, 3)], 10)]


def test_a_segment_copied_twice_is_read_once(sealed):
    sealed.write_bytes(sealed.read_bytes() * 2)

    verdict = verify_log(sealed)

    assert (verdict.state, verdict.units, verdict.duplicate_units) == ("whole", 3, 3)


def test_json_holds_the_verdict_and_every_finding(sealed, capfd):
    sealed.write_bytes(b"\0" * 5 + sealed.read_bytes())

    assert run(["verify", str(sealed), "--json"]) == 3
    verdict = json.loads(capfd.readouterr().out)
    assert verdict["verdict"] == "loss"
    assert verdict["damage"] == [{"file": "race.rlog", "offset": 0, "length": 5, "reason": "no trailer"}]


def test_what_is_no_log_exits_1(tmp_path, capfd):
    (tmp_path / "no.rlog").write_bytes(b"nothing" * 50)

    assert run(["verify", str(tmp_path / "no.rlog")]) == 1
    assert "is not a racelog file" in capfd.readouterr().err


REQ = RequestScheduled(t=10, lane=0, req=1, prompt=0)
SENT = RequestSent(t=20, lane=0, req=1)
HEADERS = ResponseHeaders(t=30, lane=0, req=1, status=200)
CHUNKS = Tokens(t=40, lane=0, r=[1, 1], d=[0, 5], x=["a", "b"])
END = RequestEnd(t=50, lane=0, req=1, status="ok")


def at(event, t):
    return type(event)(**{**{name: getattr(event, name) for name in event.__struct_fields__}, "t": t})


@pytest.mark.parametrize(
    ("events", "broken"),
    [
        ([REQ, SENT, HEADERS, CHUNKS, END], None),
        ([REQ], None),
        ([REQ, at(END, 10)], None),
        ([REQ, at(SENT, 5)], "sent at 5 ns lies before scheduled at 10 ns"),
        ([REQ, SENT, at(HEADERS, 15)], "headers at 15 ns lies before sent at 20 ns"),
        ([REQ, SENT, HEADERS, at(CHUNKS, 25)], "first chunk at 25 ns lies before headers at 30 ns"),
        ([REQ, SENT, CHUNKS, at(END, 44)], "end at 44 ns lies before last chunk at 45 ns"),
        ([REQ, SENT, SENT], "sent twice"),
        ([REQ, SENT, RequestSent(t=25, lane=0, req=1, connection="reopened"), HEADERS], None),
        ([REQ, END, END], "end twice"),
        ([CHUNKS], "never scheduled, yet there is: first chunk, last chunk"),
        ([Usage(t=1, lane=0, req=1)], "never scheduled, yet there is: usage"),
    ],
)
def test_a_request_is_checked_against_its_legal_life(tmp_path, events, broken):
    verdict = verify_log(write_log(tmp_path / "race.rlog", events))

    assert verdict.contradictions == ([] if broken is None else [f"lane 0, request 1: {broken}"])
    assert verdict.state == ("whole" if broken is None else "contradictory")


def test_a_contradiction_exits_3_and_many_are_counted(tmp_path, capfd):
    orphans = [at(RequestEnd(t=0, lane=0, req=number, status="ok"), number) for number in range(25)]

    assert run(["verify", str(write_log(tmp_path / "race.rlog", orphans))]) == 3
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("contradictory: ")
    assert lines[-1] == "  and 5 contradictions more; all of them: --json"


def test_unknown_kinds_are_counted_and_are_no_error(tmp_path):
    strange = Unknown(t=1, k="strange", raw=Raw(b'{"k":"strange","t":1}'))

    verdict = verify_log(write_log(tmp_path / "race.rlog", [strange, strange]))

    assert (verdict.state, verdict.unknown_kinds) == ("whole", {"strange": 2})


def test_a_gap_that_the_recorder_wrote_down_is_told(tmp_path, capfd):
    path = write_log(tmp_path / "race.rlog", [Gap(t=5, reason="queue full", chunks=3)])

    assert run(["verify", str(path)]) == 0
    assert "  recorded gap at 5 ns: 3 chunks, 0 events, 0 bytes: queue full" in capfd.readouterr().out


def test_a_trailer_that_miscounts_its_unit_is_a_contradiction(tmp_path):
    head = Head(t=0, race_id="r", writer=f"{9:016x}", role="lane", mono_origin_ns=0)
    first = encode_unit(encode_events([head]), Trailer(UnitKind.HEAD, 9, 0, 0, 0, 1))
    second = encode_unit(encode_events([Mark(t=4, label="x")]), Trailer(UnitKind.DATA, 9, 1, 4, 4, 2))
    (tmp_path / "race.rlog").write_bytes(first + second)

    assert verify_log(tmp_path / "race.rlog").contradictions == [
        f"race.rlog: unit at offset {len(first)}: its trailer counts 2 events, it holds 1"
    ]


def test_two_races_in_one_file_are_a_contradiction(tmp_path):
    one = write_log(
        tmp_path / "one.rlog", [LaneFacts(t=0, lane=0, engine="e", model="m", url="u")], race_id="one"
    )
    head = Head(t=0, race_id="two", writer=f"{9:016x}", role="lane", mono_origin_ns=0)
    last = Finish(t=1, events=1)
    both = one.read_bytes() + encode_unit(encode_events([head, last]), Trailer(UnitKind.HEAD, 9, 0, 0, 1, 2))
    one.write_bytes(both)

    (said,) = verify_log(one).contradictions

    assert said.startswith("holds 2 races: one, two; take one out: racelog cut")


def test_the_tail_reasons_are_those_of_the_scanner():
    told = {found.reason for tail in (b"\0\0", b"torn") for found in scan(tail) if isinstance(found, Damage)}

    assert told == TAIL_REASONS


def test_a_request_whose_beginning_is_among_the_recorded_losses_is_no_contradiction(tmp_path):
    path = write_log(tmp_path / "race.rlog", [Gap(t=5, reason="lost before recovery", events=1), CHUNKS, END])

    assert (verify_log(path).state, verify_log(path).contradictions) == ("whole", [])


def test_a_lane_without_a_fact_is_loss_and_named_once_the_race_is_over(segments, tmp_path, capfd):
    (segments / "lane-1.rlog").unlink()

    assert run(["verify", str(segments)]) == 3
    assert run(["verify", str(seal(segments, tmp_path / "race.rlog"))]) == 3
    out = capfd.readouterr().out

    assert (
        out.count("  missing: everything of the lane b: it has no fact here, not even of its start or end\n")
        == 2
    )
    assert out.count("nothing of 1 lane; the rest reads") == 2


def test_a_death_that_was_recorded_is_told_and_is_no_loss(tmp_path, capfd):
    facts: list[AnyEvent] = [
        LaneFacts(t=0, lane=0, engine="a", model="m", url="u"),
        LaneEnd(t=5, lane=0, status="died", reason="gone"),
    ]
    path = write_log(tmp_path / "a.rlog", facts)

    assert run(["verify", str(path)]) == 0
    assert (
        "  recorded: racelog's recorder of a died, and left no fact of its own: gone\n"
        in capfd.readouterr().out
    )


def test_of_a_part_of_a_race_no_lane_is_missed(segments, tmp_path):
    sealed, part = seal(segments, tmp_path / "race.rlog"), tmp_path / "part.rlog"

    assert run(["cut", str(sealed), "--lane", "a", "-o", str(part)]) == 0
    assert verify_log(part).silent_lanes == []


def test_neighbours_of_one_kind_are_one_stretch(tmp_path, capfd):
    """What looks like trailers, 600 times in a row, is told once."""
    path = RACE.write_file(tmp_path / "race.rlog")
    data = path.read_bytes()
    end = units(data)[1].end
    path.write_bytes(data + data[end - TRAILER_BYTES : end] * 600)

    code = run(["verify", str(path)])

    damaged = [line for line in capfd.readouterr().out.splitlines() if line.startswith("  damaged")]
    assert (code, len(damaged)) == (3, 1)
    assert f"at offset {len(data):,}: checksum mismatch, " in damaged[0]


def test_of_each_kind_of_finding_few_are_listed_and_the_others_counted(tmp_path, capfd):
    gaps: list[AnyEvent] = [Gap(t=t, reason="r" * 100_000, chunks=1) for t in range(30)]
    kinds: list[AnyEvent] = [
        Unknown(t=0, k=f"x.{number}", raw=Raw(f'{{"k":"x.{number}","t":0}}'.encode())) for number in range(30)
    ]
    write_log(tmp_path / "race.rlog", [*RACE.events(), *gaps, *kinds])

    run(["verify", str(tmp_path / "race.rlog")])

    told = capfd.readouterr().out
    assert ("and 10 recorded gaps more" in told, "and 10 unknown kinds more" in told) == (True, True)
    assert len(told) < 25_000
