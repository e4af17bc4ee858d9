"""kill -9 of each process of a race: what is left behaves as docs/recording.md says, and every log verifies."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from racelog.events import AnyEvent, Head, LaneEnd, RequestEnd, RequestSent
from racelog.home import stored_races
from racelog.log.read.follow import LogFollower
from racelog.log.read.reader import open_log
from racelog_recorder.cli.watchers import TerminalState
from tests.waiting import awaited

DEADLINE_S = 60.0
REQUESTS = 40

pytestmark = pytest.mark.timeout(150)


class Race:
    """A race on a terminal of its own, whose every process can be found and killed."""

    def __init__(self, urls: list[str], home: Path, requests: int = REQUESTS) -> None:
        self.home = home
        self.screen = bytearray()
        engines = [flag for i, url in enumerate(urls) for flag in ("--engine", f"{'ab'[i]}={url},model=m")]
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "racelog", "record", *engines, "--no-preflight", "--no-calibrate", "--countdown", "0",
             "--rate", "20/s", "--arrival", "constant", "--requests", str(requests), "--home", str(home)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, env={**os.environ, "TERM": "xterm"},
        )  # fmt: skip
        os.close(slave)
        threading.Thread(target=self._swallow, daemon=True).start()

    def _swallow(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self.master, 65536):
                self.screen += data

    def until(self, enough: Callable[[list[AnyEvent]], bool]) -> list[AnyEvent]:
        """Follow the log until ``enough`` of it is there."""
        races = awaited(lambda: stored_races(self.home), DEADLINE_S, lambda: "no race was stored")
        follower = LogFollower(races[0].path)
        seen: list[AnyEvent] = []

        def look() -> bool:
            seen.extend(follower.poll())
            return enough(seen)

        awaited(look, DEADLINE_S, lambda: seen[-3:])
        return seen

    def shown(self, pattern: bytes) -> bytes:
        """Return what was written from the first match of ``pattern`` on, once there is one."""
        match = awaited(
            lambda: re.search(pattern, bytes(self.screen)),
            DEADLINE_S,
            lambda: f"{pattern!r} in {bytes(self.screen[-500:])!r}",
        )
        assert match is not None
        return bytes(self.screen[match.start() :])

    def view(self) -> psutil.Process:
        """Return the view's process, once it is there."""
        recorder = psutil.Process(self.process.pid)

        def plays(child: psutil.Process) -> bool:
            try:
                return "play" in child.cmdline()
            except psutil.NoSuchProcess:  # a lane that ends at this moment says nothing of the view
                return False

        def look() -> list[psutil.Process]:
            return [child for child in recorder.children() if plays(child)]

        return awaited(look, DEADLINE_S, lambda: "the view never came up")[0]

    def verified(self) -> Path:
        """Return the race's log after `racelog verify` found nothing wrong with it."""
        (stored,) = stored_races(self.home)
        self.run("verify", stored.path)
        return stored.path

    def run(self, *arguments: object) -> None:
        """Run a command of racelog's that must succeed."""
        command = [sys.executable, "-m", "racelog", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def start(scripted: Any, wire: Any, tmp_path: Path) -> Iterator[Callable[..., Race]]:
    started: list[Race] = []

    def script(connection: Any, _number: int) -> None:
        while wire.read_request(connection):
            connection.sendall(
                wire.HEAD + wire.chunked(wire.content("hi"), wire.FINISH, wire.USAGE, wire.DONE)
            )

    def begin(**options: int) -> Race:
        started.append(Race([scripted(script).url, scripted(script).url], tmp_path, **options))
        return started[-1]

    yield begin
    for race in started:
        race.process.kill()
        race.process.wait()
        os.close(race.master)


@pytest.fixture
def race(start: Callable[..., Race]) -> Race:
    return start()


def under_way(events: list[AnyEvent]) -> bool:
    return len({event.lane for event in events if isinstance(event, RequestSent)}) == 2


def ok(path: Path) -> dict[int, int]:
    counts: dict[int, int] = {}
    for end in open_log(path).of(RequestEnd):
        counts[end.lane] = counts.get(end.lane, 0) + (end.status == "ok")
    return counts


def test_a_killed_view_costs_nothing(start: Callable[..., Race]) -> None:
    requests = 4 * REQUESTS  # so that a view that takes seconds to come up still finds them racing
    race = start(requests=requests)
    race.until(under_way)
    race.view().kill()

    assert race.process.wait(DEADLINE_S) == 0
    assert ok(race.verified()) == {0: requests, 1: requests}
    assert b"the view ended" in race.screen.rpartition(TerminalState.LEAVE.strip().encode())[2]


def test_after_a_killed_view_lines_tell_how_far_the_race_is_and_what_befalls_it(
    start: Callable[..., Race],
) -> None:
    race = start(requests=100_000)
    seen = race.until(under_way)
    race.view().kill()
    told = race.shown(rb"the view ended \(exit code -9\)[^\n]*\n\d\d:\d\d  a [\d,]+/100,000 ")
    (lane,) = [event.pid for event in seen if isinstance(event, Head) and event.lane == 0]
    assert lane is not None
    os.kill(lane, signal.SIGKILL)
    race.shown(rb"a: .*killed.*; the race goes on without it")
    race.process.terminate()

    assert race.process.wait(DEADLINE_S) == 130
    assert told.startswith(b"the view ended")
    race.shown(rb"sealing the log")


def test_a_killed_conductor_leaves_lanes_that_end_their_segments(race: Race) -> None:
    race.until(under_way)
    race.process.kill()
    race.until(lambda events: sum(isinstance(event, LaneEnd) for event in events) == 2)
    ends = {end.lane: (end.status, end.reason) for end in open_log(race.verified()).of(LaneEnd)}

    assert ends == dict.fromkeys((0, 1), ("stopped", "the conductor is gone"))


def test_what_a_killed_conductor_left_is_made_one_file_of(race: Race) -> None:
    race.until(under_way)
    race.process.kill()
    race.until(lambda events: sum(isinstance(event, LaneEnd) for event in events) == 2)
    counts = ok(race.verified())
    race.run("recover", stored_races(race.home)[0].path)
    path = race.verified()

    assert (path.suffix, ok(path)) == (".rlog", counts)


@pytest.mark.parametrize(
    ("role", "whole", "exit_code", "ends"),
    [
        ("lane", {1: REQUESTS}, 5, {0: "died", 1: "finished"}),
        ("telemetry", {0: REQUESTS, 1: REQUESTS}, 0, {0: "finished", 1: "finished"}),
    ],
)
def test_a_killed_process_costs_no_other_a_request(
    race: Race, role: str, whole: dict[int, int], exit_code: int, ends: dict[int, str]
) -> None:
    seen = race.until(under_way)
    heads = [e for e in seen if isinstance(e, Head) and e.role == role and e.lane in {0, None}]
    assert heads[0].pid is not None
    os.kill(heads[0].pid, signal.SIGKILL)
    with contextlib.suppress(psutil.NoSuchProcess):  # the race is over, and the view stays for the reader
        race.until(lambda events: any(isinstance(e, LaneEnd) and e.lane == 1 for e in events))
        race.view().terminate()
    assert race.process.wait(DEADLINE_S) == exit_code
    path = race.verified()
    counts = ok(path)

    assert {lane: counts[lane] for lane in whole} == whole
    assert {end.lane: end.status for end in open_log(path).of(LaneEnd)} == ends
