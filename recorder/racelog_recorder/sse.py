"""Bytes -> server-sent events, sans-IO: survives any split of the bytes.

The stream format of the HTML standard §9.2, of which only ``data`` fields matter here: lines end in LF, CR or
CRLF, a blank line dispatches, several data lines join with LF, a line that starts with a colon is a comment.
"""

MAX_EVENT_BYTES = 16 << 20
"""A single event never grows beyond this; longer is an attack or a broken server."""

_BOM = b"\xef\xbb\xbf"


class StreamTooLong(ValueError):  # noqa: N818 - reads as the fact it is
    """One event exceeds `MAX_EVENT_BYTES`."""


class SSEParser:
    """Turns a byte stream into the payloads of its events, in order."""

    def __init__(self) -> None:
        self._partial = b""
        self._data: list[bytes] = []
        self._size = 0
        self._started = False
        self._skip_lf = False

    @property
    def pending(self) -> bool:
        """True while an event has begun and not yet been dispatched."""
        return bool(self._partial or self._data)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads of the events that ``data`` completes.

        Raises:
            StreamTooLong: an event outgrew the limit.
        """
        if not self._started and data:
            data = self._partial + data
            self._partial = b""
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._partial = data
                return []
            data = data.removeprefix(_BOM)
            self._started = True
        if self._skip_lf and data:
            self._skip_lf = False
            data = data.removeprefix(b"\n")
        if b"\r" in data:
            self._skip_lf = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = (self._partial + data).split(b"\n")
        self._partial = rest
        if len(rest) + self._size > MAX_EVENT_BYTES:
            raise StreamTooLong(f"one event of the stream exceeds {MAX_EVENT_BYTES} bytes")
        return [payload for line in lines if (payload := self._line(line)) is not None]

    def _line(self, line: bytes) -> bytes | None:
        """Take one whole line; return a payload if it dispatches one."""
        if not line:
            payload = b"\n".join(self._data) if self._data else None
            self._data.clear()
            self._size = 0
            return payload
        if line.startswith(b"data:"):
            value = line[5:]
            self._data.append(value[1:] if value.startswith(b" ") else value)
            self._size += len(line)
        elif line == b"data":
            self._data.append(b"")
        return None
