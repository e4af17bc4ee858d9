"""Which deadline a request broke, told from instants alone; then the same over real sockets and a jumping clock."""

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from racelog.clock import NS_PER_S
from racelog.events import RequestEnd, Tokens
from racelog_recorder.plan.deadlines import DEADLINE_NAMES, DEFAULTS, Deadlines
from racelog_recorder.requests.watchdog import FEW, Stopwatch, Watchdog
from tests.recorder.requesting import outcome, recorded

LIMITS = Deadlines(connect_s=1, headers_s=2, first_token_s=3, between_tokens_s=5, total_s=100)


@dataclass
class Arrived:
    token_chunks: int = 0
    last_token_ns: int = 0

    def token(self) -> None:
        self.token_chunks += 1
        self.last_token_ns = time.monotonic_ns()


def broken(watch: Stopwatch, now_s: float) -> str:
    found = watch.overdue(now_s)
    return found[0] if found else ""


def test_until_it_is_sent_only_the_whole_is_limited() -> None:
    watch = Stopwatch(LIMITS, Arrived(), 0)

    assert (broken(watch, 99), broken(watch, 100)) == ("", "timeout")


def test_headers_are_due_from_sent() -> None:
    watch = Stopwatch(LIMITS, Arrived(), 0)
    watch.sent(10)

    assert (broken(watch, 11.9), broken(watch, 12)) == ("", "headers_timeout")


def test_a_request_sent_again_counts_from_the_last_time() -> None:
    watch = Stopwatch(LIMITS, Arrived(), 0)
    watch.sent(10)
    watch.sent(11)

    assert broken(watch, 12.5) == ""


def test_the_first_token_is_due_from_sent_not_from_the_headers() -> None:
    watch = Stopwatch(LIMITS, Arrived(), 0)
    watch.sent(10)
    watch.headers()

    assert (broken(watch, 12.9), broken(watch, 13)) == ("", "first_token_timeout")


def test_a_token_gives_the_next_one_its_time() -> None:
    arrived = Arrived()
    watch = Stopwatch(LIMITS, arrived, 0)
    watch.sent(0)
    watch.headers()
    arrived.token()
    assert broken(watch, 10) == ""
    assert broken(watch, 14) == ""

    found = watch.overdue(15)

    assert found == ("stalled", "no token for 5 s (deadlines.between_tokens), after 1 token chunk")


def test_tokens_do_not_stretch_the_whole() -> None:
    arrived = Arrived()
    watch = Stopwatch(LIMITS, arrived, 0)
    watch.sent(0)
    for now_s in range(100):
        arrived.token()
        assert broken(watch, now_s) == ""

    assert watch.overdue(100) == ("timeout", "no end within 100 s (deadlines.total), after 100 token chunks")


def test_a_token_that_came_in_time_but_was_read_late_is_in_time() -> None:
    arrived = Arrived(token_chunks=1, last_token_ns=time.monotonic_ns() - 4 * NS_PER_S)
    watch = Stopwatch(LIMITS, arrived, 0)
    watch.sent(0)

    assert broken(watch, 50) == ""
    assert broken(watch, 51.1) == "stalled"


def test_a_request_held_back_has_not_begun() -> None:
    watch = Stopwatch(LIMITS, Arrived(), 0)
    watch.begin(float("inf"))
    assert broken(watch, 1000) == ""

    watch.begin(1000)

    assert broken(watch, 1100) == "timeout"


@given(st.data())
def test_no_deadline_is_slept_past(data: st.DataObject) -> None:
    limits = Deadlines(**{f"{name}_s": data.draw(st.floats(0.1, 50)) for name in DEADLINE_NAMES})
    arrived, now_s = Arrived(), 0.0
    watch = Stopwatch(limits, arrived, now_s)
    for step in data.draw(st.lists(st.sampled_from(["sent", "headers", "token"]), max_size=8)):
        due_s = watch.due_s(now_s)
        if step == "sent":
            watch.sent(now_s)
        elif step == "headers":
            watch.headers()
        else:
            arrived.token()
        assert watch.overdue(due_s - 0.01) is None
        now_s = due_s - 0.02


def watched(
    *steps: tuple[float, Callable[[Stopwatch], None]], end_s: float | None = None
) -> list[tuple[float, str]]:
    """Start one watch at each of ``steps``, set up by its function; return what was told in 1,000 s, and when.

    The first watch ends at ``end_s``.
    """
    told: list[tuple[float, str]] = []

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            watchdog = Watchdog()
            nursery.start_soon(watchdog.run)
            first = None
            for at_s, prepare in steps:
                await trio.sleep_until(at_s)
                watch = Stopwatch(LIMITS, Arrived(), trio.current_time())
                prepare(watch)
                begun = watchdog.watch(watch, lambda found: told.append((trio.current_time(), found[0])))
                first = first or begun
            if end_s is not None and first is not None:
                await trio.sleep_until(end_s)
                watchdog.end(first)
            await trio.sleep_until(1000)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return told


def sent_now(watch: Stopwatch) -> None:
    watch.sent(trio.current_time())


def test_the_watchdog_tells_once_and_exactly_when_it_is_due() -> None:
    assert watched((0, sent_now)) == [(2.0, "headers_timeout")]


def test_the_watchdog_wakes_for_a_deadline_that_comes_before_the_one_it_sleeps_for() -> None:
    def begun_long_ago(watch: Stopwatch) -> None:
        watch.begin(trio.current_time() - 99.5)

    assert watched((0, sent_now), (1, begun_long_ago)) == [(1.5, "timeout"), (2.0, "headers_timeout")]


def test_the_watchdog_looks_after_each_of_many() -> None:
    assert watched(*((i / 4, sent_now) for i in range(4))) == [
        (2 + i / 4, "headers_timeout") for i in range(4)
    ]


def test_what_has_ended_is_not_told() -> None:
    assert watched((0, sent_now), (1, sent_now), end_s=1.5) == [(3.0, "headers_timeout")]


def test_what_has_ended_does_not_gather() -> None:
    async def main() -> tuple[int, int]:
        watchdog = Watchdog()
        open_ones = [watchdog.watch(Stopwatch(LIMITS, Arrived(), 0), lambda _: None) for _ in range(100)]
        for _ in range(1000):
            watchdog.end(watchdog.watch(Stopwatch(LIMITS, Arrived(), 0), lambda _: None))
        gathered = len(watchdog)
        for watched in open_ones:
            watchdog.end(watched)
        return gathered, len(watchdog)

    gathered, left = trio.run(main)

    assert gathered <= 2 * (100 + FEW)
    assert left <= 2 * FEW


def test_the_defaults_are_told_in_one_line() -> None:
    assert DEFAULTS == "connect 10s, headers 120s, first_token 120s, between_tokens 30s, total 600s"


def hang(connection: socket.socket) -> None:
    """Wait until the other side has closed."""
    while connection.recv(65536):
        pass


def answering(wire: Any, *pieces: bytes) -> Any:
    """Return a script that answers with ``pieces`` and then waits for the client to leave."""

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(b"".join(pieces))
        hang(connection)

    return script


@pytest.mark.parametrize("transport", ["pump", "httpx"])
@pytest.mark.parametrize(
    "case",
    [
        ("headers_timeout", (), "no status line within 120 s"),
        ("headers_timeout", (b"HTTP/1.1 200 OK\r\nContent-",), "no status line within 120 s"),
        ("first_token_timeout", ("HEAD",), "no token within 120 s"),
        ("first_token_timeout", ("HEAD", ": ping\n\n"), "no token within 120 s"),
        ("stalled", ("HEAD", "CONTENT"), "no token for 30 s"),
        ("stalled", ("HEAD", "CONTENT", ": ping\n\n"), "after 1 token chunk"),
        ("http", (b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nha",), "HTTP 500: (no token within 120 s"),
    ],
)
def test_each_deadline_has_its_kind(
    tmp_path: Path, scripted: Any, wire: Any, transport: str, case: tuple[str, tuple[Any, ...], str]
) -> None:
    kind, pieces, words = case
    named = {"HEAD": wire.HEAD, "CONTENT": wire.chunked(wire.content("a"), last=False)}
    sent = [
        named.get(piece, wire.chunked(str(piece).encode(), last=False)) if isinstance(piece, str) else piece
        for piece in pieces
    ]
    clock = trio.testing.MockClock(autojump_threshold=0.3)
    log = recorded(tmp_path, scripted(answering(wire, *sent)).url, clock=clock, transport=transport)
    (end,) = log.of(RequestEnd)

    assert (end.status, end.error) == ("failed", kind)
    assert words in end.message


def test_a_stream_that_never_ends_is_a_timeout_of_the_whole(tmp_path: Path, scripted: Any, wire: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD)
        while not select.select([connection], [], [], 0.005)[0]:  # until the client leaves
            connection.sendall(wire.chunked(wire.content("a"), last=False))

    log = recorded(tmp_path, scripted(script).url, deadlines=Deadlines(total_s=0.2))
    (end,) = log.of(RequestEnd)

    assert (end.error, end.message[:20]) == ("timeout", "no end within 0.2 s ")
    assert sum(len(batch.r) for batch in log.of(Tokens)) > 1


def test_a_full_accept_queue_is_a_connect_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(address)
        log = recorded(tmp_path, f"http://127.0.0.1:{address[1]}/v1", deadlines=Deadlines(connect_s=0.2))
        for sock in waiting:
            sock.close()

    assert outcome(log) == ("failed", "connect_timeout")


def test_what_expires_closes_the_connection(tmp_path: Path, scripted: Any, wire: Any) -> None:
    closed: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(wire.content("a"), last=False))
        closed.append(connection.recv(1))

    server = scripted(script)
    recorded(tmp_path, server.url, deadlines=Deadlines(between_tokens_s=0.1))
    server.close()

    assert closed == [b""]
