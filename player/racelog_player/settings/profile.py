"""What the viewer has earned by watching, from one time to the next: one small JSON file in the home."""

from contextlib import suppress
from pathlib import Path

import msgspec

from racelog.home import own_folder
from racelog.log.write.atomic import replaced

FILE = "viewer.json"


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``explanations``: the numbers whose explanations were looked at, on all days, each once."""

    explanations: frozenset[str] = frozenset()


def load_profile(home: Path) -> Profile:
    """Return what was kept; nothing where there is no file, or one that is not ours."""
    try:
        return msgspec.json.decode((home / FILE).read_bytes(), type=Profile)
    except (OSError, msgspec.MsgspecError):
        return Profile()


def keep_profile(home: Path, profile: Profile) -> None:
    """Keep it. What cannot be written is lost: nobody's race ends for it."""
    with suppress(OSError):
        own_folder(home)
        with replaced(home / FILE, durable=True) as partial:
            partial.write_bytes(msgspec.json.encode(profile))
