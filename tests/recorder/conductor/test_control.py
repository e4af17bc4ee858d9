"""Orders to the lanes, on real lanes: pause, resume, eliminate, stop; and the open loop's schedule through them."""

import threading
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

from racelog.events import AnyEvent, Control, LaneEnd, LaneStart, RequestEnd, RequestScheduled, RequestSent
from racelog.log.read.follow import LogFollower
from racelog.log.read.reader import open_log
from racelog_recorder.conductor.conductor import Conductor
from racelog_recorder.load.open_loop import NEVER_SENT, TOO_LATE
from racelog_recorder.machine.affinity import allowed_cpus
from racelog_recorder.plan.arrivals import OpenLoop, due_ns
from racelog_recorder.plan.model import EnginePlan, RacePlan
from racelog_recorder.preflight.preflight import Checked

pytestmark = pytest.mark.timeout(120)

MESSAGES = tuple([{"role": "user", "content": f"prompt {number}"}] for number in range(5))
Then = Callable[["Driver"], Awaitable[None]]


class Driver:
    """A race under way: what its log says so far, and its conductor to give orders to."""

    def __init__(self, conductor: Conductor, live: Path) -> None:
        self.conductor = conductor
        self._follower: LogFollower | None = None
        self._live = live
        self.seen: list[AnyEvent] = []

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.seen if isinstance(event, kind)]

    async def until(self, enough: Callable[["Driver"], bool]) -> None:
        await self.conductor.recording.wait()
        self._follower = self._follower or LogFollower(self._live)
        self.seen += self._follower.poll()
        while not enough(self):
            self.seen += self._follower.poll()
            await trio.sleep(0.01)  # polls a file that other processes write

    async def until_quiet(self) -> None:
        """Return when every request has ended and nothing new has come for two flush windows."""
        quiet = 0
        while quiet < 50:
            before = len(self.of(RequestScheduled))
            await self.until(lambda driver: len(driver.of(RequestScheduled)) == len(driver.of(RequestEnd)))
            await trio.sleep(0.01)  # as in `until`
            quiet = quiet + 1 if len(self.of(RequestScheduled)) == before else 0


def ended(driver: Driver, lane: int) -> int:
    return sum(end.lane == lane for end in driver.of(RequestEnd))


@pytest.fixture
def engines(scripted: Any, wire: Any) -> list[str]:
    """Two engines that answer every request on a connection with one token."""

    def script(connection: Any, _number: int) -> None:
        while wire.read_request(connection):
            answer = wire.chunked(wire.content("hi"), wire.FINISH, wire.USAGE, wire.DONE)
            connection.sendall(wire.HEAD + answer)

    return [scripted(script).url, scripted(script).url]


def race(
    urls: list[str], live: Path, then: Then | None = None, *, key: str = "", **plan: Any
) -> tuple[Driver, list[AnyEvent]]:
    """Race ``urls`` with real lanes, and ``then`` beside it; return the driver and the finished log."""
    names = "ab"
    asked = RacePlan(
        engines=tuple(EnginePlan(name=names[i], url=url, model="m", api_key_env=key) for i, url in enumerate(urls)),
        prompts=MESSAGES, countdown_s=0.0, calibrate=False, **plan,
    )  # fmt: skip
    conductor = Conductor(asked, [Checked("m") for _ in urls], {}, tell=lambda _text: None)
    driver = Driver(conductor, live)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            if then is not None:
                nursery.start_soon(then, driver)
            await conductor.run(live)
            nursery.cancel_scope.cancel()

    trio.run(main)
    return driver, list(open_log(live).events)


def by_lane(events: list[AnyEvent], go: int) -> dict[int, list[tuple[int, int]]]:
    """Return each lane's schedule: (when after the start, prompt) by request."""
    lanes: dict[int, dict[int, tuple[int, int]]] = {}
    for event in events:
        if isinstance(event, RequestScheduled):
            lanes.setdefault(event.lane, {})[event.req] = (event.t - go, event.prompt)
    return {lane: [requests[number] for number in sorted(requests)] for lane, requests in lanes.items()}


def order(events: list[AnyEvent], what: str) -> Control:
    (found,) = [event for event in events if isinstance(event, Control) and event.what == what]
    return found


def test_every_lane_sends_the_same_prompt_at_the_same_intended_instant(
    engines: list[str], tmp_path: Path
) -> None:
    load = OpenLoop(rate_per_s=200)
    _, events = race(engines, tmp_path / "r.live", load=load, requests=30, seed=5)
    lanes = by_lane(events, order(events, "go").t)

    assert lanes[0] == lanes[1]
    assert [t for t, _ in lanes[0]] == list(islice(due_ns(load, 5), 30))


def test_a_request_is_never_sent_before_it_is_due(engines: list[str], tmp_path: Path) -> None:
    _, events = race(engines, tmp_path / "r.live", load=OpenLoop(rate_per_s=200), requests=30)
    due = {(e.lane, e.req): e.t for e in events if isinstance(e, RequestScheduled)}
    sent = {(e.lane, e.req): e.t for e in events if isinstance(e, RequestSent)}

    assert len(sent) == 60
    assert all(sent[key] >= due[key] for key in sent)


def test_a_pause_moves_the_rest_of_the_schedule_by_its_length_on_every_lane(
    engines: list[str], tmp_path: Path
) -> None:
    load = OpenLoop(rate_per_s=40, arrival="constant")

    async def pause_a_while(driver: Driver) -> None:
        await driver.until(lambda driver: ended(driver, 0) >= 5 <= ended(driver, 1))
        driver.conductor.pause()
        await driver.until(lambda driver: bool(driver.of(Control)) and driver.conductor.control.paused)
        await driver.until_quiet()  # every lane has heard: what it sent before is in the log
        driver.conductor.resume()

    _, events = race(engines, tmp_path / "r.live", pause_a_while, load=load, requests=120)
    go, pause, resume = (order(events, what).t for what in ("go", "pause", "resume"))
    planned = list(islice(due_ns(load, 0), 120))

    for schedule in by_lane(events, go).values():
        before = [t for t, _ in schedule if t + go < resume]
        assert before == planned[: len(before)]
        assert [t for t, _ in schedule[len(before) :]] == [t + resume - pause for t in planned[len(before) :]]


def test_a_paused_closed_loop_sends_nothing_until_it_is_resumed(engines: list[str], tmp_path: Path) -> None:
    quiet: list[int] = []

    async def pause_a_while(driver: Driver) -> None:
        await driver.until(lambda driver: ended(driver, 0) >= 3)
        driver.conductor.pause()
        await driver.until(lambda driver: any(order.what == "pause" for order in driver.of(Control)))
        await driver.until(lambda driver: len(driver.of(RequestScheduled)) == len(driver.of(RequestEnd)) > 0)
        quiet.append(max(end.t for end in driver.of(RequestEnd)))
        driver.conductor.resume()

    _, events = race(engines, tmp_path / "r.live", pause_a_while, requests=400, concurrency=1)
    resumed = order(events, "resume").t

    assert [e for e in events if isinstance(e, RequestSent) and quiet[0] < e.t < resumed] == []
    assert sum(isinstance(e, RequestEnd) for e in events) == 800


def test_an_eliminated_lane_stops_and_the_other_runs_on(engines: list[str], tmp_path: Path) -> None:
    async def eliminate(driver: Driver) -> None:
        await driver.until(lambda driver: ended(driver, 0) >= 3)
        driver.conductor.eliminate(0)
        driver.conductor.eliminate(7)

    driver, events = race(engines, tmp_path / "r.live", eliminate, load=OpenLoop(rate_per_s=50), requests=150)
    ends = {end.lane: (end.status, end.reason) for end in events if isinstance(end, LaneEnd)}

    assert ends == {0: ("stopped", "eliminated"), 1: ("finished", "")}
    assert (order(events, "eliminate").lane, driver.conductor.outcome.exit_code) == (0, 0)
    assert sum(isinstance(e, RequestEnd) and e.lane == 1 for e in events) == 150


def test_a_lane_eliminated_before_its_turn_never_starts(engines: list[str], tmp_path: Path) -> None:
    async def eliminate(driver: Driver) -> None:
        await driver.until(lambda driver: bool(driver.of(LaneStart)))
        driver.conductor.eliminate(1)

    _, events = race(engines, tmp_path / "r.live", eliminate, grid="time-trial", requests=20)

    assert [start.lane for start in events if isinstance(start, LaneStart)] == [0]
    assert {e.lane: e.reason for e in events if isinstance(e, LaneEnd)} == {0: "", 1: "eliminated"}


def test_a_stop_ends_a_pause(engines: list[str], tmp_path: Path) -> None:
    async def pause_and_stop(driver: Driver) -> None:
        await driver.until(lambda driver: ended(driver, 0) >= 2)
        driver.conductor.pause()
        driver.conductor.stop()

    driver, events = race(engines, tmp_path / "r.live", pause_and_stop, requests=10_000, concurrency=2)

    assert {end.status for end in events if isinstance(end, LaneEnd)} == {"stopped"}
    assert {end.status for end in events if isinstance(end, RequestEnd)} == {"ok"}
    assert driver.conductor.outcome.stopped


def test_no_more_are_open_than_max_open_and_the_wait_is_on_record(
    scripted: Any, wire: Any, tmp_path: Path
) -> None:
    def script(connection: Any, _number: int) -> None:
        while wire.read_request(connection):
            connection.sendall(wire.HEAD + wire.chunked(wire.content("hi"), wire.FINISH, wire.DONE))

    load = OpenLoop(rate_per_s=2000, arrival="constant", max_open=1)
    _, events = race([scripted(script).url], tmp_path / "r.live", load=load, requests=40)
    sent = sorted(e.t for e in events if isinstance(e, RequestSent))
    done = sorted(e.t for e in events if isinstance(e, RequestEnd))

    assert [t for t, _ in by_lane(events, order(events, "go").t)[0]] == list(islice(due_ns(load, 0), 40))
    assert all(later >= earlier for earlier, later in zip(done, sent[1:], strict=False))


def test_room_goes_to_the_request_that_was_due_first_though_a_later_one_was_made_ready_first(
    engines: list[str], tmp_path: Path
) -> None:
    load = OpenLoop(rate_per_s=150, max_open=1)
    _, events = race(engines[:1], tmp_path / "r.live", load=load, requests=150)

    assert list(range(150)) == [e.req for e in events if isinstance(e, RequestSent)]


def test_what_waits_for_room_when_the_race_is_stopped_was_never_sent(
    scripted: Any, wire: Any, tmp_path: Path
) -> None:
    def script(connection: Any, _number: int) -> None:
        wire.read_request(connection)
        connection.recv(1)

    async def stop(driver: Driver) -> None:
        await driver.until(lambda driver: len(driver.of(RequestScheduled)) >= 3)
        driver.conductor.stop()
        driver.conductor.stop()

    load = OpenLoop(rate_per_s=100, arrival="constant", max_open=1)
    _, events = race([scripted(script).url], tmp_path / "r.live", stop, load=load, requests=10_000)
    ends = {e.req: (e.status, e.message == NEVER_SENT) for e in events if isinstance(e, RequestEnd)}
    asked = {e.req for e in events if isinstance(e, RequestScheduled)}

    assert ends.keys() == asked
    assert ends[0] == ("cancelled", False)
    assert {ends[number] for number in asked - {0}} == {("cancelled", True)}


def test_no_process_of_a_race_inherits_the_key_of_any_engine(
    engines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_A", "planted-a")
    monkeypatch.setenv("SOME_API_KEY", "planted-other")
    inherited: list[dict[str, str]] = []

    async def look(driver: Driver) -> None:
        await driver.until(lambda driver: bool(driver.of(LaneStart)))
        inherited.extend(child.environ() for child in psutil.Process().children())

    race(engines, tmp_path / "r.live", look, requests=200, key="ENGINE_A")
    values = {value for environment in inherited for value in environment.values()}

    assert inherited
    assert [value for value in values if "planted" in value] == []


def test_what_waits_for_room_when_the_duration_is_over_is_never_sent(
    scripted: Any, wire: Any, tmp_path: Path
) -> None:
    over = threading.Event()

    def script(connection: Any, _number: int) -> None:
        while wire.read_request(connection):
            over.wait(60)
            connection.sendall(wire.HEAD + wire.chunked(wire.content("hi"), wire.FINISH, wire.DONE))

    async def answer(driver: Driver) -> None:
        await driver.until(lambda driver: any(end.message == TOO_LATE for end in driver.of(RequestEnd)))
        over.set()

    load = OpenLoop(rate_per_s=20, arrival="constant", max_open=2)
    _, events = race([scripted(script).url], tmp_path / "r.live", answer, load=load, duration_s=0.4)
    ends = {e.req: (e.status, e.message == TOO_LATE) for e in events if isinstance(e, RequestEnd)}

    assert ends == {number: ("ok", False) if number < 2 else ("cancelled", True) for number in range(8)}
    assert sorted(e.req for e in events if isinstance(e, RequestSent)) == [0, 1]


@pytest.mark.skipif(not allowed_cpus(), reason="this system pins no processes")
def test_a_pinned_lane_says_on_which_cpu_it_ran(engines: list[str], tmp_path: Path) -> None:
    cpu = allowed_cpus()[-1]
    _, events = race(engines, tmp_path / "r.live", requests=1, pin=(cpu,))

    assert [start.cpus for start in events if isinstance(start, LaneStart)] == [[cpu], [cpu]]


def test_a_stop_is_heard_after_the_last_lane_has_ended(engines: list[str], tmp_path: Path) -> None:
    driver, _ = race(engines, tmp_path / "r.live", requests=1)
    stopped = driver.conductor.stop("signal")

    assert (stopped, driver.conductor.outcome.exit_code, driver.conductor.control.over) == (1, 130, True)
