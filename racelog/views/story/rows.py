"""The rows that rules give: plain results for screens, tables and reports. Times are ns on the race's clock."""

from typing import Literal

from msgspec import Struct

Tone = Literal["info", "good", "warn", "error"]
Level = Literal["quiet", "normal", "verbose"]
AnomalyKind = Literal["latency-spike", "error-rise", "throughput-drop", "outlier"]
Category = Literal["speed", "reliability", "efficiency", "cost", "explorer"]
Priority = Literal["high", "medium", "low"]


class Comment(Struct, frozen=True, kw_only=True):
    """One line of commentary; ``level`` is the least talkative commentator who would say it."""

    position_ns: int
    t_ns: int
    lane: int | None
    key: str
    tone: Tone
    level: Level
    text: str


class Anomaly(Struct, frozen=True, kw_only=True):
    """Something out of the ordinary: what was, what is, and what in this log may explain it.

    ``kind`` is an `AnomalyKind`, or one of another package's rule.
    """

    position_ns: int
    t_ns: int
    lane: int
    kind: str
    req: int | None
    before: float
    now: float
    unit: str
    text: str
    causes: list[str]
    advice: str


class Insight(Struct, frozen=True, kw_only=True):
    """What the numbers say at a quarter of the race, and the numbers themselves as the reason."""

    position_ns: int
    t_ns: int
    share: float
    lane: int | None
    category: Category
    priority: Priority
    text: str
    reason: str


class Achievement(Struct, frozen=True, kw_only=True):
    """One achievement of one lane: unlocked at an instant, or how far it has come, 0 to 1."""

    lane: int | None
    key: str
    name: str
    category: Category
    told: str
    unlocked_at_ns: int | None
    position_ns: int | None
    progress: float
