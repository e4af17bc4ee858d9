"""What is written out of the rows of a plan's fields: the JSON Schema, the flags of ``racelog record``, the docs' tables.

    python -m racelog_recorder.plan.generate     in a checkout, after a row or a default has changed

The flags are a file because ``racelog record --help`` and a shell's completion load no plan: they answer in a quarter of a
second or people feel it.
"""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from racelog_recorder.plan.fields.defaults import default_text
from racelog_recorder.plan.fields.engine import ENGINE_FIELDS
from racelog_recorder.plan.fields.race import RACE_FIELDS
from racelog_recorder.plan.fields.row import NONE, Field, Flag, option_of, plain
from racelog_recorder.plan.model import EnginePlan, RacePlan
from racelog_recorder.plan.schema import schema_text

ROOT = Path(__file__).parents[3]
FLAGS = Path(__file__).with_name("flags.json")
SCHEMA = ROOT / "schemas" / "race.schema.json"
PAGE = ROOT / "docs" / "race-yaml.md"

TABLES: tuple[tuple[str, dict[str, Field], type[Struct]], ...] = (
    ("field", RACE_FIELDS, RacePlan),
    ("field of an engine", ENGINE_FIELDS, EnginePlan),
)
"""The tables in the docs: what their first column is called, their rows, and the Struct that has the defaults."""


def generated() -> dict[Path, str]:
    """Return each file that is written out of the rows, and what it says today; of the docs' page the tables alone change."""
    page = PAGE.read_text(encoding="utf-8")
    for title, rows, struct in TABLES:
        page = with_table(page, title, table_text(title, rows, struct))
    return {SCHEMA: schema_text(), FLAGS: flags_text(), PAGE: page}


def flags_text() -> str:
    """Return the flags as the file holds them, in the order of their fields."""
    flags = [_flag(row, row.flag) for row in RACE_FIELDS.values() if row.flag is not None]
    return json.dumps(flags, indent=2, ensure_ascii=False) + "\n"


def _flag(row: Field, flag: Flag) -> dict[str, Any]:
    """Return what `racelog_recorder.cli.plan_options` makes an option of."""
    switch = flag.sets is not None
    told = "" if flag.entry or switch or row.kind.entries else plain(default_text(row, RacePlan))
    return {
        "name": flag.entry or row.name,
        "option": option_of(row, flag),
        "help": plain(flag.help or row.help) + (f"  [default: {told}]" if told not in ("", NONE) else ""),
        "metavar": flag.metavar,
        "choices": [] if switch else row.kind.schema.get("enum", []),
        "sets": flag.sets,
        "repeats": row.kind.entries and not flag.entry,
    }


def table_text(title: str, rows: dict[str, Field], struct: type[Struct]) -> str:
    """Return the Markdown table of ``rows``."""
    lines = [
        f"| `{name}` | {' '.join(filter(None, (row.help, row.more)))} | {default_text(row, struct)} |"
        for name, row in rows.items()
    ]
    return "\n".join([f"| {title} | meaning | default |", "| --- | --- | --- |", *lines]) + "\n"


def with_table(page: str, title: str, table: str) -> str:
    """Return ``page`` with ``table`` in place of the one that begins with ``title``.

    Raises:
        ValueError: the page has no such table.
    """
    start = page.index(f"| {title} | meaning | default |\n")
    end = page.index("\n\n", start) + 1
    return page[:start] + table + page[end:]


def main() -> None:
    """Write every file."""
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
