"""One request from schedule to outcome: every step becomes a fact, every failure a named kind.

Error kinds: ``refused`` ``connect`` ``connect_timeout`` ``reset`` ``timeout`` ``tls`` ``http`` ``malformed``
``error_event`` ``truncated``. A missing ``[DONE]`` is no error (one real engine never sends it); a stream that
ends without a finish reason is, however politely it ends.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx2
import msgspec
import trio

from racelog.events import Phase, RequestEnd, RequestScheduled, RequestSent, ResponseHeaders, Usage
from racelog_recorder.columns import ChunkColumns
from racelog_recorder.journal import Journal
from racelog_recorder.openai import chat_body, endpoint
from racelog_recorder.plain import StampedPlainTransport
from racelog_recorder.plan_secrets import scrubbed
from racelog_recorder.pump.drain import Pump
from racelog_recorder.pump.exchange import CUT_SHORT
from racelog_recorder.pump.transport import PumpTransport, Sent
from racelog_recorder.spec import LaneSpec
from racelog_recorder.stream import StreamFacts, StreamSink

KEPT_HEADERS = (
    "content-type",
    "server",
    "x-request-id",
    "retry-after",
    "openai-processing-ms",
    "via",
    "date",
)
"""Response headers worth a place in the log; none of them can carry a secret."""

ERROR_BODY_BYTES = 4096
ERROR_MESSAGE_CHARACTERS = 500
LATE_FAILURES = frozenset({"timeout", "truncated", "reset"})

REQUEST_TIMEOUT_S = 3600.0
"""No request takes longer: a server that pings for ever would keep its lane from ever ending."""


class Requester:
    """Sends a lane's requests over one httpx client and records what happens."""

    def __init__(self, spec: LaneSpec, journal: Journal, columns: ChunkColumns, pump: Pump) -> None:
        self._spec = spec
        self._journal = journal
        self._columns = columns
        transport: httpx2.AsyncBaseTransport
        if spec.transport == "pump":
            transport = PumpTransport(
                pump, connect_timeout_s=spec.connect_timeout_s, quiet_timeout_s=spec.quiet_timeout_s
            )
        else:
            transport = StampedPlainTransport()
        headers = {"accept": "text/event-stream", "accept-encoding": "identity", **spec.headers}
        if spec.api_key:
            headers.setdefault("authorization", f"Bearer {spec.api_key}")
        timeout = httpx2.Timeout(spec.quiet_timeout_s, connect=spec.connect_timeout_s)
        self._client = httpx2.AsyncClient(
            transport=transport, headers=headers, timeout=timeout, trust_env=False
        )
        self._url = endpoint(spec.url, "chat/completions")
        self._secrets = (spec.api_key, *spec.headers.values())

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._client.__aexit__(kind, error, trace)

    async def request(self, number: int, prompt: int, phase: Phase) -> str:
        """Run one request to its end, whatever that is, and record it; return its error kind, empty for a success.

        Only cancellation passes through, and is recorded too.
        """
        lane, journal = self._spec.lane, self._journal
        journal.record(
            RequestScheduled(t=journal.now_ns(), lane=lane, req=number, prompt=prompt, phase=phase)
        )
        sink = StreamSink(self._columns, number, self._spec.mono_origin_ns)
        try:
            with trio.fail_after(REQUEST_TIMEOUT_S):
                failure = await self._exchange(number, prompt, sink)
        except trio.TooSlowError:
            failure = ("timeout", f"no end within {REQUEST_TIMEOUT_S:g} s")
        except trio.Cancelled:
            self._end(number, sink, ("cancelled", "the race was stopped or its time was up"))
            raise
        failure = judge(sink.facts, failure)
        self._end(number, sink, failure)
        return failure[0] if failure else ""

    async def _exchange(self, number: int, prompt: int, sink: StreamSink) -> tuple[str, str] | None:
        """Send and receive; return (error kind, message) if the transport or the status failed."""
        body = chat_body(self._spec.model, self._spec.prompts[prompt], self._spec.params)
        extensions = {"racelog.sink": sink, "racelog.on_sent": lambda sent: self._sent(number, sent)}
        try:
            request = self._client.build_request("POST", self._url, json=body)
            request.extensions.update(extensions)
            response = await self._client.send(request, stream=True)
            try:
                self._headers(number, response)
                content = await response.aread()
            finally:
                with trio.CancelScope(shield=True):
                    await response.aclose()
        except httpx2.HTTPError as error:
            return sink.facts.failure or classify(error)
        if not response.is_success:
            head = content[:ERROR_BODY_BYTES].decode("utf-8", "replace")
            return "http", f"HTTP {response.status_code}: {head}"
        kind = response.headers.get("content-type", "")
        if not kind.startswith("text/event-stream") and not sink.facts.finish_reason:
            return "malformed", f"answered with {kind or 'no content type'}, not with an event stream"
        return None

    def _sent(self, number: int, sent: Sent) -> None:
        self._journal.record(
            RequestSent(
                t=self._journal.since_origin(sent.t_ns),
                lane=self._spec.lane,
                req=number,
                connection=sent.connection,
                connect_ns=sent.connect_ns,
            )
        )

    def _headers(self, number: int, response: httpx2.Response) -> None:
        at = response.extensions.get("racelog.headers_at")
        t_ns = self._journal.since_origin(at.t_ns) if at else self._journal.now_ns()
        headers = {name: response.headers[name][:200] for name in KEPT_HEADERS if name in response.headers}
        self._journal.record(
            ResponseHeaders(
                t=t_ns, lane=self._spec.lane, req=number, status=response.status_code, headers=headers
            )
        )

    def _end(self, number: int, sink: StreamSink, failure: tuple[str, str] | None) -> None:
        """Record the outcome: at the last byte's arrival for a success, now for anything else."""
        journal, lane, facts = self._journal, self._spec.lane, sink.facts
        t_ns = journal.now_ns() if failure else sink.last_ns
        if facts.usage is not None or facts.timings:
            journal.record(_usage(t_ns, lane, number, facts))
        kind, message = failure or ("", "")
        status = "ok" if failure is None else "cancelled" if kind == "cancelled" else "failed"
        journal.record(
            RequestEnd(
                t=t_ns,
                lane=lane,
                req=number,
                status=status,  # type: ignore[arg-type]  # one of three literals, by construction
                error="" if status == "cancelled" else kind,
                message=scrubbed(message, self._secrets)[:ERROR_MESSAGE_CHARACTERS],
                finish_reason=facts.finish_reason,
            )
        )


def judge(facts: StreamFacts, failure: tuple[str, str] | None) -> tuple[str, str] | None:
    """Return what was wrong with a stream, or None for a success.

    ``failure`` is what the transport says; an answer that told its finish reason and said ``[DONE]`` is whole, even
    if the connection then broke or hung.
    """
    if facts.failure:
        return facts.failure
    if failure:
        return None if facts.done and facts.finish_reason and failure[0] in LATE_FAILURES else failure
    if not facts.finish_reason:
        return "truncated", f"the stream ended after {facts.token_chunks} chunks without a finish reason"
    return None


def classify(error: httpx2.HTTPError) -> tuple[str, str]:
    """Return the error kind of a transport exception, and its text."""
    text = str(error) or type(error).__name__
    kinds: Mapping[type[httpx2.HTTPError], str] = {
        httpx2.ConnectTimeout: "connect_timeout",
        httpx2.TimeoutException: "timeout",
        httpx2.RemoteProtocolError: "truncated" if text == CUT_SHORT else "malformed",
        httpx2.NetworkError: "reset",
    }
    if isinstance(error, httpx2.ConnectError):
        lowered = text.lower()
        if "refused" in lowered:
            return "refused", text
        return ("tls" if "ssl" in lowered or "certificate" in lowered else "connect"), text
    return next((kind for base, kind in kinds.items() if isinstance(error, base)), "connect"), text


def _usage(t_ns: int, lane: int, number: int, facts: StreamFacts) -> Usage:
    usage = facts.usage
    details = usage.prompt_tokens_details if usage else None
    completion = usage.completion_tokens_details if usage else None
    timings = msgspec.to_builtins(facts.timings)
    return Usage(
        t=t_ns,
        lane=lane,
        req=number,
        input_tokens=usage.prompt_tokens if usage else None,
        output_tokens=usage.completion_tokens if usage else None,
        cached_tokens=details.cached_tokens if details else None,
        reasoning_tokens=completion.reasoning_tokens if completion else None,
        server={"timings": timings} if timings else {},
    )
