"""The chunks of a lane as they are recorded: one append to a few lists each, a `Tokens` event when they are taken."""

from collections.abc import Callable
from operator import sub

from racelog.events import Tokens
from racelog_recorder.durability import FLUSH_BYTES

CHUNK_BYTES = 12
"""A guess at one chunk's payload beside its text, for `FLUSH_BYTES` alone: request, time and quotes in three columns.
3,000 chunks of 7 characters were 57,832 bytes."""


class ChunkColumns:
    """The chunks of one lane since the last flush, as columns.

    Rows of one read share its stamp: `mark_coalesced` notes the rows whose own arrival is hidden by a later one.
    Cost: half a microsecond a chunk, `take` included: at 50,000 chunks/s a fortieth of a core.
    """

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._when_full: Callable[[], None] = lambda: None
        self._clear()

    def _clear(self) -> None:
        self._t: list[int] = []
        self._requests: list[int] = []
        self._texts: list[str] = []
        self._codes: list[str] = []
        self._tokens: list[int | None] = []
        self._stamps: list[str] = []
        self._room = FLUSH_BYTES
        self._full = False

    def when_full(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once a batch, when it reaches `FLUSH_BYTES` of estimated payload; it must not call back."""
        self._when_full = tell

    def __len__(self) -> int:
        return len(self._t)

    def add(  # noqa: PLR0917 - called once per token; keywords would cost a tenth of the call
        self, t_ns: int, request: int, text: str, code: str, tokens: int | None, stamp: str
    ) -> int:
        """Append one chunk; return its row."""
        self._t.append(t_ns)
        self._requests.append(request)
        self._texts.append(text)
        self._codes.append(code)
        self._tokens.append(tokens)
        self._stamps.append(stamp)
        self._room -= CHUNK_BYTES + len(text)
        if self._room <= 0 and not self._full:
            self._full = True
            self._when_full()
        return len(self._t) - 1

    def mark_coalesced(self, row: int) -> None:
        """Mark a row added since the last `take`: its stamp is that of a later segment."""
        self._stamps[row] = self._stamps[row].upper()

    def take(self) -> Tokens | None:
        """Return everything as one batch in time order and start anew; None when nothing arrived."""
        if not self._t:
            return None
        d = list(map(sub, self._t[1:], self._t))
        if min(d, default=0) < 0:
            self._sort()
            d = list(map(sub, self._t[1:], self._t))
        stamps, codes = "".join(self._stamps), "".join(self._codes)
        batch = Tokens(
            t=self._t[0],
            lane=self._lane,
            r=self._requests,
            d=[0, *d],
            x=self._texts,
            c="" if codes.count("c") == len(codes) else codes,
            n=[] if self._tokens.count(None) == len(self._tokens) else self._tokens,
            s="" if stamps.count("k") == len(stamps) else stamps,
        )
        self._clear()
        return batch

    def _sort(self) -> None:
        """Put the rows into time order, those of one instant as they were added."""
        t = self._t
        order = sorted(range(len(t)), key=t.__getitem__)
        self._t = [t[i] for i in order]
        self._requests = [self._requests[i] for i in order]
        self._texts = [self._texts[i] for i in order]
        self._codes = [self._codes[i] for i in order]
        self._tokens = [self._tokens[i] for i in order]
        self._stamps = [self._stamps[i] for i in order]
