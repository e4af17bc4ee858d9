"""The JSON Schema of every event kind, made from the types themselves.

python -m racelog.schema > schemas/events.v1.schema.json
"""

import json
import sys
from inspect import cleandoc
from typing import Any

import msgspec

from racelog.events import StoredEvent

EVENTS_ID = "urn:racelog:schema:events:v1"


def events_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one line of a log, for the kinds and versions this racelog knows.

    A line of another ``k``, or of a greater ``v``, is valid in a log all the same; readers keep it and pass it on.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": EVENTS_ID,
        "title": "racelog event, version 1",
        **_tidied(msgspec.json.schema(StoredEvent)),
    }


def _tidied(schema: Any) -> Any:
    """Return ``schema`` with every description as `inspect.cleandoc` leaves it.

    A description is a docstring, and whether it comes with its indentation depends on the release of msgspec (since
    0.23 without) and of Python (since 3.13 without): what we ship depends on neither.
    """
    match schema:
        case dict():
            return {
                name: cleandoc(part) if name == "description" and isinstance(part, str) else _tidied(part)
                for name, part in schema.items()
            }
        case list():
            return [_tidied(part) for part in schema]
        case _:
            return schema


def main() -> None:
    """Print the schema, byte for byte as it lies in ``schemas/``."""
    sys.stdout.write(json.dumps(events_schema(), indent=2) + "\n")


if __name__ == "__main__":
    main()
