"""Everything that moves the playhead, by keys and by flags; bindings, themes and what is remembered."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog.cli import run
from racelog.errors import InputError
from racelog.events import LaneEnd
from racelog.log.read.reader import open_log
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks, state_at
from racelog.replay.speed import LADDER, faster, slower
from racelog.replay.together import side_by_side
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.moments import Moment
from racelog_player.controller.control_pipe import Control
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import svg_of, text_of
from racelog_player.model.times import parse_span, parse_target
from racelog_player.panes.screen import screen
from racelog_player.playback.source import PastRace
from racelog_player.settings.keys import KEYS, PRESETS, SEEK_NS, Do
from racelog_player.settings.rebinding import key_map
from racelog_player.terminal.style import Look
from racelog_player.terminal.themes import BUILT_IN, ROLES, find_theme, theme_names
from tests.player.theatre import Still

SECOND = 1_000_000_000


@pytest.fixture
def player(log: Path) -> Player:
    return Player(PastRace(log), Playhead(10 * SECOND, 0, paused=True))


def after(player: Player, *keys: str) -> float:
    for key in keys:
        player.press(key, 0)
    return player.scene(0).transport.position_ns / SECOND


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("c-left",), 9.9), (("c-right",), 10.1), (("left", "u"), 10), (("left", "left", "u", "u"), 10), (("u",), 10),
        ((":", "5", "s", "c-m"), 5), ((":", "5", "0", "%", "c-m"), 12.8805), ((":", "+", "2", "s", "c-m"), 12),
        ((":", "-", "2", "5", "0", "m", "s", "c-m"), 9.75), ((":", "9", "escape"), 10),
        ((":", "9", "c-h", "c-h", "left"), 5), ((":", *"@lead", "c-m"), 10), ((":", *"@finish", "c-m"), 14.954),
    ],
)  # fmt: skip
def test_keys_go_there(player: Player, keys: tuple[str, ...], expected: float) -> None:
    assert after(player, *keys) == pytest.approx(expected, abs=1e-3)


def test_what_cannot_be_gone_to_is_told_and_nothing_moves(player: Player) -> None:
    moved = after(player, ":", *"later", "c-m")
    assert (moved, player.scene(0).notice) == (
        10,
        "no position 'later'; write it like 10s, 1m23.4s, 01:23, 250ms, 50% or end",
    )


def test_a_step_forward_and_one_back_are_an_event_apart(player: Player) -> None:
    forward = after(player, ".")
    back = after(player, ",")
    assert 0 < forward - 10 < 0.02
    assert back < forward
    assert player.scene(0).transport.paused


@given(st.sampled_from(LADDER[:-1]), st.integers(1, 4))
def test_up_and_down_the_ladder_is_where_one_was(speed: float, steps: int) -> None:
    there = speed
    path = []
    for _ in range(steps):
        path.append(there)
        there = faster(there)
    for before in reversed(path):
        there = slower(there) if there != before else there
        assert there == before


def test_three_presses_set_a_and_b_and_take_the_loop_away(player: Player) -> None:
    after(player, "l", "right", "l")
    looping = player.scene(0).transport.loop_ns
    after(player, "l")
    assert (looping, player.scene(0).transport.loop_ns) == ((10 * SECOND, 15 * SECOND), None)


def test_a_loop_comes_round_while_it_plays(player: Player) -> None:
    after(player, "l", "s-right", "l", " ")
    assert [player.scene(t * SECOND // 2).transport.position_ns * 2 // SECOND for t in range(5)] == [
        20,
        21,
        20,
        21,
        20,
    ]


def test_a_whole_race_on_a_loop_never_rests(log: Path) -> None:
    player = Player(PastRace(log), Playhead(0, 0))
    player.press("L", 0)
    assert player.moving(100 * SECOND)
    assert player.scene(26 * SECOND).transport.position_ns < SECOND


def test_alignment_goes_round_in_three(player: Player) -> None:
    told = []
    for _ in range(3):
        after(player, "A")
        told.append(player.playback.source.tracks.align)
    assert told == ["first-token", "wall", "start"]


def test_playing_pauses_by_itself_at_every_moment_when_asked_to(log: Path) -> None:
    player = Player(PastRace(log), Playhead(0, 0))
    player.playback.stop_at_moments = True
    scene = player.scene(SECOND)
    assert (scene.transport.paused, scene.transport.position_ns, scene.notice) == (
        True,
        81_000_000,
        "rabbit: first token",
    )


def test_playing_pauses_where_it_should_end(log: Path) -> None:
    player = Player(PastRace(log), Playhead(0, 0))
    player.playback.until_ns = 3 * SECOND
    transport = player.scene(9 * SECOND).transport
    assert (transport.paused, transport.position_ns) == (True, 3 * SECOND)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("@mark", 7), ("@two", 9), ("+1s", 6), ("-9s", 0), ("+1h", 20), ("end", 20), ("25%", 5)],
)
def test_a_target_is_a_time_a_share_a_step_or_a_moment(text: str, expected: int) -> None:
    marks = [Moment(1, "one"), Moment(7, "one"), Moment(9, "two")]
    assert parse_target(text, 5 if "@" in text else 5 * SECOND, 20 * SECOND, marks) in (
        expected,
        expected * SECOND,
    )


@pytest.mark.parametrize("text", ["@nobody", "@", "+soon", ":)"])
def test_a_target_that_is_none_says_so(text: str) -> None:
    with pytest.raises(InputError):
        parse_target(text, 0, SECOND, [])


def test_a_stretch_has_two_ends() -> None:
    ends = [
        position.within(20 * SECOND) for text in ("5s..50%", "..5s", "5s..") for position in parse_span(text)
    ]
    assert ends == [5 * SECOND, 10 * SECOND, 0, 5 * SECOND, 5 * SECOND, 20 * SECOND]


# Taking one lane out of a race that runs.


class Running(Still):
    ended = False


@pytest.fixture
def wishes() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def running(wishes: tuple[int, int], *without: int) -> Player:
    """Return a player of three lanes that race on, all but those in ``without``."""
    events = [
        event
        for event in ScriptedRace([Plan("a"), Plan("b"), Plan("c")]).events()
        if not isinstance(event, LaneEnd) or event.lane in without
    ]
    player = Player(Running(RaceTracks(events)), Playhead(0, 0, paused=True), Control(wishes[1]))
    player.scene(0)
    return player


def test_the_lane_that_is_taken_out_is_the_one_the_question_named(wishes: tuple[int, int]) -> None:
    player = running(wishes)
    after(player, "x", "c-i", "y")

    assert os.read(wishes[0], 99) == b'{"do":"eliminate","lane":1}\n'
    assert player.scene(0).notice == "taking b out: nothing more is sent to it"
    assert player.scene(0).focus == 1


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        ("x", "a"), (["c-i", "c-i", "x"], "c"), (["x", "c-i"], "c"), (["x", "s-tab", "s-tab"], "a"), (["c-i", "x"], "a"),
    ],
)  # fmt: skip
def test_the_question_goes_round_the_lanes_that_still_race(
    wishes: tuple[int, int], keys: str | list[str], asked: str
) -> None:
    player = running(wishes, 1)
    after(player, *keys)
    assert player.scene(0).question == f"take {asked} out of the race?  y yes · tab another · n no, race on"


def test_a_lane_that_ended_meanwhile_is_no_longer_asked_about(wishes: tuple[int, int]) -> None:
    source = running(wishes).playback.source
    player = Player(source, Playhead(0, 0, paused=True), Control(wishes[1]))
    after(player, "x")
    source.tracks.lanes[0].end_ns = SECOND
    assert player.scene(0).question == ""


@pytest.mark.parametrize("key", ["c-i", "s-tab"])
def test_tab_answers_no_question_that_is_not_about_a_lane(wishes: tuple[int, int], key: str) -> None:
    player = running(wishes)
    after(player, "q", key)
    assert player.scene(0).question.startswith("stop the race?")


def test_nobody_is_taken_out_where_nobody_records(player: Player) -> None:
    after(player, "x")
    assert player.scene(0).notice == "nobody is recording; that needs a running `racelog record`"


# Keys as the user wants them.


@pytest.mark.parametrize("name", PRESETS)
def test_in_every_preset_each_thing_we_can_do_has_a_key(name: str) -> None:
    without = {Do.YES, Do.NO, *SEEK_NS}
    assert set(Do) - set(key_map(name).values()) <= without


@pytest.mark.parametrize(
    ("name", "key", "done"), [("mpv", "[", Do.SLOWER), ("rosbag", "right", Do.STEP_FORWARD)]
)
def test_a_preset_does_what_its_player_does(name: str, key: str, done: Do) -> None:
    assert key_map(name)[key] is done


def test_a_file_starts_from_a_preset_and_binds_and_unbinds(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('base = "mpv"\n[keys]\nx = "next-moment"\nspace = ""\n"c-c" = "mark"\n')
    keys = key_map(str(path))
    assert (keys["x"], keys["["], " " in keys, keys["c-c"]) == (
        Do.NEXT_MOMENT,
        Do.SLOWER,
        False,
        Do.INTERRUPT,
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[keys]\nx = "paus"', "did you mean 'pause'?"), ('base = "vlc"', "base is 'vlc'"), ("keys = 3", "keys is not a table"),
        ("x = ", "is no TOML"), ("[keys]\nx = 3", "is not an action"),
    ],
)  # fmt: skip
def test_a_file_of_keys_that_is_wrong_says_where(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=told.replace("?", r"\?")):
        key_map(str(path))


def test_keys_do_not_change_under_a_preset() -> None:
    before = dict(KEYS)
    key_map("mpv")["q"] = Do.MARK
    assert before == KEYS


# Themes, memory, pictures.


def test_every_theme_knows_every_role() -> None:
    assert {tuple(role for role, _ in theme.colors) for theme in BUILT_IN.values()} == {ROLES}


def test_a_theme_of_ones_own_changes_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "sea.toml").write_text(
        'base = "dark"\nlanes = ["#001122"]\nown_colors = false\n[colors]\ngood = "#00FFAA"\n'
    )
    theme = find_theme("sea", tmp_path)
    shown = [theme.resolve(color) for color in ("good", "bad", "lane:3:#ffffff", "mix(#000000,#ffffff,0.5)")]
    assert shown == ["#00ffaa", BUILT_IN["dark"].resolve("bad"), "#001122", "#808080"]
    assert "sea" in theme_names(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        'base = "none"',
        "[colors]\nink = '#000000'",
        "[colors]\ngood = 'green'",
        "lanes = []",
        "lanes = ['']",
        "x =",
    ],
)
def test_a_theme_that_is_wrong_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "sea.toml").write_text(text)
    with pytest.raises(InputError, match="theme"):
        find_theme("sea", tmp_path)


def test_a_picture_is_xml_and_says_what_the_screen_says(player: Player) -> None:
    lines = screen(player.scene(0), Look(), 80, 24)
    root = ET.fromstring(svg_of(lines, 80, 24, BUILT_IN["light"]))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"rabbit", "STANDINGS"} <= set(texts)
    assert "rabbit" in text_of(lines)


# The same by flags.


def test_a_film_is_an_asciicast_that_ends_on_the_result(log: Path, tmp_path: Path) -> None:
    cast = tmp_path / "race.cast"
    assert (
        run(["play", str(log), "--speed", "max", "--cast", str(cast), "--size", "100x30", "--fps", "10"]) == 0
    )
    header, *events = [json.loads(line) for line in cast.read_text(encoding="utf-8").splitlines()]
    assert (header["version"], header["term"]["cols"], header["term"]["rows"]) == (3, 100, 30)
    assert {code for _, code, _ in events} == {"o", "m"}
    assert 2 <= sum(interval for interval, _, _ in events) <= 6
    assert any("rabbit wins" in data for _, _, data in events)
    assert run(["play", str(log), "--cast", str(cast)]) == 2


def test_a_snapshot_at_an_instant_is_never_written_over_another(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "race.svg"
    arguments = ["play", str(log), "--at", "9.3s", "--snapshot", str(path), "--theme", "dark"]
    assert [run(arguments), run(arguments), run([*arguments, "--force"])] == [0, 2, 0]


def test_a_dry_run_says_how_long_it_would_take(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", str(log), "--dry-run", "--speed", "4x"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "00:25.761 recorded, 00:06.440 to play at 4×",  # noqa: RUF001 - the sign we show
        "3 lanes, 60 requests, 4,080 chunks, 8 moments",
    ]


def test_only_the_lanes_asked_for_race(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", str(log), "--lanes", "turtle,0", "--at", "end", "--json"]) == 0
    assert [lane["engine"] for lane in json.loads(capsys.readouterr().out)["lanes"]] == ["rabbit", "turtle"]


def test_two_races_run_side_by_side_and_each_lane_is_as_it_was_alone(log: Path, tmp_path: Path) -> None:
    other = ScriptedRace([Plan("rabbit", ttft_ms=70, start_ms=4000)], name="friday").write_file(
        tmp_path / "friday.rlog"
    )
    both = side_by_side([("monday", open_log(log).events), ("friday", open_log(other).events)])
    alone = PastRace(other).tracks
    at = 3 * SECOND // 10
    one, whole = state_at(alone, at).lanes[0], state_at(both, at).lanes[3]
    assert [track.facts.engine for track in both.lanes.values()][::3] == [
        "rabbit (monday)",
        "rabbit (friday)",
    ]
    assert (one.ttft_ms, one.ok, len(one.open)) == (whole.ttft_ms, whole.ok, len(whole.open))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--ab", "10s"], "10s..20s"), (["--ab", "9s..3s"], "empty"), (["--keys", "vim"], "no keys 'vim'"),
        (["--loop", "x"], "not a number of times"), (["--size", "huge", "--dry-run"], "120x36"), (["--lanes", "snail"], "no lane"),
        (["--snapshot", "x.svg"], "--at 10s"), (["--at", "1s", "--snapshot", "x.svg", "--theme", "plaid"], "no theme 'plaid'"),
    ],
)  # fmt: skip
def test_a_flag_that_cannot_be_is_one_line(
    log: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(["play", str(log), *arguments]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
