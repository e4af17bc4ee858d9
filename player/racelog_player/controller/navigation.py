"""Where the user is among the pages: which one is open, which lane and request it is about, how far it is scrolled."""

from collections.abc import Sequence

from racelog.views.inspector import InspectorView
from racelog.views.story.rows import Comment
from racelog_player.model.scene import Page
from racelog_player.panes.pages.explain import EXPLAINERS
from racelog_player.panes.pages.table import PAGES

WHEEL_LINES = 3
"""Lines a notch of the wheel scrolls; pages that go from one thing to the next take one."""

SHOWN = 16
"""Lines of commentary that are on the screen at most."""


class Navigation:
    """Changed by keys and the mouse; ``explained`` names the explanations that were looked at, also on earlier days."""

    def __init__(self) -> None:
        self.page = Page.RACE
        self.focus = 0
        self.chosen = False
        self.scroll = 0
        self.reading: int | None = None
        self.answered = False
        self.explained: set[str] = set()
        self._back = 0
        self._held: Comment | None = None

    def turn(self, page: Page, busy: Sequence[bool] = ()) -> None:
        """Turn to a page, or with the same key back from it.

        ``busy`` says of each lane whether a request is open on it: answers open on one where there is something to see,
        unless the user has chosen a lane.
        """
        self.page = Page.RACE if page is self.page else page
        self.scroll, self.answered = 0, False
        if self.page is Page.INSPECTOR and not self.chosen and any(busy) and not busy[self.focus]:
            self.focus = busy.index(True)
        self._learn()

    def close(self) -> None:
        """Go back from one request to all of them, and from every other page to the race."""
        self.turn(Page.INSPECTOR if self.page is Page.READING else Page.RACE)

    def open(self, content: object, busy: Sequence[bool] = ()) -> None:
        """Go deeper: from the race to a lane's answers, from those to the chosen one; from a quiz to its answer."""
        self.answered = self.page is Page.EXPLAIN
        if self.page is Page.RACE:
            self.turn(Page.INSPECTOR, busy)
        elif self.page is Page.INSPECTOR and isinstance(content, InspectorView) and content.requests:
            picked = content.requests[min(self.scroll, len(content.requests) - 1)]
            self.page, self.reading, self.scroll = Page.READING, picked.req, 0

    def _learn(self) -> None:
        """Remember the explanation that is shown; the same one again teaches nothing new."""
        if self.page is Page.EXPLAIN:
            self.explained.add(EXPLAINERS[min(self.scroll, len(EXPLAINERS) - 1)].key)

    def choose(self, focus: int) -> None:
        """Turn to another lane; one request of the lane before is of no interest then."""
        self.focus, self.chosen, self.scroll = focus, True, 0
        self.page = Page.INSPECTOR if self.page is Page.READING else self.page

    def scroll_by(self, lines: int) -> None:
        """Scroll the page; on the race that is its commentary."""
        if self.page is Page.RACE:
            self._back -= lines
        self.scroll = 0 if self.page is Page.RACE else max(0, self.scroll + lines)
        self.answered = False
        self._learn()

    def wheel(self, kind: str) -> None:
        """Scroll by a notch of the wheel."""
        lines = WHEEL_LINES if self.page in PAGES and PAGES[self.page].by_lines else 1
        self.scroll_by(lines if kind == "wheel-down" else -lines)

    def talk(self, comments: Sequence[Comment]) -> tuple[tuple[Comment, ...], int]:
        """Return the comments to show, and how many newer ones there are.

        Scrolled back, the commentary stays where it is, whatever is said meanwhile; at its end it follows again.
        """
        last = len(comments) - 1
        at = last if self._held is None or self._held not in comments else list(comments).index(self._held)
        at, self._back = max(min(last, 0), min(last, at - self._back)), 0
        self._held = None if at >= last else comments[at]
        return tuple(comments[: at + 1][-SHOWN:]), last - at
