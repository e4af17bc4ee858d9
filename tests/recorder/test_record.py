"""`racelog record` as a user runs it: real processes, real endpoints, and someone who pulls the plug."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from racelog.events import (
    AnyEvent,
    Calibration,
    Control,
    Head,
    HostSamples,
    LaneEnd,
    LaneFacts,
    LaneStart,
    Mark,
    Note,
    RaceFacts,
    RequestEnd,
    RequestScheduled,
    RequestSent,
    Tokens,
)
from racelog.home import stored_races
from racelog.log.read.follow import LogFollower
from racelog.log.read.reader import RaceLog, open_log
from racelog.query.connection.connect import connect
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.story.engine import story
from racelog.views.story.live import Teller
from tests.waiting import awaited

DEADLINE_S = 40.0

pytestmark = pytest.mark.timeout(120)


class Endpoints:
    """Two engines served from a scripted race by `racelog serve`, and a way to race them."""

    def __init__(self, lanes: list[dict[str, str]], home: Path) -> None:
        self.engines = [f"{lane['engine']}={lane['url']}" for lane in lanes]
        self.home = home

    def command(self, *arguments: str, engines: list[str] | None = None) -> list[str]:
        flags = [flag for engine in (engines or self.engines) for flag in ("--engine", engine)]
        quiet = ["--no-ui", "--no-calibrate", "--countdown", "0", "--home", str(self.home)]
        return [sys.executable, "-m", "racelog", "record", *flags, *quiet, *arguments]

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*arguments, **options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def record(
        self, *arguments: str, environment: dict[str, str] | None = None, **options: Any
    ) -> "subprocess.CompletedProcess[str]":
        command = self.command(*arguments, **options)
        env = {**os.environ, **(environment or {})}
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=DEADLINE_S, env=env
        )

    def log(self) -> RaceLog:
        (race,) = stored_races(self.home)
        assert race.sealed
        return open_log(race.path)

    def follow_until(self, enough: Callable[[list[AnyEvent]], bool]) -> list[AnyEvent]:
        """Follow the running race until ``enough`` of its events are there; fail at the deadline."""
        seen: list[AnyEvent] = []
        races = awaited(lambda: stored_races(self.home), DEADLINE_S, lambda: "no race was stored")
        follower = LogFollower(races[0].path)

        def look() -> bool:
            seen.extend(follower.poll())
            return enough(seen)

        awaited(look, DEADLINE_S, lambda: seen[-3:])
        return seen


class Recorded:
    """A race that was recorded from its start to its end: its log, and what the command said."""

    def __init__(self, served: list[dict[str, str]], home: Path, *flags: str) -> None:
        self.endpoints = Endpoints(served, home)
        self.done = self.endpoints.record(*flags)
        assert self.done.returncode == 0, self.done.stderr
        self.log = self.endpoints.log()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, str]]]:
    """Serve a scripted race of two lanes at four times its speed."""
    script = ScriptedRace(
        [Plan("slow", ttft_ms=400, tokens=60, requests=6), Plan("fast", ttft_ms=100, tokens=60, requests=6)]
    )
    path = script.write_file(tmp_path_factory.mktemp("served") / "scripted.rlog")
    command = [sys.executable, "-m", "racelog", "serve", str(path), "--json", "--speed", "4x"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())["lanes"]
        server.terminate()


@pytest.fixture
def endpoints(served: list[dict[str, str]], tmp_path: Path) -> Endpoints:
    return Endpoints(served, tmp_path)


@pytest.fixture(scope="module")
def whole(served: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Record one race with all that does not exclude another, for the tests that only look at one."""
    flags = (
        "--requests 6 --concurrency 2 --seed 3 --warmup 3 --finish 80% --max-tokens 7 --metrics --flush 50ms"
    )
    return Recorded(served, tmp_path_factory.mktemp("whole"), *flags.split(), "--fsync", "always")


@pytest.fixture(scope="module")
def trial(served: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Record one time trial by a schedule, as `whole`."""
    flags = "--requests 6 --rate 10/s --warmup 2 --time-trial"
    return Recorded(served, tmp_path_factory.mktemp("trial"), *flags.split())


@pytest.fixture(scope="module")
def scheduled(served: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Record one open loop, as `whole`."""
    flags = "--rate 20/s --requests 10 --seed 2"
    return Recorded(served, tmp_path_factory.mktemp("scheduled"), *flags.split())


def ends(log: RaceLog) -> dict[tuple[int, str], int]:
    """Return how many requests ended how on each lane."""
    counts: dict[tuple[int, str], int] = {}
    for end in log.of(RequestEnd):
        counts[end.lane, end.status] = counts.get((end.lane, end.status), 0) + 1
    return counts


def racing(lanes: int) -> Callable[[list[AnyEvent]], bool]:
    """Return a check that tokens of that many lanes are in the log."""
    return lambda events: len({event.lane for event in events if isinstance(event, Tokens)}) == lanes


def pid_of(events: list[AnyEvent], role: str, lane: int | None = None) -> int:
    (pid,) = [
        event.pid for event in events if isinstance(event, Head) and (event.role, event.lane) == (role, lane)
    ]
    assert pid is not None
    return pid


def test_every_lane_is_calibrated_before_it_starts(endpoints: Endpoints) -> None:
    command = [
        word
        for word in endpoints.command("--requests", "2", "--concurrency", "2")
        if word != "--no-calibrate"
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=DEADLINE_S)

    assert done.returncode == 0, done.stderr
    log = endpoints.log()
    starts = {start.lane: start.t for start in log.of(LaneStart)}
    found = list(log.of(Calibration))
    assert sorted((one.lane, one.streams) for one in found) == [(0, 2), (1, 2)]
    assert all(one.t < starts[one.lane] for one in found)


def test_a_lane_tells_of_its_pump_and_its_backlog_while_it_races(whole: Recorded) -> None:
    lanes = [event for event in whole.log.of(HostSamples) if event.process.startswith("lane:")]
    assert {event.process for event in lanes} == {"lane:slow", "lane:fast"}
    assert all(len(event.pump_batch) == len(event.backlog) == len(event.d) for event in lanes)
    assert max(largest or 0 for event in lanes for largest in event.pump_batch_max) >= 1


def test_a_race_with_any_flush_window_and_fsync_ends_as_one_sealed_log_with_every_request(
    whole: Recorded,
) -> None:
    assert ends(whole.log) == {(0, "ok"): 9, (1, "ok"): 9}
    assert whole.log.report.damage == []


def test_a_race_asks_for_metrics_when_told_to_and_notes_engines_that_have_none(whole: Recorded) -> None:
    notes = [note.text for note in whole.log.of(Note) if "metrics" in note.text]
    assert len(notes) == 2
    assert all("/metrics: HTTP 404" in note for note in notes)


def test_the_closing_summary_names_the_winner(whole: Recorded) -> None:
    assert "fast wins" in whole.done.stdout
    assert "GO!" not in whole.done.stdout


def test_every_lane_gets_the_same_prompts_in_the_same_order(whole: Recorded) -> None:
    by_lane: dict[int, dict[int, int]] = {0: {}, 1: {}}
    for event in whole.log.of(RequestScheduled):
        by_lane[event.lane][event.req] = event.prompt

    assert by_lane[0] == by_lane[1]
    assert len(by_lane[0]) == 9


def test_lanes_of_a_time_trial_do_not_overlap(trial: Recorded) -> None:
    ended = {end.lane: end.t for end in trial.log.of(LaneEnd)}
    started = {start.lane: start.t for start in trial.log.of(LaneStart)}

    assert ended[0] < started[1]


def test_a_race_by_duration_lets_open_requests_finish(endpoints: Endpoints) -> None:
    done = endpoints.record("--duration", "500ms", "--concurrency", "1")

    assert done.returncode == 0, done.stderr
    assert {status for _, status in ends(endpoints.log())} == {"ok"}


def test_warmup_requests_are_recorded_and_do_not_count(whole: Recorded) -> None:
    phases = Counter((event.lane, event.phase) for event in whole.log.of(RequestScheduled))

    assert phases == {(lane, phase): n for lane in (0, 1) for phase, n in (("race", 6), ("warmup", 3))}


@pytest.mark.parametrize("fixture", ["whole", "scheduled", "trial"])
def test_a_race_with_events_before_its_start_has_its_story_live_replayed_and_in_sql(
    fixture: str, request: pytest.FixtureRequest
) -> None:
    recorded: Recorded = request.getfixturevalue(fixture)
    events = recorded.log.events
    tracks = RaceTracks()
    live = Teller(tracks)
    for start in range(0, len(events), 20):
        tracks.extend(events[start : start + 20])
        told = live.story()
    assert told == story(RaceTracks(events))
    (race,) = stored_races(recorded.endpoints.home)
    rows = connect(str(race.path)).execute("select text from commentary order by all").fetchall()
    assert sorted(row.text for row in told.comments) == [text for (text,) in rows]
    assert {"start", "first-words", "finish", "winner"} <= {row.key for row in told.comments}


def test_the_log_holds_what_the_standings_go_by(whole: Recorded) -> None:
    assert [facts.finish for facts in whole.log.of(RaceFacts)] == [0.8]
    asked = {"max_tokens": 7, "temperature": 0.0}
    assert {facts.lane: facts.params for facts in whole.log.of(LaneFacts)} == {0: asked, 1: asked}


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stop_signal_lets_what_is_open_finish_and_seals(endpoints: Endpoints, name: str) -> None:
    race = endpoints.start("--requests", "1000", "--concurrency", "2")
    endpoints.follow_until(racing(lanes=2))
    race.send_signal(getattr(signal, name))
    race.communicate(timeout=DEADLINE_S)
    log = endpoints.log()

    assert race.returncode == 130
    assert {status for _, status in ends(log)} == {"ok"}
    assert sum(ends(log).values()) == len(list(log.of(RequestScheduled)))
    assert {end.status for end in log.of(LaneEnd)} == {"stopped"}
    assert [(order.what, order.by) for order in log.of(Control)] == [("go", "plan"), ("stop", "signal")]


def never_answering(wire: Any) -> Callable[[socket.socket, int], None]:
    """Return a script that reads a request and leaves the client waiting for as long as it stays."""

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.recv(1)

    return script


def signal_when_told(race: "subprocess.Popen[str]", word: str) -> None:
    """Send SIGINT as soon as ``word`` stands on the race's stderr."""
    assert race.stderr is not None
    for line in race.stderr:
        if word in line:
            race.send_signal(signal.SIGINT)
            return
    raise AssertionError(f"{word!r} was never said")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stop_signal_before_the_start_is_one_line_and_keeps_nothing(
    endpoints: Endpoints, scripted: Any, wire: Any, name: str
) -> None:
    asked = threading.Event()

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        asked.set()
        connection.recv(1)

    race = endpoints.start("--requests", "9", engines=[f"silent={scripted(script).url}"])
    assert asked.wait(DEADLINE_S)
    race.send_signal(getattr(signal, name))
    _, said = race.communicate(timeout=DEADLINE_S)

    assert (race.returncode, said.splitlines()[-1]) == (
        130,
        "racelog: interrupted before the start; nothing was recorded",
    )
    assert "Traceback" not in said
    assert stored_races(endpoints.home) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stop_signal_while_trio_loads_is_one_line(endpoints: Endpoints, tmp_path: Path, name: str) -> None:
    (tmp_path / "trio.py").write_text(f"import signal; signal.raise_signal(signal.{name})")
    done = endpoints.record("--requests", "9", environment={"PYTHONPATH": str(tmp_path)})

    assert (done.returncode, done.stderr) == (
        130,
        "racelog: interrupted before the start; nothing was recorded\n",
    )


def test_an_interrupt_after_the_race_says_where_it_is_kept(endpoints: Endpoints, tmp_path: Path) -> None:
    """The result is never printed: what would do so is interrupted by itself."""
    stub = "import signal\ndef summary_lines(*_): signal.raise_signal(signal.SIGTERM)\n"
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys, types\nmodule = types.ModuleType('summary')\nexec({stub!r}, module.__dict__)\n"
        "sys.modules['racelog_recorder.cli.summary_text'] = module\n"
    )
    done = endpoints.record("--requests", "2", environment={"PYTHONPATH": str(tmp_path)})
    (race,) = stored_races(endpoints.home)

    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        130,
        f"racelog: interrupted; what was recorded is kept: {race.path}",
    )


def test_a_second_signal_cancels_what_is_open(endpoints: Endpoints, scripted: Any, wire: Any) -> None:
    engines = [f"silent={scripted(never_answering(wire)).url},model=m"]
    race = endpoints.start("--no-preflight", "--requests", "1000", "--concurrency", "2", engines=engines)
    endpoints.follow_until(lambda events: sum(isinstance(event, RequestSent) for event in events) == 2)
    race.send_signal(signal.SIGINT)
    signal_when_told(race, "stopping: nothing more is sent, open requests have 5 s to finish")
    race.communicate(timeout=DEADLINE_S)

    assert race.returncode == 130
    assert ends(endpoints.log()) == {(0, "cancelled"): 2}
    assert [order.what for order in endpoints.log().of(Control)] == ["go", "stop", "cancel"]


def test_a_grace_of_zero_cancels_at_once(endpoints: Endpoints, scripted: Any, wire: Any) -> None:
    engines = [f"silent={scripted(never_answering(wire)).url},model=m"]
    race = endpoints.start("--no-preflight", "--requests", "9", "--grace", "0", engines=engines)
    endpoints.follow_until(lambda events: any(isinstance(event, RequestSent) for event in events))
    race.send_signal(signal.SIGINT)
    race.communicate(timeout=DEADLINE_S)

    assert {status for _, status in ends(endpoints.log())} == {"cancelled"}


def test_an_open_loop_sends_every_engine_the_same_at_the_same_instant(scheduled: Recorded) -> None:
    by_lane: dict[int, list[tuple[int, int, int]]] = {0: [], 1: []}
    for event in scheduled.log.of(RequestScheduled):
        by_lane[event.lane].append((event.req, event.t, event.prompt))

    assert sorted(by_lane[0]) == sorted(by_lane[1])
    assert len(by_lane[0]) == 10


def test_a_race_can_end_as_json(endpoints: Endpoints) -> None:
    done = endpoints.record("--requests", "1", "--json")

    assert [lane["ok"] for lane in json.loads(done.stdout)["lanes"]] == [1, 1]


def test_kill_minus_nine_of_a_lane_leaves_the_other_whole(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "6", "--concurrency", "1")
    seen = endpoints.follow_until(racing(lanes=2))
    os.kill(pid_of(seen, "lane", 0), signal.SIGKILL)
    _, stderr = race.communicate(timeout=DEADLINE_S)
    log = endpoints.log()

    assert race.returncode == 5
    assert ends(log)[1, "ok"] == 6
    assert {end.lane: end.status for end in log.of(LaneEnd)} == {0: "died", 1: "finished"}
    assert "killed by signal 9; the race goes on without it" in stderr


def test_what_a_killed_lane_had_committed_is_in_the_sealed_log(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "6", "--concurrency", "1")
    seen = endpoints.follow_until(racing(lanes=2))
    committed = sum(len(event.r) for event in seen if isinstance(event, Tokens) and event.lane == 0)
    os.kill(pid_of(seen, "lane", 0), signal.SIGKILL)
    race.communicate(timeout=DEADLINE_S)

    sealed = sum(len(batch.r) for batch in endpoints.log().of(Tokens) if batch.lane == 0)
    assert sealed >= committed > 0


def test_kill_minus_nine_of_the_telemetry_is_noted_and_harms_no_lane(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "3", "--concurrency", "1")
    seen = endpoints.follow_until(racing(lanes=2))
    os.kill(pid_of(seen, "telemetry"), signal.SIGKILL)
    race.communicate(timeout=DEADLINE_S)

    assert race.returncode == 0
    assert ends(endpoints.log()) == {(0, "ok"): 3, (1, "ok"): 3}
    assert any("telemetry ended: killed by signal 9" in note.text for note in endpoints.log().of(Note))


def test_kill_minus_nine_of_the_conductor_leaves_finished_readable_lanes(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "1000", "--concurrency", "1")
    endpoints.follow_until(racing(lanes=2))
    race.kill()
    race.communicate(timeout=DEADLINE_S)
    lanes_ended = lambda events: sum(isinstance(event, LaneEnd) for event in events) == 2  # noqa: E731
    endpoints.follow_until(lanes_ended)
    (stored,) = stored_races(endpoints.home)

    assert not stored.sealed
    assert open_log(stored.path).report.damage == []


def test_an_engine_that_is_not_there_is_named_before_the_race(endpoints: Endpoints) -> None:
    done = endpoints.record(engines=["gone=http://127.0.0.1:1/v1"])

    assert (done.returncode, done.stdout) == (5, "")
    assert "gone: nothing answers at http://127.0.0.1:1/v1" in done.stderr
    assert stored_races(endpoints.home) == []


def test_an_engine_that_is_gone_in_the_race_fails_every_request_by_name(endpoints: Endpoints) -> None:
    engines = [endpoints.engines[1] + ",model=m", "gone=http://127.0.0.1:1/v1,model=m"]
    done = endpoints.record("--no-preflight", "--requests", "3", engines=engines)

    assert done.returncode == 5
    assert ends(endpoints.log()) == {(0, "ok"): 3, (1, "failed"): 3}
    assert "gone: 3 x refused" in done.stdout


def test_a_wrong_race_file_names_line_and_field(endpoints: Endpoints) -> None:
    race = endpoints.home / "race.yaml"
    race.write_text("engines:\n  - name: a\n    url: localhost:8000\n")
    done = subprocess.run(
        [sys.executable, "-m", "racelog", "record", str(race)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert f"{race}:3: engines[0].url" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_existing_file_is_never_overwritten_and_no_engine_asked_in_vain(endpoints: Endpoints) -> None:
    target = endpoints.home / "kept.rlog"
    target.write_bytes(b"kept")
    done = endpoints.record("-o", str(target), engines=["gone=http://127.0.0.1:1/v1"])

    assert (done.returncode, target.read_bytes()) == (2, b"kept")
    assert "exists already" in done.stderr


def test_a_cpu_that_is_not_there_is_told_before_any_engine_is_asked(endpoints: Endpoints) -> None:
    done = endpoints.record("--pin", "4095", engines=["gone=http://127.0.0.1:1/v1"])

    assert done.returncode == 2
    assert done.stderr.startswith("racelog: pin (--pin): CPU 4095 is not among those this process may use (")


def test_an_engine_without_model_and_preflight_is_a_wrong_request(endpoints: Endpoints) -> None:
    done = endpoints.record("--no-preflight", engines=["a=http://127.0.0.1:1/v1"])

    assert done.returncode == 2
    assert "without preflight every engine needs model=; a has none" in done.stderr


def test_the_log_goes_where_minus_o_says(endpoints: Endpoints) -> None:
    target = endpoints.home / "tonight.rlog"
    done = endpoints.record("--requests", "1", "-o", str(target))

    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in endpoints.home.iterdir()) == ["tonight.rlog"]


def test_a_disk_that_fills_up_keeps_what_was_committed_and_exits_4(endpoints: Endpoints) -> None:
    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    command = endpoints.command("--requests", "1000", "--concurrency", "8")
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, preexec_fn=little_room, timeout=DEADLINE_S
    )
    (stored,) = stored_races(endpoints.home)

    assert done.returncode == 4
    assert "cannot write to" in done.stderr
    assert "Traceback" not in done.stderr
    assert open_log(stored.path).report.chunks > 0


def notes(events: list[AnyEvent]) -> list[Note]:
    return [event for event in events if isinstance(event, Note)]


def fill_the_disk_of(pid: int) -> None:
    """Let every later write of one process fail, as on a full disk."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, 1))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no limits for other processes here")
def test_a_telemetry_that_cannot_write_is_told_and_noted_at_once_and_exits_4(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "1000", "--concurrency", "1")
    seen = endpoints.follow_until(racing(lanes=2))
    fill_the_disk_of(pid_of(seen, "telemetry"))
    noted = endpoints.follow_until(
        lambda events: any("telemetry.rlog" in note.text for note in notes(events))
    )
    race.send_signal(signal.SIGINT)
    _, stderr = race.communicate(timeout=DEADLINE_S)

    assert not any(isinstance(event, LaneEnd) for event in noted)
    assert race.returncode == 4
    assert "telemetry.rlog: File too large" in stderr
    assert "the race goes on without samples of the machine" in stderr
    assert {end.status for end in endpoints.log().of(LaneEnd)} == {"stopped"}


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no limits for other processes here")
def test_a_conductor_that_cannot_write_ends_the_race_with_finished_lanes_and_exits_4(
    endpoints: Endpoints,
) -> None:
    race = endpoints.start("--requests", "1000", "--concurrency", "1")
    seen = endpoints.follow_until(racing(lanes=2))
    fill_the_disk_of(race.pid)
    _, stderr = race.communicate(timeout=DEADLINE_S)
    (stored,) = stored_races(endpoints.home)
    log = open_log(stored.path)

    assert race.returncode == 4
    assert "conductor.rlog: File too large" in stderr
    assert "Traceback" not in stderr
    assert {end.lane: end.status for end in log.of(LaneEnd)} == {0: "stopped", 1: "stopped"}
    assert log.report.chunks >= sum(len(event.r) for event in seen if isinstance(event, Tokens))


def test_a_lanes_segment_that_is_removed_is_its_death_told_at_once_and_exits_4(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "1000", "--concurrency", "1")
    endpoints.follow_until(racing(lanes=2))
    (live,) = stored_races(endpoints.home)
    (live.path / "lane-1.rlog").unlink()
    died = endpoints.follow_until(
        lambda events: any(isinstance(event, LaneEnd) and event.status == "died" for event in events)
    )
    race.send_signal(signal.SIGINT)
    _, stderr = race.communicate(timeout=DEADLINE_S)
    ended = {end.lane: end.status for end in endpoints.log().of(LaneEnd)}

    assert [end.lane for end in died if isinstance(end, LaneEnd)] == [1]
    assert (race.returncode, ended) == (4, {0: "stopped", 1: "died"})
    assert "lane-1.rlog is not there any more: it was removed or moved while it was written" in stderr


def test_a_race_whose_folder_is_removed_ends_at_once_in_one_sentence_and_exits_4(
    endpoints: Endpoints,
) -> None:
    race = endpoints.start("--requests", "1000", "--concurrency", "1")
    endpoints.follow_until(racing(lanes=2))
    (live,) = stored_races(endpoints.home)
    shutil.rmtree(live.path)
    _, stderr = race.communicate(timeout=DEADLINE_S)

    assert race.returncode == 4
    assert "conductor.rlog is not there any more: it was removed or moved while it was written" in stderr
    assert "Traceback" not in stderr


def test_a_race_whose_name_is_taken_meanwhile_is_sealed_under_another(
    endpoints: Endpoints, tmp_path: Path
) -> None:
    target, live = tmp_path / "race.rlog", tmp_path / "race.live"
    race = endpoints.start("--requests", "2", "--concurrency", "1", "-o", str(target))
    awaited(live.exists, DEADLINE_S, lambda: live)
    target.write_bytes(b"mine")
    _, stderr = race.communicate(timeout=DEADLINE_S)

    assert (race.returncode, target.read_bytes(), live.exists()) == (0, b"mine", False)
    assert f"sealing never overwrites a log: this one is {tmp_path / 'race-2.rlog'}" in stderr
    assert open_log(tmp_path / "race-2.rlog").report.finished


def test_a_flush_window_that_is_none_is_refused_with_an_example(endpoints: Endpoints) -> None:
    done = endpoints.record("--flush", "5ms")

    assert done.returncode == 2
    assert "--flush 5ms: give a span of time from 10ms to 60s, such as 250ms or 1s" in done.stderr


def test_an_api_key_reaches_neither_log_nor_output(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED_KEY", "sk-planted-0123456789")
    done = endpoints.record("--requests", "1", engines=[endpoints.engines[0] + ",api_key_env=PLANTED_KEY"])
    dumped = subprocess.run(
        [sys.executable, "-m", "racelog", "dump", "latest", "--home", str(endpoints.home)],
        capture_output=True,
        check=True,
    )

    assert done.returncode == 0, done.stderr
    assert b"PLANTED_KEY" in dumped.stdout
    assert "sk-planted" not in done.stdout + done.stderr + dumped.stdout.decode()


def test_a_key_that_is_not_set_is_named(endpoints: Endpoints) -> None:
    done = endpoints.record(engines=[endpoints.engines[0] + ",api_key_env=NO_SUCH_VARIABLE"])

    assert done.returncode == 2
    assert "the environment variable NO_SUCH_VARIABLE (api_key_env) is not set" in done.stderr


def test_a_stop_in_the_countdown_seals_an_empty_race(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "4", "--countdown", "30")
    endpoints.follow_until(lambda events: any(isinstance(event, Mark) for event in events))
    race.send_signal(signal.SIGINT)
    _, stderr = race.communicate(timeout=DEADLINE_S)

    assert race.returncode == 130, stderr
    assert {end.lane: end.status for end in endpoints.log().of(LaneEnd)} == {0: "stopped", 1: "stopped"}


def test_a_stop_while_the_lanes_start_seals_too(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "4", "--countdown", "30")
    endpoints.follow_until(lambda events: any(isinstance(event, Head) for event in events))
    race.send_signal(signal.SIGINT)
    _, stderr = race.communicate(timeout=DEADLINE_S)

    assert race.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert endpoints.log().report.damage == []


def test_a_stop_between_two_lanes_of_a_time_trial_keeps_the_second_from_starting(
    endpoints: Endpoints,
) -> None:
    race = endpoints.start("--requests", "1", "--time-trial")
    endpoints.follow_until(lambda events: any(isinstance(event, LaneEnd) for event in events))
    race.send_signal(signal.SIGINT)
    race.communicate(timeout=DEADLINE_S)

    assert {end.lane: end.status for end in endpoints.log().of(LaneEnd)} == {0: "finished", 1: "stopped"}
    assert [start.lane for start in endpoints.log().of(LaneStart)] == [0]


def test_a_stop_in_the_warmup_cancels_it(endpoints: Endpoints, scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.recv(1)

    engines = [f"silent={scripted(script).url},model=m"]
    race = endpoints.start("--no-preflight", "--warmup", "1", "--requests", "1", engines=engines)
    endpoints.follow_until(lambda events: any(isinstance(event, RequestScheduled) for event in events))
    race.send_signal(signal.SIGINT)
    race.communicate(timeout=DEADLINE_S)

    assert race.returncode == 130
    assert ends(endpoints.log()) == {(0, "cancelled"): 1}


def test_a_reader_that_leaves_does_not_touch_the_recording(endpoints: Endpoints) -> None:
    race = endpoints.start("--requests", "3", "--countdown", "1")
    assert race.stderr is not None
    assert race.stdout is not None
    race.stderr.close()
    race.stdout.close()
    race.wait(timeout=DEADLINE_S)

    assert ends(endpoints.log()) == {(0, "ok"): 3, (1, "ok"): 3}


def test_a_home_that_cannot_be_made_is_one_line_and_keeps_nothing(endpoints: Endpoints) -> None:
    done = endpoints.record("--home", "/proc/no-such-folder")

    assert done.returncode == 4
    assert done.stderr.splitlines()[-1].startswith("racelog: cannot create /proc/no-such-folder/races/")


def test_a_wedged_gpu_driver_neither_holds_up_the_race_nor_its_end(
    endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("driver")
    (folder / "pynvml.py").write_text(
        "import time\nclass NVMLError(Exception): pass\ndef nvmlInit():\n    time.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))
    done = endpoints.record("--requests", "1")

    assert done.returncode == 0, done.stderr
    assert ends(endpoints.log()) == {(0, "ok"): 1, (1, "ok"): 1}


def test_what_libraries_print_on_a_childs_stdout_is_no_report(
    endpoints: Endpoints, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / "sitecustomize.py").write_text("print('a library says hello')\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))

    assert endpoints.record("--requests", "1").returncode == 0


def test_a_wrong_path_is_told_from_a_missing_model(endpoints: Endpoints) -> None:
    done = endpoints.record(engines=[endpoints.engines[0].replace("/v1", "/v2")])

    assert done.returncode == 5
    assert "is the base URL right? It usually ends in /v1" in done.stderr


def test_more_connections_than_the_system_allows_are_refused_before_the_race(endpoints: Endpoints) -> None:
    def few_files() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    command = endpoints.command("--requests", "1", "--concurrency", "500")
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=few_files)

    assert done.returncode == 2
    assert "concurrency 500 needs more open files than this system allows" in done.stderr
