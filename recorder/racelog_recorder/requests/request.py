"""One request from schedule to outcome: every step becomes a fact, every failure a kind of `racelog.faults`.

A missing ``[DONE]`` is no error (one real engine never sends it); a stream that ends without a finish reason is,
however politely it ends.
"""

import math
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import httpx2
import msgspec
import trio

from racelog.events import Phase, RequestEnd, RequestScheduled, RequestSent, ResponseHeaders, Usage
from racelog_recorder.dialects.registry import DIALECTS
from racelog_recorder.dialects.usage import TokenUsage
from racelog_recorder.journal.chunks import ChunkColumns
from racelog_recorder.journal.journal import Journal
from racelog_recorder.protocol.messages import LaneSpec
from racelog_recorder.redaction import hidden_of, public_timings, scrubbed, secrets_of
from racelog_recorder.requests.due import Due
from racelog_recorder.requests.outcome import Failure, bad_status, classify, judge, not_a_stream, without_text
from racelog_recorder.requests.scrubber import ScrubbedColumns, Secrets
from racelog_recorder.requests.stream import StreamFacts, StreamSink
from racelog_recorder.requests.watchdog import Stopwatch, Watchdog
from racelog_recorder.transports.asking import asking_headers, authorized, let_go, rest, transport_to
from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.transport import Sent, wire_bytes

KEPT_HEADERS = (
    "content-type",
    "server",
    "x-request-id",
    "retry-after",
    "openai-processing-ms",
    "via",
    "date",
)
"""Response headers worth a place in the log; their values are scrubbed like every other word of a server."""

HEADER_CHARACTERS = 200
ERROR_MESSAGE_CHARACTERS = 500
SCRUBBED_CHARACTERS = 8192
"""Of a server's words so many are searched for secrets, and so many at most are kept; a secret that is cut there is known by its
beginning."""


def _nothing() -> None:
    """Hold nothing back, so that there is nothing to release."""


class _Call:
    """One request on its way: its numbers, when it is due, and the scope that ends it early."""

    def __init__(self, number: int, prompt: int, phase: Phase, due: Due, scope: trio.CancelScope) -> None:
        self.number = number
        self.prompt = prompt
        self.phase = phase
        self.due = due
        self.scope = scope
        self.patience = trio.CancelScope()
        self.status = 0
        self.broken: Failure | None = None
        self.release: Callable[[], None] = _nothing

    def abandon(self) -> None:
        """End the request: its stream is broken. Not before the status line is recorded, which may be in the same read."""
        if self.status:
            self.scope.cancel()

    def settle(self, seconds: float) -> None:
        """Wait no longer than that for the body's end: the answer may be whole."""
        self.patience.deadline = trio.current_time() + seconds

    def expire(self, broken: Failure) -> None:
        """End the request: a deadline passed. The body of a bad status is not worth waiting for."""
        bad = self.status and not 200 <= self.status < 300  # noqa: PLR2004 - only a success is a stream
        self.broken = bad_status(self.status, {}, f"({broken[1]})") if bad else broken
        self.scope.cancel()


class Requester:
    """Sends a lane's requests over one httpx client and records what happens."""

    def __init__(self, spec: LaneSpec, journal: Journal, columns: ChunkColumns, pump: Pump) -> None:
        self._spec = spec
        self._journal = journal
        self._columns = columns
        self._pump = pump
        self._dialect = DIALECTS[spec.dialect]
        connect_s, total_s = spec.deadlines.connect_s, spec.deadlines.total_s
        self._transport = transport_to(spec.url, spec.reach, pump, connect_s, spec.transport)
        self._client = httpx2.AsyncClient(
            transport=self._transport,
            headers=asking_headers(
                self._dialect.stream_type, self._dialect.auth_headers(spec.api_key), spec.headers
            ),
            timeout=httpx2.Timeout(total_s, connect=connect_s),
            trust_env=False,
        )
        self._url = self._dialect.answers_url(spec.url)
        keys = self._dialect.secrets(spec.api_key)
        self._secrets = secrets_of(spec.url, keys, spec.headers, spec.params)
        self._hidden = Secrets(hidden_of(spec.url, keys, spec.headers, spec.params))
        self._around = AsyncExitStack()
        self._watchdog = Watchdog()
        self._made: dict[int, httpx2.Request] = {}

    async def __aenter__(self) -> Self:
        self._beside = await self._around.enter_async_context(trio.open_nursery())
        self._beside.start_soon(self._watchdog.run)
        await self._client.__aenter__()
        self._around.push_async_exit(self._close)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.cancel_scope.cancel()
        await self._around.__aexit__(kind, error, trace)

    async def _close(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with trio.CancelScope(shield=True):
            await self._client.__aexit__(kind, error, trace)

    async def request(self, number: int, prompt: int, phase: Phase, due: Due | None = None) -> str:
        """Run one request to its end, whatever that is, and record it; return its error kind, empty for a success.

        One that is ``due`` later is made ready at once and held back until then. Only cancellation passes through, and
        is recorded too.
        """
        scope = trio.CancelScope()
        call = _Call(number, prompt, phase, due or Due(self._journal.now_ns()), scope)
        if call.due.come is None:
            self._schedule(call)
        columns = ScrubbedColumns(self._columns, self._hidden) if self._hidden else None
        sink = StreamSink(
            columns or self._columns,
            number,
            self._spec.mono_origin_ns,
            self._dialect,
            call.abandon,
            on_end=call.settle,
        )
        if columns:
            call.release = columns.release
        try:
            with scope:
                failure = await self._watched(call, sink)
        except trio.Cancelled:
            if call.due.recorded:  # what was held back and never came due is no request of the race
                self._end(call, sink, ("cancelled", "the race was stopped or its time was up"))
            raise
        if scope.cancelled_caught:
            failure = call.broken
            if failure:
                sink.settle()
        failure = judge(sink.facts, failure) or without_text(sink.facts)
        self._end(call, sink, failure)
        return failure[0] if failure else ""

    def _schedule(self, call: _Call) -> None:
        """Record when the request is due, unless the log has it already."""
        due = call.due
        if not due.recorded:
            due.recorded = True
            event = RequestScheduled(
                t=due.t_ns, lane=self._spec.lane, req=call.number, prompt=call.prompt, phase=call.phase
            )
            self._journal.record(event)

    async def _watched(self, call: _Call, sink: StreamSink) -> Failure | None:
        """Send and receive within the deadlines."""
        watch = Stopwatch(self._spec.deadlines, sink, trio.current_time())
        watched = self._watchdog.watch(watch, call.expire)
        try:
            return await self._exchange(call, sink, watch)
        finally:
            self._watchdog.end(watched)

    async def _exchange(self, call: _Call, sink: StreamSink, watch: Stopwatch) -> Failure | None:
        """Send and receive; return (error kind, message) if the transport or the status failed."""

        async def hold() -> None:
            if call.due.come is not None:
                watch.begin(math.inf)
                await call.due.come()
                watch.begin(trio.current_time())
            self._schedule(call)

        def sent(how: Sent) -> None:
            watch.sent(trio.current_time())
            self._sent(call.number, how)

        try:
            request = self._request(call.prompt)
            request.extensions.update({"racelog.hold": hold, "racelog.sink": sink, "racelog.on_sent": sent})
            response = await self._transport.handle_async_request(request)
            try:
                watch.headers()
                call.status = response.status_code
                self._headers(call.number, response)
                if sink.facts.failure:
                    return sink.facts.failure
                said = await self._rest(response, call)
                if call.patience.cancelled_caught:
                    sink.settle()
            finally:
                await self._let_go(response)
        except httpx2.HTTPError as error:
            return sink.facts.failure or classify(error)
        if not response.is_success:
            return bad_status(response.status_code, response.headers, said.decode("utf-8", "replace"))
        sink.body_ends()
        return not_a_stream(self._dialect, response.headers.get("content-type", ""), sink.facts, sink.head)

    async def _rest(self, response: httpx2.Response, call: _Call) -> bytes:
        """Wait for the end of the body; return it unless it is a success's, which went to the sink.

        What lay in the socket when the grace was over has come in time, however late this process got to it.
        """
        said = b""
        with call.patience:
            said = await rest(response)
        if call.patience.cancelled_caught:
            self._pump.drain()
        return said

    async def _let_go(self, response: httpx2.Response) -> None:
        """Give the connection back, even while cancelled; the pump's does not wait for anything."""
        if self._spec.transport == "pump":
            await response.aclose()
            return
        await let_go(response)

    def _request(self, prompt: int) -> httpx2.Request:
        """Return a request of its own for ``prompt``; what all of them have in common is made once.

        It goes to the transport, past the client: redirects, cookies and a log line took a sixth of a request's CPU, and
        a race follows no redirect and must send the same bytes whatever was answered before.
        """
        made = self._made.get(prompt)
        if made is None:
            spec = self._spec
            body = self._dialect.body(spec.model, spec.prompts[prompt], spec.params, ask_usage=spec.ask_usage)
            made = self._client.build_request("POST", self._url, json=body)
            made = authorized(made)
            made.extensions = {**made.extensions, "racelog.wire": wire_bytes(made)}
            self._made[prompt] = made
        return httpx2.Request(
            "POST", made.url, headers=made.headers, stream=made.stream, extensions=made.extensions
        )

    def _sent(self, number: int, sent: Sent) -> None:
        self._journal.record(
            RequestSent(
                t=self._journal.since_origin(sent.t_ns),
                lane=self._spec.lane,
                req=number,
                connection=sent.connection,
                connect_ns=sent.connect_ns,
                dns_ns=sent.dns_ns,
                tcp_ns=sent.tcp_ns,
                tls_ns=sent.tls_ns,
            )
        )

    def _headers(self, number: int, response: httpx2.Response) -> None:
        at = response.extensions.get("racelog.headers_at")
        t_ns = self._journal.since_origin(at.t_ns) if at else self._journal.now_ns()
        present = {name.lower() for name, _ in response.headers.raw}
        headers = {
            name: scrubbed(response.headers[name][:SCRUBBED_CHARACTERS], self._secrets)[:HEADER_CHARACTERS]
            for name in KEPT_HEADERS
            if name.encode() in present
        }
        self._journal.record(
            ResponseHeaders(
                t=t_ns, lane=self._spec.lane, req=number, status=response.status_code, headers=headers
            )
        )

    def _end(self, call: _Call, sink: StreamSink, failure: Failure | None) -> None:
        """Record the outcome: at the arrival of the answer's last byte for a success, now for anything else.

        One that failed while it was made ready, ahead of its time, failed when it was due.
        """
        self._schedule(call)
        call.release()
        journal, lane, number, facts = self._journal, self._spec.lane, call.number, sink.facts
        t_ns = max(journal.now_ns(), call.due.t_ns) if failure else sink.end_ns
        if facts.counts is not None or facts.timings:
            journal.record(_usage(t_ns, lane, number, facts, self._secrets))
        kind, message = failure or ("", "")
        status = "ok" if failure is None else "cancelled" if kind == "cancelled" else "failed"
        journal.record(
            RequestEnd(
                t=t_ns,
                lane=lane,
                req=number,
                status=status,  # type: ignore[arg-type]  # one of three literals, by construction
                error="" if status == "cancelled" else kind,
                message=scrubbed(message[:SCRUBBED_CHARACTERS], self._secrets)[:ERROR_MESSAGE_CHARACTERS],
                finish_reason=scrubbed(facts.finish_reason[:SCRUBBED_CHARACTERS], self._secrets)[
                    :HEADER_CHARACTERS
                ],
            )
        )


def _usage(t_ns: int, lane: int, number: int, facts: StreamFacts, secrets: tuple[str, ...]) -> Usage:
    counts = facts.counts or TokenUsage()
    timings = public_timings(msgspec.to_builtins(facts.timings), secrets)
    return Usage(
        t=t_ns,
        lane=lane,
        req=number,
        input_tokens=counts.prompt_tokens,
        output_tokens=counts.completion_tokens,
        cached_tokens=counts.cached_tokens,
        reasoning_tokens=counts.reasoning_tokens,
        total_tokens=counts.total_tokens,
        server={"timings": timings} if timings else {},
    )
