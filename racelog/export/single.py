"""The exports that are one file each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from racelog.display.text import json_inert
from racelog.export.source import Source
from racelog.log.write.atomic import new_file


def indented(value: Any) -> bytes:
    """Return plain containers as JSON for people and programs."""
    return json_inert(msgspec.json.format(msgspec.json.encode(value), indent=1).decode()).encode() + b"\n"


def write_single(
    source: Source, folder: Path, form: str, content: Callable[[], bytes], *, force: bool
) -> list[Path]:
    """Write what ``content`` returns to ``<race id>.<form>``; it is asked only once the file may be written.

    Raises:
        InputError: the file is there already and ``force`` is not set.
        StorageError: it cannot be written.
    """
    target = folder / f"{source.stem}.{form}"
    with new_file(target, force=force) as partial:
        partial.write_bytes(content())
    return [target]
