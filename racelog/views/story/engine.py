"""The whole story of a race: every rule run once over all beats, and what of it is known at a position."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import fields, is_dataclass
from dataclasses import replace as replace_fields
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from racelog.replay.race import RaceTracks
from racelog.replay.tally import Tally
from racelog.views.story.achievements import Achievements
from racelog.views.story.anomalies import Anomalies
from racelog.views.story.commentary import Commentator, of_achievement, of_anomaly, of_insight
from racelog.views.story.happenings import Beat, Book, LaneAccount, beats
from racelog.views.story.insights import Insights
from racelog.views.story.rows import Achievement, Anomaly, Comment, Insight
from racelog.views.story.rules import StoryRow, begin_rules

Row = TypeVar("Row", Comment, Anomaly, Insight)
T = TypeVar("T")


class Story(Struct, frozen=True, kw_only=True):
    """All rows, each list in order of position; ``achievements`` has every lane's, unlocked or not.

    ``progress`` has, by ``lane/key``, the positions at which an achievement came another percent nearer.
    """

    comments: list[Comment]
    anomalies: list[Anomaly]
    insights: list[Insight]
    achievements: list[Achievement]
    progress: dict[str, list[tuple[int, float]]]


class Telling:
    """All rules on their way through the beats, and the rows they have given so far."""

    def __init__(self, tracks: RaceTracks) -> None:
        self.book = Book(tracks)
        self._rules = Anomalies(), Commentator(), Insights(), Achievements()
        self._foreign = begin_rules()
        self._rows = Story(comments=[], anomalies=[], insights=[], achievements=[], progress={})

    def step(self, beat: Beat) -> None:
        """Let every rule see one beat; beats come in order."""
        book, found = self.book, self._rows
        anomalies, commentator, insights, achievements = self._rules
        book.take(beat)
        strange = list(anomalies.step(beat, book))
        found.anomalies.extend(strange)
        found.comments.extend(commentator.step(beat, book))
        found.comments.extend(map(of_anomaly, strange))
        if beat.kind in ("end", "lane-end", "second"):
            told = list(insights.step(book))
            found.insights.extend(told)
            found.comments.extend(map(of_insight, told))
        for row in achievements.step(beat, book):
            found.comments.append(of_achievement(row, book.lanes[row.lane or 0].engine))
        for rule in self._foreign:
            self._enter(rule.step(beat, book))

    def _enter(self, rows: list[StoryRow]) -> None:
        """Enter what a rule of another package says, where ours stand: all but comments get a line of commentary, too."""
        found = self._rows
        for row in rows:
            match row:
                case Comment():
                    found.comments.append(row)
                case Anomaly():
                    found.anomalies.append(row)
                    found.comments.append(of_anomaly(row))
                case Insight():
                    found.insights.append(row)
                    found.comments.append(of_insight(row))
                case Achievement():
                    found.comments.append(of_achievement(row, self.book.lanes[row.lane or 0].engine))

    def told(self) -> Story:
        """Return the rows given since this was asked last, without achievements, and keep them no longer."""
        rows, self._rows = (
            self._rows,
            Story(comments=[], anomalies=[], insights=[], achievements=[], progress={}),
        )
        return rows

    def copy(self) -> "Telling":
        """Return it as it stands, to go on from here a second time. Cost: what the accounts keep, not what they saw."""
        other = copy(self)
        vars(other).update(
            book=forked(self.book),
            _rules=tuple(map(forked, self._rules)),
            _foreign=[rule.copy() for rule in self._foreign],
            _rows=_begun(self._rows),
        )
        return other

    def finish(self) -> Story:
        """Return the story up to here."""
        achievements = self._rules[3]
        foreign = [row for rule in self._foreign for row in rule.finish(self.book)]
        return replace(
            self._rows,
            achievements=[*achievements.finish(self.book), *foreign],
            progress=dict(achievements.history),
        )


def _begun(rows: Story) -> Story:
    """Return the rows in lists of their own."""
    return replace(rows, comments=[*rows.comments], anomalies=[*rows.anomalies], insights=[*rows.insights])


def story(tracks: RaceTracks) -> Story:
    """Return the story of a race as far as it is recorded. Cost: one fold, then a look at each request's four beats."""
    telling = Telling(tracks)
    for beat in beats(tracks):
        telling.step(beat)
    return telling.finish()


def until(told: Story, position_ns: int) -> Story:
    """Return what of a story was known at a position."""
    return Story(
        comments=_known(told.comments, position_ns),
        anomalies=_known(told.anomalies, position_ns),
        insights=_known(told.insights, position_ns),
        achievements=[_achieved(row, told.progress, position_ns) for row in told.achievements],
        progress=told.progress,
    )


def _achieved(
    row: Achievement, progress: dict[str, list[tuple[int, float]]], position_ns: int
) -> Achievement:
    """Return an achievement as it stood at a position."""
    if row.position_ns is not None and row.position_ns <= position_ns:
        return row
    steps = progress.get(f"{row.lane}/{row.key}", [])
    place = bisect_right(steps, position_ns, key=lambda step: step[0])
    share = steps[place - 1][1] if place else 0.0
    return replace(row, unlocked_at_ns=None, position_ns=None, progress=share)


def _known(rows: Sequence[Row], position_ns: int) -> list[Row]:
    return list(rows[: bisect_right(rows, position_ns, key=lambda row: row.position_ns)])


def forked(value: T) -> T:
    """Return a copy of a rule, a book or a container that shares what never changes: requests, tracks, rows, numbers."""
    if isinstance(value, dict):
        return type(value)({key: forked(one) for key, one in value.items()})
    if isinstance(value, list | set | deque):
        return copy(value)
    if isinstance(value, LaneAccount | Tally) and is_dataclass(value):
        return replace_fields(
            value, **{part.name: forked(getattr(value, part.name)) for part in fields(value)}
        )
    if isinstance(value, Book | Anomalies | Commentator | Insights | Achievements):
        other = copy(value)
        vars(other).update({name: forked(one) for name, one in vars(value).items()})
        return other
    return value
