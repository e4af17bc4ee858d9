"""The JSON Schema of ``race.yaml``, made from the rows that read it.

``schemas/race.schema.json`` is this, written out by `racelog_recorder.plan.generate`. Editors with a YAML language server
complete and check a plan by it.
"""

import json
from typing import Any

from msgspec import Struct

from racelog_recorder.plan.fields.defaults import written_default
from racelog_recorder.plan.fields.engine import ENGINE_FIELDS
from racelog_recorder.plan.fields.race import RACE_FIELDS
from racelog_recorder.plan.fields.row import NONE, REQUIRED, Field, plain
from racelog_recorder.plan.fields.together import ONE_OF_TWO
from racelog_recorder.plan.model import EnginePlan, RacePlan
from racelog_recorder.plan.prompt_files import ROLES


def race_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a race plan; what it allows may still fail on what no schema can say.

    Those are: engine names are unique, a duration in text is not zero, the file of prompts exists.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "racelog race plan",
        "description": "A race between model endpoints: race.yaml. Fields at the top, or all under 'race'.",
        "oneOf": [
            {
                "type": "object",
                "properties": {"race": {"$ref": "#/$defs/race"}},
                "required": ["race"],
                "additionalProperties": False,
            },
            {"$ref": "#/$defs/race"},
        ],
        "$defs": {"race": _race(), "engine": _engine(), "message": _message(), "prompt": _prompt()},
    }


def schema_text() -> str:
    """Return the schema as the file holds it."""
    return json.dumps(race_schema(), indent=2, ensure_ascii=False) + "\n"


def _race() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _property(row, RacePlan) for name, row in RACE_FIELDS.items()},
        "required": _required(RACE_FIELDS),
        "dependentRequired": {name: [row.needs] for name, row in RACE_FIELDS.items() if row.needs},
        "not": {"required": list(ONE_OF_TWO)},
        "additionalProperties": False,
    }


def _engine() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: _property(row, EnginePlan) for name, row in ENGINE_FIELDS.items()},
        "required": _required(ENGINE_FIELDS),
        "additionalProperties": False,
    }


def _property(row: Field, struct: type[Struct]) -> dict[str, Any]:
    """Return the schema of one field, with the default that ``struct`` has and what the field means."""
    default = written_default(row, struct)
    left_out = "" if row.otherwise in ("", REQUIRED, NONE) else f" Left out: {row.otherwise}."
    return {
        **row.kind.schema,
        **({} if default is None else {"default": default}),
        "description": plain(row.help + left_out),
    }


def _required(rows: dict[str, Field]) -> list[str]:
    return [name for name, row in rows.items() if row.otherwise == REQUIRED]


def _message() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "role": {"enum": list(ROLES)},
            "content": {"type": "string", "minLength": 1},
            "name": {"type": "string"},
        },
        "required": ["role", "content"],
        "additionalProperties": False,
    }


def _prompt() -> dict[str, Any]:
    messages = {"type": "array", "items": {"$ref": "#/$defs/message"}, "minItems": 1}
    return {
        "description": "A user's text, a list of messages, or a mapping with one of 'prompt' and 'messages'.",
        "oneOf": [
            {"type": "string", "minLength": 1},
            messages,
            {
                "type": "object",
                "properties": {"prompt": {"type": "string", "minLength": 1}},
                "required": ["prompt"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"messages": messages},
                "required": ["messages"],
                "additionalProperties": False,
            },
        ],
    }
