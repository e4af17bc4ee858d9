"""The lines that close a recording."""

from collections.abc import Sequence

from msgspec import structs

from racelog.events import AnyEvent, LaneEnd, RequestEnd, Tokens
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace, recorder_readings
from racelog.views.summary import race_summary
from racelog_recorder.cli.summary_text import summary_lines


def lines(*plans: Plan) -> list[str]:
    return summary_lines(race_summary(Replay(RaceTracks(ScriptedRace(list(plans)).events()))))


def test_the_lead_is_cut_and_never_rounded_up() -> None:
    assert "b wins, 1.99x faster to the first token" in lines(Plan("a", ttft_ms=199), Plan("b", ttft_ms=100))


def test_a_lead_below_a_tenth_is_by_a_nose() -> None:
    assert "b wins, by less than 1.1x" in lines(Plan("a", ttft_ms=105), Plan("b", ttft_ms=100))


def test_lanes_stand_by_place_with_their_numbers() -> None:
    table = lines(Plan("slow", ttft_ms=200), Plan("fast", ttft_ms=100))
    rows = [line.split() for line in table if line.startswith(("1st", "2nd"))]

    assert rows == [
        ["1st", "fast", "4/4", "-", "100", "ms", "100", "ms", "20.0", "ms", "33.3", "32"],
        ["2nd", "slow", "4/4", "-", "200", "ms", "200", "ms", "20.0", "ms", "23.5", "32"],
    ]


def test_failures_are_counted_by_name_with_what_the_first_said() -> None:
    assert "a: 2 x http (HTTP 500)" in lines(Plan("a", fail=(0, 2)))


def test_a_race_without_a_success_has_no_winner() -> None:
    assert "No winner: no request was answered" in lines(Plan("a", fail=(0, 1, 2, 3)))


def told(events: Sequence[AnyEvent]) -> list[str]:
    return summary_lines(race_summary(Replay(RaceTracks(events))))


def test_what_was_cancelled_is_told_for_it_may_be_all_there_was() -> None:
    cut = [
        structs.replace(event, status="cancelled") if isinstance(event, RequestEnd) else event
        for event in ScriptedRace([Plan("a", requests=2)]).events()
    ]

    assert {"No winner: no request was answered", "a: 2 x cancelled (still open when the race ended)"} <= set(
        told(cut)
    )


def test_answers_without_a_token_are_not_said_to_be_unfinished() -> None:
    silent = [event for event in ScriptedRace([Plan("a")]).events() if not isinstance(event, Tokens)]

    assert "No winner: no engine answered with a token" in told(silent)


def test_a_lane_that_died_after_its_first_answers_is_not_said_to_have_finished_none() -> None:
    died = [
        LaneEnd(t=event.t, lane=0, status="died", reason="killed") if _ends(event, 0) else event
        for event in ScriptedRace([Plan("a")]).events()
    ]

    assert "No winner: no lane was recorded to the end" in told(died)


def test_one_engine_alone_wins_nothing() -> None:
    assert "a: median TTFT 100 ms" in lines(Plan("a", ttft_ms=100))


def test_who_was_better_at_something_else_is_told() -> None:
    slow_start, fast_start = Plan("a", ttft_ms=150, gap_ms=5), Plan("b", ttft_ms=100, gap_ms=50)

    assert (
        "b wins, 1.50x faster to the first token; a made more tokens per second and was through first"
        in lines(slow_start, fast_start)
    )


def test_a_name_cannot_command_the_terminal() -> None:
    assert not any("\x1b" in line for line in lines(Plan("a\x1b[31m")))


def test_a_winner_is_not_compared_with_a_lane_that_died() -> None:
    events = ScriptedRace([Plan("a", ttft_ms=200), Plan("b", ttft_ms=100)]).events()
    killed = [
        LaneEnd(t=event.t, lane=1, status="died", reason="killed") if _ends(event, 1) else event
        for event in events
    ]

    assert "a wins" in summary_lines(race_summary(Replay(RaceTracks(killed))))


def _ends(event: AnyEvent, lane: int) -> bool:
    return isinstance(event, LaneEnd) and event.lane == lane


def test_a_client_that_was_the_bottleneck_has_the_last_word() -> None:
    race = ScriptedRace([Plan("a", requests=10, gap_ms=100)])
    busy = recorder_readings("a", cpu_pct=100.0, loop_lag_us=9_000.0)

    told = summary_lines(race_summary(Replay(RaceTracks([*race.events(), busy]))))

    assert told[-1] == (
        "Measuring machine too slow - recorder too busy: its CPU was full for 100 % of a's race."
    )


def test_what_places_go_by_is_told_where_someone_has_one() -> None:
    assert any(line.endswith("Places go by median TTFT.") for line in lines(Plan("a"), Plan("b")))


def test_where_nobody_has_a_place_nothing_is_said_of_places() -> None:
    assert not any("Places" in line for line in lines(Plan("a", fail=(0, 1, 2, 3))))
