"""The JSON Schema of ``race.yaml``, made from the same fields that read it.

``schemas/race.schema.json`` is this, written out: ``python -m racelog_recorder.plan.schema > schemas/race.schema.json``.
Editors with a YAML language server complete and check a plan by it.
"""

import json
import sys
from typing import Any

from racelog_recorder.plan.checks import MAX_ENGINES, MIN_ENGINES
from racelog_recorder.plan.fields import ENGINE_FIELDS, RACE_FIELDS
from racelog_recorder.plan.load_checks import NEEDS_RATE
from racelog_recorder.plan.prompt_files import MAX_PROMPTS, ROLES


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
    properties = {name: field.schema for name, field in RACE_FIELDS.items()}
    properties["engines"] = {
        "type": "array",
        "items": {"$ref": "#/$defs/engine"},
        "minItems": MIN_ENGINES,
        "maxItems": MAX_ENGINES,
        "description": "Who races; two or more make a race, one alone is measured.",
    }
    properties["prompts"] = {
        "oneOf": [
            {"type": "string", "minLength": 1},
            {"type": "array", "items": {"$ref": "#/$defs/prompt"}, "minItems": 1, "maxItems": MAX_PROMPTS},
        ],
        "description": "A .txt or .jsonl file beside the plan, 'builtin' (as when left out), or the prompts themselves.",
    }
    return {
        "type": "object",
        "properties": properties,
        "required": ["engines"],
        "dependentRequired": {name: ["rate"] for name in NEEDS_RATE},
        "not": {"required": ["rate", "concurrency"]},
        "additionalProperties": False,
    }


def _engine() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: field.schema for name, field in ENGINE_FIELDS.items()},
        "required": ["name", "url"],
        "additionalProperties": False,
    }


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


if __name__ == "__main__":
    sys.stdout.write(schema_text())
