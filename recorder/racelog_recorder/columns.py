"""The chunks of a lane as they are recorded: one append to a few lists each, a `Tokens` event when they are taken."""

from array import array
from collections.abc import Callable

from racelog.events import Tokens
from racelog_recorder.durability import FLUSH_BYTES

CHUNK_BYTES = 12
"""A guess at one chunk's payload beside its text, for `FLUSH_BYTES` alone: request, time and quotes in three columns.
3,000 chunks of 7 characters were 57,832 bytes."""


class ChunkColumns:
    """The chunks of one lane since the last flush, as columns.

    Rows of one read share its stamp: `mark_coalesced` notes the rows whose own arrival is hidden by a later one.
    """

    def __init__(self, lane: int) -> None:
        self._lane = lane
        self._when_full: Callable[[], None] = lambda: None
        self._clear()

    def _clear(self) -> None:
        self._t = array("q")
        self._requests: list[int] = []
        self._texts: list[str] = []
        self._codes: list[str] = []
        self._tokens: list[int | None] = []
        self._stamps: list[str] = []
        self._counted = False
        self._bytes = 0

    def when_full(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` on every `add` beyond `FLUSH_BYTES` of estimated payload; it must be cheap and not call back."""
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
        self._counted = self._counted or tokens is not None
        self._bytes += CHUNK_BYTES + len(text)
        if self._bytes >= FLUSH_BYTES:
            self._when_full()
        return len(self._t) - 1

    def mark_coalesced(self, row: int) -> None:
        """Mark a row added since the last `take`: its stamp is that of a later segment."""
        self._stamps[row] = self._stamps[row].upper()

    def take(self) -> Tokens | None:
        """Return everything as one batch in time order and start anew; None when nothing arrived."""
        if not self._t:
            return None
        t, rows = self._t, range(len(self._t))
        order = rows if all(t[i] <= t[i + 1] for i in range(len(t) - 1)) else sorted(rows, key=t.__getitem__)
        times = [t[i] for i in order]
        stamps = "".join(self._stamps[i] for i in order)
        codes = "".join(self._codes[i] for i in order)
        batch = Tokens(
            t=times[0],
            lane=self._lane,
            r=[self._requests[i] for i in order],
            d=[0, *(times[i + 1] - times[i] for i in range(len(times) - 1))],
            x=[self._texts[i] for i in order],
            c="" if codes.count("c") == len(codes) else codes,
            n=[self._tokens[i] for i in order] if self._counted else [],
            s="" if stamps.count("k") == len(stamps) else stamps,
        )
        self._clear()
        return batch
