"""A catalogue without a row, as a file: what all connections have in common is made once, and kept where rows are cached.

<home>/cache/v<projection>-<columns>/<of its statements>.blank   a digest of what follows, then a DuckDB database
"""

import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

import duckdb

from racelog.query.cache.checked import digest, read_checked, write_checked
from racelog.query.contract.macros import macro_statements
from racelog.query.contract.tables import TABLES, comment_statements, in_one_transaction, table_statements

SUFFIX = ".blank"


def blank_catalog(folder: Path | None) -> bytes:
    """Return a database with every table, comment and macro, and no rows; kept in ``folder`` if there is such a folder.

    Cost: some tenths of a second of CPU where it is not kept, a thousandth where it is. A folder that cannot be
    written, and a file that is not whole, cost no more than that.
    """
    if folder is None or not folder.is_dir():
        return _made()
    file = folder / f"{_key()}{SUFFIX}"
    with suppress(OSError):
        if kept := read_checked(file):
            return kept
    made = _made()
    with suppress(OSError):
        _keep(file, made)
    return made


def _keep(file: Path, made: bytes) -> None:
    """Put ``made`` into its place whole, and remove what other versions of DuckDB or of the macros left there."""
    write_checked(file, made)
    for other in file.parent.glob(f"*{SUFFIX}"):
        if other != file:
            other.unlink(missing_ok=True)


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory(prefix="racelog-") as folder:
        file = Path(folder) / f"made{SUFFIX}"
        with duckdb.connect(str(file)) as connection:
            connection.execute(in_one_transaction(_statements()))
        return file.read_bytes()


def _statements() -> list[str]:
    return [*table_statements(), *comment_statements(TABLES), *macro_statements()]


def _key() -> str:
    """Return what distinguishes this catalogue from another version's."""
    return digest("\n".join([duckdb.__version__, *_statements()]).encode()).hex()
