"""What parts the bytes of a body into payloads, whatever the dialect: the promise of every framing, its limit and its faults."""

from typing import Protocol

MAX_EVENT_BYTES = 16 << 20
"""A single message never grows beyond this; longer is an attack or a broken server."""

BOM = b"\xef\xbb\xbf"
"""A byte order mark in UTF-8, which a stream may begin with."""


class BadFraming(ValueError):  # noqa: N818 - reads as the fact it is
    """The bytes of a stream are not parted into messages as they have to be."""


class StreamTooLong(BadFraming):
    """One message exceeds `MAX_EVENT_BYTES`."""


class ErrorPayload(bytes):
    """The payload of an event that its framing calls an error, whatever it looks like."""

    __slots__ = ()


class Framing(Protocol):
    """Turns the bytes of one body into its payloads, whatever the reads they come in. Sans-IO; one for each body.

    Both methods raise `BadFraming` for bytes that cannot be parted, `StreamTooLong` where a message outgrew the limit.
    """

    @property
    def pending(self) -> bool:
        """True when anything has come after the last whole message."""
        ...

    @property
    def aside(self) -> bytes:
        """How the first line begins that is no part of any message; known when the body has ended."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """Return the payloads of the messages that ``data`` completes. Cost: linear, however a message is split."""
        ...

    def finish(self) -> list[bytes]:
        """Return what the end of the body completes."""
        ...
