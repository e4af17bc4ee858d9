"""The chunks of a lane as they are recorded: one append of a row each, a `Tokens` event of columns when they are taken."""

from collections.abc import Callable
from operator import itemgetter, sub

from racelog.events import Tokens
from racelog_recorder.durability import FLUSH_BYTES

CHUNK_BYTES = 12
"""A guess at one chunk's payload beside its text, for `FLUSH_BYTES` alone: request, time and quotes in three columns.
3,000 chunks of 7 characters were 57,832 bytes."""


_Row = tuple[int, int, str, str, int | None, str]
"""Time, request, text, kind code, tokens, stamp code."""


class ChunkColumns:
    """The chunks of one lane since the last flush, gathered as rows and taken as columns.

    Rows of one read share its stamp: `mark_coalesced` notes the rows whose own arrival is hidden by a later one.
    Cost: half a microsecond a chunk, `take` included: at 50,000 chunks/s a fortieth of a core. Six appends to six
    lists cost twice as much as one of a tuple that is turned later.
    """

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._when_full: Callable[[], None] = lambda: None
        self._clear()

    def _clear(self) -> None:
        self._rows: list[_Row] = []
        self._room = FLUSH_BYTES
        self._full = False

    def when_full(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once a batch, when it reaches `FLUSH_BYTES` of estimated payload; it must not call back."""
        self._when_full = tell

    def __len__(self) -> int:
        return len(self._rows)

    def add(  # noqa: PLR0917 - called once per token; keywords would cost a tenth of the call
        self, t_ns: int, request: int, text: str, code: str, tokens: int | None, stamp: str
    ) -> int:
        """Append one chunk; return its row."""
        rows = self._rows
        rows.append((t_ns, request, text, code, tokens, stamp))
        self._room -= CHUNK_BYTES + len(text)
        if self._room <= 0 and not self._full:
            self._full = True
            self._when_full()
        return len(rows) - 1

    def mark_coalesced(self, row: int) -> None:
        """Mark a row added since the last `take`: its stamp is that of a later segment."""
        *chunk, stamp = self._rows[row]
        self._rows[row] = (*chunk, stamp.upper())  # type: ignore[assignment]  # the same six

    def take(self) -> Tokens | None:
        """Return everything as one batch in time order and start anew; None when nothing arrived."""
        if not self._rows:
            return None
        rows = sorted(self._rows, key=itemgetter(0))  # stable: those of one instant stay as they were added
        t, requests, texts, codes, tokens, stamps = zip(*rows, strict=True)
        self._clear()
        joined_codes, joined_stamps = "".join(codes), "".join(stamps)
        return Tokens(
            t=t[0],
            lane=self._lane,
            r=list(requests),
            d=[0, *map(sub, t[1:], t)],
            x=list(texts),
            c="" if joined_codes.count("c") == len(rows) else joined_codes,
            n=[] if tokens.count(None) == len(rows) else list(tokens),
            s="" if joined_stamps.count("k") == len(rows) else joined_stamps,
        )
