"""How much memory a query may take, and where it spills beyond.

DuckDB's own limit is four fifths of the machine, of a machine that is shared with what it measures. Here it is a quarter of what
there is, the limits of this process's control groups counted (containers and batch systems set them), or what
``RACELOG_SQL_MEMORY`` says: ``4GiB``, ``500MB``, ``50%``.

    <home>/cache/spill/<process>-<random>/    one connection's, removed with it
"""

import os
import re
import shutil
import weakref
from pathlib import Path

import duckdb

from racelog.errors import InputError
from racelog.query.cache.cache import quoted, sweep, taken_path

VARIABLE = "RACELOG_SQL_MEMORY"
SHARE = 0.25
LEAST_BYTES = 128 << 20
"""Below, DuckDB cannot work at all with a few threads."""

SPILL_TIMES = 8
"""So many times its memory a query may spill to disk, if half of what is free there allows."""

_MIB = 1 << 20
_UNITS = {
    "": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}  # fmt: skip
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?:(?P<share>%)|(?P<unit>[KMGT]i?|)B?)")


def memory_limit_bytes() -> int:
    """Return how many bytes a query may take.

    Raises:
        InputError: the variable says no size.
    """
    asked = os.environ.get(VARIABLE, "").strip()
    if not asked:
        return max(LEAST_BYTES, int(SHARE * there_is_bytes()))
    size = _SIZE.fullmatch(asked)
    if size is None or not float(size["number"]):
        raise InputError(f"{VARIABLE} is {asked!r}, which is no size; write it as 4GiB, 500MB or 50%")
    number = float(size["number"])
    wanted = number / 100 * there_is_bytes() if size["share"] else number * _UNITS[size["unit"]]
    return max(LEAST_BYTES, int(wanted))


def there_is_bytes(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """Return the memory of the machine, or of the narrowest control group that this process is in."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([there, *_group_limits(groups, own)])


def _group_limits(groups: Path, own: Path) -> list[int]:
    """Return the limits of this process's control groups, of either version, and of those around them."""
    limits: list[int] = []
    for line in _read(own).splitlines():
        _, controllers, path = line.split(":", 2)
        names = {"": ("", "memory.max"), "memory": ("memory", "memory.limit_in_bytes")}
        root, file = names.get(controllers, ("", ""))
        if file:
            inner = (groups / root / path.lstrip("/")).resolve()
            around = (folder for folder in (inner, *inner.parents) if folder.is_relative_to(groups))
            told = [_read(folder / file).strip() for folder in around]
            limits += [int(limit) for limit in told if limit.isdecimal()]
    return limits


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def settings(spill: Path | None) -> list[str]:
    """Return the statements that bound a connection; ``spill`` is the folder it spills to, None for nowhere."""
    limit = memory_limit_bytes()
    bounds = [f"SET memory_limit = '{limit // _MIB}MiB'"]
    if spill is None:
        return [*bounds, "SET temp_directory = ''"]  # the default would be in the user's working directory
    most = min(SPILL_TIMES * limit, shutil.disk_usage(spill.parent).free // 2)
    return [
        *bounds,
        f"SET temp_directory = {quoted(str(spill))}",
        f"SET max_temp_directory_size = '{most // _MIB}MiB'",
    ]


def spill_folder(cache: Path) -> Path | None:
    """Return where a connection may spill, in a folder that none but its user can enter; None where there is none.

    DuckDB makes it when it is needed. What crashed processes left is swept.
    """
    parent = cache / "spill"
    try:
        taken_path(parent)
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        parent.chmod(0o700)
        sweep(folder for folder in parent.iterdir() if not _is_alive(folder.name.partition("-")[0]))
    except OSError:
        return None
    return parent / f"{os.getpid()}-{os.urandom(6).hex()}"


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except OSError:
        return True
    return True


def removed_with(connection: duckdb.DuckDBPyConnection, spill: Path) -> None:
    """Remove what a connection spilled when it is gone, at the latest when the program ends."""
    weakref.finalize(connection, shutil.rmtree, spill, ignore_errors=True)


def out_of_memory() -> str:
    """Return the sentence about a query that its bounds ended."""
    return (
        f"the query needs more than the {memory_limit_bytes() // _MIB:,} MiB of memory it may take, and more than it may spill to "
        f"disk. Ask for less at once (fewer columns, one race, a LIMIT), or allow more: {VARIABLE}=8GiB racelog sql ..."
    )
