"""One small request to an engine before the race: does it stream, and does it tell its token counts?"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import trio

from racelog_recorder.columns import ChunkColumns
from racelog_recorder.deadlines import Deadlines, Stopwatch
from racelog_recorder.dialects import Dialect
from racelog_recorder.outcome import Failure, bad_status, classify, judge, not_a_stream
from racelog_recorder.pump.encoding import EncodingFault, decoder_for
from racelog_recorder.pump.stamps import USER, Arrival
from racelog_recorder.stream import StreamSink

PROBE_PROMPT = [{"role": "user", "content": "Hi"}]
PROBE_TOKENS = 4
LENGTH_PARAMS = ("max_tokens", "max_completion_tokens", "num_predict")
"""Parameters that bound an answer; those the plan sends are lowered for the probe, none is added."""

SETTLE_S = 3.0
"""An answer that has begun to stream may take so long to its end, where its usage stands; engines that cannot be told
to be brief (a recording served again) are not waited for."""

HEAD_BYTES = 4096
"""As much of an error's body as a message could show."""

REFUSES_FIELDS = (400, 422)
"""What servers say to a field they do not know, ``stream_options`` among them."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found. ``usage`` is None when the answer was not waited for; ``status`` 0 when none came."""

    failure: Failure | None
    status: int
    usage: bool | None
    ask_usage: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to probe, and with what."""

    dialect: Dialect
    url: str
    model: str
    params: dict[str, Any]
    deadlines: Deadlines


async def probe_engine(client: httpx2.AsyncClient, target: Target) -> Probed:
    """Return how the engine answers; asked again without the wish for usage if it refuses that field."""
    first = await _ask(client, target, ask_usage=True)
    if first.status not in REFUSES_FIELDS:
        return first
    second = await _ask(client, target, ask_usage=False)
    return first if second.failure else second


class _Answer:
    """One answer as it comes in; what was read stays, however the reading ends."""

    def __init__(self, dialect: Dialect, patience: trio.CancelScope) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.content_type = ""
        self.head = b""
        self.sink = StreamSink(ChunkColumns(0), 0, 0, dialect, patience.cancel)
        self._patience = patience
        self._settling = False

    async def read(self, response: httpx2.Response) -> None:
        """Read the body: a stream into the sink, the beginning of any other; ends early by cancelling the patience."""
        self.status = response.status_code
        self.headers = response.headers
        self.content_type = response.headers.get("content-type", "")
        if not response.is_success:
            self._settle()
        try:
            inflater = decoder_for(response.headers.get("content-encoding", ""))
            async for data in response.aiter_raw():
                for piece in inflater.feed(data) if inflater else (data,):
                    self._take(piece, success=response.is_success)
        except EncodingFault as error:
            raise httpx2.DecodingError(str(error)) from error
        if response.is_success:
            self.sink.body_ends()

    def _take(self, data: bytes, *, success: bool) -> None:
        if success:
            self._stream(data)
        elif len(self.head) < HEAD_BYTES:
            self.head += data

    def _stream(self, data: bytes) -> None:
        self.sink.read_begins(Arrival(time.monotonic_ns(), USER))
        self.sink.body(data)
        self.sink.read_ends()
        if self.sink.token_chunks and not self._settling:
            self._settle()

    def _settle(self) -> None:
        """Leave `SETTLE_S` for the rest."""
        self._settling = True
        self._patience.deadline = min(self._patience.deadline, trio.current_time() + SETTLE_S)


async def _ask(client: httpx2.AsyncClient, target: Target, *, ask_usage: bool) -> Probed:
    """Send one request and read its answer until it is whole, broken, later than the race allows, or streams for too long."""
    body = target.dialect.body(target.model, PROBE_PROMPT, _brief(target.params), ask_usage=ask_usage)
    failure: Failure | None = None
    with trio.CancelScope() as patience:
        answer = _Answer(target.dialect, patience)
        watch = Stopwatch(target.deadlines, answer.sink, trio.current_time())
        watch.sent(trio.current_time())
        patience.deadline = watch.ends_s(trio.current_time())
        try:
            async with client.stream("POST", target.url, json=body) as response:
                watch.headers()
                patience.deadline = watch.ends_s(trio.current_time())
                await answer.read(response)
        except httpx2.HTTPError as error:
            failure = classify(error)
    sink, status = answer.sink, answer.status
    if status and not 200 <= status < 300:  # noqa: PLR2004 - only a success is a stream
        said = answer.head[:HEAD_BYTES].decode("utf-8", "replace")
        failure = bad_status(status, answer.headers, said)
    elif patience.cancelled_caught and not sink.facts.failure:
        if sink.token_chunks:
            return Probed(None, status, None, ask_usage)
        failure = watch.overdue(trio.current_time())
    else:
        odd = not_a_stream(target.dialect, answer.content_type, sink.facts, sink.head) if status else None
        failure = judge(sink.facts, failure or odd)
    return Probed(failure, status, sink.facts.counts is not None, ask_usage)


def _brief(params: dict[str, Any]) -> dict[str, Any]:
    """Return the race's parameters with its bounds on length lowered."""
    return {
        name: min(value, PROBE_TOKENS) if name in LENGTH_PARAMS and isinstance(value, int) else value
        for name, value in params.items()
    }
