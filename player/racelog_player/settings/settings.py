"""What the player remembers from one time to the next: the user's settings, in a TOML file of theirs in the home.

The file is theirs: a change rewrites one line of it, comments and lines we do not know stay, and a file that is no TOML is
never touched.
"""

import re
import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from racelog.home import own_folder
from racelog.log.write.atomic import replaced

FILE = "player.toml"
FPS = (10, 15, 20, 30, 60)
LEAST_FPS, MOST_FPS = 1, 120


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """The settings there are; an empty text is "as the player comes"."""

    theme: str = ""
    mode: Literal["novice", "expert", "teacher"] = "novice"
    keys: str = "default"
    commentary: Literal["quiet", "normal", "verbose"] = "normal"
    fps: float = 30
    motion: bool = True
    mouse: bool = True
    idle_limit: str = ""


NAMES = Settings.__struct_fields__


def recall(home: Path) -> tuple[Settings, str]:
    """Return the settings, and what is wrong with their file: a wrong value costs that one, no TOML costs them all."""
    path = home / FILE
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), ""
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Settings(), f"{path} cannot be read, the settings are the usual ones: {error}"
    known, problem = Settings(), ""
    for name in NAMES:
        if name not in found:
            continue
        try:
            known = _with(known, name, found[name])
        except msgspec.ValidationError as error:
            problem = f"{path}: {name} = {found[name]!r} is not a setting's value: {error}"
    return known, problem


def remember(home: Path, name: str, value: str | float | bool) -> str:  # noqa: FBT001 - a setting may be one
    """Write one setting; return why it could not be, or nothing. Everything else in the file stays as it is."""
    path = home / FILE
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        tomllib.loads(text)
        edited = _edited(text, name, value)
        if tomllib.loads(edited).get(name) != value:
            return f"{path} is written in a way that cannot be changed here; set {name} there"
        own_folder(home)
        with replaced(path, durable=True) as partial:  # nobody's own lines may be lost with the power
            partial.write_text(edited, encoding="utf-8")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return f"not remembered: {path} is no TOML: {error}"
    except OSError as error:
        return f"not remembered: {path}: {error.strerror}"
    return ""


def _with(settings: Settings, name: str, value: object) -> Settings:
    """Return the settings with one more.

    Raises:
        msgspec.ValidationError: it cannot be that.
    """
    changed = msgspec.convert({**msgspec.structs.asdict(settings), name: value}, Settings)
    if not LEAST_FPS <= changed.fps <= MOST_FPS:
        raise msgspec.ValidationError(f"from {LEAST_FPS} to {MOST_FPS}")
    return changed


def _edited(text: str, name: str, value: object) -> str:
    """Return a TOML document with one top-level key set: in its own line, else in a new one before the first table."""
    line = f"{name} = {_toml(value)}"
    lines = text.splitlines()
    first_table = next((at for at, one in enumerate(lines) if one.lstrip().startswith("[")), len(lines))
    for at in range(first_table):
        if re.match(rf"\s*{name}\s*=", lines[at]):
            comment = re.search(r"\s+#[^\"']*$", lines[at])
            lines[at] = line + (comment[0] if comment else "")
            break
    else:
        lines.insert(first_table, line)
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Return a value as TOML writes it; JSON's strings and numbers are TOML's too."""
    return msgspec.json.encode(value).decode()
