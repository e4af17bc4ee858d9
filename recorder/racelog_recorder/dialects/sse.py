"""Bytes -> server-sent events, sans-IO: survives any split of the bytes.

The stream format of the HTML standard §9.2, of which only ``data`` fields matter here, and whether ``event`` says
``error``: lines end in LF, CR or CRLF, a blank line dispatches, several data lines join with LF, a line that starts with a
colon is a comment. Beyond the standard, as servers forget the last blank line: a body that has ended whole dispatches what it
has, a line of the dialect's ``end`` (OpenAI's ``[DONE]``) is an event of its own and needs no blank line, and a byte order mark
may stand before every event.
"""

from racelog_recorder.dialects.framing import BOM, MAX_EVENT_BYTES, BadFraming, ErrorPayload, StreamTooLong

FIELDS = (b"", b"data", b"event", b"id", b"retry")
"""What a line may begin with, up to its colon: the standard's fields, nothing for a comment."""

ASIDE_BYTES = 4096
"""As much is kept of lines that are none of these: an error as JSON, over several lines, is shorter."""

NOT_PARTED = "its events are parted by one newline alone, and so are all one event: a server-sent event ends with a blank line"


class SSEParser:
    """Turns a byte stream into the payloads of its events, in order.

    ``pending`` is True when anything has come after the last event: part of the next, a comment, another field.
    ``aside`` are the first lines, up to a blank one, that are none of the standard's: passed over, but they may say what went
    wrong. ``end``, if there is one, is a payload after which nothing comes: its line is an event as soon as it is there.
    """

    def __init__(self, end: bytes = b"") -> None:
        self._end = end
        self._most_of_an_end = len(b"data: ") + len(end) if end else -1
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
        self._aside_open = True

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads of the events that ``data`` completes. Cost: linear, however a line is split.

        Raises:
            BadFraming: an event outgrew the limit, or two are not parted.
        """
        if self._between_events and data.startswith(b"data: ") and data.endswith(b"\n"):
            lines = data.splitlines()  # of bytes: at LF, CR and CRLF, as here
            if len(lines) == 2 and not lines[1]:  # noqa: PLR2004 - one whole event of one line, as nearly every read is
                return [lines[0][6:]]
        payloads = self._lines_of(data)
        if self._pieces and self._is_an_end():
            payloads += self._line(b"".join(self._pieces))
            self._pieces, self._pieces_bytes = [], 0
        self.pending = bool(self._pieces or self._lines_since_event)
        self._between_events = self._started and not (self.pending or self._skip_lf)
        if self._pieces_bytes + self._data_bytes > MAX_EVENT_BYTES:
            raise StreamTooLong(f"one event of the stream exceeds {MAX_EVENT_BYTES} bytes")
        return payloads

    def _is_an_end(self) -> bool:
        """Return whether the line so far is the dialect's end: nothing may come after it, not even a newline."""
        return (
            self._pieces_bytes <= self._most_of_an_end
            and b"".join(self._pieces).removeprefix(b"data:").strip() == self._end
        )

    def finish(self) -> list[bytes]:
        """Return the event that a body ended in without its blank line, which the standard (§9.2.6) would drop.

        Raises:
            BadFraming: two events are not parted.
        """
        rest = b"".join(self._pieces)
        self._pieces.clear()
        return [*(self._line(rest) if rest else []), *self._dispatch()]

    def _look_aside(self, line: bytes) -> None:
        """Keep a line that is no field; one after another as lines, until a blank one."""
        if self._aside_open and line.partition(b":")[0] not in FIELDS:
            self.aside = (self.aside + b"\n" + line if self.aside else line)[:ASIDE_BYTES]

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
            for line in lines:
                payloads += self._line(line) if line else self._dispatch()
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

    def _line(self, line: bytes) -> list[bytes]:
        """Take one whole line that is not blank; return the payloads that it completes, as the dialect's end does."""
        self._data_bytes += len(line)
        self._lines_since_event += 1
        if line.startswith(b"data:"):
            value = line[5:]
            value = value[1:] if value.startswith(b" ") else value
            before = self._data[-1] if self._data else b""
            if before.startswith(b"{") and before.rstrip().endswith(b"}") and value.startswith(b"{"):
                raise BadFraming(NOT_PARTED)  # no JSON text goes on so
            if value == self._end and value and not self._named_error:
                whole = self._dispatch()
                self._lines_since_event = 0
                return [*whole, value]
            self._data.append(value)
        elif line == b"data":
            self._data.append(b"")
        else:
            if line.startswith(BOM):  # as a writer puts it before each of its texts
                return self._line(line.removeprefix(BOM))
            name, _, value = line.partition(b":")
            if name == b"event":
                self._named_error = value.removeprefix(b" ") == b"error"
            self._look_aside(line)
        return []

    def _dispatch(self) -> list[bytes]:
        """Return the payload of the data lines so far, if there are any, and begin an event anew."""
        payloads: list[bytes] = []
        if self._data:
            payload = b"\n".join(self._data)
            self._lines_since_event = 0
            payloads.append(ErrorPayload(payload) if self._named_error else payload)
        self._named_error = False
        self._aside_open = self._aside_open and not self.aside
        self._data.clear()
        self._data_bytes = 0
        return payloads
