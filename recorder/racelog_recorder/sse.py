"""Bytes -> server-sent events, sans-IO: survives any split of the bytes.

The stream format of the HTML standard §9.2, of which only ``data`` fields matter here, and whether ``event`` says
``error``: lines end in LF, CR or CRLF, a blank line dispatches, several data lines join with LF, a line that starts with a
colon is a comment.
"""

MAX_EVENT_BYTES = 16 << 20
"""A single event never grows beyond this; longer is an attack or a broken server."""

BOM = b"\xef\xbb\xbf"
"""A byte order mark in UTF-8, which a stream may begin with."""


FIELDS = (b"", b"data", b"event", b"id", b"retry")
"""What a line may begin with, up to its colon: the standard's fields, nothing for a comment."""

ASIDE_BYTES = 300


class StreamTooLong(ValueError):  # noqa: N818 - reads as the fact it is
    """One event exceeds `MAX_EVENT_BYTES`."""


class ErrorPayload(bytes):
    """The payload of an event whose name is ``error``, whatever it looks like."""

    __slots__ = ()


class SSEParser:
    """Turns a byte stream into the payloads of its events, in order.

    ``pending`` is True when anything has come after the last event: part of the next, a comment, another field.
    ``aside`` is how the first line begins that is none of the standard's: passed over, but it may say what went wrong.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._data: list[bytes] = []
        self._pieces_bytes = 0
        self._data_bytes = 0
        self._named_error = False
        self._lines_since_event = 0
        self._started = False
        self._skip_lf = False
        self._between_events = False
        self.pending = False
        self.aside = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads of the events that ``data`` completes. Cost: linear, however a line is split.

        Raises:
            StreamTooLong: an event outgrew the limit.
        """
        if self._between_events and data.startswith(b"data: ") and data.endswith(b"\n"):
            lines = data.splitlines()  # of bytes: at LF, CR and CRLF, as here
            if len(lines) == 2 and not lines[1]:  # noqa: PLR2004 - one whole event of one line, as nearly every read is
                return [lines[0][6:]]
        payloads = self._lines_of(data)
        self.pending = bool(self._pieces or self._lines_since_event)
        self._between_events = self._started and not (self.pending or self._skip_lf)
        if self._pieces_bytes + self._data_bytes > MAX_EVENT_BYTES:
            raise StreamTooLong(f"one event of the stream exceeds {MAX_EVENT_BYTES} bytes")
        return payloads

    def finish(self) -> list[bytes]:
        """Return nothing: an event without its blank line is never dispatched (the standard's §9.2.6)."""
        self._look_aside(b"".join(self._pieces))
        return []

    def _look_aside(self, line: bytes) -> None:
        if line and not self.aside and line.partition(b":")[0] not in FIELDS:
            self.aside = line[:ASIDE_BYTES]

    def _lines_of(self, data: bytes) -> list[bytes]:
        """Take bytes split anywhere; return the payloads of the events they complete."""
        if not self._started and not (data := self._without_mark(data)):
            return []
        if self._skip_lf and data:
            self._skip_lf = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._skip_lf = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *others = data.split(b"\n")
        if first:
            self._pieces.append(first)
            self._pieces_bytes += len(first)
        payloads: list[bytes] = []
        if others:
            *whole, rest = others
            lines = [b"".join(self._pieces), *whole]
            self._pieces, self._pieces_bytes = [rest] if rest else [], len(rest)
            payloads = [payload for line in lines if (payload := self._line(line)) is not None]
        return payloads

    def _without_mark(self, data: bytes) -> bytes:
        """Pass over a byte order mark at the very start, which may itself arrive in pieces."""
        data = b"".join(self._pieces) + data
        self._pieces.clear()
        if len(data) < len(BOM) and BOM.startswith(data):
            self._pieces = [data] if data else []
            return b""
        self._started = True
        return data.removeprefix(BOM)

    def _line(self, line: bytes) -> bytes | None:
        """Take one whole line; return a payload if it dispatches one."""
        if not line:
            return self._dispatch()
        self._data_bytes += len(line)
        self._lines_since_event += 1
        if line.startswith(b"data:"):
            value = line[5:]
            self._data.append(value[1:] if value.startswith(b" ") else value)
        elif line == b"data":
            self._data.append(b"")
        else:
            name, _, value = line.partition(b":")
            if name == b"event":
                self._named_error = value.removeprefix(b" ") == b"error"
            self._look_aside(line)
        return None

    def _dispatch(self) -> bytes | None:
        payload = b"\n".join(self._data) if self._data else None
        if payload is not None:
            self._lines_since_event = 0
            payload = ErrorPayload(payload) if self._named_error else payload
        self._named_error = False
        self._data.clear()
        self._data_bytes = 0
        return payload
