"""The algebra of logs: what cutting, joining, sealing and recovering may and may not change, for any race."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from racelog.errors import InputError
from racelog.events import AnyEvent, Gap
from racelog.log.format.codec import encode_events
from racelog.log.format.units import Unit
from racelog.log.read.backward import walk_back
from racelog.log.read.reader import open_log
from racelog.log.read.scan import scan_file
from racelog.log.rewrite.compact import compact
from racelog.log.rewrite.cut import Window, cut
from racelog.log.rewrite.merge import merge
from racelog.log.rewrite.recover import recover
from racelog.log.rewrite.seal import seal
from racelog.log.rows.fingerprint import fingerprint
from racelog.log.rows.rows import Fact, facts_of, lane_of
from racelog.replay.lane import LaneFold
from racelog.replay.race import RaceTracks
from tests.core.log.bytes_of import read, scan, units
from tests.core.log.made_races import DEMO, GOLDEN, MadeRace, facts, made_races

LOGS = [*GOLDEN, DEMO]
WHOLE = [DEMO, *(path for path in GOLDEN if path.stem == "full")]


def name(path: Path) -> str:
    return path.stem


every_log = pytest.mark.parametrize("log", LOGS, ids=name)


def lines(path: Path) -> bytes:
    """Return a log's events in order, as lines."""
    return encode_events(open_log(path).events)


def joined(target: Path, *files: Path) -> Path:
    target.write_bytes(b"".join(file.read_bytes() for file in files))
    return target


# Joining


@given(made_races(), st.data())
def test_reading_files_put_together_is_reading_their_merge(race: MadeRace, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        segments = race.write_segments(Path(folder, "segments"))
        one, other = (
            joined(
                Path(folder, which), *data.draw(st.lists(st.sampled_from(segments), min_size=1, max_size=4))
            )
            for which in ("one.rlog", "other.rlog")
        )
        merge([one, other], merged := Path(folder, "merged.rlog"))

        assert lines(joined(Path(folder, "both.rlog"), one, other)) == lines(merged)


@given(made_races(), st.randoms(use_true_random=False))
def test_merging_knows_no_order_and_no_repetition(race: MadeRace, random) -> None:
    with TemporaryDirectory() as folder:
        segments = race.write_segments(Path(folder, "segments"))
        shuffled = [*segments, *random.sample(segments, 1)]
        random.shuffle(shuffled)
        merge(segments, first := Path(folder, "first.rlog"))
        merge([*shuffled, first], second := Path(folder, "second.rlog"))

        assert first.read_bytes() == second.read_bytes()


@every_log
def test_a_log_put_after_itself_is_itself(log: Path, tmp_path: Path) -> None:
    assert lines(log) == lines(joined(tmp_path / "twice.rlog", log, log))


@given(made_races())
def test_a_race_put_after_itself_is_itself(race: MadeRace) -> None:
    with TemporaryDirectory() as folder:
        once = race.write_file(Path(folder, "once.rlog"))

        assert lines(once) == lines(joined(Path(folder, "twice.rlog"), once, once))


# Rewriting


@given(made_races())
def test_sealing_compacting_and_merging_keep_every_fact(race: MadeRace) -> None:
    with TemporaryDirectory() as folder:
        segments = race.write_segments(Path(folder, "race.live"))
        merge(segments, merged := Path(folder, "merged.rlog"))
        compact(merged, compacted := Path(folder, "compacted.rlog"))
        sealed = seal(Path(folder, "race.live"), Path(folder, "race.rlog"))

        for path in (merged, compacted, sealed):
            assert fingerprint(race.events) == fingerprint(open_log(path).events), path


@given(made_races())
def test_compacting_what_is_compact_changes_no_byte(race: MadeRace) -> None:
    with TemporaryDirectory() as folder:
        path = race.write_file(Path(folder, "race.rlog"))
        compact(path)
        before = path.read_bytes()
        compact(path)

        assert before == path.read_bytes()


# Recovering


@given(made_races())
def test_recovering_a_whole_file_copies_it(race: MadeRace) -> None:
    with TemporaryDirectory() as folder:
        path = race.write_file(Path(folder, "race.rlog"))
        recover(path, copy := Path(folder, "copy.rlog"))

        assert path.read_bytes() == copy.read_bytes()


@pytest.mark.parametrize("log", WHOLE, ids=name)
def test_recovering_a_whole_log_copies_it(log: Path, tmp_path: Path) -> None:
    recover(log, tmp_path / "copy.rlog")

    assert log.read_bytes() == (tmp_path / "copy.rlog").read_bytes()


@given(made_races())
def test_recovering_whole_segments_keeps_every_fact(race: MadeRace) -> None:
    with TemporaryDirectory() as folder:
        race.write_segments(Path(folder, "race.live"))
        done = recover(Path(folder, "race.live"), None)

        assert done.losses == []
        assert fingerprint(race.events) == fingerprint(open_log(Path(folder, "race.rlog")).events)


@every_log
def test_recovering_what_was_recovered_changes_no_byte(log: Path, tmp_path: Path) -> None:
    recover(log, once := tmp_path / "once.rlog")
    again = recover(once, twice := tmp_path / "twice.rlog")

    assert again.losses == []
    assert once.read_bytes() == twice.read_bytes()


@every_log
def test_recovering_keeps_everything_that_reads(log: Path, tmp_path: Path) -> None:
    recover(log, once := tmp_path / "once.rlog")

    before, after = facts(open_log(log).events), facts(open_log(once).events)
    told = [fact for fact in after if b'"k":"gap"' in fact or b'"k":"note"' in fact]
    assert sorted({*after} - {*before}) == sorted({*told} - {*before})
    assert {*before} <= {*after}


@given(made_races(), st.data())
def test_damage_anywhere_is_recovered_once_and_counted_right(race: MadeRace, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = race.write_file(Path(folder, "race.rlog"))
        whole = path.read_bytes()
        at = data.draw(st.integers(0, len(whole) - 1), label="damaged byte")
        path.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
        readable = open_log(path).report.events
        done = recover(path, once := Path(folder, "once.rlog"))
        recover(once, twice := Path(folder, "twice.rlog"))

        assert once.read_bytes() == twice.read_bytes()
        known = [loss.events for loss in done.losses]
        assert known in ([read(whole).report.events - readable], [None], [])
        gaps = [event for event in open_log(once).events if isinstance(event, Gap)]
        assert [events or 0 for events in known] == [gap.events for gap in gaps]


# Cutting


@given(made_races())
def test_a_cut_that_covers_everything_is_everything(race: MadeRace) -> None:
    assert facts(race.events) == facts(cut(race.events, Window()))


@pytest.mark.parametrize("log", [log for log in LOGS if facts(open_log(log).events)], ids=name)
def test_a_cut_that_covers_a_whole_log_is_all_of_it(log: Path) -> None:
    events = open_log(log).events

    assert facts(events) == facts(cut(events, Window()))


def inside(events: list[AnyEvent], start: int, end: int) -> list[bytes]:
    """Return the facts of ``events`` that lie in a window, wherever their events begin."""
    return sorted(
        encoded
        for event in events
        for fact in facts_of(event)
        if start <= fact.t < end
        for encoded in facts_encoded(fact)
    )


def facts_encoded(fact: Fact) -> list[bytes]:
    return [] if fact.k in ("head", "fin") else [msgspec.json.encode(fact)]


def cut_inside(events: list[AnyEvent], start: int, end: int) -> list[bytes]:
    """Return what a cut holds inside its window; nothing where it refuses because there is nothing."""
    try:
        return inside(cut(events, Window(start, end)), start, end)
    except InputError:
        return []


def telling_instants(race: MadeRace) -> st.SearchStrategy[int]:
    """Return a strategy for instants at which a cut can go wrong: on a fact, or a nanosecond beside it."""
    times = sorted({fact.t for event in race.events for fact in facts_of(event)})
    return st.builds(int.__add__, st.sampled_from(times), st.integers(-1, 1))


@given(made_races(), st.data())
def test_two_cuts_that_meet_are_one(race: MadeRace, data: st.DataObject) -> None:
    three = st.lists(telling_instants(race), min_size=3, max_size=3, unique=True)
    start, middle, end = sorted(data.draw(three, label="edges"))

    parts = cut_inside(race.events, start, middle) + cut_inside(race.events, middle, end)
    assert cut_inside(race.events, start, end) == sorted(parts) == inside(race.events, start, end)


@given(made_races(), st.data())
def test_cutting_again_changes_nothing(race: MadeRace, data: st.DataObject) -> None:
    edges = st.lists(telling_instants(race), min_size=2, max_size=2, unique=True)
    start, end = sorted(data.draw(edges, label="edges"))
    window = Window(start, end)
    try:
        once = cut(race.events, window)
    except InputError:
        assume(condition=False)

    assert facts(once) == facts(cut(once, window))


@given(made_races(), st.data())
def test_a_fold_at_the_cut_shows_what_is_under_way_as_the_whole_race_does(
    race: MadeRace, data: st.DataObject
) -> None:
    edges = st.lists(telling_instants(race), min_size=2, max_size=2, unique=True)
    start, end = sorted(data.draw(edges, label="edges"))
    try:
        part = cut(race.events, Window(start, end))
    except InputError:
        assume(condition=False)

    assert under_way(race.events, start) == under_way(part, start)


@given(made_races(), st.data())
def test_a_cut_holds_nothing_from_its_end_on_but_who_races_and_where_it_was_cut(
    race: MadeRace, data: st.DataObject
) -> None:
    end = data.draw(telling_instants(race), label="end")
    try:
        part = cut(race.events, Window(end_ns=end))
    except InputError:
        assume(condition=False)

    late = {fact.k for event in part for fact in facts_of(event) if fact.t >= end}
    assert late <= {"race", "lane", "prompt", "clock", "note"}


def under_way(events: list[AnyEvent], instant_ns: int) -> list[dict[str, object]]:
    """Return the folded state of every request that has begun and not ended at an instant of the race.

    How many others were open when it was due is the lane's past, which a cut leaves out.
    """
    folds = [LaneFold(track) for track in RaceTracks(events).lanes.values()]
    for fold in folds:
        fold.advance(instant_ns)
    return [request.facts() | {"ahead": None} for fold in folds for request in fold.open.values()]


@given(made_races(), st.integers(0, 2))
def test_a_cut_to_a_lane_holds_that_lane_and_what_is_nobody_s(race: MadeRace, lane: int) -> None:
    part = cut(race.events, Window(lanes=frozenset({lane})))
    of_others = [event for event in race.events if lane_of(event) not in (None, lane)]

    assert {lane_of(event) for event in part} <= {None, lane}
    assert facts(race.events) == sorted(
        facts(of_others) + [fact for fact in facts(part) if b"cut lane" not in fact]
    )


# Walking


def forwards(path: Path) -> list[Unit]:
    return [found for found in scan_file(path) if isinstance(found, Unit)]


@every_log
def test_backwards_is_forwards_the_other_way_round(log: Path) -> None:
    assert forwards(log) == list(walk_back(log))[::-1]


@given(made_races(), st.data())
def test_backwards_is_forwards_in_a_damaged_file_too(race: MadeRace, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        path = race.write_file(Path(folder, "race.rlog"))
        whole = path.read_bytes()
        at = data.draw(st.integers(0, len(whole)), label="where")
        instead = data.draw(st.binary(max_size=80), label="written there")
        path.write_bytes(
            whole[:at] + instead + whole[at + data.draw(st.integers(0, 80), label="bytes gone") :]
        )

        assert forwards(path) == list(walk_back(path))[::-1]


@pytest.mark.parametrize("content", [b"", b"\0" * 300, b"\x5c\x2a\x4d\x18" * 40])
def test_backwards_through_no_log_finds_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "no.rlog").write_bytes(content)

    assert list(walk_back(tmp_path / "no.rlog")) == []


@given(st.sampled_from(LOGS), st.data())
def test_any_chunking_of_the_bytes_gives_the_same_units_and_damage(log: Path, data: st.DataObject) -> None:
    content = log.read_bytes()
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=20))

    assert scan(content) == scan(content, cuts)


@given(made_races(), st.randoms(use_true_random=False))
def test_units_read_the_same_in_any_order(race: MadeRace, random) -> None:
    with TemporaryDirectory() as folder:
        path = race.write_file(Path(folder, "race.rlog"))
        whole = path.read_bytes()
        pieces = [whole[unit.offset : unit.end] for unit in units(whole)]
        before = lines(path)
        random.shuffle(pieces)
        path.write_bytes(b"".join(pieces))

        assert before == lines(path)


@pytest.mark.parametrize("log", [log for log in LOGS if log.stem != "duplicate-that-differs"], ids=name)
def test_from_any_unit_on_a_log_reads_as_its_rest(log: Path) -> None:
    content = log.read_bytes()
    whole, places = read(content).by_unit, units(content)
    for start in places:
        behind = {(unit.trailer.writer, unit.trailer.seq) for unit in places if unit.offset >= start.offset}

        assert {key: whole[key] for key in whole.keys() & behind} == read(content[start.offset :]).by_unit
