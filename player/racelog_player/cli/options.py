"""What the flags of `racelog play` ask for, as they were given; None is a flag that was not."""

from dataclasses import dataclass
from pathlib import Path

from racelog.replay.race import Align
from racelog.views.story.rows import Level
from racelog_player.model.scene import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """One field a flag, under the flag's name; `Session` reads times, speeds and sizes from the texts."""

    speed: str | None
    start: str
    until: str | None
    loop: str | None
    ab: str | None
    idle_limit: str | None
    pause_on_marks: bool
    paused: bool
    lanes: str | None
    align: Align
    follow: bool
    at: str | None
    as_json: bool
    plain: bool
    dry_run: bool
    cast: Path | None
    snapshot: Path | None
    size: str
    force: bool
    fps: float | None
    keys: str | None
    mouse: bool | None
    motion: bool | None
    theme: str | None
    mode: Mode | None
    commentary: Level | None
    control_fd: int | None
