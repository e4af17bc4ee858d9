"""One HTTP/1.1 exchange on one connection, sans-IO: request bytes out, stamped response pieces in.

httptools (llhttp) parses; at 1,000 streams its C callbacks cost about a microsecond a chunk where a parser in
Python costs tens. The body goes to a sink by plain calls: waking a task per token would cost more than the rest
of the path together.
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Protocol

import httptools

from racelog_recorder.transports.pump.encoding import EncodingFault, Inflater, decoder_for
from racelog_recorder.transports.pump.stamps import Arrival

MAX_HEADER_BYTES = 256 * 1024
MAX_HEADERS = 256
MAX_BUFFERED_BYTES = 4 << 20
"""A response without a sink (a model list, an error) is read up to here, and ends here: nobody wants more of it."""

MAX_ERROR_BYTES = 64 << 10
"""The same of an answer that is no success, of which there may be as many as requests."""

AT_ONCE_BYTES = 256 << 10
"""So much of what a packed body unfolds into is handed on at once: 10 ms of parsing, and 0.1 s where every message is odd."""

CUT_SHORT = "the connection was closed before the response was complete"


class BodySink(Protocol):
    """Takes a response body as it arrives; `read` brackets every read of the socket."""

    def read_begins(self, when: Arrival) -> None:
        """A read arrived; the pieces that follow share its stamp."""
        ...

    def body(self, data: bytes) -> None:
        """Take the next piece of the decoded body."""
        ...

    def read_ends(self) -> None:
        """The read's last piece was given."""
        ...


class Exchange:
    """Parses one response. ``headers_at``, ``finished``, ``keep_alive`` and ``failure`` say how far it is.

    ``failure`` is a short text when the bytes are no HTTP response; feeding after `finished` is ignored by the
    protocol's rule that a client sends one request at a time. A compressed body is unfolded here, after stamping;
    ``headers`` then no longer say so. One read of it can unfold into minutes of parsing: while ``unfolding``, `go_on` hands on
    more of that read, before anything else is fed. Trailers are passed over.
    """

    def __init__(self, sink: BodySink | None) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.headers_at: Arrival | None = None
        self.last_at: Arrival | None = None
        self.received_bytes = 0
        self.finished = False
        self.keep_alive = False
        self.failure = ""
        self.unfolding = False
        self.buffered: list[bytes] = []
        self.sink = sink
        self._when: Arrival | None = None
        self._informational = False
        self._inflater: Inflater | None = None
        self._packed: list[bytes] = []
        self._pieces: Iterator[bytes] = iter(())
        self._complete_later: bool | None = None
        self._bodiless_bytes = 0
        self._buffered_bytes = 0
        self._give: Callable[[bytes], None] = self._keep
        self._parser = httptools.HttpResponseParser(self)

    @property
    def _succeeded(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110 §15.3

    def feed(self, data: bytes, when: Arrival) -> None:
        """Take the bytes of one read."""
        if self.finished or self.failure:  # bytes that nobody asked for: never reuse this connection
            self.keep_alive = False
            return
        self._when = self.last_at = when
        self.received_bytes += len(data)
        self._bodiless_bytes += len(data)
        sink = self.sink
        if sink:
            sink.read_begins(when)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.failure = "the server switched protocols"
        except httptools.HttpParserError as error:
            self.failure = self.failure or f"no valid HTTP response: {error}"
        if self._bodiless_bytes > MAX_HEADER_BYTES and not self.finished:
            self.failure = self.failure or f"response headers exceed {MAX_HEADER_BYTES} bytes"
        if self._packed:
            assert self._inflater is not None
            self._pieces = chain.from_iterable(map(self._inflater.feed, self._packed))
            self._packed, self.unfolding = [], True
            self._unfold()
        self._read_ends()

    def go_on(self) -> None:
        """Hand on more of what the last read unfolds into. To the sink that is a read of its own: the lane may write between."""
        if self.sink and self._when:
            self.sink.read_begins(self._when)
        self._unfold()
        self._read_ends()

    def _unfold(self) -> None:
        """Hand on `AT_ONCE_BYTES` or a little more."""
        given = 0
        try:
            while self.unfolding and given < AT_ONCE_BYTES:
                piece = next(self._pieces, b"")
                if piece and not (self.finished or self.failure):
                    self._give(piece)
                    given += len(piece)
                else:
                    self.unfolding = False
        except EncodingFault as error:
            self.failure, self.unfolding = str(error), False
        if not self.unfolding:
            self._pieces = iter(())
            if self._complete_later is not None and not self.finished:
                self._complete(keep_alive=self._complete_later)

    def _read_ends(self) -> None:
        """Note that a read, or as much of it as goes at once, is handed on."""
        if self.sink:
            self.sink.read_ends()
        if (
            self.finished or self.failure
        ):  # it holds our methods: a circle, and no garbage collector runs while a lane races
            del self._parser, self._give

    def closed(self, when: Arrival, *, farewell: bool = True) -> None:
        """The peer closed the connection: ends a body that has no length, breaks any other.

        Without ``farewell`` (a TLS connection cut without close_notify) it proves the end of no body at all.
        """
        if self.finished or self.failure:
            return
        self.last_at = when
        framed = {name for name, _ in self.headers} & {b"content-length", b"transfer-encoding"}
        if self.headers_at and not framed and farewell:
            self._complete(keep_alive=False)
        else:
            self.failure = CUT_SHORT

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep one header (called by the parser); trailers and what follows the message are not kept."""
        if self.finished or self.headers_at:
            return
        if len(self.headers) >= MAX_HEADERS:
            self.failure = f"response headers exceed {MAX_HEADERS} lines"
            raise ValueError(self.failure)
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Note the status line (called by the parser); 1xx responses are passed over."""
        if self.finished or self._complete_later is not None:
            return
        self.status = self._parser.get_status_code()
        self._informational = 100 <= self.status < 200  # noqa: PLR2004 - RFC 9110 §15.2
        if self._informational:
            self.headers.clear()
            return
        self.headers_at = self._when
        if self.sink and self._succeeded:  # the rest is read
            self._give = self.sink.body
        encodings = [value for name, value in self.headers if name == b"content-encoding"]
        try:
            self._inflater = decoder_for(b",".join(encodings).decode("latin-1"))
        except EncodingFault as error:  # an error's body is shown as it is
            self.failure = str(error) if self._succeeded else ""
        if self._inflater:
            self.headers = [(name, value) for name, value in self.headers if name != b"content-encoding"]

    def on_body(self, data: bytes) -> None:
        """Hand on a piece of the body (called by the parser)."""
        if self.finished or self.failure or self._complete_later is not None:
            return
        self._bodiless_bytes = 0
        if self._inflater is None:
            self._give(data)
        else:
            self._packed.append(data)

    def _keep(self, data: bytes) -> None:
        """Buffer a piece of a body that no sink takes; one that goes on for too long is not read on."""
        self._buffered_bytes += len(data)
        self.buffered.append(data)
        if self._buffered_bytes > (MAX_BUFFERED_BYTES if self._succeeded else MAX_ERROR_BYTES):
            self.finished, self.keep_alive = True, False

    def on_message_complete(self) -> None:
        """Note the end (called by the parser)."""
        if self._informational:
            self._informational = False
            return
        if self.finished or self._complete_later is not None:  # a second response in the same read
            self.keep_alive, self._complete_later = False, False
            return
        self._complete(keep_alive=self._parser.should_keep_alive())

    def _complete(self, *, keep_alive: bool) -> None:
        if self.failure:  # what the body was cannot be told, however well it ended
            return
        if self._packed or self.unfolding:
            self._complete_later = keep_alive
            return
        if self._inflater and not self._inflater.whole:
            self.failure = CUT_SHORT
            return
        self.finished = True
        self.keep_alive = keep_alive
