"""The plain httpx transport with user stamps, for what the pump does not speak (HTTPS for now).

It serves the same three request extensions as `pump.transport`, so a lane never knows the difference; every chunk
it stamps says ``user`` in the log.
"""

import time
from collections.abc import AsyncIterator

import httpx2

from racelog_recorder.due import Hold
from racelog_recorder.pump.exchange import BodySink
from racelog_recorder.pump.stamps import USER, Arrival
from racelog_recorder.pump.transport import OnSent, Sent


class StampedPlainTransport(httpx2.AsyncHTTPTransport):
    """httpx's own transport; arrivals are stamped when the body iterator gives them.

    The send is stamped before the call, so it includes connecting where a new connection is needed.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send ``request``; feed the body of a successful response to its sink."""
        on_sent: OnSent | None = request.extensions.get("racelog.on_sent")
        sink: BodySink | None = request.extensions.get("racelog.sink")
        hold: Hold | None = request.extensions.get("racelog.hold")
        if hold:
            await hold()
        if on_sent:
            on_sent(Sent(time.monotonic_ns(), "", None))
        response = await super().handle_async_request(request)
        headers_at = Arrival(time.monotonic_ns(), USER)
        response.extensions["racelog.headers_at"] = headers_at
        if sink is not None and response.is_success:
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _Tee(response.stream, sink)
        return response


class _Tee(httpx2.AsyncByteStream):
    """Feeds a body to a sink, piece by piece; nothing is left for the reader."""

    def __init__(self, stream: httpx2.AsyncByteStream, sink: BodySink) -> None:
        self._stream = stream
        self._sink = sink

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            self._sink.read_begins(Arrival(time.monotonic_ns(), USER))
            self._sink.body(data)
            self._sink.read_ends()
        yield b""

    async def aclose(self) -> None:
        await self._stream.aclose()
