"""One small request to an engine before the race: does it stream, and does it tell its token counts?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import httpx2
import trio

from racelog_recorder.dialects.dialect import Dialect
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.requests.outcome import Failure, bad_status, classify, judge, not_a_stream
from racelog_recorder.requests.stream import StreamSink
from racelog_recorder.requests.watchdog import Stopwatch
from racelog_recorder.transports.asking import Answer, ask, authorized, let_go, rest
from racelog_recorder.transports.pump.stamps import Arrival

PROBE_PROMPT = [{"role": "user", "content": "Hi"}]
PROBE_TOKENS = 4
SETTLE_S = 3.0
"""An answer that has begun to stream may take so long to its end, where its usage stands; engines that cannot be told
to be brief (a recording served again) are not waited for."""

REFUSES_FIELDS = (400, 422)
"""What servers say to a field they do not know, ``stream_options`` among them."""


BUSY = (429, 503)
"""What a server says that will answer, only not now."""

PATIENCE_S = 10.0
"""A server that is busy is asked again for so long."""

FIRST_PAUSE_S = 0.5
"""Before a busy server is asked again, unless it says when to come back; twice as long each time."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found. ``usage`` is None when the answer was not waited for; ``status`` 0 when none came.

    ``busy`` is the status with which the server put us off before it answered, 0 if it did not.
    """

    failure: Failure | None
    status: int
    usage: bool | None
    ask_usage: bool = True
    busy: int = 0
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to probe, and with what."""

    dialect: Dialect
    url: str
    model: str
    params: dict[str, Any]
    deadlines: Deadlines


async def probe_engine(
    client: httpx2.AsyncClient, transport: httpx2.AsyncBaseTransport, target: Target
) -> Probed:
    """Return how the engine answers; asked again while it is busy, and without the wish for usage if it refuses that."""
    until_s, pauses, busy = trio.current_time() + PATIENCE_S, _pauses(), 0
    while True:
        found = await _ask_with_usage_or_without(client, transport, target)
        if found.status not in BUSY:
            return replace(found, busy=busy)
        busy = found.status
        if not await _wait(found.retry_after, next(pauses), until_s):
            return found


async def ask_again_while_busy(
    transport: httpx2.AsyncBaseTransport, request: httpx2.Request, until_s: float
) -> Answer:
    """Return what is answered to ``request``, asked again while the server is busy; all of it by ``until_s``.

    Raises:
        httpx2.HTTPError: there is no answer, or not in time.
    """
    pauses = _pauses()
    while True:
        answer = await ask(transport, request, within_s=until_s - trio.current_time())
        said = answer.headers.get("retry-after", "")
        if answer.status not in BUSY or not await _wait(said, next(pauses), until_s):
            return answer


def _pauses() -> Iterator[float]:
    return (FIRST_PAUSE_S * 2**tries for tries in count())


async def _wait(retry_after: str, pause_s: float, until_s: float) -> bool:
    """Wait ``pause_s``, or longer if a busy server said so; not at all, and False, if that is after ``until_s``."""
    if retry_after.isascii() and retry_after.isdigit():
        pause_s = max(pause_s, float(retry_after))
    if trio.current_time() + pause_s >= until_s:
        return False
    await trio.sleep(pause_s)
    return True


async def _ask_with_usage_or_without(
    client: httpx2.AsyncClient, transport: httpx2.AsyncBaseTransport, target: Target
) -> Probed:
    first = await _ask(client, transport, target, ask_usage=True)
    if first.status not in REFUSES_FIELDS:
        return first
    second = await _ask(client, transport, target, ask_usage=False)
    return first if second.failure and second.status not in BUSY else second


class _Answer:
    """Takes an answer as it comes in, as a race's sink does; ends it by cancelling the patience."""

    def __init__(self, dialect: Dialect, patience: trio.CancelScope) -> None:
        self.sink = StreamSink(ChunkColumns(0), 0, 0, dialect, patience.cancel, on_end=self.finish)
        self._patience = patience
        self._settled_s = math.inf

    def read_begins(self, when: Arrival) -> None:
        """A read arrived."""
        self.sink.read_begins(when)

    def body(self, data: bytes) -> None:
        """Take a piece of a stream."""
        self.sink.body(data)

    def read_ends(self) -> None:
        """Wait only a little longer once the first token is in."""
        self.sink.read_ends()
        if self.sink.token_chunks:
            self.settle()

    def settle(self) -> None:
        """Leave `SETTLE_S` for the rest, once."""
        if self._settled_s == math.inf:
            self._settled_s = trio.current_time() + SETTLE_S
            self.wait_until(self._patience.deadline)

    def finish(self, seconds: float) -> None:
        """Leave so long for the end: the answer says that it is, or may be, whole."""
        self._settled_s = min(self._settled_s, trio.current_time() + seconds)
        self.wait_until(self._patience.deadline)

    def wait_until(self, at_s: float) -> None:
        """Have patience until then, or until it has settled."""
        self._patience.deadline = min(at_s, self._settled_s)


async def _ask(
    client: httpx2.AsyncClient, transport: httpx2.AsyncBaseTransport, target: Target, *, ask_usage: bool
) -> Probed:
    """Send one request and read its answer until it is whole, broken, later than the race allows, or streams for too long."""
    body = target.dialect.body(
        target.model, PROBE_PROMPT, _brief(target.params, target.dialect.length_params), ask_usage=ask_usage
    )
    failure: Failure | None = None
    status, headers, said = 0, httpx2.Headers(), bytearray()
    with trio.CancelScope() as patience:
        answer = _Answer(target.dialect, patience)
        watch = Stopwatch(target.deadlines, answer.sink, trio.current_time())
        watch.sent(trio.current_time())
        patience.deadline = watch.ends_s(trio.current_time())
        request = authorized(client.build_request("POST", target.url, json=body))
        request.extensions["racelog.sink"] = answer
        try:
            response = await transport.handle_async_request(request)
            try:
                watch.headers()
                answer.wait_until(watch.ends_s(trio.current_time()))
                status, headers = response.status_code, response.headers
                if not response.is_success:
                    answer.settle()
                await rest(response, said)
            finally:
                await let_go(response)
            if response.is_success:
                answer.sink.body_ends()
        except httpx2.HTTPError as error:
            failure = classify(error)
    sink = answer.sink
    if status and not 200 <= status < 300:  # noqa: PLR2004 - only a success is a stream
        failure = bad_status(status, headers, said.decode("utf-8", "replace"))
    elif patience.cancelled_caught and not (sink.facts.failure or sink.facts.done):
        if sink.token_chunks:
            return Probed(None, status, None, ask_usage)
        failure = watch.overdue(trio.current_time())
    else:
        content_type = headers.get("content-type", "")
        odd = not_a_stream(target.dialect, content_type, sink.facts, sink.head) if status else None
        failure = judge(sink.facts, failure or odd)
    usage = sink.facts.counts is not None
    return Probed(failure, status, usage, ask_usage, retry_after=headers.get("retry-after", ""))


def _brief(params: dict[str, Any], lengths: tuple[str, ...]) -> dict[str, Any]:
    """Return the race's parameters with those that bound an answer's length lowered; none is added."""
    return {
        name: min(value, PROBE_TOKENS) if name in lengths and isinstance(value, int) else value
        for name, value in params.items()
    }
