"""What the mouse did, and what lies under the pointer: plain data."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Mouse:
    """What the mouse did, and where: column and row from 0."""

    kind: Literal["press", "drag", "wheel-up", "wheel-down"]
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Pointed:
    """What lies under the pointer: a share of the race on its time line, or a lane; or neither."""

    share: float | None = None
    lane: int | None = None
