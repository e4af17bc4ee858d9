"""HTTP/1.1 over one trio stream: h11 says what the bytes mean, this moves them. No route is known here."""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import h11
import msgspec
import trio
import trio.abc

MAX_HEADER_BYTES = 64 << 10
MAX_BODY_BYTES = 16 << 20
"""A conversation of four million words; more is a mistake."""

REQUEST_TIMEOUT_S = 30
"""From a request's first byte to its last; an idle connection may stay open for as long as it likes."""

_RECEIVE_BYTES = 64 << 10
_JSON = ("Content-Type", "application/json")

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One whole request; ``received_ns`` is ``CLOCK_MONOTONIC`` when its first byte was read, ``headers`` by small names."""

    method: str
    path: str
    body: bytes
    received_ns: int
    headers: dict[str, str]


class BadRequest(Exception):  # noqa: N818 - it is the client's error, not ours
    """The client's bytes cannot be answered; the connection ends after ``status``."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Hangup(Exception):  # noqa: N818 - a decision, not a fault
    """The server ends the connection here, in the middle of a response or before it."""


Handler = Callable[[Request, "Connection"], Awaitable[None]]


async def serve_connection(stream: trio.abc.HalfCloseableStream, handler: Handler) -> None:
    """Answer the requests of one connection in turn until either side ends it. A client that leaves is no error."""
    connection = Connection(stream)
    try:
        while (request := await connection.next_request()) is not None:
            await handler(request, connection)
    except BadRequest as error:
        await connection.refuse(error)
    except (Hangup, trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    finally:
        await trio.aclose_forcefully(stream)


class Connection:
    """One client's connection: reads whole requests, writes responses piece by piece."""

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self._stream = stream
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADER_BYTES)
        self._method = ""

    async def next_request(self) -> Request | None:
        """Return the next request, or None when the client is done.

        Raises:
            BadRequest: it is malformed, too large, or took too long to arrive.
        """
        if self._h11.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            self._h11.start_next_cycle()
        elif self._h11.our_state is not h11.IDLE:
            return None
        with trio.CancelScope() as scope:
            try:
                return await self._read_request(scope)
            except h11.RemoteProtocolError as error:
                raise BadRequest(error.error_status_hint, f"not a valid HTTP request: {error}") from None
        raise BadRequest(408, f"the request did not arrive within {REQUEST_TIMEOUT_S} s of its first byte")

    async def _read_request(self, scope: trio.CancelScope) -> Request | None:
        received_ns = time.monotonic_ns() if self._h11.trailing_data[0] else 0
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                data = await self._receive()
                if data and not received_ns:
                    received_ns = time.monotonic_ns()
                if scope.deadline == math.inf:
                    scope.deadline = trio.current_time() + REQUEST_TIMEOUT_S
                self._h11.receive_data(data)
            elif isinstance(event, h11.Request):
                head, self._method = event, event.method.decode()
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    raise BadRequest(413, f"the body is larger than {MAX_BODY_BYTES >> 20} MiB")
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                path = head.target.decode("latin-1").partition("?")[0]
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
                return Request(self._method, path, bytes(body), received_ns, headers)
            else:
                return None

    async def _receive(self) -> bytes:
        if self._h11.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        return bytes(await self._stream.receive_some(_RECEIVE_BYTES))

    async def respond_json(self, status: int, value: Any, headers: Headers | None = None) -> None:
        """Send a whole response."""
        body = msgspec.json.encode(value)
        head = [_JSON, ("Content-Length", str(len(body))), *(headers or [])]
        await self._stream.send_all(
            self.bytes_of(h11.Response(status_code=status, headers=head))
            + (b"" if self._method == "HEAD" else self.bytes_of(h11.Data(data=body)))
            + self.bytes_of(h11.EndOfMessage())
        )

    async def refuse(self, error: BadRequest) -> None:
        """Answer a request that could not be read, where HTTP still allows it; the connection is over."""
        if self._h11.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        with trio.move_on_after(REQUEST_TIMEOUT_S):
            try:
                await self.respond_json(error.status, error_json(str(error)), [("Connection", "close")])
                # Closing on unread bytes would reset the connection and could destroy the answer on its way.
                await self._stream.send_eof()
                while await self._stream.receive_some(_RECEIVE_BYTES):
                    pass
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    def bytes_of(self, event: h11.Event) -> bytes:
        """Return the bytes that say ``event``, so that they are ready before they are due."""
        return self._h11.send(event) or b""

    async def send_bytes(self, data: bytes) -> None:
        """Write what `bytes_of` made: one call, one segment."""
        await self._stream.send_all(data)

    async def _send(self, event: h11.Event) -> None:
        await self.send_bytes(self.bytes_of(event))


def error_json(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    """Return an error as OpenAI clients know it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}
