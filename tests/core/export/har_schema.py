"""HAR 1.2 as a strict JSON Schema, written from the specification; nothing but ``_custom`` fields may be added."""

from typing import Any

from jsonschema import Draft202012Validator

STRING = {"type": "string"}
NUMBER = {"type": "number", "minimum": -1}
COUNT = {"type": "integer", "minimum": -1}


def exactly(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {}), "comment": STRING},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


def many(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


PAIR = exactly({"name": STRING, "value": STRING})
SHARED = {
    "httpVersion": STRING, "cookies": many(PAIR), "headers": many(PAIR), "headersSize": COUNT, "bodySize": COUNT,
}  # fmt: skip
REQUEST = exactly(
    {
        "method": STRING,
        "url": {"type": "string", "pattern": "^https?://"},
        "queryString": many(PAIR),
        **SHARED,
    },
    {"postData": exactly({"mimeType": STRING, "text": STRING}, {"params": many(PAIR)})},
)
CONTENT = exactly(
    {"size": COUNT, "mimeType": STRING}, {"text": STRING, "encoding": STRING, "compression": COUNT}
)
RESPONSE = exactly(
    {"status": COUNT, "statusText": STRING, "content": CONTENT, "redirectURL": STRING, **SHARED}
)
TIMINGS = exactly(
    {"send": {"type": "number", "minimum": 0}, "wait": {"type": "number", "minimum": 0}, "receive": {"type": "number", "minimum": 0}},
    {"blocked": NUMBER, "dns": NUMBER, "connect": NUMBER, "ssl": NUMBER},
)  # fmt: skip
ENTRY = exactly(
    {
        "startedDateTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
        "time": {"type": "number", "minimum": 0}, "request": REQUEST, "response": RESPONSE, "cache": {"type": "object"},
        "timings": TIMINGS,
    },
    {"serverIPAddress": STRING, "connection": STRING, "pageref": STRING},
)  # fmt: skip
LOG = exactly(
    {
        "version": {"const": "1.2"},
        "creator": exactly({"name": STRING, "version": STRING}),
        "entries": many(ENTRY),
    },
    {"pages": {"type": "array"}, "browser": {"type": "object"}},
)
HAR = Draft202012Validator(exactly({"log": LOG}))
