"""Every way out: a race as files for other tools. Each form is a module of its own, loaded when it is asked for.

>>> from racelog.export import write
>>> write("recorder/racelog_recorder/demo/demo.rlog", ["md"], "out")  # doctest: +SKIP
[PosixPath('out/20261121-024414-329170a5.md')]
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from racelog.errors import InputError, StorageError
from racelog.log.write.os_errors import FULL, refusal

if TYPE_CHECKING:
    from racelog.log.read.reader import RaceLog

FORMS: dict[str, tuple[str, str]] = {
    "csv": ("tables", "a CSV file a table (RFC 4180)"),
    "json": ("json", "one JSON document: the summary and every table but tokens"),
    "jsonl": ("tables", "a file of JSON lines a table"),
    "html": ("page", "one page with charts, requests and their tokens; opens without a network"),
    "md": ("markdown", "a summary fit for a pull request"),
    "parquet": ("tables", "a Parquet file a table"),
    "mcap": ("mcap", "MCAP with JSON messages, marks and notes as foxglove.Log (needs racelog[mcap])"),
    "perfetto": ("perfetto", "a native Perfetto trace: lanes, requests, GPUs"),
    "har": ("har", "an HTTP archive (HAR 1.2): each request with its timings"),
    "cast": ("racelog_player.film.export_cast", "an asciicast v3: the player's film, for asciinema and agg"),
}
"""Form -> the module that writes it, here or in another part of racelog, and what it is."""


def write(
    race: str | Path,
    forms: Iterable[str],
    folder: str | Path = ".",
    *,
    home: str | Path | None = None,
    force: bool = False,
) -> list[Path]:
    """Write ``race`` (path, id, prefix or ``latest``) into ``folder`` in each of ``forms``; return the new files.

    Their names begin with the race's id. Cost: the race in memory, and per form about what it writes.

    Raises:
        InputError: an unknown form, or a file that is there already and ``force`` is not set; nothing is written
            over. Forms before it are written whole.
        RaceNotFound: nothing answers to ``race``.
        LogError: it cannot be read.
        RacelogError: a form needs a package that is not installed; the message says which.
        StorageError: a file cannot be written; of this form nothing is left, forms before it are whole.
    """
    return write_told(race, forms, folder, home=home, force=force)[0]


def write_told(
    race: str | Path,
    forms: Iterable[str],
    folder: str | Path = ".",
    *,
    home: str | Path | None = None,
    force: bool = False,
) -> "tuple[list[Path], RaceLog]":
    """Do as `write` does; return the new files and the log they were made from, which tells what it lost."""
    wanted = list(dict.fromkeys([forms] if isinstance(forms, str) else forms))
    for form in wanted:
        if form not in FORMS:
            raise InputError(f"no such form {form!r}; there are {', '.join(FORMS)}")
    modules = [_module(form) for form in wanted]
    from racelog.export.source import Source  # noqa: PLC0415 - loads DuckDB

    source = Source.read(race, home)
    files: list[Path] = []
    with _folder(Path(folder)) as target:
        for form, module in zip(wanted, modules, strict=True):
            files += module.write(source, target, form, force=force)
    return files, source.log


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """Give a folder, made with those above it where they are missing; if the block raises, what was made and is empty goes.

    Raises:
        InputError: it cannot be made.
        StorageError: it cannot be made, which is the disk's fault.
    """
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            kind = StorageError if error.errno in FULL else InputError
            raise kind(f"cannot write into {path}: {refusal(error)}") from error
        yield path
    except BaseException:
        for folder in made:
            with suppress(OSError):  # it holds something
                folder.rmdir()
        raise


def _module(form: str) -> ModuleType:
    """Load what writes ``form``, now that it was asked for."""
    name = FORMS[form][0]
    return import_module(name if "." in name else f"racelog.export.{name}")
