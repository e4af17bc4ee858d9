"""Accounts and rules that go on twice from one point: copied as deep as they change, and no deeper."""

from collections import deque
from copy import copy
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from racelog.replay.tally import Tally
from racelog.views.story.achievements import Achievements
from racelog.views.story.anomalies import Anomalies
from racelog.views.story.beats import Book, LaneAccount
from racelog.views.story.commentary import Commentator
from racelog.views.story.insights import Insights

T = TypeVar("T")


def forked(value: T) -> T:
    """Return a copy of a rule, a book or a container that shares what never changes: requests, tracks, rows, numbers."""
    if isinstance(value, dict):
        return type(value)({key: forked(one) for key, one in value.items()})
    if isinstance(value, list | set | deque):
        return copy(value)
    if isinstance(value, LaneAccount | Tally) and is_dataclass(value):
        return replace(value, **{part.name: forked(getattr(value, part.name)) for part in fields(value)})
    if isinstance(value, Book | Anomalies | Commentator | Insights | Achievements):
        other = copy(value)
        vars(other).update({name: forked(one) for name, one in vars(value).items()})
        return other
    return value
