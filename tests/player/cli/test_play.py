"""`racelog play` without a screen: an instant as JSON or a table, and running lines through a pipe."""

from pathlib import Path

import msgspec
import pytest

from racelog.cli import run
from racelog.log.write.segment import SegmentWriter
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace, recorder_readings
from racelog.views.race import RaceView, race_view

SECOND = 1_000_000_000


def test_json_at_an_instant_is_the_view_at_that_instant(
    log: Path, race: ScriptedRace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["play", str(log), "--at", "9.3s", "--json"]) == 0
    replay = Replay(RaceTracks(race.events()))
    replay.seek(9_300_000_000)
    assert msgspec.json.decode(capsys.readouterr().out, type=RaceView) == race_view(replay)


@pytest.mark.parametrize("end", ["end", "100%"])
def test_json_at_the_end_has_every_request(log: Path, capsys: pytest.CaptureFixture[str], end: str) -> None:
    run(["play", str(log), "--at", end, "--json"])
    view = msgspec.json.decode(capsys.readouterr().out, type=RaceView)
    assert (view.finished, [lane.requests_done for lane in view.lanes]) == (True, [20, 20, 20])


def test_an_instant_without_json_is_a_table_best_lane_first(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["play", str(log), "--at", "50%"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[3:]] == ["rabbit", "fox-13b-instruct", "turtle"]


def test_a_pipe_gets_running_lines_and_the_result(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["play", str(log)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "00:00.000  rabbit            started"
    assert "00:00.081  rabbit            first token after 81.0 ms" in lines
    assert "00:25.761  turtle            finished after 25.8 s" in lines
    assert "rabbit wins" in lines


def test_running_lines_tell_when_the_lead_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    race = ScriptedRace([Plan("hare", ttft_ms=90), Plan("tortoise", ttft_ms=50, fail=(0,))], finish=0.0)
    run(["play", str(race.write_file(tmp_path / "late.rlog"))])
    assert "00:00.920  tortoise  takes the lead, TTFT p50 50.0 ms" in capsys.readouterr().out.splitlines()


def test_running_lines_speak_of_one_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    race = ScriptedRace([Plan("hare", ttft_ms=50, requests=1)])
    run(["play", str(race.write_file(tmp_path / "one.rlog"))])
    assert "  hare  1/1 request, TTFT p50 50.0 ms, " in capsys.readouterr().out


def test_plain_through_a_pipe_holds_no_escape_whatever_the_names_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    race = ScriptedRace([Plan("\x1b[2Jevil\r\n")], name="\x1b]0;x\x07")
    run(["play", str(race.write_file(tmp_path / "evil.rlog")), "--plain"])
    out = capsys.readouterr().out
    assert [sign for sign in out if sign != "\n" and not sign.isprintable()] == []


def test_following_a_finished_directory_into_a_pipe_ends_with_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    race = ScriptedRace([Plan("a"), Plan("b", ttft_ms=150)])
    assert run(["play", str(race.write_segments(tmp_path / "race.live")), "--follow"]) == 0
    assert "a wins" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--speed", "fast"], "no speed 'fast'"),
        (["--start", "soon"], "no position 'soon'"),
        (["--start", "1h"], "after the end of the race at 00:25.761"),
        (["--at", "101%"], "100% is its end"),
        (["--json"], "racelog play --at end --json"),
    ],
)
def test_what_cannot_be_done_is_one_line_with_the_next_step(
    log: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert run(["play", str(log), *arguments]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_a_race_that_is_not_there_says_how_to_get_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["play", "--home", str(tmp_path)]) == 2
    assert "racelog record" in capsys.readouterr().err


def test_running_lines_tell_once_that_the_client_is_the_bottleneck(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    race = ScriptedRace([Plan("a", requests=10, gap_ms=100)])
    path = tmp_path / "race.rlog"
    with SegmentWriter(path, race.head()) as writer:
        writer.commit([*race.events(), recorder_readings("a", cpu_pct=100.0, loop_lag_us=9_000.0)])
        writer.finish(12_000_000_000)

    run(["play", str(path), "--plain", "--speed", "max"])
    told = [line for line in capsys.readouterr().out.splitlines() if "too slow" in line]

    why = "easuring machine too slow - recorder too busy: its CPU was full for 100 % of a's race"
    assert [line.partition("  ")[2] or line for line in told] == [f"m{why}", f"M{why}."]
