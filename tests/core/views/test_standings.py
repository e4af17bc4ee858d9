"""What the rule is given of a log: the terms of a race, and what lanes were asked."""

from msgspec.structs import replace

from racelog.events import AnyEvent, LaneFacts, RaceFacts
from racelog.replay.race import RaceTracks, Replay
from racelog.replay.together import side_by_side
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.standings import race_verdict, terms_of
from racelog.views.story.engine import Telling
from racelog.views.story.happenings import beats
from racelog.views.verdict import FINISH, Verdict
from tests.player.theatre import theatre

PAIR = [Plan("a"), Plan("b", ttft_ms=200)]


def changed(**facts: object) -> RaceTracks:
    """Return the tracks of a race of two with some of its facts changed."""
    events = ScriptedRace(PAIR).events()
    return RaceTracks(replace(e, **facts) if isinstance(e, RaceFacts) else e for e in events)


def at_end(tracks: RaceTracks) -> Verdict:
    replay = Replay(tracks)
    replay.seek_end()
    return race_verdict(replay)


def test_a_log_without_a_bound_is_held_to_the_rule_s() -> None:
    assert terms_of(changed()).bound == FINISH


def test_a_bound_that_is_no_share_is_not_one() -> None:
    assert terms_of(changed(finish=95.0)).bound == FINISH


def test_a_race_against_the_clock_has_no_target() -> None:
    assert terms_of(changed(duration_ns=5)).target is None


def test_parameters_come_from_the_plan_where_a_lane_does_not_tell_its_own() -> None:
    plan = {
        "params": {"max_tokens": 128},
        "engines": [{"name": "a", "params": {"max_tokens": 16}}, {"name": "b", "params": {}}],
    }
    assert at_end(changed(plan=plan)).unlike == "max_tokens is 16 for a, 128 for b"


def test_a_plan_of_another_shape_is_no_reason() -> None:
    assert at_end(changed(plan={"engines": "a, b", "params": 3})).unlike == ""


def played_beside(*races: ScriptedRace, **params: object) -> Verdict:
    def events(race: ScriptedRace, number: int) -> list[AnyEvent]:
        asked = dict.fromkeys(params, number)
        return [replace(e, params=asked) if isinstance(e, LaneFacts) else e for e in race.events()]

    return at_end(side_by_side([(str(n), events(race, n)) for n, race in enumerate(races)]))


def test_races_of_the_same_prompts_are_compared_side_by_side() -> None:
    assert played_beside(ScriptedRace([Plan("a")]), ScriptedRace([Plan("b", ttft_ms=200)])).winner == 0


def test_races_of_other_prompts_are_not_like_for_like() -> None:
    found = played_beside(
        ScriptedRace([Plan("a")]), ScriptedRace([Plan("b")], prompts=["Name a tree.", "Why?"])
    )
    assert found.unlike == "only 0 of 2 prompts of a (0) and b (1) are the same"


def test_races_of_other_lengths_are_not_like_for_like() -> None:
    found = played_beside(ScriptedRace([Plan("a")]), ScriptedRace([Plan("b")]), max_tokens=1)
    assert found.unlike == "max_tokens is 0 for a (0), 1 for b (1)"


def test_the_story_stands_where_the_replay_does_at_every_second() -> None:
    """Both gather the rule's facts their own way; at each second they are the same."""
    tracks = RaceTracks(theatre())
    replay, telling = Replay(tracks), Telling(tracks)
    differ = []
    for beat in beats(tracks):
        telling.step(beat)
        if beat.kind == "second":
            replay.seek(beat.position_ns)
            if race_verdict(replay) != telling.book.verdict():
                differ.append(beat.position_ns)
    assert (differ, tracks.duration_ns() > 15_000_000_000) == ([], True)
