"""One small request to an engine before the race: does it stream, and does it tell its token counts?"""

import time
from dataclasses import dataclass
from typing import Any

import httpx2
import trio

from racelog_recorder.columns import ChunkColumns
from racelog_recorder.deadlines import Deadlines
from racelog_recorder.dialects import Dialect
from racelog_recorder.outcome import Failure, bad_status, classify, judge, not_a_stream
from racelog_recorder.pump.stamps import USER, Arrival
from racelog_recorder.stream import StreamSink

PROBE_PROMPT = [{"role": "user", "content": "Hi"}]
PROBE_TOKENS = 4
LENGTH_PARAMS = ("max_tokens", "max_completion_tokens", "num_predict")
"""Parameters that bound an answer; those the plan sends are lowered for the probe, none is added."""

SETTLE_S = 10.0
"""An answer that has begun to stream may take so long to its end, where its usage stands; engines that cannot be told
to be brief (a recording served again) are not waited for."""

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


async def _ask(client: httpx2.AsyncClient, target: Target, *, ask_usage: bool) -> Probed:
    """Send one request and read its answer until it is whole, broken, or streams for too long."""
    body = target.dialect.body(target.model, PROBE_PROMPT, _brief(target.params), ask_usage=ask_usage)
    sink = StreamSink(ChunkColumns(0), 0, 0, target.dialect)
    status = 0
    failure: Failure | None = None
    first_token_s = target.deadlines.first_token_s
    with trio.move_on_after(first_token_s) as patience:
        try:
            async with client.stream("POST", target.url, json=body) as response:
                status = response.status_code
                if not response.is_success:
                    retry_after = response.headers.get("retry-after", "")
                    return Probed(
                        bad_status(status, retry_after, await _head(response)), status, None, ask_usage
                    )
                await _read(response, sink, patience)
                failure = not_a_stream(
                    target.dialect, response.headers.get("content-type", ""), sink.facts, sink.head
                )
        except httpx2.HTTPError as error:
            failure = classify(error)
    if patience.cancelled_caught:
        if sink.token_chunks:
            return Probed(None, status, None, ask_usage)
        return Probed(
            ("first_token_timeout", f"no token within {first_token_s:g} s"), status, None, ask_usage
        )
    return Probed(judge(sink.facts, failure), status, sink.facts.usage is not None, ask_usage)


async def _read(response: httpx2.Response, sink: StreamSink, patience: trio.CancelScope) -> None:
    """Feed the body to the sink; from its first token on, `SETTLE_S` are left for the rest."""
    settling = False
    async for data in response.aiter_raw():
        sink.read_begins(Arrival(time.monotonic_ns(), USER))
        sink.body(data)
        sink.read_ends()
        if sink.facts.failure:
            return
        if sink.token_chunks and not settling:
            settling = True
            patience.deadline = trio.current_time() + SETTLE_S
    sink.body_ends()


async def _head(response: httpx2.Response) -> str:
    """Return the beginning of an error's body; what does not come is done without."""
    head = b""
    async for data in response.aiter_raw():
        head += data
        if len(head) >= 4096:  # noqa: PLR2004 - as much as an error message could show
            break
    return head[:4096].decode("utf-8", "replace")


def _brief(params: dict[str, Any]) -> dict[str, Any]:
    """Return the race's parameters with its bounds on length lowered."""
    return {
        name: min(value, PROBE_TOKENS) if name in LENGTH_PARAMS and isinstance(value, int) else value
        for name, value in params.items()
    }
