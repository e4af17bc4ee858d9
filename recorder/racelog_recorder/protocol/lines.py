"""Lines out of a pipe, however their bytes come."""

from collections.abc import AsyncIterator

import trio


async def lines_of(stream: trio.abc.ReceiveStream, longest_bytes: int | None = None) -> AsyncIterator[bytes]:
    """Yield each whole line of ``stream`` without its newline, until it ends; what follows the last newline is no line.

    Of a line that grows beyond ``longest_bytes`` what has come is dropped.
    """
    buffer = bytearray()
    async for data in stream:
        buffer += data
        while (end := buffer.find(b"\n")) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            yield line
        if longest_bytes is not None and len(buffer) > longest_bytes:
            buffer.clear()
