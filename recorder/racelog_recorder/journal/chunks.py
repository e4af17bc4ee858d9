"""The chunks of a lane as they are recorded: one append of a row each, turned into the columns of a `Tokens` event bit by bit."""

from collections.abc import Callable
from operator import itemgetter, sub
from typing import Protocol

from racelog.events import Tokens
from racelog.log.rows.chunks import ChunkRow, chunk_rows, without_defaults
from racelog_recorder.journal.durability import FLUSH_BYTES

CHUNK_BYTES = 12
"""A guess at one chunk's payload beside its text, for `FLUSH_BYTES` alone: request, time and quotes in three columns.
3,000 chunks of 7 characters were 57,832 bytes."""

PORTION = 128
"""Rows turned at once: 50 us, in which no socket is looked at. All 3,000 of a flush together took 0.5 to 1 ms."""

OVERLAP = 64
"""The latest rows wait for the next portion: reads are added in the order of their drains, and a drain may bring what arrived
before the last of the one before. What comes later still is put into its place when the batch is taken."""


class ChunkSink(Protocol):
    """Takes the chunks of a stream: a lane's columns, or what stands before them."""

    def add(  # noqa: PLR0917 - called once per token; keywords would cost a tenth of the call
        self, t_ns: int, request: int, text: str, code: str, tokens: int | None, stamp: str
    ) -> None:
        """Append one chunk."""
        ...

    def mark_coalesced(self, chunks: int = 1) -> None:
        """Mark the ``chunks`` of the message that came last: its arrival is hidden by a later one of the same read."""
        ...


class Held:
    """A chunk's text of which not everything can be told yet: it is ``known``, and all of it when no more is ``open``."""

    __slots__ = ("known", "open", "unknown")

    def __init__(self, text: str) -> None:
        self.known = ""
        self.unknown = text
        self.open = True

    def __len__(self) -> int:
        return len(self.known) + len(self.unknown)


class ChunkColumns:
    """The chunks of one lane since the last flush, gathered as rows and taken as columns.

    Cost: half a microsecond a chunk, `take` included: at 50,000 chunks/s a fortieth of a core. Six appends to six
    lists cost twice as much as one of a tuple that is turned later.
    """

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._when_full: Callable[[], None] = lambda: None
        self._clear()

    def _clear(self) -> None:
        self._rows: list[ChunkRow] = []
        self._first_ns = self._last_ns = 0
        self._deltas: list[int] = []
        self._requests: list[int] = []
        self._texts: list[str] = []
        self._codes: list[str] = []
        self._tokens: list[int | None] = []
        self._stamps: list[str] = []
        self._holds = False
        self._room = FLUSH_BYTES
        self._full = False

    def when_full(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once a batch, when it reaches `FLUSH_BYTES` of estimated payload; it must not call back."""
        self._when_full = tell

    def __len__(self) -> int:
        return len(self._deltas) + len(self._rows)

    def add(  # noqa: PLR0917 - called once per token; keywords would cost a tenth of the call
        self, t_ns: int, request: int, text: str, code: str, tokens: int | None, stamp: str
    ) -> None:
        """Append one chunk."""
        if len(self._rows) >= PORTION + OVERLAP:
            self._turn(PORTION)
        self._rows.append((t_ns, request, text, code, tokens, stamp))
        self._room -= CHUNK_BYTES + len(text)
        if self._room <= 0 and not self._full:
            self._full = True
            self._when_full()

    def hold(  # noqa: PLR0917 - as `add`
        self, t_ns: int, request: int, text: Held, code: str, tokens: int | None, stamp: str
    ) -> None:
        """Append one chunk that is not taken before its text is known."""
        self._holds = True
        self.add(t_ns, request, text, code, tokens, stamp)  # type: ignore[arg-type]  # it becomes a text

    def mark_coalesced(self, chunks: int = 1) -> None:
        """Mark the ``chunks`` of the message that came last: its arrival is hidden by a later one of the same read."""
        for place in range(-chunks, 0):
            *chunk, stamp = self._rows[place]
            self._rows[place] = (*chunk, stamp.upper())  # type: ignore[assignment]  # the same six

    def take(self) -> Tokens | None:
        """Return everything as one batch in time order and start anew; None when nothing arrived, or all is held."""
        if not len(self):
            return None
        self._turn(len(self._rows))
        held = self._settle() if self._holds else []
        batch = self._turned() if self._deltas else None
        self._clear()
        self._rows += held
        self._holds = bool(held)
        return batch

    def _settle(self) -> list[ChunkRow]:
        """Put in the texts that are known by now; take out and return the rows whose are not."""
        settled, held = [], []
        for row in chunk_rows(self._turned()):
            text: str | Held = row[2]
            if isinstance(text, str):
                settled.append(row)
            elif text.open:
                held.append(row)
            else:
                settled.append((*row[:2], text.known, *row[3:]))
        self._empty()
        if settled:
            self._append(settled)
        return held

    def _turned(self) -> Tokens:
        """Return what was turned, at least one row."""
        return without_defaults(
            Tokens(
                t=self._first_ns, lane=self._lane, r=self._requests, d=self._deltas, x=self._texts,
                c="".join(self._codes), n=self._tokens, s="".join(self._stamps),
            )
        )  # fmt: skip

    def _turn(self, count: int) -> None:
        """Turn the ``count`` earliest rows into columns."""
        rows = sorted(self._rows, key=itemgetter(0))  # stable: those of one instant stay as they were added
        turned, self._rows = rows[:count], rows[count:]
        if not turned:
            return
        if self._deltas and turned[0][0] < self._last_ns:
            turned = self._merged(turned)
        self._append(turned)

    def _append(self, rows: list[ChunkRow]) -> None:
        """Append ``rows``, none of which is earlier than the last, to the columns."""
        t, requests, texts, codes, tokens, stamps = zip(*rows, strict=True)
        if not self._deltas:
            self._first_ns = self._last_ns = t[0]
        self._deltas += map(sub, t, (self._last_ns, *t))
        self._last_ns = t[-1]
        self._requests += requests
        self._texts += texts
        self._codes.append("".join(codes))
        self._tokens += tokens
        self._stamps.append("".join(stamps))

    def _merged(self, rows: list[ChunkRow]) -> list[ChunkRow]:
        """Return ``rows`` among all that were turned, in time order; nothing counts as turned any more."""
        merged = sorted([*chunk_rows(self._turned()), *rows], key=itemgetter(0))
        self._empty()
        return merged

    def _empty(self) -> None:
        for column in (self._deltas, self._requests, self._texts, self._codes, self._tokens, self._stamps):
            column.clear()
