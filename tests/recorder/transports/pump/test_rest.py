"""When a pump rests between two drains, so that reads come together; when it looks again within one, so that they do not wait."""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
import trio.testing

from racelog.clock import NS_PER_S
from racelog_recorder.transports.pump.drain import (
    AT_ONCE,
    ENOUGH,
    LARGE_BYTES,
    LATEST_NS,
    LONG_NS,
    LOOKS,
    MANY,
    QUICK_NS,
    REST_S,
    STAMPED_AT_ONCE,
    STAY_NS,
    Pump,
)
from racelog_recorder.transports.pump.poller import BYTES
from racelog_recorder.transports.pump.stamps import SO_TIMESTAMPNS, Arrival

START_NS = 1_000_000_000_000
GAP_NS = 20_000_000


@dataclass
class Streams:
    """Sockets and their poller on a clock that a script moves; ``script`` has what is ready at each look."""

    kernel: bool = True
    now_ns: int = START_NS
    script: list[list[int]] = field(default_factory=list)
    waits: int = 0
    read_ns: int = 0
    read_at_ns: list[int] = field(default_factory=list)
    looked_s: list[float] = field(default_factory=list)

    def monotonic_ns(self) -> int:
        return self.now_ns

    def ready(self, within_s: float = 0.0) -> list[tuple[int, int]]:
        with suppress(RuntimeError):  # drained without a loop
            self.looked_s.append(trio.current_time())
        if self.script:
            return [(fd, BYTES) for fd in self.script.pop(0)]
        self.now_ns += round(within_s * NS_PER_S)
        return []

    async def wait(self) -> None:
        self.waits += 1
        if not self.script:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()

    def add(self, fd: int) -> None:
        pass

    def remove(self, fd: int) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass
class Stream:
    streams: Streams
    fd: int
    family: int = socket.AF_INET

    def fileno(self) -> int:
        return self.fd

    def getsockopt(self, _level: int, _option: int) -> int:
        return self.streams.kernel

    def recvmsg(self, _size: int, _room: int) -> tuple[bytes, list[Any], int, None]:
        self.streams.read_at_ns.append(self.streams.now_ns - START_NS)
        stamp = struct.pack("@ll", *divmod(self.streams.now_ns, 1_000_000_000))
        return b"x", [(socket.SOL_SOCKET, SO_TIMESTAMPNS, stamp)], 0, None

    def recv(self, _size: int) -> bytes:
        self.streams.now_ns += self.streams.read_ns
        return b"x"


def pump_of(streams: Streams, number: int, on_read: Callable[[int], None] = lambda _fd: None) -> Pump:
    pump = Pump(streams, monotonic_ns=streams.monotonic_ns, offset_ns=lambda: 0)
    for fd in range(number):
        pump.watch(Stream(streams, fd), lambda *_, fd=fd: on_read(fd))  # type: ignore[arg-type]  # a scripted socket
    return pump


@pytest.mark.parametrize(
    ("number", "ready", "gap_ns", "kernel", "rests"),
    [
        pytest.param(MANY, 3, GAP_NS, True, True, id="many streams, few ready"),
        pytest.param(MANY - 1, 3, GAP_NS, True, False, id="few streams"),
        pytest.param(ENOUGH, ENOUGH, GAP_NS, True, False, id="a large drain"),
        pytest.param(MANY, 3, QUICK_NS - 1, True, False, id="streams as fast as a rest is long"),
        pytest.param(MANY, 3, GAP_NS, False, False, id="no kernel stamps"),
        pytest.param(MANY, 0, GAP_NS, True, False, id="nothing ready"),
    ],
)
def test_a_pump_rests_where_it_costs_no_accuracy_and_saves_turns(
    number, ready, gap_ns, kernel, rests
) -> None:
    streams = Streams(kernel=kernel)
    pump = pump_of(streams, number)
    streams.now_ns += gap_ns
    streams.script = [list(range(ready))]

    pump.drain()

    assert pump.may_rest is rests


def test_one_quick_stream_among_many_does_not_keep_it_from_resting() -> None:
    streams = Streams()
    pump = pump_of(streams, MANY)
    streams.now_ns += GAP_NS
    streams.script = [[0], list(range(8))]
    pump.drain()
    streams.now_ns += QUICK_NS - 1

    pump.drain()

    assert pump.may_rest


def test_it_rests_until_a_drain_finds_nothing_and_then_waits_for_its_sockets() -> None:
    streams = Streams()
    pump = pump_of(streams, MANY)
    streams.now_ns += GAP_NS
    streams.script = [[0], [1], [2], []]

    async def run() -> None:
        with trio.move_on_after(1):
            await pump.run()

    trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))

    assert streams.looked_s == pytest.approx([0, REST_S, 2 * REST_S, 3 * REST_S])
    assert streams.waits == 2


@pytest.mark.parametrize(
    ("number", "kernel", "stays"),
    [
        pytest.param(MANY, False, True, id="many streams without kernel stamps"),
        pytest.param(MANY - 1, False, False, id="few streams"),
        pytest.param(MANY, True, False, id="kernel stamps"),
    ],
)
def test_a_pump_stays_in_its_own_loop_where_a_turn_of_the_event_loop_would_make_stamps_late(
    number, kernel, stays
) -> None:
    streams = Streams(kernel=kernel)
    given: list[int] = []
    pump = pump_of(streams, number, given.append)
    streams.script = [[0], [1], [2]]

    pump.drain()

    assert (given, streams.now_ns - START_NS) == (([0, 1, 2], STAY_NS) if stays else ([0], 0))


def test_a_pump_that_stays_gives_the_event_loop_its_turn_however_much_comes() -> None:
    streams = Streams(kernel=False)
    given: list[int] = []

    def slowly(fd: int) -> None:
        given.append(fd)
        streams.now_ns += STAY_NS // 4

    pump = pump_of(streams, MANY, slowly)
    streams.script = [[fd] for fd in range(9)]

    pump.drain()

    assert given == [0, 1, 2, 3]


def looking(streams: Streams, progress: Callable[[], int]) -> list[int]:
    """Return a list that notes how far ``progress`` is at each look."""
    looked: list[int] = []
    ready = streams.ready

    def look(within_s: float = 0.0) -> list[tuple[int, int]]:
        looked.append(progress())
        return ready(within_s)

    streams.ready = look  # type: ignore[method-assign]
    return looked


def test_it_looks_again_before_much_is_handed_on() -> None:
    streams = Streams()
    given: list[int] = []
    pump = pump_of(streams, 2 * STAMPED_AT_ONCE + 2, given.append)
    first, second = list(range(2 * STAMPED_AT_ONCE)), [2 * STAMPED_AT_ONCE, 0]
    streams.script = [[0], first, second]
    pump.drain()
    looked = looking(streams, lambda: len(given) - 1)

    pump.drain()

    assert looked == [0, STAMPED_AT_ONCE, 2 * STAMPED_AT_ONCE]
    assert given == [0, *first, *second]


def test_where_the_kernel_does_not_stamp_it_looks_again_before_much_is_read_or_handed_on() -> None:
    streams = Streams(kernel=False, read_ns=1)
    given: list[int] = []
    pump = pump_of(streams, MANY - 1, given.append)
    streams.script = [list(range(2 * AT_ONCE))]
    looked = looking(streams, lambda: (streams.now_ns - START_NS) + len(given))

    pump.drain()

    assert looked == [0, AT_ONCE, 2 * AT_ONCE + AT_ONCE]
    assert given == list(range(2 * AT_ONCE))


def test_bytes_came_when_the_last_look_before_their_read_showed_them() -> None:
    streams = Streams(kernel=False, read_ns=10)
    came: list[int] = []
    pump = Pump(streams, monotonic_ns=streams.monotonic_ns, offset_ns=lambda: 0)
    for fd in range(AT_ONCE + 2):
        pump.watch(Stream(streams, fd), lambda _, when, __: came.append(when.t_ns - START_NS))  # type: ignore[arg-type]  # a scripted socket
    streams.script = [list(range(AT_ONCE + 2)), [AT_ONCE + 1]]

    pump.drain()

    assert came == [0] * (AT_ONCE + 1) + [AT_ONCE * 10]


def test_a_socket_that_is_let_go_while_it_waits_to_be_read_is_not_read() -> None:
    streams = Streams(kernel=False)
    given: list[int] = []
    pump = Pump(streams, monotonic_ns=streams.monotonic_ns, offset_ns=lambda: 0)
    socks = [Stream(streams, fd) for fd in range(2)]
    for fd, sock in enumerate(socks):
        pump.watch(sock, lambda *_, fd=fd: given.append(fd))  # type: ignore[arg-type]  # a scripted socket
    pump.drain()
    pump._ready.update({0: START_NS, 1: START_NS})

    pump.unwatch(socks[1])  # type: ignore[arg-type]  # a scripted socket
    pump.drain()

    assert given == [0]


def test_what_is_too_much_for_one_turn_of_the_loop_is_held_for_the_next() -> None:
    streams = Streams()
    given: list[int] = []
    everyone = list(range(2 * STAMPED_AT_ONCE))
    pump = pump_of(streams, len(everyone), given.append)
    streams.script = [everyone] * LOOKS

    pump.drain()
    in_one_turn = len(given)
    pump.drain()

    assert in_one_turn == LOOKS * STAMPED_AT_ONCE
    assert given == everyone * LOOKS


def test_the_loop_of_a_pump_that_holds_something_does_not_wait_for_its_sockets() -> None:
    streams = Streams()
    given: list[int] = []
    everyone = list(range(2 * STAMPED_AT_ONCE))
    pump = pump_of(streams, len(everyone), given.append)
    streams.script = [everyone] * LOOKS

    async def run() -> None:
        with trio.move_on_after(1):
            await pump.run()

    trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))

    assert given == everyone * LOOKS
    assert streams.waits == 2


def test_nothing_more_is_read_while_what_is_held_is_too_old() -> None:
    streams = Streams()
    everyone = list(range(2 * STAMPED_AT_ONCE))

    def slowly(_fd: int) -> None:
        streams.now_ns += LATEST_NS // STAMPED_AT_ONCE

    pump = pump_of(streams, len(everyone), slowly)
    streams.script = [everyone, everyone]
    pump.drain()
    pump.drain()

    assert streams.read_at_ns == [0] * len(everyone) + [2 * LATEST_NS] * len(everyone)


def test_after_a_read_that_took_long_to_parse_the_event_loop_has_its_turn_before_the_next() -> None:
    now_ns, taken = START_NS, []

    def unpack(data: bytes, _when: object, _error: object) -> None:
        nonlocal now_ns
        now_ns += LONG_NS + STAY_NS
        taken.append(len(data))

    pump = Pump(monotonic_ns=lambda: now_ns, offset_ns=lambda: 0)
    pairs = [socket.socketpair() for _ in range(3)]
    for far, near in pairs:
        near.setblocking(False)
        pump.watch(near, unpack)
        far.sendall(b"x" * LARGE_BYTES)
    counts = []
    for _ in pairs:
        pump.drain()
        counts.append(len(taken))
    for far, near in pairs:
        pump.unwatch(near)
        far.close()
        near.close()

    assert counts == [1, 2, 3]


def test_the_event_loop_has_its_turn_between_the_parts_of_a_read_that_take_long() -> None:
    now_ns, turns = START_NS, []
    pump = Pump(monotonic_ns=lambda: now_ns, offset_ns=lambda: 0)

    def part(data: bytes, when: Arrival, error: OSError | None) -> None:
        nonlocal now_ns
        now_ns += LONG_NS + STAY_NS
        turns.append((data, error))
        if len(turns) < 3:
            pump.again(when, part)

    pump.again(Arrival(now_ns, "k"), part)
    counts = []
    for _ in range(3):
        pump.drain()
        counts.append(len(turns))

    assert (counts, turns) == ([1, 2, 3], [(b"", None)] * 3)
