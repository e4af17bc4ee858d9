"""Every way out: a race as files for other tools. Each form is an entry point, loaded when it is asked for.

>>> from racelog.export import write
>>> write("recorder/racelog_recorder/demo/demo.rlog", ["md"], "out")  # doctest: +SKIP
[PosixPath('out/20261121-024414-329170a5.md')]
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from racelog.errors import InputError, StorageError
from racelog.log.write.os_errors import FULL, refusal
from racelog.plugins import Group, a_function

if TYPE_CHECKING:
    from racelog.export.source import Source
    from racelog.log.read.reader import RaceLog

GROUP = "racelog.exports"


class Export(Protocol):
    """Writes a race into ``folder`` in one form; returns the new files, whose names begin with ``source.stem``.

    A file that is there already is an `InputError` unless ``force`` is set; if it fails, it leaves nothing of this form.
    """

    def __call__(self, source: "Source", folder: Path, form: str, *, force: bool) -> list[Path]:
        """Write the files."""
        ...


EXPORTS: Group[Export] = Group(GROUP, a_function("write(source, folder, form, *, force)"))
"""Form -> what writes it: racelog's own, which pyproject.toml declares, and other packages'."""


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
        PluginError: a form of another package cannot be loaded (nothing is written) or fails; forms before it are whole.
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
        if form not in EXPORTS.installed():
            raise InputError(f"no such form {form!r}; there are {', '.join(EXPORTS.installed())}")
    exports = {form: EXPORTS.load(form) for form in wanted}
    from racelog.export.source import Source  # noqa: PLC0415 - loads DuckDB

    source = Source.read(race, home)
    files: list[Path] = []
    with _folder(Path(folder)) as target:
        for form, export in exports.items():
            with EXPORTS.running(form):
                files += export(source, target, form, force=force)
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
