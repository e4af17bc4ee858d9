"""Joining while the events flow by: what joining the whole race at once gives, within a bound on what is held."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import AnyEvent, Finish, Head, HostSamples, Mark, Tokens
from racelog.log.rewrite import join
from racelog.log.rewrite.join import joined
from racelog.log.rows.chunks import ChunkRow, chunk_rows, columns
from racelog.log.rows.fingerprint import fingerprint
from racelog.log.rows.samples import SampleRuns, Samples

INSTANTS = st.integers(0, 40)
GAPS = st.lists(st.integers(0, 12), max_size=6)
"""So few instants, lanes and sources that columns overlap, touch and begin at once all the time."""


def chunks(t: int, lane: int, gaps: list[int]) -> Tokens:
    """Return a batch whose rows can be told apart."""
    names = [f"{t}.{lane}.{row}" for row in range(len(gaps))]
    return Tokens(t=t, lane=lane, r=[lane] * len(gaps), d=gaps, x=names)


def readings(t: int, process: str, gaps: list[int]) -> HostSamples:
    return HostSamples(
        t=t, process=process, d=gaps, cpu_pct=[float(t)] * len(gaps), rss_mib=[1.0] * len(gaps)
    )


RACES = st.lists(
    st.builds(chunks, INSTANTS, st.integers(0, 2), GAPS)
    | st.builds(readings, INSTANTS, st.sampled_from(["host", "lane:a"]), GAPS)
    | st.builds(lambda t, label: Mark(t=t, label=label), INSTANTS, st.sampled_from("abc")),
    max_size=12,
).map(lambda events: sorted(events, key=lambda event: event.t))


def joined_at_once(events: list[Any]) -> list[AnyEvent]:
    """Joining with the whole race in memory, said as simply as it can be."""
    lanes: dict[int, list[ChunkRow]] = {}
    runs = SampleRuns()
    samples: list[Samples] = []
    rest: list[AnyEvent] = []
    for event in events:
        if isinstance(event, Tokens):
            lanes.setdefault(event.lane, []).extend(chunk_rows(event))
        elif isinstance(event, Samples):
            samples += runs.take(event)
        else:
            rest.append(event)
    batches = []
    for lane in sorted(lanes):
        rows = sorted(lanes[lane], key=lambda row: row[0])
        starts = range(0, len(rows), join.CHUNKS_PER_BATCH)
        batches += [columns(lane, rows[start : start + join.CHUNKS_PER_BATCH]) for start in starts]
    return sorted([*rest, *samples, *runs.finish(), *batches], key=lambda event: event.t)


@pytest.mark.parametrize("longest", [3, 16384])
@given(events=RACES)
def test_a_race_that_flows_by_is_joined_as_one_that_is_there_at_once(longest: int, events: list[Any]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "CHUNKS_PER_BATCH", longest)

        assert joined_at_once(events) == list(joined(events))


@given(RACES, st.integers(0, 20))
def test_however_little_may_be_held_nothing_is_lost_and_all_comes_by_time(
    events: list[Any], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "ROWS_HELD", most)
        patch.setattr(join, "CHUNKS_PER_BATCH", 3)
        got = list(joined(events))

    assert fingerprint(events) == fingerprint(got)
    assert all(before.t <= after.t for before, after in pairwise(got))


@given(RACES, st.integers(0, 40))
def test_however_short_a_text_a_column_may_hold_nothing_is_lost_and_each_has_no_more_than_that_or_one_row(
    events: list[Any], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "CHARACTERS_PER_BATCH", most)
        got = list(joined(events))
    columns_of_several = [event.x for event in got if isinstance(event, Tokens) and len(event.x) > 1]

    assert fingerprint(events) == fingerprint(got)
    assert [text for text in columns_of_several if len("".join(text)) > most] == []


def test_columns_end_by_their_text_as_they_do_by_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "CHARACTERS_PER_BATCH", 10)
    race = [Tokens(t=t, lane=0, r=[0], d=[0], x=["12345"]) for t in range(5)]

    assert [len(event.x) for event in joined(race) if isinstance(event, Tokens)] == [2, 2, 1]


def test_a_slow_lane_beside_a_fast_one_keeps_no_more_waiting_than_may_be_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(join, "CHUNKS_PER_BATCH", 4)
    monkeypatch.setattr(join, "ROWS_HELD", 16)
    taken = 0

    def race() -> Iterator[AnyEvent]:
        nonlocal taken
        for t in range(200):
            taken += 1
            yield chunks(t, lane=int(t % 50 != 0), gaps=[0])

    held, given = [], 0
    for event in joined(race()):
        assert isinstance(event, Tokens)
        given += len(event.r)
        held.append(taken - given)

    assert (given, max(held) <= 16) == (200, True)


def test_however_many_batches_overlap_a_row_is_looked_at_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of 600 requests is a batch, 200 begin at once and all overlap, as a benchmark's imported results do."""
    looks = 0

    def counted(row: ChunkRow) -> int:
        nonlocal looks
        looks += 1
        return row[0]

    monkeypatch.setattr(join, "_t_ns", counted)
    race = [chunks(t, lane=0, gaps=[0, *[7] * 9]) for t in (0, 40, 80) for _ in range(200)]

    assert joined_at_once(race) == list(joined(race))
    assert looks <= 5 * 6_000


def test_heads_and_ends_are_left_out() -> None:
    head = Head(t=0, race_id="r", writer="1", role="lane", mono_origin_ns=0)
    mark = Mark(t=1, label="m")

    assert [mark] == list(joined([head, mark, Finish(t=2, reason="done", events=1)]))
