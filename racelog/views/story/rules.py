"""Rules of other packages: folds over the happenings of a race whose rows stand beside those of our own rules.

A rule that cannot be loaded, fails or gives something else than rows is told once and left out from there on; the story
goes on without it.
"""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Protocol, TypeVar

import msgspec

from racelog.errors import RacelogError
from racelog.plugins import Group, tell
from racelog.views.story.happenings import Beat, Book
from racelog.views.story.rows import Achievement, Anomaly, Comment, Insight, Level, Tone

GROUP = "racelog.rules"

T = TypeVar("T")
StoryRow = Comment | Anomaly | Insight | Achievement
R = TypeVar("R", bound=StoryRow)


class Rule(Protocol):
    """A fold: made without arguments at the start of a race, then asked at each beat, in order.

    It sees the race up to the beat and nothing later, holds no clock and no chance, and changes neither beat nor book; its
    own state, numbers and texts and no part of beat or book, is copied by `copy.deepcopy`. So a story told live is the one
    that a replay tells. A rule of achievements also has ``finish(book)``, which returns those of every lane as they stand,
    unlocked or not, and may be asked on the way.
    """

    def step(self, beat: Beat, book: Book) -> Iterable[StoryRow]:
        """Return what there is to say at ``beat``: rows of its position. An `Achievement` is one that was just unlocked."""
        ...


def _rule(name: str, found: object) -> Callable[[], Rule]:
    """Return what an entry point gives as what makes a rule.

    Raises:
        TypeError: it makes none.
    """
    if not callable(found) or not callable(getattr(found, "step", None)):
        raise TypeError(f"{name} is no class with step(beat, book)")
    return found


RULES = Group(GROUP, _rule)
"""Name -> the class of the rule."""


def comment(
    beat: Beat, book: Book, key: str, text: str, *, tone: Tone = "info", level: Level = "normal", lane: int | None = None
) -> Comment:  # fmt: skip
    """Return a line of commentary at ``beat``, about its lane or about ``lane``."""
    number = beat.lane if lane is None else lane
    origin_ns = book.lanes[number].origin_ns if number is not None else 0
    return Comment(
        position_ns=beat.position_ns, t_ns=origin_ns + beat.position_ns, lane=number, key=key, tone=tone, level=level, text=text,
    )  # fmt: skip


class ForeignRule:
    """One rule of another package on its way through a race; one that has failed says nothing more."""

    def __init__(self, name: str, rule: Rule | None) -> None:
        self._name, self._rule = name, rule

    def step(self, beat: Beat, book: Book) -> list[StoryRow]:
        """Return what the rule says at ``beat``."""
        rule = self._rule
        if rule is None:
            return []
        return self._asked(lambda: [_checked(row, beat, book) for row in rule.step(beat, book) or ()]) or []

    def finish(self, book: Book) -> list[Achievement]:
        """Return the rule's achievements; none where it knows of none."""
        finish = getattr(self._rule, "finish", None)
        if finish is None:
            return []
        return self._asked(lambda: [_achievement(row, book) for row in finish(book) or ()]) or []

    def copy(self) -> "ForeignRule":
        """Return it as it stands, to go on from here a second time."""
        return ForeignRule(self._name, self._asked(lambda: deepcopy(self._rule)))

    def _asked(self, question: Callable[[], T]) -> T | None:
        answer = _attempt(self._name, question)
        if answer is None:
            self._rule = None
        return answer


def begin_rules() -> list[ForeignRule]:
    """Return the installed rules at the start of a race, in the order of their names."""
    return [ForeignRule(name, _attempt(name, make)) for name, make in RULES.load_all().items()]


def _attempt(name: str, question: Callable[[], T]) -> T | None:
    """Return a rule's answer; None if it failed, which is told."""
    try:
        with RULES.running(name):
            return question()
    except (RacelogError, OSError) as error:
        tell(f"{error}; it is left out")
        return None


def _checked(row: object, beat: Beat, book: Book) -> StoryRow:
    """Return a row that a rule gave at ``beat``.

    Raises:
        TypeError, ValueError: it is none, or says something of another position or of a lane that is not there.
    """
    if isinstance(row, Achievement):
        if row.position_ns is None or row.unlocked_at_ns is None:
            raise ValueError("step() gave an achievement that is not unlocked; those are for finish()")
        return _achievement(row, book)
    if not isinstance(row, Comment | Anomaly | Insight):
        raise TypeError(f"step() gave {row!r}, which is no row")
    if row.position_ns != beat.position_ns:
        raise ValueError(f"step() gave a row of position {row.position_ns} at a beat of {beat.position_ns}")
    return _valid(row, book)


def _achievement(row: object, book: Book) -> Achievement:
    """Return an achievement that a rule gave.

    Raises:
        TypeError, ValueError: it is none, or of a lane that is not there.
    """
    if not isinstance(row, Achievement):
        raise TypeError(f"{row!r} is no Achievement")
    if row.lane is None:
        raise ValueError(f"the achievement {row.key!r} is no lane's")
    return _valid(row, book)


def _valid(row: R, book: Book) -> R:
    """Return a row whose fields are what its type says: what is wrong would show far from here."""
    if row.lane is not None and row.lane not in book.lanes:
        raise ValueError(f"there is no lane {row.lane!r}")
    return msgspec.convert(msgspec.to_builtins(row), type(row))
