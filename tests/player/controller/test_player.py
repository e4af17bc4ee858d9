"""The player without a terminal: keys, the live edge, the countdown, the way back to the recorder."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from racelog.events import Mark, RequestScheduled, Usage
from racelog.log.write.segment import SegmentWriter
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.moments import Moment, moments
from racelog_player.controller.control_pipe import Control
from racelog_player.controller.player import Player
from racelog_player.model.animation import SHOWN_NS, Movers
from racelog_player.model.lag import lag_text
from racelog_player.model.scene import Scene, Stage
from racelog_player.playback.source import LAG_NS, LiveRace, PastRace

SECOND = 1_000_000_000
ORIGIN = 5 * SECOND
"""`ScriptedRace` begins when the monotonic clock shows this."""

START = ORIGIN + SECOND
"""Its lanes start a second after."""


@pytest.fixture
def player(log: Path) -> Player:
    return Player(PastRace(log), Playhead(0, 0))


def winner(scene: Scene) -> int | None:
    assert scene.summary is not None
    return scene.summary.winner


def position(player: Player, now_ns: int) -> int:
    return player.scene(now_ns).transport.position_ns


def test_space_pauses_and_space_goes_on_from_there(player: Player) -> None:
    player.press(" ", 2 * SECOND)
    held = position(player, 9 * SECOND)
    player.press(" ", 9 * SECOND)
    assert (held, position(player, 10 * SECOND)) == (2 * SECOND, 3 * SECOND)


@pytest.mark.parametrize(
    ("key", "expected"),
    [("right", 15), ("left", 5), ("s-right", 11), ("s-left", 9), ("home", 0), ("g", 0)],
)
def test_keys_seek_from_ten_seconds(player: Player, key: str, expected: int) -> None:
    player.press(key, 10 * SECOND)
    assert position(player, 10 * SECOND) == expected * SECOND


def test_a_digit_jumps_to_so_many_tenths(player: Player) -> None:
    end = player.scene(0).transport.end_ns
    player.press("4", 0)
    assert position(player, 0) == end * 4 // 10


def test_seeking_stops_at_both_ends(player: Player) -> None:
    player.press("left", SECOND)
    start = position(player, SECOND)
    player.press("G", SECOND)
    player.press("right", SECOND)
    assert (start, player.scene(SECOND).stage) == (0, Stage.RESULT)


def test_up_and_down_return_to_the_same_speed_and_place(player: Player) -> None:
    for key in ("up", "up", "down", "down"):
        player.press(key, 3 * SECOND)
    transport = player.scene(3 * SECOND).transport
    assert (transport.speed, transport.position_ns) == (1.0, 3 * SECOND)


def test_at_the_end_the_result_stays_and_nothing_moves(player: Player) -> None:
    scene = player.scene(99 * SECOND)
    assert (scene.stage, winner(scene), player.moving(99 * SECOND)) == (Stage.RESULT, 0, False)


def test_space_at_the_end_plays_again(player: Player) -> None:
    player.scene(99 * SECOND)
    player.press(" ", 99 * SECOND)
    assert position(player, 100 * SECOND) == SECOND


def test_the_next_moment_is_told_and_gone_to(player: Player) -> None:
    player.press("]", 0)
    scene = player.scene(0)
    assert (scene.transport.position_ns, scene.notice) == (81_000_000, "rabbit: first token")


def test_the_last_moment_while_paused_goes_back_one(player: Player) -> None:
    for key in (" ", "]", "]", "["):
        player.press(key, 0)
    assert position(player, 0) == 81_000_000


def test_a_change_of_the_lead_that_holds_is_a_moment() -> None:
    plans = [
        Plan("hare", ttft_ms=90, requests=40),
        Plan("tortoise", ttft_ms=50, requests=40, fail=tuple(range(30))),
    ]  # its first answer is whole at 1,690 ms; until then it has only failed
    tracks = RaceTracks(ScriptedRace(plans, finish=0.0).events())
    told = [moment for moment in moments(tracks) if "lead" in moment.text]
    assert told == [Moment(1_690_000_000, "tortoise takes the lead", "lead", 1)]


def test_a_lead_that_is_lost_within_a_second_is_no_moment() -> None:
    plans = [Plan("hare", ttft_ms=90), Plan("tortoise", ttft_ms=50, fail=(0,))]
    tracks = RaceTracks(ScriptedRace(plans, finish=0.0).events())
    assert [moment for moment in moments(tracks) if "lead" in moment.text] == []


def test_help_opens_and_closes_with_the_same_key_and_with_escape(player: Player) -> None:
    shown = []
    for key in ("?", "?", "h", "escape"):
        player.press(key, 0)
        shown.append(player.scene(0).help)
    assert shown == [True, False, True, False]


@pytest.mark.parametrize("key", ["q", "c-c"])
def test_a_past_race_is_left_without_a_question(player: Player, key: str) -> None:
    player.press(key, 0)
    assert player.done


def test_a_key_without_a_meaning_changes_nothing(player: Player) -> None:
    before = player.playhead
    for key in ("x", "f12", "c-z", "<any>", "y"):
        player.press(key, 0)
    assert (player.playhead, player.done) == (before, False)


def test_who_changed_places_is_shown_for_two_seconds_and_forgotten_on_the_way_back(player: Player) -> None:
    race = player.scene(9 * SECOND).race
    swap = {1: 2, 2: 1, 3: 3}
    swapped = msgspec.structs.replace(
        race,
        lanes=[msgspec.structs.replace(lane, place=swap[lane.place or 0]) for lane in race.lanes],
    )
    earlier = msgspec.structs.replace(race, position_s=1.0)
    movers = Movers()
    seen = [movers.update(race, 0), movers.update(swapped, 1), movers.update(swapped, 2 + SHOWN_NS)]
    assert seen == [{}, {0: -1, 2: 1}, {}]
    movers.update(race, 3 + SHOWN_NS)
    assert movers.update(earlier, 4 + SHOWN_NS) == {}


# Live: the same race, growing in a directory of segments.


class Recording:
    """A recorder's side of a running race: commits what it is told to."""

    def __init__(self, race: ScriptedRace, directory: Path) -> None:
        directory.mkdir()
        self.race, self.directory = race, directory
        self.conductor = SegmentWriter(directory / "conductor.rlog", race.head())
        self.lanes = [
            SegmentWriter(directory / f"lane-{lane}.rlog", race.head(lane + 2, "lane", lane))
            for lane in range(len(race.plans))
        ]
        self.conductor.commit(race.race_events())

    def commit(self, lane: int, until_ns: int | None = None, after_ns: int = -1) -> None:
        self.lanes[lane].commit(
            [
                e
                for e in self.race.lane_events(lane)
                if after_ns < e.t and (until_ns is None or e.t <= until_ns)
            ]
        )

    def close(self) -> None:
        for writer in (self.conductor, *self.lanes):
            writer.close()


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    race = ScriptedRace([Plan("a", ttft_ms=100, requests=10), Plan("b", ttft_ms=120, requests=10)])
    running = Recording(race, tmp_path / "race.live")
    yield running
    running.close()


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Recording]:
    plans = [Plan("a", requests=10), Plan("b", requests=10, start_ms=20_000)]
    running = Recording(ScriptedRace(plans, grid="time-trial"), tmp_path / "trial.live")
    yield running
    running.close()


def live(recording: Recording, control: Control | None = None) -> Player:
    return Player(LiveRace(recording.directory), Playhead(live=True), control)


def test_before_any_lane_has_started_the_lanes_are_on_the_grid(recording: Recording) -> None:
    scene = live(recording).scene(ORIGIN)
    assert (scene.stage, [lane.engine for lane in scene.race.lanes]) == (Stage.GRID, ["a", "b"])


@pytest.mark.parametrize(
    ("after_s", "expected"), [(0.0, 3), (0.5, 3), (1.5, 2), (2.9, 1), (3.5, 0), (5.0, None)]
)
def test_a_countdown_mark_counts_three_two_one_go(
    recording: Recording, after_s: float, expected: float | None
) -> None:
    recording.conductor.commit([Mark(t=SECOND, label="countdown:3")])
    player = live(recording)
    player.scene(0)
    assert player.scene(ORIGIN + SECOND + round(after_s * SECOND)).countdown_s == expected


@pytest.mark.parametrize(
    ("label", "expected"), [("countdown", 3), ("countdown:2.5", 3), ("countdown:inf", 3), ("start", None)]
)
def test_a_countdown_has_the_length_its_mark_names_or_three_seconds(
    recording: Recording, label: str, expected: int | None
) -> None:
    recording.conductor.commit([Mark(t=SECOND, label=label)])
    player = live(recording)
    player.scene(0)
    assert player.scene(ORIGIN + SECOND).countdown_s == expected


def test_a_running_race_is_shown_as_of_a_lag_ago(recording: Recording) -> None:
    recording.commit(0, until_ns=3 * SECOND)
    recording.commit(1, until_ns=3 * SECOND)
    player = live(recording)
    player.scene(START)
    scene = player.scene(START + SECOND)
    assert (scene.transport.position_ns, scene.transport.at_edge) == (SECOND - LAG_NS, True)


def test_looking_back_and_returning_to_the_live_edge(recording: Recording) -> None:
    recording.commit(0, until_ns=3 * SECOND)
    player = live(recording)
    player.scene(START)
    now = START + 7 * SECOND
    player.press("left", now)
    back = player.scene(now).transport
    player.press("f", now)
    assert (back.position_ns, back.behind_ns) == (7 * SECOND - LAG_NS - 5 * SECOND, 5 * SECOND)
    assert player.scene(now).transport.at_edge


def test_running_faster_than_life_ends_at_the_live_edge(recording: Recording) -> None:
    recording.commit(0, until_ns=3 * SECOND)
    player = live(recording)
    player.scene(START)
    now = START + 7 * SECOND
    player.press("left", now)
    player.press("up", now)
    player.press("up", now)
    assert player.scene(now + 60 * SECOND).transport.at_edge


def test_in_a_time_trial_the_next_start_goes_back_to_zero_and_the_first_lane_races_as_a_ghost(
    trial: Recording,
) -> None:
    trial.commit(0)
    player = live(trial)
    player.scene(START)
    alone = player.scene(START + 9 * SECOND)
    trial.commit(1, until_ns=20 * SECOND)
    second = player.scene(ORIGIN + 20 * SECOND + LAG_NS + SECOND)
    assert alone.race.lanes[0].status == "finished"
    assert (second.transport.position_ns, second.race.lanes[0].status) == (SECOND, "racing")


def test_when_all_lanes_have_ended_the_result_is_shown(recording: Recording) -> None:
    recording.commit(0)
    recording.commit(1)
    player = live(recording)
    player.scene(START)
    scene = player.scene(START + 60 * SECOND)
    assert (scene.stage, winner(scene), scene.transport.live) == (Stage.RESULT, 0, False)


def test_what_was_read_stays_when_the_directory_is_sealed_away(recording: Recording) -> None:
    recording.commit(0, until_ns=3 * SECOND)
    player = live(recording)
    player.scene(START)
    recording.close()
    for file in recording.directory.iterdir():
        file.unlink()
    recording.directory.rmdir()
    scene = player.scene(START + 60 * SECOND)
    assert (scene.stage, winner(scene)) == (Stage.RESULT, 0)
    assert scene.race.lanes[0].ok > 0


def test_a_recorder_that_says_nothing_is_noticed(recording: Recording) -> None:
    recording.commit(0, until_ns=3 * SECOND)
    player = live(recording)
    player.scene(START)
    assert player.scene(START + 12 * SECOND).notice == "no news from the recorder for 12 s"


def test_what_comes_too_late_for_its_picture_is_told_for_a_second(recording: Recording) -> None:
    recording.commit(0, until_ns=2 * SECOND)
    player = live(recording)
    player.scene(START)
    first = next(
        e.t
        for e in recording.race.lane_events(0)
        if e.t > 2 * SECOND and not isinstance(e, Usage | RequestScheduled)
    )
    recording.commit(0, until_ns=3 * SECOND, after_ns=2 * SECOND)
    now = ORIGIN + first + LAG_NS + 120_000_000
    late = [player.scene(at).transport.late_ns for at in (now, now + SECOND - 1, now + SECOND)]
    assert late == [120_000_000, 120_000_000, 0]


def test_what_was_recorded_before_the_view_came_is_not_late(recording: Recording) -> None:
    recording.commit(0, until_ns=2 * SECOND)
    assert live(recording).scene(START + 60 * SECOND).transport.late_ns == 0


def test_a_frame_that_took_long_is_told_until_it_is_a_second_ago(player: Player) -> None:
    player.drawn(230_000_000, SECOND)
    player.drawn(4_000_000, SECOND + 1)
    late = [player.scene(at).transport.late_ns for at in (SECOND + 2, 2 * SECOND)]
    assert late == [230_000_000, 4_000_000]


@pytest.mark.parametrize(
    ("late_ms", "told"),
    [(0, ""), (99, ""), (100, "behind 100 ms"), (129, "behind 120 ms"), (1260, "behind 1.26 s")],
)
def test_only_what_can_be_seen_is_called_behind(late_ms: int, told: str) -> None:
    assert lag_text(late_ms * 1_000_000) == told


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        try:
            os.close(end)
        except OSError:  # a test closed it itself
            continue


def test_stopping_a_running_race_is_asked_first_and_sent_on_yes(
    recording: Recording, pipe: tuple[int, int]
) -> None:
    player = live(recording, Control(pipe[1]))
    player.scene(START)
    player.press("q", START)
    asked = player.scene(START).question
    player.press("y", START)
    assert (asked[:14], os.read(pipe[0], 99), player.done) == ("stop the race?", b'{"do":"stop"}\n', False)


def test_no_lets_it_race_on(recording: Recording, pipe: tuple[int, int]) -> None:
    player = live(recording, Control(pipe[1]))
    player.scene(START)
    player.press("c-c", START)
    player.press("n", START)
    assert (player.scene(START).question, player.done) == ("", False)


@pytest.mark.parametrize("keys", [["c-c", "c-c"], ["q", "y", "c-c"]])
def test_a_second_interrupt_leaves_at_once(
    recording: Recording, pipe: tuple[int, int], keys: list[str]
) -> None:
    player = live(recording, Control(pipe[1]))
    player.scene(START)
    for key in keys:
        player.press(key, START)
    assert player.done


def test_a_mark_is_sent_to_the_recorder(recording: Recording, pipe: tuple[int, int]) -> None:
    player = live(recording, Control(pipe[1]))
    player.scene(START)
    player.press("m", START)
    assert msgspec.json.decode(os.read(pipe[0], 99)) == {"do": "mark", "label": "user"}


def test_when_the_recorder_is_gone_the_view_goes_on(recording: Recording, pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    player = live(recording, Control(pipe[1]))
    player.scene(START)
    player.press("m", START)
    player.press("q", START)
    assert player.done


def test_without_a_recorder_to_ask_q_just_leaves(recording: Recording) -> None:
    player = live(recording)
    player.scene(START)
    player.press("q", START)
    assert player.done


def test_a_replay_goes_on_from_where_it_was_last_seen_when_it_was_stopped_meanwhile(player: Player) -> None:
    player.slept(7 * SECOND, 100 * SECOND)

    assert player.scene(101 * SECOND).transport.position_ns == 8 * SECOND
