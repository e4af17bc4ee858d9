"""Cuts put together again: the race they were cut from, each fact once."""

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.cli import run
from racelog.errors import InputError
from racelog.events import AnyEvent, HostSamples, Mark, Note, Tokens
from racelog.log.read.reader import open_log
from racelog.log.rewrite.compact import compact
from racelog.log.rewrite.merge import merge
from racelog.log.rewrite.union import union
from racelog.log.rewrite.verify import verify_log
from racelog.log.rows.rows import lane_of
from racelog.testing.races import Plan, ScriptedRace
from tests.core.log.made_races import MadeRace, facts, made_races

MS = 1_000_000
RACE = ScriptedRace([Plan("a", requests=3), Plan("b", requests=3, start_ms=1100)])


def cut(race: Path, name: str, *options: object) -> list[Path]:
    """Return the cut as a list of one file, or of none where there is nothing to cut."""
    target = race.with_name(name)
    code = run(["cut", str(race), *map(str, options), "-o", str(target)])
    return [target] if code == 0 else []


def without_cut_notes(events: list[AnyEvent]) -> list[bytes]:
    return facts(
        [event for event in events if not (isinstance(event, Note) and event.text.startswith("cut "))]
    )


@given(
    made_races(),
    st.lists(st.integers(1, 2500 * MS), min_size=1, max_size=3, unique=True),
    st.sampled_from([1, -1]),
)
def test_cuts_that_fit_together_make_the_race_they_were_cut_from(
    race: MadeRace, instants: list[int], direction: int
) -> None:
    with TemporaryDirectory() as folder:
        whole = race.write_file(Path(folder, "race.rlog"))
        edges = [None, *sorted(instants), None]
        parts = []
        for number, (start, end) in enumerate(pairwise(edges)):
            from_start = () if start is None else ("--start", f"{start}ns")
            to_end = () if end is None else ("--end", f"{end}ns")
            parts += cut(whole, f"part-{number}.rlog", *from_start, *to_end)
        merge(parts[::direction], out := Path(folder, "out.rlog"))

        assert facts(race.events) == without_cut_notes(open_log(out).events)


@given(made_races())
def test_lanes_cut_apart_make_the_race_again(race: MadeRace) -> None:
    with TemporaryDirectory() as folder:
        whole = race.write_file(Path(folder, "race.rlog"))
        lanes = {lane for event in race.events if (lane := lane_of(event)) is not None}
        parts = [part for lane in lanes for part in cut(whole, f"lane-{lane}.rlog", "--lane", lane)]
        merge(parts, out := Path(folder, "out.rlog"))

        assert facts(race.events) == without_cut_notes(open_log(out).events)


@pytest.fixture
def race(tmp_path: Path) -> Path:
    return RACE.write_file(tmp_path / "race.rlog")


def test_a_cut_adds_nothing_to_the_race_it_was_cut_from(race: Path, tmp_path: Path) -> None:
    (part,) = cut(race, "part.rlog", "--start", "1.2s", "--end", "1.3s")

    merge([race, part], tmp_path / "out.rlog")

    assert facts(open_log(race).events) == without_cut_notes(open_log(tmp_path / "out.rlog").events)


def test_cuts_that_were_compacted_or_merged_are_still_cuts(race: Path, tmp_path: Path) -> None:
    first, second, third = (
        *cut(race, "1.rlog", "--end", "1.2s"),
        *cut(race, "2.rlog", "--start", "1.2s", "--end", "1.4s"),
        *cut(race, "3.rlog", "--start", "1.4s"),
    )
    compact(first, tmp_path / "small.rlog")
    merge([tmp_path / "small.rlog", second], tmp_path / "two.rlog")

    merge([third, tmp_path / "two.rlog"], tmp_path / "out.rlog")

    assert facts(open_log(race).events) == without_cut_notes(open_log(tmp_path / "out.rlog").events)
    assert verify_log(tmp_path / "out.rlog").state == "whole"


def test_one_cut_is_merged_byte_for_byte(race: Path, tmp_path: Path) -> None:
    (part,) = cut(race, "part.rlog", "--start", "1.2s")

    merge([part, part], tmp_path / "out.rlog")

    assert part.read_bytes() == (tmp_path / "out.rlog").read_bytes()


def test_merging_says_how_much_the_cuts_had_in_common(
    race: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = [*cut(race, "1.rlog", "--end", "1.2s"), *cut(race, "2.rlog", "--start", "1.2s")]

    assert run(["merge", *map(str, parts), "-o", str(tmp_path / "out.rlog")]) == 0
    assert "facts in more than one cut, kept once" in capfd.readouterr().out


def test_different_races_are_refused_though_they_were_cut(race: Path, tmp_path: Path) -> None:
    from tests.core.query.recorded import write_log  # noqa: PLC0415 - one use

    other = write_log(
        tmp_path / "other.rlog", [Mark(t=1, label="x"), Mark(t=5, label="y")], race_id="another"
    )
    parts = [*cut(race, "1.rlog", "--end", "1.2s"), *cut(other, "2.rlog", "--end", "3ns")]

    with pytest.raises(InputError, match="these are different races"):
        merge(parts, tmp_path / "out.rlog")


def test_what_one_log_holds_twice_is_there_twice() -> None:
    twice = Tokens(t=1, lane=0, r=[0, 0], d=[0, 0], x=["a", "a"])
    once = Tokens(t=1, lane=0, r=[0], d=[0], x=["a"])

    together, repeated = union([[once], [twice]])

    assert (facts([twice]), 1) == (facts(together), repeated)


def test_rows_of_readings_are_told_apart() -> None:
    first = HostSamples(t=0, process="host", d=[1, 1], cpu_pct=[1.0, 2.0], rss_mib=[5, 5])
    second = HostSamples(t=2, process="host", d=[0, 3], cpu_pct=[2.0, 3.0], rss_mib=[5, 5])

    together, repeated = union([[first], [second]])

    assert ([event.t + offset for event in together for offset in _offsets(event)], repeated) == (
        [1, 2, 5],
        1,
    )


def _offsets(event: AnyEvent) -> list[int]:
    assert isinstance(event, HostSamples)
    return [sum(event.d[: row + 1]) for row in range(len(event.d))]
