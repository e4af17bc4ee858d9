"""Every poller of this platform keeps the same contract."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trio

from racelog_recorder.transports.pump.drain import READ_BYTES, Pump
from racelog_recorder.transports.pump.poller import BYTES, Poller
from racelog_recorder.transports.pump.stamps import Arrival
from tests.recorder.transports.pump.harness import POLLERS


@pytest.fixture(params=sorted(POLLERS))
def poller(request: Any) -> Iterator[Poller]:
    made = POLLERS[request.param]()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def test_a_quiet_socket_is_not_ready(poller: Poller, pair: Any) -> None:
    poller.add(pair[0].fileno())

    assert poller.ready() == []


def test_a_socket_is_ready_when_something_came_and_not_when_all_of_it_was_read(
    poller: Poller, pair: Any
) -> None:
    ours, theirs = pair
    poller.add(ours.fileno())
    theirs.send(b"x")

    assert poller.ready() == [(ours.fileno(), BYTES)]
    ours.recv(1)
    assert poller.ready() == []


def test_a_socket_is_ready_again_when_more_comes_read_or_not(poller: Poller, pair: Any) -> None:
    ours, theirs = pair
    poller.add(ours.fileno())
    theirs.send(b"x")
    first = poller.ready()
    theirs.send(b"y")

    assert first == poller.ready() == [(ours.fileno(), BYTES)]


def test_a_close_by_the_peer_is_something_to_read_and_said_to_be_an_end(poller: Poller, pair: Any) -> None:
    ours, theirs = pair
    poller.add(ours.fileno())
    theirs.close()

    ((fd, event),) = poller.ready()

    assert (fd, event == BYTES) == (ours.fileno(), False)


def test_what_was_removed_is_not_heard_of(poller: Poller, pair: Any) -> None:
    ours, theirs = pair
    poller.add(ours.fileno())
    poller.remove(ours.fileno())
    theirs.send(b"x")

    assert poller.ready() == []


def test_waiting_ends_when_a_socket_is_ready(poller: Poller, pair: Any) -> None:
    ours, theirs = pair

    async def main() -> list[tuple[int, int]]:
        poller.add(ours.fileno())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(poller.wait)
            await trio.testing.wait_all_tasks_blocked()
            theirs.send(b"x")
        return poller.ready()

    assert trio.run(main) == [(ours.fileno(), BYTES)]


def test_one_that_may_wait_for_a_socket_returns_when_it_is_ready(poller: Poller, pair: Any) -> None:
    ours, theirs = pair
    poller.add(ours.fileno())

    quiet = poller.ready(0.001)
    with ThreadPoolExecutor() as beside:
        waiting = beside.submit(poller.ready, 60.0)
        theirs.send(b"x")

        assert ([], [(ours.fileno(), BYTES)]) == (quiet, waiting.result())


def test_a_pump_over_it_reads_all_that_came_however_much(poller: Poller, pair: Any) -> None:
    ours, theirs = pair
    heard: list[bytes] = []
    pump = Pump(poller)
    pump.watch(ours, lambda data, *_: heard.append(data))
    theirs.sendall(b"x" * (2 * READ_BYTES + 1))

    pump.drain()

    assert [len(data) for data in heard] == [READ_BYTES, READ_BYTES, 1]


@pytest.mark.parametrize(
    "sent", [b"last", b"x" * READ_BYTES, b"x" * (READ_BYTES + 1)], ids=["few", "a read", "more"]
)
def test_a_pump_over_it_reads_what_a_peer_sent_before_it_closed_and_the_end(
    poller: Poller, pair: Any, sent: bytes
) -> None:
    ours, theirs = pair
    heard: list[bytes] = []
    pump = Pump(poller)
    pump.watch(ours, lambda data, *_: heard.append(data))
    theirs.sendall(sent)
    theirs.close()

    pump.drain()

    assert (b"".join(heard), heard[-1], len(heard)) == (sent, b"", -(-len(sent) // READ_BYTES) + 1)


def test_a_pump_over_it_drains_sockets_that_come_and_go(poller: Poller, pair: Any) -> None:
    ours, theirs = pair
    heard: list[bytes] = []

    async def main() -> None:
        pump = Pump(poller)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pump.run)
            await trio.testing.wait_all_tasks_blocked()

            def on_read(data: bytes, _when: Arrival, _error: OSError | None) -> None:
                heard.append(data)
                if not data:
                    pump.unwatch(ours)
                    nursery.cancel_scope.cancel()

            pump.watch(ours, on_read)
            theirs.send(b"one")
            while not heard:
                await trio.lowlevel.checkpoint()
            theirs.close()

    trio.run(main)

    assert heard == [b"one", b""]
