"""What the player remembers from one time to the next: the mode and the theme. One small JSON file in the home."""

import os
from pathlib import Path

import msgspec

FILE = "player.json"


class Memory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was chosen last; empty where nothing was."""

    mode: str = ""
    theme: str = ""


def recall(home: Path) -> Memory:
    """Return what was remembered; nothing when there is no file or it is not ours."""
    try:
        return msgspec.json.decode((home / FILE).read_bytes(), type=Memory)
    except (OSError, msgspec.MsgspecError):
        return Memory()


def remember(home: Path, *, mode: str | None = None, theme: str | None = None) -> None:
    """Keep a choice. What cannot be written is not remembered: nobody's race ends for it."""
    known = recall(home)
    kept = Memory(mode=known.mode if mode is None else mode, theme=known.theme if theme is None else theme)
    temporary = home / f"{FILE}.{os.getpid()}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(msgspec.json.encode(kept))
        temporary.replace(home / FILE)
    except OSError:
        temporary.unlink(missing_ok=True)
