"""One response stream: the bytes of its body become chunks and facts. No waiting, no sockets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from racelog.events import TOKEN_CODES
from racelog_recorder.columns import ChunkSink
from racelog_recorder.dialects import DEFAULT_DIALECT, DIALECTS, Dialect
from racelog_recorder.message import MalformedMessage, Message, named_error_text
from racelog_recorder.openai import DONE
from racelog_recorder.pump.stamps import Arrival
from racelog_recorder.sse import ErrorPayload, StreamTooLong
from racelog_recorder.usage import TokenUsage, fuller, usage_of_timings

HEAD_BYTES = 512
"""How much of a body is kept to tell what it was, should it be no stream."""


@dataclass(slots=True)
class StreamFacts:
    """What the stream said besides text.

    ``failure`` is (error kind, message) of what was wrong with it; ``aside`` how the first line begins that is no part of
    any message.
    """

    token_chunks: int = 0
    finish_reason: str = ""
    usage: TokenUsage | None = None
    timings: dict[str, Any] = field(default_factory=dict)
    done: bool = False
    failure: tuple[str, str] | None = None
    aside: str = ""

    @property
    def counts(self) -> TokenUsage | None:
        """The server's own counts, from its usage and from its timings."""
        return fuller(self.usage, usage_of_timings(self.timings))


class StreamSink:
    """Takes a stream's body and adds its chunks to the lane's columns.

    A read that brings several messages stamps only its last byte: every message but the last is marked
    `coalesced`, and the last too when bytes of a further one follow it in the same read. ``last_ns`` is the
    arrival of the latest read, as an event time; ``last_token_ns`` that of the latest token chunk on the monotonic
    clock; ``head`` how the body begins. ``on_failure`` is called once, when the stream turns out to be broken: what
    comes after is not read.
    """

    def __init__(
        self,
        columns: ChunkSink,
        request: int,
        origin_ns: int,
        dialect: Dialect = DIALECTS[DEFAULT_DIALECT],
        on_failure: Callable[[], None] | None = None,
    ) -> None:
        self.facts = StreamFacts()
        self.last_ns = 0
        self.last_token_ns = 0
        self.head = b""
        self._columns = columns
        self._request = request
        self._origin_ns = origin_ns
        self._parser = dialect.parser()
        self._parse = dialect.parse
        self._on_failure = on_failure
        self._stamp = "u"
        self._more = False
        self._may_be_joined = False
        self._completion_tokens = 0
        self._counting = True

    @property
    def token_chunks(self) -> int:
        """Token chunks so far."""
        return self.facts.token_chunks

    def read_begins(self, when: Arrival) -> None:
        """Start a read; its pieces share one stamp."""
        self.last_ns = when.t_ns - self._origin_ns
        self._stamp = when.stamp
        self._more = when.more
        self._may_be_joined = False

    def body(self, data: bytes) -> None:
        """Take the next piece of the body."""
        if self.facts.failure:
            return
        if not self.head:
            self.head = data[:HEAD_BYTES]
        try:
            for payload in self._parser.feed(data):
                self._message(payload)
                if self.facts.failure:
                    return
        except (MalformedMessage, StreamTooLong) as error:
            self._fail("malformed", str(error))

    def read_ends(self) -> None:
        """End a read: whether its last message was complete only shows now."""
        if self._may_be_joined and (self._more or self._parser.pending):
            self._columns.mark_coalesced()
        self._may_be_joined = False

    def body_ends(self) -> None:
        """Take what the end of a whole body completes; its stamp is that of the last read."""
        try:
            for payload in self._parser.finish():
                if not self.facts.failure:
                    self._message(payload)
            self.facts.aside = self._parser.aside.decode("utf-8", "replace").strip()
        except MalformedMessage as error:
            self._fail("malformed", str(error))

    def _message(self, payload: bytes) -> None:
        if self._may_be_joined:
            self._columns.mark_coalesced()
            self._may_be_joined = False
        if isinstance(payload, ErrorPayload):
            self._fail("error_event", named_error_text(payload))
            return
        if not payload.startswith(b"{") and payload.strip() == DONE:
            self.facts.done = True
            return
        message = self._parse(payload)
        if message.error:
            self._fail("error_event", message.error)
            return
        if message.finish_reason or message.usage or message.timings or message.done:
            self._note(message)
        code, tokens = message.code, message.tokens
        if code in TOKEN_CODES:
            self.facts.token_chunks += 1
            self.last_token_ns = self.last_ns + self._origin_ns
            if tokens is None and self._counting:
                tokens = self._running_count(message)
        self._columns.add(self.last_ns, self._request, message.text, code, tokens, self._stamp)
        self._may_be_joined = True

    def _fail(self, kind: str, message: str) -> None:
        self.facts.failure = (kind, message)
        if self._on_failure is not None:
            self._on_failure()

    def _note(self, message: Message) -> None:
        """Keep the facts a message carries beside its text."""
        self.facts.finish_reason = message.finish_reason or self.facts.finish_reason
        self.facts.usage = fuller(self.facts.usage, message.usage)
        self.facts.timings = message.timings or self.facts.timings
        self.facts.done = message.done or self.facts.done

    def _running_count(self, message: Message) -> int | None:
        """Return how many tokens this token chunk brought, if the server has sent usage on each so far."""
        if message.usage is None or message.usage.completion_tokens is None:
            self._counting = False
            return None
        total = message.usage.completion_tokens
        count, self._completion_tokens = total - self._completion_tokens, total
        return max(0, count)
