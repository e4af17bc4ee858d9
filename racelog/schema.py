"""The JSON Schema of every event kind, made from the types themselves.

python -m racelog.schema > schemas/events.v1.schema.json
"""

import json
import sys
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
        **msgspec.json.schema(StoredEvent),
    }


def main() -> None:
    """Print the schema, byte for byte as it lies in ``schemas/``."""
    sys.stdout.write(json.dumps(events_schema(), indent=2) + "\n")


if __name__ == "__main__":
    main()
