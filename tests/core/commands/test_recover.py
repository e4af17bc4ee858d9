"""``racelog recover``: everything readable as a whole file, and every loss named and written down."""

import json
import os
import shutil

import msgspec
import pytest
import zstandard

from racelog.cli import run
from racelog.events import Gap, Head, LaneFacts, Mark, Note, Unknown
from racelog.log.format.codec import encode_events
from racelog.log.format.units import Trailer, UnitKind, encode_unit
from racelog.log.read.reader import open_log
from racelog.log.rewrite.seal import seal
from racelog.log.rewrite.verify import verify_log
from racelog.log.rows.fingerprint import fingerprint
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.log.bytes_of import units
from tests.core.query.recorded import write_log

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3, fail=(1,))])


@pytest.fixture
def live(home):
    return RACE.write_segments(home / "races" / f"{RACE_ID}.live")


@pytest.fixture
def sealed(tmp_path):
    return seal(RACE.write_segments(tmp_path / "race.live", per_unit=3), tmp_path / "race.rlog")


@pytest.fixture
def one(tmp_path):
    return RACE.write_file(tmp_path / "one.rlog")


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def recover(path, target, *options):
    return run(["recover", str(path), "-o", str(target), *map(str, options)])


def test_a_whole_file_needs_nothing(one, capfd):
    assert run(["recover", str(one)]) == 0
    assert capfd.readouterr().out == f"{one}: whole; nothing to recover\n"


def test_a_whole_file_is_copied_byte_for_byte(one, tmp_path):
    assert recover(one, tmp_path / "out.rlog") == 0
    assert one.read_bytes() == (tmp_path / "out.rlog").read_bytes()


def test_a_crashed_race_is_sealed_where_it_lies(live, home, capfd):
    before = open_log(live).events

    assert run(["recover", "latest"]) == 0
    assert [home / "races" / f"{RACE_ID}.rlog"] == list((home / "races").iterdir())
    assert fingerprint(before) == fingerprint(open_log(home / "races" / f"{RACE_ID}.rlog").events)
    assert "nothing was lost" in capfd.readouterr().out


def test_a_torn_tail_is_no_loss_and_its_segments_are_kept(live, home, capfd):
    lane = live / "lane-1.rlog"
    lane.write_bytes(lane.read_bytes()[:-3])

    assert run(["recover", RACE_ID]) == 0
    log = open_log(home / "races" / f"{RACE_ID}.rlog")
    assert live.exists()
    assert [":".join(note.text.split(":")[:2]) for note in log.of(Note)] == [
        "recovered; never committed by its recorder: lane-1.rlog"
    ]
    assert "never committed, so no loss: lane-1.rlog" in capfd.readouterr().out


def test_damaged_segments_are_sealed_with_loss_and_kept(live, home):
    flip(live / "lane-0.rlog", units((live / "lane-0.rlog").read_bytes())[1].offset + 12)

    assert run(["recover", RACE_ID]) == 3
    assert live.exists()
    assert (home / "races" / f"{RACE_ID}.rlog").exists()


def test_a_damaged_unit_is_named_with_file_offset_length_and_events(one, tmp_path, capfd):
    unit = units(one.read_bytes())[2]
    flip(one, unit.offset + 12)

    assert recover(one, tmp_path / "out.rlog") == 3
    length = unit.end - unit.offset
    assert (
        f"  lost: one.rlog: {length} bytes at offset {unit.offset:,}: checksum mismatch (unit 2 of writer "
        "0000000000000001, 5 events)"
    ) in capfd.readouterr().out.splitlines()


def test_a_damaged_trailer_is_counted_by_the_writer_s_own_total(one, tmp_path, capfd):
    unit = units(one.read_bytes())[2]
    flip(one, unit.end - 1)

    assert recover(one, tmp_path / "out.rlog", "--json") == 3
    (loss,) = json.loads(capfd.readouterr().out)["losses"]
    assert ((2, 2), 5, unit.offset) == (tuple(loss["units"]), loss["events"], loss["offset"])


def test_a_loss_is_a_gap_at_its_place_in_a_log_that_is_whole(one, tmp_path):
    unit = units(one.read_bytes())[3]
    flip(one, unit.offset + 12)

    recover(one, tmp_path / "out.rlog")

    (gap,) = open_log(tmp_path / "out.rlog").of(Gap)
    assert (unit.trailer.t_min, 5, unit.end - unit.offset) == (gap.t, gap.events, gap.bytes)
    assert verify_log(tmp_path / "out.rlog").state == "whole"


def test_units_that_left_no_trace_are_a_loss(one, tmp_path, capfd):
    data = one.read_bytes()
    gone = units(data)[2:4]
    one.write_bytes(data[: gone[0].offset] + data[gone[1].end :])

    assert recover(one, tmp_path / "out.rlog") == 3
    assert (
        "  lost: missing without a trace (units 2 to 3 of writer 0000000000000001, 10 events)"
        in capfd.readouterr().out.splitlines()
    )


def test_a_sealed_file_without_its_end_is_a_loss(sealed, tmp_path, capfd):
    data = sealed.read_bytes()
    sealed.write_bytes(data[: units(data)[-1].offset])

    assert recover(sealed, tmp_path / "out.rlog") == 3
    assert "the sealed file has no end: it was cut" in capfd.readouterr().out


def test_a_lost_head_is_no_obstacle(sealed, tmp_path):
    before = open_log(sealed)
    flip(sealed, 20)

    assert recover(sealed, tmp_path / "out.rlog") == 3
    after = open_log(tmp_path / "out.rlog")
    (old,), (new,) = before.of(Head), after.of(Head)
    assert (old.race_id, old.mono_origin_ns) == (new.race_id, new.mono_origin_ns)
    assert [event for event in before.events if isinstance(event, LaneFacts)] == list(after.of(LaneFacts))


def test_what_racelog_does_not_know_is_recovered_byte_for_byte(tmp_path):
    line = b'{ "k":"mark", "t":5, "label":"x", "mood":[1.50] }'
    path = write_log(tmp_path / "a.rlog", [Unknown(t=5, k="mark", raw=msgspec.Raw(line))], finish=False)

    assert recover(path, tmp_path / "out.rlog") == 0
    data = (tmp_path / "out.rlog").read_bytes()
    text = b"".join(zstandard.ZstdDecompressor().decompress(unit.frame) for unit in units(data))
    assert line in text.splitlines()


def test_an_unfinished_file_is_recovered_without_loss(tmp_path):
    path = write_log(tmp_path / "a.rlog", RACE.events(), finish=False)

    assert recover(path, tmp_path / "out.rlog") == 0
    assert verify_log(tmp_path / "out.rlog").state == "whole"


def test_repeated_units_are_kept_once(one, tmp_path):
    one.write_bytes(one.read_bytes() * 2)
    before = open_log(one).events

    assert recover(one, tmp_path / "out.rlog") == 0
    assert fingerprint(before) == fingerprint(open_log(tmp_path / "out.rlog").events)
    assert open_log(tmp_path / "out.rlog").report.duplicate_units == 0


def test_an_existing_file_is_overwritten_only_by_force(one, tmp_path, capfd):
    out = tmp_path / "out.rlog"
    out.write_bytes(b"precious")

    assert recover(one, out) == 2
    assert "exists already; name another file, or overwrite it with --force" in capfd.readouterr().err
    assert out.read_bytes() == b"precious"
    assert recover(one, out, "--force") == 0
    assert one.read_bytes() == out.read_bytes()


def test_a_damaged_file_needs_a_name_for_the_new_one(one, capfd):
    flip(one, 300)

    assert run(["recover", str(one)]) == 2
    assert f"-o {one.with_name('one.recovered.rlog')}" in capfd.readouterr().err


def test_a_folder_that_is_not_there_is_a_usage_mistake(one, tmp_path, capfd):
    assert recover(one, tmp_path / "no" / "out.rlog") == 2
    assert "there is no folder" in capfd.readouterr().err


def test_what_is_no_log_fails(tmp_path):
    (tmp_path / "no.rlog").write_bytes(b"nothing" * 50)

    assert recover(tmp_path / "no.rlog", tmp_path / "out.rlog") == 1
    assert not (tmp_path / "out.rlog").exists()


def test_a_race_that_is_being_recorded_is_not_sealed_under_its_recorder_s_hands(live, monkeypatch, capfd):
    lane = live / "lane-1.rlog"
    lane.write_bytes(lane.read_bytes()[:-3])
    monkeypatch.setattr("racelog.log.read.writer_alive._is_racelog", lambda pid: pid == 4242)

    assert run(["recover", RACE_ID]) == 1
    assert "is still being recorded by process 4242" in capfd.readouterr().err
    assert recover(live, live.parent / "copy.rlog") == 0


@pytest.mark.parametrize("fault", ["write", "fsync", "link"])
def test_a_disk_that_fails_leaves_nothing_behind(one, tmp_path, monkeypatch, fault):
    flip(one, 300)

    def refuse(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fault, refuse)
    assert recover(one, tmp_path / "out.rlog") == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.rlog"]


def test_a_file_system_without_links_will_do(one, tmp_path, monkeypatch):
    def refuse(*_arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    assert recover(one, tmp_path / "out.rlog") == 0
    assert (tmp_path / "out.rlog").read_bytes() == one.read_bytes()


def test_a_unit_that_claims_an_absurd_number_costs_nothing(tmp_path, capfd):
    head, mark = (
        encode_unit(encode_events([event]), Trailer(UnitKind.DATA, 1, seq, event.t, event.t, 1))
        for event, seq in ((RACE.head(), 0), (Note(t=1, text="far"), (1 << 64) - 1))
    )
    (tmp_path / "a.rlog").write_bytes(head + mark)

    assert recover(tmp_path / "a.rlog", tmp_path / "out.rlog") == 3
    assert "(units 1 to 18446744073709551614 of writer 0000000000000001)" in capfd.readouterr().out


def test_a_race_that_is_being_recorded_is_left_to_its_recorder(home, monkeypatch, capfd):
    live = RACE.write_segments(home / "races" / f"{RACE_ID}.live")
    with SegmentWriter(live / "new.rlog", RACE.head(writer=9)) as writer:
        writer.commit([Mark(t=1, label="still at it")])
    monkeypatch.setattr("racelog.log.read.writer_alive._is_racelog", lambda pid: True)

    assert run(["recover", RACE_ID]) == 1
    assert "is still being recorded by process 4242" in capfd.readouterr().err
    assert not live.with_suffix(".rlog").exists()


def test_a_whole_file_is_copied_without_being_held_in_memory(tmp_path, monkeypatch):
    path = RACE.write_file(tmp_path / "race.rlog")
    monkeypatch.setattr("racelog.log.rewrite.recover.gather", None)

    assert run(["recover", str(path), "-o", str(tmp_path / "out.rlog")]) == 0
    assert path.read_bytes() == (tmp_path / "out.rlog").read_bytes()


def test_a_file_beside_what_it_was_sealed_from_is_recovered_as_it_alone(tmp_path):
    live = RACE.write_segments(tmp_path / "race.live")
    segments = b"".join(file.read_bytes() for file in sorted(live.iterdir()))
    sealed = seal(live, tmp_path / "race.rlog")
    (tmp_path / "both.rlog").write_bytes(segments + sealed.read_bytes())

    assert run(["recover", str(tmp_path / "both.rlog"), "-o", str(tmp_path / "out.rlog")]) == 0
    assert fingerprint(open_log(sealed).events) == fingerprint(open_log(tmp_path / "out.rlog").events)
    assert open_log(tmp_path / "out.rlog").report.superseded_units == 0


@pytest.mark.parametrize("differ", [False, True], ids=["same facts", "more in the segments"])
def test_segments_that_a_killed_seal_left_go_if_the_sealed_file_holds_their_facts(live, capfd, differ):
    left = live.with_name("left")
    shutil.copytree(live, left)
    sealed = seal(live, live.with_suffix(".rlog"))
    left.rename(live)
    if differ:
        with SegmentWriter(live / "more.rlog", RACE.head(99)) as writer:
            writer.commit([Mark(t=1, label="more")])
    before = sealed.read_bytes()

    assert run(["recover", str(live)]) == (2 if differ else 0)
    assert (live.exists(), sealed.read_bytes()) == (differ, before)


def test_a_file_that_has_only_lost_a_lane_reads_whole_and_says_which(tmp_path, capfd):
    log = tmp_path / "quiet.rlog"
    with SegmentWriter(log, RACE.head()) as writer:
        writer.commit([LaneFacts(t=0, lane=0, engine="gone", model="m", url="http://127.0.0.1:1/v1")])
        writer.finish(0, "closed")

    assert run(["recover", str(log)]) == 0
    assert capfd.readouterr().out == (
        f"{log}: all of it reads; nothing to recover\n"
        "  missing: everything of the lane gone: it has no fact here, not even of its start or end\n"
    )
