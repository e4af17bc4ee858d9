"""``racelog merge``: several files of one race as one, byte for byte."""

import json

import pytest

from racelog.cli import run
from racelog.events import Head, Mark
from racelog.log.read.reader import open_log
from racelog.log.rewrite.seal import seal
from racelog.log.write.segment import SegmentWriter
from racelog.testing.races import RACE_ID, Plan, ScriptedRace
from tests.core.log.bytes_of import units
from tests.core.query.recorded import store, write_log

RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3)])


@pytest.fixture
def live(tmp_path):
    return RACE.write_segments(tmp_path / "race.live")


def merge(target, *arguments):
    return run(["merge", *map(str, arguments), "-o", str(target)])


def test_the_segments_of_a_race_merge_into_what_they_read_as(live, tmp_path, capfd):
    assert merge(tmp_path / "out.rlog", *sorted(live.iterdir())) == 0
    assert open_log(live).events == open_log(tmp_path / "out.rlog").events
    assert capfd.readouterr().out.startswith(f"merged 3 files into {tmp_path / 'out.rlog'}: ")


def test_directories_and_races_of_the_home_folder_are_taken_too(live, home, tmp_path):
    store(home, RACE)

    assert merge(tmp_path / "out.rlog", live) == 0
    assert merge(tmp_path / "same.rlog", RACE_ID) == 0


def test_an_early_copy_adds_nothing_to_the_finished_segment(live, tmp_path, capfd):
    lane = live / "lane-0.rlog"
    whole = lane.read_bytes()
    early = tmp_path / "early.rlog"
    early.write_bytes(whole[: units(whole)[1].end])

    assert merge(tmp_path / "out.rlog", early, lane, "--json") == 0
    assert json.loads(capfd.readouterr().out)["duplicate_units"] == 2
    assert whole == (tmp_path / "out.rlog").read_bytes()


def test_different_races_are_refused_by_name(live, tmp_path, capfd):
    other = tmp_path / "other.rlog"
    head = Head(t=0, race_id="another", writer=f"{9:016x}", role="conductor", mono_origin_ns=0)
    with SegmentWriter(other, head) as writer:
        writer.finish(1)

    assert merge(tmp_path / "out.rlog", live, other) == 2
    err = capfd.readouterr().err
    assert "these are different races" in err
    assert f"'another' in {other}" in err
    assert not (tmp_path / "out.rlog").exists()


def test_of_segments_and_the_file_they_were_sealed_into_the_file_is_kept(live, tmp_path, capfd):
    copy = tmp_path / "copy.rlog"
    copy.write_bytes((live / "lane-0.rlog").read_bytes())
    sealed = seal(live, tmp_path / "race.rlog")

    assert merge(tmp_path / "out.rlog", copy, sealed) == 0
    assert sealed.read_bytes() == (tmp_path / "out.rlog").read_bytes()
    assert f"left out: {len(units(copy.read_bytes()))} units of segments" in capfd.readouterr().out


def test_segments_and_a_sealed_file_that_lost_its_end_are_refused(live, tmp_path, capfd):
    copy = tmp_path / "copy.rlog"
    copy.write_bytes((live / "lane-0.rlog").read_bytes())
    sealed = seal(live, tmp_path / "race.rlog")
    sealed.write_bytes(sealed.read_bytes()[:-1])

    assert merge(tmp_path / "out.rlog", copy, sealed) == 2
    assert (
        f"no longer whole; merged, facts would be there twice. Merge without {sealed}"
        in capfd.readouterr().err
    )


def test_a_segment_that_goes_on_for_another_is_merged_with_it(live, tmp_path):
    head = Head(
        t=0, race_id=RACE_ID, writer=f"{9:016x}", role="lane", mono_origin_ns=0, sources=[f"{2:016x}"]
    )
    with SegmentWriter(live / "lane-0b.rlog", head) as writer:
        writer.commit([Mark(t=1, label="went on")])
        writer.finish(2)

    assert merge(tmp_path / "out.rlog", live) == 0
    assert open_log(live).events == open_log(tmp_path / "out.rlog").events


def test_two_units_of_one_name_that_differ_are_refused(tmp_path, capfd):
    one = write_log(tmp_path / "one.rlog", [Mark(t=1, label="x")])
    two = write_log(tmp_path / "two.rlog", [Mark(t=1, label="y")])

    assert merge(tmp_path / "out.rlog", one, two) == 1
    assert "unit 1 of writer 0000000000000001 differs between" in capfd.readouterr().err


def test_damage_is_left_out_and_told(live, tmp_path, capfd):
    lane = live / "lane-0.rlog"
    data = bytearray(lane.read_bytes())
    data[units(bytes(data))[1].offset + 9] ^= 1
    lane.write_bytes(data)

    assert merge(tmp_path / "out.rlog", live) == 3
    assert "left out: " in capfd.readouterr().err
    assert open_log(live).events == open_log(tmp_path / "out.rlog").events


def test_hosts_that_count_from_different_clocks_are_told(tmp_path, capfd):
    one = write_log(tmp_path / "one.rlog", [Mark(t=1, label="x")])
    head = Head(t=0, race_id=RACE_ID, writer=f"{2:016x}", role="telemetry", mono_origin_ns=99)
    with SegmentWriter(tmp_path / "two.rlog", head) as writer:
        writer.finish(1)

    assert merge(tmp_path / "out.rlog", one, tmp_path / "two.rlog") == 0
    assert "count from 2 different clock readings" in capfd.readouterr().err


def test_a_file_can_be_merged_into_itself_by_force(live, tmp_path):
    out = tmp_path / "out.rlog"
    merge(out, live / "lane-0.rlog")

    assert merge(out, out, live / "lane-1.rlog") == 2
    assert merge(out, out, live / "lane-1.rlog", "--force") == 0
    assert open_log(out).report.writers == 2


def test_nothing_readable_is_no_log(tmp_path, capfd):
    (tmp_path / "no.rlog").write_bytes(b"x" * 99)

    assert merge(tmp_path / "out.rlog", tmp_path / "no.rlog") == 1
    assert "no file holds a single committed unit" in capfd.readouterr().err


def test_a_file_that_changes_meanwhile_is_refused(live, tmp_path, monkeypatch, capfd):
    from racelog.log.rewrite import merge as merging  # noqa: PLC0415 - one use

    lane = live / "lane-0.rlog"
    check = merging._Index.check

    def check_and_change(self):
        check(self)
        lane.write_bytes(b"\0" * lane.stat().st_size)

    monkeypatch.setattr(merging._Index, "check", check_and_change)
    assert merge(tmp_path / "out.rlog", lane) == 1
    assert "changed while it was merged" in capfd.readouterr().err
    assert not (tmp_path / "out.rlog").exists()
