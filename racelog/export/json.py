"""The race as one JSON document: ``schema`` and ``version`` first, then the summary and the tables.

Version 1. Keys are added, never renamed or removed; a reader that meets a higher version must expect either. Tokens,
which come by the million, are left to ``jsonl`` and ``parquet``.
"""

from pathlib import Path
from typing import Any

import msgspec

from racelog.export.single import indented, write_single
from racelog.export.source import Source
from racelog.query.contract.tables import TABLES

SCHEMA = "racelog.race"
VERSION = 1


def document(source: Source) -> dict[str, Any]:
    """Return the document as plain containers; times as ISO 8601, what is no number as null."""
    tables = [table for table in TABLES if table != "tokens"]
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "summary": msgspec.to_builtins(source.summary),
        "columns": {
            table: {column.name: {"type": column.type, "meaning": column.meaning} for column in TABLES[table]}
            for table in tables
        },
        "tables": {table: list(source.rows(f"FROM {table}")) for table in tables},
    }


def write(source: Source, folder: Path, form: str, *, force: bool = False) -> list[Path]:
    """Write ``<race id>.json``.

    Raises:
        InputError: it is there already and ``force`` is not set.
        StorageError: it cannot be written.
    """
    return write_single(source, folder, form, lambda: indented(document(source)), force=force)
