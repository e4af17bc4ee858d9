"""Bytes -> lines of newline-delimited JSON, sans-IO: survives any split of the bytes.

A line ends in LF; a CR before it, and blank lines between, are JSON's own white space. A last line needs no LF, so
the end of the body has to be told.
"""

from racelog_recorder.dialects.framing import BOM, MAX_EVENT_BYTES, StreamTooLong


class NDJSONParser:
    """Turns a byte stream into its lines that are not blank, in order.

    ``end`` is there for the other framings' sake: a line is whole when its LF has come, whatever it says.
    """

    def __init__(self, end: bytes = b"") -> None:
        del end
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._started = False
        self.aside = b""  # every line is a message

    @property
    def pending(self) -> bool:
        """True when part of a line has come after the last whole one."""
        return bool(self._pieces)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that ``data`` completes. Cost: linear, however a line is split.

        Raises:
            StreamTooLong: a line outgrew the limit.
        """
        first, *others = data.split(b"\n")
        self._keep(first)
        lines = []
        if others:
            *whole, rest = others
            lines = [self._take(), *whole]
            self._keep(rest)
        if self._bytes > MAX_EVENT_BYTES:
            raise StreamTooLong(f"one line of the stream exceeds {MAX_EVENT_BYTES} bytes")
        return [line for line in map(self._stripped, lines) if line]

    def finish(self) -> list[bytes]:
        """Return the last line, if the body ended without its LF."""
        line = self._stripped(self._take())
        return [line] if line else []

    def _keep(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._bytes += len(piece)

    def _take(self) -> bytes:
        line = b"".join(self._pieces)
        self._pieces, self._bytes = [], 0
        return line

    def _stripped(self, line: bytes) -> bytes:
        """Return a line without white space around it; the stream's first may begin with a byte order mark."""
        if not self._started:
            self._started = True
            line = line.removeprefix(BOM)
        return line.strip()
