"""The story told on while a race grows is, at any cut, the story of what is recorded up to there."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.events import AnyEvent, Control, RequestEnd, RequestScheduled, RequestSent, Tokens
from racelog.replay.race import Align, RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.story.engine import Telling, story
from racelog.views.story.happenings import Beat
from racelog.views.story.live import Teller
from tests.player.theatre import MS, SECOND, theatre


def agree(events: list[AnyEvent], cuts: list[int], align: Align = "start") -> None:
    tracks = RaceTracks((), align)
    told = Teller(tracks)
    for start, stop in zip([0, *cuts], [*cuts, len(events)], strict=True):
        tracks.extend(events[start:stop])
        assert told.story() == story(RaceTracks(events[:stop], align))


def trial() -> list[AnyEvent]:
    """Return a race in which the second lane starts after the first has ended."""
    plans = [Plan("a", requests=12, tokens=30), Plan("b", requests=12, tokens=30, start_ms=20_000, fail=(3,))]
    return ScriptedRace(plans, grid="time-trial").events()


def early(events: list[AnyEvent], *, paused: bool = False) -> list[AnyEvent]:
    """Return the events with what comes before a start: warm-ups, and a request that was due a moment before it."""
    added: list[AnyEvent] = []
    for start in [event for event in events if event.t and type(event).__name__ == "LaneStart"]:
        lane = getattr(start, "lane", 0)
        for number in range(3):
            at = start.t - (3 - number) * 200 * MS
            added += [
                RequestScheduled(t=at, lane=lane, req=-1 - number, prompt=0, phase="warmup"),
                RequestSent(t=at, lane=lane, req=-1 - number),
                Tokens(t=at + 50 * MS, lane=lane, r=[-1 - number], d=[0], x=["warm"]),
                RequestEnd(t=at + 100 * MS, lane=lane, req=-1 - number, status="ok"),
            ]
        added += [
            RequestScheduled(t=start.t - MS, lane=lane, req=1_000, prompt=0),
            RequestSent(t=start.t + MS, lane=lane, req=1_000),
            Tokens(t=start.t + 70 * MS, lane=lane, r=[1_000], d=[0], x=["due"]),
            RequestEnd(t=start.t + 90 * MS, lane=lane, req=1_000, status="ok"),
        ]
    if paused:
        added += [Control(t=5 * SECOND, what="pause"), Control(t=7 * SECOND, what="resume")]
    return sorted([*events, *added], key=lambda event: event.t)


EVENTS = theatre()
EARLY = early(EVENTS, paused=True)
ALIGNMENTS: tuple[Align, ...] = ("start", "first-token", "wall")


@given(st.lists(st.integers(0, len(EVENTS)), max_size=12).map(sorted))
def test_told_on_is_told_anew_at_any_cuts(cuts: list[int]) -> None:
    agree(EVENTS, cuts)


@given(st.integers(0, 1000), st.integers(2, 40))
def test_told_on_is_told_anew_when_events_come_out_of_order(seed: int, reach: int) -> None:
    draw = Random(seed)
    mixed = sorted(range(len(EVENTS)), key=lambda place: place + draw.random() * reach)
    agree([EVENTS[place] for place in mixed], list(range(50, len(EVENTS), 100)))


@given(st.lists(st.integers(0, len(EARLY)), max_size=12).map(sorted), st.sampled_from(ALIGNMENTS))
def test_told_on_is_told_anew_with_events_before_the_start(cuts: list[int], align: Align) -> None:
    agree(EARLY, cuts, align)


@pytest.mark.parametrize("align", ALIGNMENTS)
def test_a_race_that_was_warmed_up_has_a_story(align: Align) -> None:
    told = Teller(RaceTracks(EARLY, align)).story()
    assert {"start", "first-words", "finish"} <= {comment.key for comment in told.comments}


@pytest.mark.parametrize("align", ALIGNMENTS)
def test_lanes_warmed_up_one_after_another_are_told_alike(align: Align) -> None:
    events = early(trial())
    agree(events, list(range(5, len(events), 9)), align)


def test_lanes_that_start_one_after_another_are_told_alike() -> None:
    events = trial()
    agree(events, list(range(5, len(events), 9)))


def test_a_race_aligned_another_way_is_told_anew() -> None:
    tracks = RaceTracks(theatre())
    told = Teller(tracks)
    told.story()
    tracks.align = "wall"
    assert told.story() == story(tracks)


def test_what_is_settled_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    step = Telling.step

    def counted(telling: Telling, beat: Beat) -> None:
        seen.append(beat.position_ns)
        step(telling, beat)

    monkeypatch.setattr(Telling, "step", counted)
    later = next(place for place, event in enumerate(EVENTS) if event.t > 16 * SECOND)
    tracks = RaceTracks(EVENTS[:later])
    told = Teller(tracks)
    told.story()
    seen.clear()
    tracks.extend(EVENTS[later : later + 5])
    told.story()
    assert min(seen) > 8 * SECOND
