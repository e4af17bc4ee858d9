"""One response stream: the bytes of its body become chunks and facts. No waiting, no sockets."""

from dataclasses import dataclass, field
from typing import Any

from racelog_recorder.columns import ChunkColumns
from racelog_recorder.openai import DONE, MalformedMessage, Message, TokenUsage, parse_message
from racelog_recorder.pump.stamps import Arrival
from racelog_recorder.sse import SSEParser, StreamTooLong


@dataclass(slots=True)
class StreamFacts:
    """What the stream said besides text. ``failure`` is (error kind, message) of what was wrong with it."""

    token_chunks: int = 0
    finish_reason: str = ""
    usage: TokenUsage | None = None
    timings: dict[str, Any] = field(default_factory=dict)
    done: bool = False
    failure: tuple[str, str] | None = None


class StreamSink:
    """Takes a chat stream's body and adds its chunks to the lane's columns.

    A read that brings several messages stamps only its last byte: every message but the last is marked
    `coalesced`, and the last too when bytes of a further one follow it in the same read. ``last_ns`` is the
    arrival of the latest read, as an event time.
    """

    def __init__(self, columns: ChunkColumns, request: int, origin_ns: int) -> None:
        self.facts = StreamFacts()
        self._columns = columns
        self._request = request
        self._origin_ns = origin_ns
        self._parser = SSEParser()
        self.last_ns = 0
        self._stamp = "u"
        self._last_row: int | None = None
        self._completion_tokens = 0
        self._counting = True

    def read_begins(self, when: Arrival) -> None:
        """Start a read; its pieces share one stamp."""
        self.last_ns = when.t_ns - self._origin_ns
        self._stamp = when.stamp
        self._last_row = None

    def body(self, data: bytes) -> None:
        """Take the next piece of the body."""
        if self.facts.failure:
            return
        try:
            for payload in self._parser.feed(data):
                self._message(payload)
        except (MalformedMessage, StreamTooLong) as error:
            self.facts.failure = ("malformed", str(error))

    def read_ends(self) -> None:
        """End a read: whether its last message was complete only shows now."""
        if self._last_row is not None and self._parser.pending:
            self._columns.mark_coalesced(self._last_row)
        self._last_row = None

    def _message(self, payload: bytes) -> None:
        if self._last_row is not None:
            self._columns.mark_coalesced(self._last_row)
            self._last_row = None
        if payload.strip() == DONE:
            self.facts.done = True
            return
        message = parse_message(payload)
        if message.error:
            self.facts.failure = ("error_event", message.error)
            return
        self._note(message)
        tokens = message.tokens if message.tokens is not None else self._running_count(message)
        code = message.code
        self.facts.token_chunks += code in "crt"
        self._last_row = self._columns.add(
            self.last_ns, self._request, message.text, code, tokens, self._stamp
        )

    def _note(self, message: Message) -> None:
        """Keep the facts a message carries beside its text."""
        self.facts.finish_reason = message.finish_reason or self.facts.finish_reason
        self.facts.usage = message.usage or self.facts.usage
        self.facts.timings = message.timings or self.facts.timings

    def _running_count(self, message: Message) -> int | None:
        """Return how many tokens this chunk brought, if the server has sent usage on every frame so far."""
        if message.code not in "crt":
            return None
        if message.usage is None or message.usage.completion_tokens is None:
            self._counting = False
        if not self._counting:
            return None
        assert message.usage is not None
        total = message.usage.completion_tokens or 0
        count, self._completion_tokens = total - self._completion_tokens, total
        return max(0, count)
