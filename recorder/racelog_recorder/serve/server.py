"""Recorded lanes as OpenAI-compatible endpoints, one port each, answering with the race's own words and timing."""

import errno
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import h11
import msgspec
import trio
from msgspec import Struct

from racelog.display.text import printable
from racelog.errors import InputError
from racelog.log.read.reader import RaceLog
from racelog_recorder.serve.answers import Answer, AnswerBook, RecordedLane, recorded_lanes
from racelog_recorder.serve.door import JSON_TYPE, Door, host_of, is_json
from racelog_recorder.serve.frames import Envelope, completion, stream_frames
from racelog_recorder.serve.http import Connection, Hangup, Request, error_json, serve_connection
from racelog_recorder.serve.pacer import Pacer, open_pacer

BACKLOG = 1024
"""Clients that may connect in the same instant, as the lanes of a race do."""

MAX_PORT = 65_535

ROUTES = {"/health": "GET", "/v1/models": "GET", "/v1/chat/completions": "POST"}

_STREAM_HEADERS = [("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache")]


class ServedLane(Struct, frozen=True):
    """Where a lane can be reached, and how it was shown."""

    engine: str
    model: str
    url: str
    color: str
    emoji: str


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _ChatRequest(Struct):
    """What of a chat request matters here; every other parameter is accepted and has no effect on a recording."""

    messages: list[dict[str, Any]]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None


_decoder = msgspec.json.Decoder(_ChatRequest)


@dataclass(frozen=True, slots=True)
class BoundLane:
    """A lane and the socket that listens for it."""

    lane: RecordedLane
    listener: trio.SocketListener

    @property
    def served(self) -> ServedLane:
        """Return where this lane can be reached."""
        host, port = self.listener.socket.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared with, not bound to
        facts = self.lane.facts
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}/v1"
        return ServedLane(facts.engine, self.lane.model, url, facts.color, facts.emoji)


async def serve_lanes(
    log: RaceLog,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    speed: float = 1.0,
    lanes: Sequence[str] = (),
    names: Sequence[str] = (),
    task_status: trio.TaskStatus[list[ServedLane]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the lanes of ``log`` (or those named) until cancelled; reports where they are through ``task_status``.

    Lane ``i`` gets ``port + i``, or any free port when ``port`` is 0. Clients may call this machine by ``names`` too.

    Raises:
        InputError: there is no such lane, or a port cannot be had.
    """
    bound = await bind_lanes(recorded_lanes(log, lanes), host, port)
    await run_lanes(bound, speed, Door(host, names), task_status=task_status)


async def bind_lanes(lanes: Sequence[RecordedLane], host: str, port: int) -> list[BoundLane]:
    """Return every lane with its own listening socket; all of them or none.

    Raises:
        InputError: an address or port cannot be had.
    """
    last = port + len(lanes) - 1
    if port and last > MAX_PORT:
        raise InputError(
            f"{len(lanes)} lanes from port {port} on end at {last}, above {MAX_PORT}; give a smaller --port"
        )
    bound: list[BoundLane] = []
    try:
        for i, lane in enumerate(lanes):
            bound.append(BoundLane(lane, await _listen(host, port + i if port else 0)))
    except BaseException:
        for one in bound:
            one.listener.socket.close()
        raise
    return bound


async def run_lanes(
    bound: Sequence[BoundLane],
    speed: float,
    door: Door,
    *,
    task_status: trio.TaskStatus[list[ServedLane]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer on the sockets of ``bound`` until cancelled, ``speed`` times as fast as recorded; closes them."""
    async with open_pacer() as pacer, trio.open_nursery() as nursery:
        for one in bound:
            server = LaneServer(one.lane, pacer, speed, door)
            nursery.start_soon(trio.serve_listeners, server.serve, [one.listener])
        task_status.started([one.served for one in bound])


async def _listen(host: str, port: int) -> trio.SocketListener:
    try:
        first, *others = await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
    except OSError as error:
        raise InputError(f"cannot listen on {host} port {port}: {_why(error)}") from None
    # A name such as localhost may stand for several addresses; with any free port each would get another one.
    for other in others:
        await other.aclose()
    return first


def _why(error: OSError) -> str:
    cause = error.__cause__
    first = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else error
    code = first.errno if isinstance(first, OSError) else None
    if code == errno.EADDRINUSE:
        return "it is in use; give another --port, or 0 for any free one"
    if code == errno.EACCES:
        return "not allowed; ports below 1024 need privileges"
    return (first.strerror if isinstance(first, OSError) else None) or str(error)


def _stranger(host: str) -> str:
    """Return why a request to the name ``host`` is not answered, and what to do about it."""
    name = printable(host_of(host))[:100]
    return (
        f"this server does not answer to the name {name}: a web page could have given it to this machine. Use the address that "
        f"racelog serve printed, or start it with --allow-host {name}"
    )


class LaneServer:
    """One lane's endpoint."""

    def __init__(self, lane: RecordedLane, pacer: Pacer, speed: float, door: Door) -> None:
        self._lane = lane
        self._door = door
        self._book = AnswerBook(lane.answers)
        self._pacer = pacer
        self._speed = speed
        self._responses = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        """Answer one connection."""
        local = stream.socket.getsockname()[0]
        await serve_connection(stream, partial(self.handle, local=local))

    async def handle(self, request: Request, connection: Connection, local: str = "") -> None:
        """Answer one request that came in on the address ``local``."""
        method = ROUTES.get(request.path)
        host = request.headers.get("host", "")
        if not self._door.lets_in(host, local):
            await connection.respond_json(403, error_json(_stranger(host)))
        elif method is None:
            known = ", ".join(f"{verb} {path}" for path, verb in ROUTES.items())
            await connection.respond_json(404, error_json(f"nothing at {request.path}; there is {known}"))
        elif request.method != method:
            message = f"{request.path} takes {method}, not {request.method}"
            await connection.respond_json(405, error_json(message), [("Allow", method)])
        elif request.path == "/health":
            await connection.respond_json(200, {"status": "ok"})
        elif request.path == "/v1/models":
            model = {"id": self._lane.model, "object": "model", "created": 0, "owned_by": "racelog"}
            await connection.respond_json(200, {"object": "list", "data": [model]})
        elif not is_json(request.headers.get("content-type", "")):
            message = f"the body must say what it is: Content-Type: {JSON_TYPE}"
            await connection.respond_json(415, error_json(message))
        else:
            await self._chat(request, connection)

    async def _chat(self, request: Request, connection: Connection) -> None:
        try:
            chat = _decoder.decode(request.body)
        except (msgspec.DecodeError, RecursionError) as error:
            await connection.respond_json(400, error_json(f"not a chat request: {error}"))
            return
        if not chat.messages:
            await connection.respond_json(400, error_json("messages is empty; a chat needs at least one"))
            return
        answer = self._book.next(chat.messages)
        if answer is None:
            message = "the recording holds no finished answer of this lane"
            await connection.respond_json(503, error_json(message, "server_error"))
            return
        await self._answer(answer, chat, _Exchange(connection, self._pacer, request.received_ns, self._speed))

    async def _answer(self, answer: Answer, chat: _ChatRequest, exchange: "_Exchange") -> None:
        """Say what was recorded, when it was."""
        if answer.outcome == "refused":
            await exchange.refuse(answer)
        elif answer.headers_ns is None or (answer.outcome == "cut" and not chat.stream):
            await exchange.hang_up(answer)
        else:
            self._responses += 1
            envelope = Envelope(f"chatcmpl-racelog-{self._responses}", self._lane.model, int(time.time()))
            if chat.stream:
                usage = chat.stream_options is not None and bool(chat.stream_options.include_usage)
                await exchange.stream(answer, envelope, include_usage=usage)
            else:
                await exchange.whole(answer, envelope)


class _Exchange:
    """One request's answer on the wire, every part at its recorded time after the request came in."""

    def __init__(self, connection: Connection, pacer: Pacer, received_ns: int, speed: float) -> None:
        self._connection = connection
        self._pacer = pacer
        self._received_ns = received_ns
        self._speed = speed

    async def stream(self, answer: Answer, envelope: Envelope, *, include_usage: bool) -> None:
        """Send the answer as server-sent events, each by itself; one that was cut ends the connection."""
        headers = [*_STREAM_HEADERS, ("X-Racelog-Request", str(answer.request))]
        head = self._connection.bytes_of(h11.Response(status_code=200, headers=headers))
        await self._send_at(answer.headers_ns or 0, head)
        for delay_ns, event in stream_frames(answer, envelope, include_usage=include_usage):
            await self._send_at(delay_ns, self._connection.bytes_of(h11.Data(data=event)))
        if answer.outcome == "cut":
            await self.hang_up(answer)
        await self._connection.send_bytes(self._connection.bytes_of(h11.EndOfMessage()))

    async def whole(self, answer: Answer, envelope: Envelope) -> None:
        """Send the answer in one piece, when its last part had arrived."""
        await self._wait(answer.end_ns)
        headers = [("X-Racelog-Request", str(answer.request))]
        await self._connection.respond_json(200, completion(answer, envelope), headers)

    async def refuse(self, answer: Answer) -> None:
        """Answer with the recorded HTTP status."""
        await self._wait(answer.end_ns)
        message = answer.message or f"HTTP {answer.status}"
        await self._connection.respond_json(answer.status, error_json(message, "recorded_error"))

    async def hang_up(self, answer: Answer) -> None:
        """End the connection when the recorded one broke.

        Raises:
            Hangup: always.
        """
        await self._wait(answer.end_ns)
        raise Hangup

    async def _send_at(self, delay_ns: int, data: bytes) -> None:
        await self._wait(delay_ns)
        await self._connection.send_bytes(data)

    async def _wait(self, delay_ns: int) -> None:
        # Rounded up: never early, not even by a nanosecond.
        await self._pacer.wait_until(self._received_ns + math.ceil(delay_ns / self._speed))
