"""The loop that everybody writes: one request a stream through a library, a clock reading when its bytes are handed over.

    python loops.py httpx2|aiohttp PORT STREAMS TOKENS     prints one line of JSON; needs only the library it is asked for

It does nothing with the bytes but find the truth in them: what a benchmark client built on the library cannot beat.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

CONTENT = re.compile(rb'"content":"(\d{19}) ')


def body(tokens: int) -> dict[str, Any]:
    """Return a chat request."""
    return {"model": "truth", "messages": [], "stream": True, "max_tokens": tokens}


class Stream:
    """One stream's stamps: of each chunk when it was seen, and when it was sent."""

    def __init__(self) -> None:
        self.sent_ns = time.monotonic_ns()
        self.seen: list[tuple[int, int]] = []
        self._rest = b""

    def take(self, data: bytes) -> None:
        """Stamp what one read brought; only the last chunk in it has the read's time for its own."""
        now_ns = time.monotonic_ns()
        data = self._rest + data
        for match in CONTENT.finditer(data):
            self.seen.append((now_ns, int(match[1])))
        self._rest = data[max(data.rfind(b"\n\n"), 0) :][-256:]


async def drain(pieces: AsyncIterator[bytes], stream: Stream) -> Stream:
    """Read a stream to its end."""
    async for piece in pieces:
        stream.take(piece)
    return stream


async def with_aiohttp(url: str, streams: int, tokens: int) -> list[Stream]:
    """Run all streams at once through aiohttp."""
    import aiohttp  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - only where it is asked for

    async def one(session: aiohttp.ClientSession) -> Stream:
        stream = Stream()
        async with session.post(url, json=body(tokens)) as response:
            return await drain(response.content.iter_any(), stream)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return await asyncio.gather(*(one(session) for _ in range(streams)))


def with_httpx2(url: str, streams: int, tokens: int) -> list[Stream]:
    """Run all streams at once through httpx2 on trio."""
    import httpx2  # noqa: PLC0415 - only where it is asked for
    import trio  # noqa: PLC0415 - only where it is asked for

    done: list[Stream] = []

    async def one(client: httpx2.AsyncClient) -> None:
        stream = Stream()
        async with client.stream("POST", url, json=body(tokens)) as response:
            done.append(await drain(response.aiter_raw(), stream))

    async def main() -> None:
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(limits=limits, timeout=300) as client, trio.open_nursery() as nursery:
            for _ in range(streams):
                nursery.start_soon(one, client)

    trio.run(main)
    return done


def spread(values: list[float]) -> dict[str, float]:
    """Return the median, the p99 and the greatest."""
    values.sort()
    return {"p50": values[len(values) // 2], "p99": values[len(values) * 99 // 100], "max": values[-1]}


def report(streams: list[Stream], cpu_s: float) -> dict[str, Any]:
    """Return what a client would report, in ms, and how far its stamps were from the truth."""
    seen = [pair for stream in streams for pair in stream.seen]
    gaps = [
        (after - before) / 1e6
        for stream in streams
        for (before, _), (after, _) in zip(stream.seen, stream.seen[1:], strict=False)
    ]
    return {
        "tokens": len(seen),
        "error_ms": spread([(t - truth) / 1e6 for t, truth in seen]),
        "ttft_p50_ms": spread([(stream.seen[0][0] - stream.sent_ns) / 1e6 for stream in streams])["p50"],
        "itl_p50_ms": spread(gaps)["p50"],
        "cpu_us_per_token": cpu_s * 1e6 / len(seen),
    }


if __name__ == "__main__":
    library, port, count, length = sys.argv[1:]
    address = f"http://127.0.0.1:{port}/v1/chat/completions"
    begun_s = time.process_time()
    if library == "aiohttp":
        run = asyncio.run(with_aiohttp(address, int(count), int(length)))
    else:
        run = with_httpx2(address, int(count), int(length))
    print(json.dumps(report(run, time.process_time() - begun_s)))
