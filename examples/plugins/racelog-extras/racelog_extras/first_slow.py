"""A rule: says when a request's first token took five times as long as the lane's median until then."""

from collections.abc import Iterator

from racelog.display.figures import duration
from racelog.display.text import printable
from racelog.replay.quantiles import median
from racelog.views.story.happenings import Beat, Book
from racelog.views.story.rows import Comment
from racelog.views.story.rules import comment

TIMES = 5.0
LEAST = 5
"""First tokens that a median needs."""


class FirstSlow:
    """Remembers of which lanes it has spoken: it speaks once a lane."""

    def __init__(self) -> None:
        self._said: set[int] = set()

    def step(self, beat: Beat, book: Book) -> Iterator[Comment]:
        """Yield the comment when its moment comes."""
        request = beat.request
        if beat.kind != "first-token" or beat.lane is None or beat.lane in self._said or request is None:
            return
        account = book.lanes[beat.lane]
        before = [ttft for _, ttft in account.firsts][:-1]
        usual, ttft_ms = median(sorted(before)), request.ttft_ms
        if len(before) < LEAST or usual is None or ttft_ms is None or ttft_ms < TIMES * usual:
            return
        self._said.add(beat.lane)
        text = f"{printable(account.engine)}: request {request.req} waits {duration(ttft_ms)} for its first token, usually {duration(usual)}"
        yield comment(beat, book, "first-slow", text, tone="warn")
