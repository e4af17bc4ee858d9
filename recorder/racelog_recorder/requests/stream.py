"""One response stream: the bytes of its body become chunks and facts. No waiting, no sockets."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from racelog.display.text import REPLACEMENT
from racelog.events import TOKEN_CODES
from racelog_recorder.dialects.dialect import Dialect
from racelog_recorder.dialects.framing import BadFraming
from racelog_recorder.dialects.message import (
    SEVERAL,
    Failed,
    MalformedMessage,
    Message,
    Payload,
    Said,
    mended,
)
from racelog_recorder.dialects.registry import DEFAULT_DIALECT, DIALECTS
from racelog_recorder.dialects.usage import TokenUsage, fuller, usage_of_timings
from racelog_recorder.journal.chunks import ChunkSink
from racelog_recorder.transports.pump.stamps import Arrival

HEAD_BYTES = 512
"""How much of a body is kept to tell what it was, should it be no stream."""

GRACE_S = 0.1
"""An answer that said that it is done has so long to end its body and to tell late counts: both come with it or in the packet
behind. A connection that stays open longer is closed. A slot that waits measures nothing, and many servers never close."""

FINISHED_GRACE_S = 2.0
"""One that told its finish reason alone has so long: counts come behind that, in a gateway after a look into its books, and some
servers go on after all. Then it is whole: clients wait for a connection's end for minutes, but nothing that they show is missing."""


@dataclass(slots=True)
class StreamFacts:
    """What the stream said besides text.

    ``failure`` is (error kind, message) of what was wrong with it; ``aside`` how the first line begins that is no part of
    any message; ``note`` the first message that is none of the dialect's.
    """

    token_chunks: int = 0
    finish_reason: str = ""
    usage: TokenUsage | None = None
    timings: dict[str, Any] = field(default_factory=dict)
    done: bool = False
    failure: tuple[str, str] | None = None
    aside: str = ""
    note: str = ""

    @property
    def counts(self) -> TokenUsage | None:
        """The server's own counts, from its usage and from its timings."""
        return fuller(self.usage, usage_of_timings(self.timings))


def _ignore(_seconds: float) -> None:
    """Wait for the end of the body, whatever is told."""


class StreamSink:
    """Takes a stream's body and adds its chunks to the lane's columns.

    A read that brings several messages stamps only its last byte: every message but the last is marked
    `coalesced`, and the last too when bytes of a further one follow it in the same read. ``last_ns`` is the
    arrival of the latest read, as an event time; ``last_token_ns`` that of the latest token chunk on the monotonic
    clock; ``head`` how the body begins. ``on_failure`` is called once, when the stream turns out to be broken: what
    comes after is not read. ``on_end`` is called when the answer tells its finish reason, goes on after that, or says that it is
    whole, with the seconds that the body may take from then on. Of what comes after the last only counts are taken.
    """

    def __init__(
        self,
        columns: ChunkSink,
        request: int,
        origin_ns: int,
        dialect: Dialect = DIALECTS[DEFAULT_DIALECT],
        on_failure: Callable[[], None] | None = None,
        *,
        on_end: Callable[[float], None] = _ignore,
    ) -> None:
        self.facts = StreamFacts()
        self.last_ns = 0
        self.last_token_ns = 0
        self.head = b""
        self._columns = columns
        self._request = request
        self._origin_ns = origin_ns
        self._parser = dialect.reader()
        self._parse = dialect.parse
        self._read = dialect.read
        self._on_failure = on_failure
        self._on_end = on_end
        self._done_ns = 0
        self._may_end = False
        self._goes_on = False
        self._stamp = "u"
        self._more = False
        self._may_be_joined = 0
        self._completion_tokens = 0
        self._counting = True
        self._counted_chunks = 0
        self._counts_rise = self._counts_fall = False
        self._careful = False
        self._half: Said | None = None
        self._choice = 0
        self._left: set[int] = set()
        self._finished: int | None = None

    @property
    def token_chunks(self) -> int:
        """Token chunks so far."""
        return self.facts.token_chunks

    @property
    def end_ns(self) -> int:
        """When the answer's last byte came, as an event time: its end, or counts behind that; else that of the body."""
        return self._done_ns if self.facts.done else self.last_ns

    def read_begins(self, when: Arrival) -> None:
        """Start a read; its pieces share one stamp.

        A stream's bytes come in their order. Stamps of reads a few microseconds apart may not, as the offset between the two
        clocks is sampled for each; the text would be put in their order.
        """
        t_ns = when.t_ns - self._origin_ns
        if t_ns > self.last_ns or not self.head:
            self.last_ns = t_ns
        self._stamp = when.stamp
        self._more = when.more
        self._may_be_joined = 0

    def body(self, data: bytes) -> None:
        """Take the next piece of the body."""
        if self.facts.failure:
            return
        if len(self.head) < HEAD_BYTES:
            self.head += data[: HEAD_BYTES - len(self.head)]
        try:
            for payload in self._parser.feed(data):
                self._message(payload)
                if self.facts.failure:
                    return
        except (MalformedMessage, BadFraming) as error:
            self._broken(error)

    def read_ends(self) -> None:
        """End a read: whether its last message was complete only shows now."""
        if self._may_be_joined and (self._more or self._parser.pending):
            self._columns.mark_coalesced(self._may_be_joined)
        self._may_be_joined = 0

    def body_ends(self) -> None:
        """Take what the end of a whole body completes; its stamp is that of the last read.

        A body without a length may have been cut: a last message that cannot be read is kept aside.
        """
        try:
            for payload in self._parser.finish():
                if not self.facts.failure:
                    self._last_message(payload)
        except BadFraming as error:
            self._broken(error)
        if self._half is not None:
            self._add((self._half[0], REPLACEMENT), None)
        self._pass_over_counts_of_chunks()
        self.facts.aside = self.facts.aside or self._parser.aside.decode("utf-8", "replace").strip()

    def _last_message(self, payload: bytes) -> None:
        try:
            self._message(payload)
        except MalformedMessage:
            self.facts.aside = payload[:HEAD_BYTES].decode("utf-8", "replace").strip()

    def _message(self, payload: bytes) -> None:
        if self._may_be_joined:
            self._columns.mark_coalesced(self._may_be_joined)
            self._may_be_joined = 0
        if (self._careful and self.facts.done) or type(payload) is not bytes or payload[:1] != b"{":
            said = self._read_carefully(payload)
            if said is None:
                return
        else:
            said = self._parse(payload)
        if said.odd or self._careful:
            self._take(said)
            return
        message: Message = said  # type: ignore[assignment]  # the others are odd
        code = message.code
        if message.finish_reason or message.usage or message.timings or message.done:
            self._note(message)
        tokens, t_ns = message.tokens, self.last_ns
        if code in TOKEN_CODES:
            self.facts.token_chunks += 1
            self.last_token_ns = t_ns + self._origin_ns
            if tokens is None and self._counting:
                tokens = self._running_count(message)
        self._columns.add(t_ns, self._request, message.text, code, tokens, self._stamp)
        self._may_be_joined = 1

    def _read_carefully(self, payload: bytes) -> Payload | None:
        """Return what a payload says that may be no JSON object; None for a heartbeat, and for all that comes after the end."""
        try:
            said = self._read(payload)
        except MalformedMessage:
            if self.facts.done:
                return None
            raise
        if not self.facts.done:
            return said
        if isinstance(said, Message):
            self._count_late(said)
        return None

    def _end(self) -> None:
        """Note that the answer is whole."""
        if self.facts.done:
            return
        self.facts.done = self._careful = True
        self._done_ns = self.last_ns
        self._on_end(GRACE_S)

    def settle(self) -> None:
        """Take an answer for whole that told its finish reason and does not go on, though its body has not ended."""
        if self._may_end:
            self.facts.done = True

    def _count_late(self, message: Message) -> None:
        """Take the counts of a message that comes after the end, and nothing else of it."""
        if not (message.usage or message.timings):
            return
        self._done_ns = self.last_ns
        self.facts.usage = fuller(self.facts.usage, message.usage)
        self.facts.timings = message.timings or self.facts.timings
        self._columns.add(self.last_ns, self._request, "", "m", None, self._stamp)
        self._may_be_joined = 1

    def _take(self, said: Payload) -> None:
        """Take what says an end, a failure or more than one text, or what follows that."""
        if isinstance(said, Message):
            self._take_message(said)
        elif isinstance(said, Failed):
            self._fail("error_event", said.text)
        else:
            self._end()

    def _take_message(self, message: Message) -> None:
        self.facts.note = self.facts.note or message.note
        if self._is_another_answer(message):
            self._fail("malformed", SEVERAL)
            return
        text = message.text or message.more or message.halves
        if self._may_end and text and not message.whole:
            self._may_end, self._goes_on = False, True
            self._on_end(math.inf)
        if message.finish_reason or message.usage or message.timings or message.done:
            self._note(message)
        said = message.halves or ((message.code, message.text), *message.more)
        if message.whole and self.facts.token_chunks:
            said = (("m", ""),)
        chunks = [chunk for one in said for chunk in self._joined(*one)]
        tokens = message.tokens
        if len(chunks) > 1:
            tokens, self._counting = None, False  # how they share the message's tokens is not told
        elif tokens is None and self._counting and chunks[0][0] in TOKEN_CODES:
            tokens = self._running_count(message)
        for chunk in chunks:
            self._add(chunk, tokens)
        self._may_be_joined = len(chunks)

    def _is_another_answer(self, message: Message) -> bool:
        """Return whether a message shows that answers to one request are mixed here.

        A choice's number alone does not: a gateway counts the blocks of one answer with it. But text that comes back to a number,
        text of another after a finish, and a second number that finishes do.
        """
        choice = message.choice
        if message.text and choice != self._choice:
            if choice in self._left or self.facts.finish_reason:
                return True
            if self.facts.token_chunks:
                self._left.add(self._choice)
            self._choice, self._careful = choice, True
        if message.finish_reason:
            if self._finished not in (None, choice):
                return True
            self._finished = choice
        return False

    def _add(self, chunk: Said, tokens: int | None) -> None:
        code, text = chunk
        if code in TOKEN_CODES:
            self.facts.token_chunks += 1
            self.last_token_ns = self.last_ns + self._origin_ns
        self._columns.add(self.last_ns, self._request, text, code, tokens, self._stamp)

    def _joined(self, code: str, text: str) -> list[Said]:
        """Return a chunk with the half character before it, without a half at its end, which waits for the other.

        A half alone is bookkeeping: no reader could be shown it. One whose other half does not come is U+FFFD.
        """
        before: list[Said] = []
        if self._half is not None and text:
            kind, half = self._half
            self._half = None
            if kind == code:
                text = (half + text).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
            else:
                before = [(kind, REPLACEMENT)]
        if "\ud800" <= text[-1:] <= "\udbff":
            self._half, text, self._careful = (code, text[-1]), text[:-1], True
            if not text:
                return [*before, ("m", "")]
        return [*before, (code, mended(text))]

    def _broken(self, error: Exception) -> None:
        if not self.facts.done:
            self._fail("malformed", str(error))

    def _fail(self, kind: str, message: str) -> None:
        self.facts.failure = (kind, message)
        if self._on_failure is not None:
            self._on_failure()

    def _note(self, message: Message) -> None:
        """Keep the facts a message carries beside its text.

        A plain ``stop`` does not replace a reason that says more: some servers tell ``tool_calls`` and then that they stopped.
        """
        facts, reason = self.facts, message.finish_reason
        if reason and not (facts.finish_reason and reason == "stop"):
            facts.finish_reason = reason
        facts.usage = fuller(facts.usage, message.usage)
        facts.timings = message.timings or facts.timings
        if message.done:
            self._end()
        elif facts.finish_reason and not self._goes_on:
            self._done_ns = self.last_ns
            if not self._may_end:
                self._may_end = self._careful = True
                self._on_end(FINISHED_GRACE_S)

    def _running_count(self, message: Message) -> int | None:
        """Return how many tokens this token chunk brought, if the server has sent usage on each so far.

        A count that does not grow with the text is none.
        """
        if message.usage is None or message.usage.completion_tokens is None:
            self._counting = False
            return None
        total = message.usage.completion_tokens
        count, self._completion_tokens = total - self._completion_tokens, total
        if self._counted_chunks:
            self._counts_rise |= count > 0
            self._counts_fall |= count < 0
        self._counted_chunks += 1
        return count if count > 0 else None

    def _pass_over_counts_of_chunks(self) -> None:
        """Forget a count of tokens that is of each chunk alone, as gateways send it that pass on one more with each.

        A count of the answer rises with the chunks and never falls; or it is all of it from the first on, and then it is hardly
        less than the chunks.
        """
        usage = self.facts.usage
        if usage is None or usage.completion_tokens is None or (self._counts_rise and not self._counts_fall):
            return
        if self._counted_chunks > 1 and usage.completion_tokens < self._counted_chunks:
            self.facts.usage = structs.replace(usage, completion_tokens=None)
