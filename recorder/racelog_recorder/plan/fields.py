"""The fields of a race plan: for each its check, and the same said as JSON Schema.

`RACE_FIELDS` and `ENGINE_FIELDS` are the one list there is: reading, "did you mean" and the published schema all go
by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from racelog.live import MAX_COUNTDOWN_S
from racelog_recorder.dialects.registry import BUILTIN, DEFAULT_DIALECT
from racelog_recorder.plan.checks import (
    COLOR_PATTERN,
    COLORS,
    DURATION_PATTERN,
    ENV_PATTERN,
    GRIDS,
    HEADER_PATTERN,
    MAX_CONCURRENCY,
    MAX_DURATION_S,
    MAX_EMOJI,
    MAX_GRACE_S,
    MAX_MODEL,
    MAX_NAME,
    MAX_REQUESTS,
    MAX_SEED,
    MAX_URL,
    MAX_WARMUP,
    RESERVED_PARAMS,
    api_key_env,
    color,
    deadline,
    dialect,
    emoji,
    grid,
    header,
    param,
    seconds,
    text,
    url,
    whole,
    yes_or_no,
)
from racelog_recorder.plan.deadlines import DEADLINE_NAMES, DEFAULTS, MAX_DEADLINE_S
from racelog_recorder.plan.load_checks import (
    ARRIVALS,
    MAX_BURSTINESS,
    MAX_CPU,
    MAX_RATE_PER_S,
    PERCENT_PATTERN,
    PIN_PATTERN,
    RATE_PATTERN,
    arrival,
    burstiness,
    cpus,
    finish,
    pin,
    rate,
)
from racelog_recorder.plan.reach_checks import REACH_CHECKS, REACH_SCHEMA


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the check of its value (of each entry, for a mapping) and its JSON Schema."""

    check: Callable[..., Any]
    schema: dict[str, Any]
    entries: bool = False


def _span(limit_s: int, *, zero: bool) -> dict[str, Any]:
    low = {"minimum": 0} if zero else {"exclusiveMinimum": 0}
    return {
        "oneOf": [
            {"type": "number", **low, "maximum": limit_s},
            {"type": "string", "pattern": DURATION_PATTERN},
        ]
    }


_DEADLINES = {
    "type": "object",
    "properties": {name: _span(MAX_DEADLINE_S, zero=False) for name in DEADLINE_NAMES},
    "additionalProperties": False,
    "description": f"How long each step of a request may take; else {DEFAULTS}.",
}
_CPUS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": MAX_CPU}, "minItems": 1}
_LINE = {"type": "string", "maxLength": MAX_NAME}
_PARAMS = {
    "type": "object",
    "propertyNames": {"not": {"enum": sorted(RESERVED_PARAMS)}},
    "properties": {"n": {"const": 1}},
    "description": "Fields added to every request's JSON body, such as max_tokens or temperature.",
}

ENGINE_FIELDS: dict[str, Field] = {
    "name": Field(
        text(MAX_NAME, empty=False),
        {**_LINE, "minLength": 1, "description": "What the engine is called; unique in the race."},
    ),
    "url": Field(
        url,
        {
            "type": "string",
            "pattern": "^https?://",
            "maxLength": MAX_URL,
            "description": "The OpenAI base URL, such as http://localhost:8000/v1; no key or password in it.",
        },
    ),
    "model": Field(
        text(MAX_MODEL),
        {
            "type": "string",
            "maxLength": MAX_MODEL,
            "description": "The model to ask for; left out, the first that the server's /models lists.",
        },
    ),
    "emoji": Field(
        emoji, {"type": "string", "maxLength": MAX_EMOJI, "description": "One emoji for the lane."}
    ),
    "color": Field(
        color,
        {
            "anyOf": [{"type": "string", "pattern": COLOR_PATTERN}, {"enum": ["", *sorted(COLORS)]}],
            "description": "The lane's colour: #rrggbb or a CSS name.",
        },
    ),
    "api_key_env": Field(
        api_key_env,
        {
            "anyOf": [{"type": "string", "pattern": ENV_PATTERN}, {"const": ""}],
            "description": "The NAME of the environment variable that holds the API key; never the key.",
        },
    ),
    "dialect": Field(
        dialect,
        {
            "enum": list(BUILTIN),
            "default": DEFAULT_DIALECT,
            "description": "How the engine is spoken to: OpenAI chat or completions, or Ollama's own /api/chat.",
        },
    ),
    "deadlines": Field(
        deadline,
        {**_DEADLINES, "description": "As the race's deadlines, which these win over."},
        entries=True,
    ),
    "pin": Field(
        cpus,
        {
            "anyOf": [_CPUS, {"type": "integer", "minimum": 0, "maximum": MAX_CPU}],
            "description": "CPUs that this engine's lane may run on; wins over the race's pin.",
        },
    ),
    "headers": Field(
        header,
        {
            "type": "object",
            "propertyNames": {"pattern": HEADER_PATTERN},
            "additionalProperties": {"type": "string"},
            "description": "Headers added to every request; secret-sounding ones are left out of the log.",
        },
        entries=True,
    ),
    "params": Field(
        param, {**_PARAMS, "description": "As the race's params, which these win over."}, entries=True
    ),
    **{name: Field(check, REACH_SCHEMA[name]) for name, check in REACH_CHECKS.items()},
}

RACE_FIELDS: dict[str, Field] = {
    "name": Field(text(MAX_NAME), {**_LINE, "description": "What the race is called."}),
    "grid": Field(
        grid,
        {
            "enum": list(GRIDS),
            "default": "together",
            "description": "together: one start for all; time-trial: one engine after another, each alone.",
        },
    ),
    "requests": Field(
        whole(1, MAX_REQUESTS),
        {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_REQUESTS,
            "description": "Requests per engine; 40 when neither this nor duration is given. With both, the first reached ends it.",
        },
    ),
    "duration": Field(
        seconds(MAX_DURATION_S, zero=False),
        {
            **_span(MAX_DURATION_S, zero=False),
            "description": "How long each engine races: 30s, 2m, 1h30m, or seconds.",
        },
    ),
    "concurrency": Field(
        whole(1, MAX_CONCURRENCY),
        {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_CONCURRENCY,
            "default": 4,
            "description": "Requests in flight per engine: a closed loop.",
        },
    ),
    "rate": Field(
        rate,
        {
            "oneOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_RATE_PER_S},
                {"type": "string", "pattern": RATE_PATTERN},
            ],
            "description": "Requests a second per engine, such as 50/s or 90/min, whatever is open already: an open loop.",
        },
    ),
    "arrival": Field(
        arrival,
        {
            "enum": list(ARRIVALS),
            "default": "poisson",
            "description": "How the requests of a rate are spaced.",
        },
    ),
    "burstiness": Field(
        burstiness,
        {
            "type": "number",
            "minimum": 0.01,
            "maximum": MAX_BURSTINESS,
            "default": 1,
            "description": "The shape of gamma arrivals: 1 is Poisson, less comes in bursts, more is more even.",
        },
    ),
    "max_open": Field(
        whole(1, MAX_CONCURRENCY),
        {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_CONCURRENCY,
            "description": "Requests of a rate that may be open at once per engine; more wait, and their wait is recorded.",
        },
    ),
    "grace": Field(
        seconds(MAX_GRACE_S, zero=True),
        {
            **_span(MAX_GRACE_S, zero=True),
            "default": 30,
            "description": "How long open requests may go on after the duration; after a first Ctrl+C, 5 seconds of it.",
        },
    ),
    "finish": Field(
        finish,
        {
            "oneOf": [
                {"anyOf": [{"const": 0}, {"type": "number", "minimum": 1, "maximum": 100}]},
                {"type": "string", "pattern": PERCENT_PATTERN},
            ],
            "default": "95%",
            "description": "The share of its requests an engine must finish; under it it did not finish the race (DNF), whatever its times.",
        },
    ),
    "pin": Field(
        pin,
        {
            "anyOf": [
                _CPUS,
                {"type": "integer", "minimum": 0, "maximum": MAX_CPU},
                {"type": "string", "pattern": PIN_PATTERN},
            ],
            "description": "CPUs to pin the lanes to, one each in turn; auto spreads them over all but the first.",
        },
    ),
    "seed": Field(
        whole(0, MAX_SEED),
        {
            "type": "integer",
            "minimum": 0,
            "maximum": MAX_SEED,
            "default": 0,
            "description": "Fixes the order of the prompts, the same for every engine.",
        },
    ),
    "calibrate": Field(
        yes_or_no,
        {
            "type": "boolean",
            "default": True,
            "description": "Before the start, measure for about a second how far the stamps are from the truth.",
        },
    ),
    "metrics": Field(
        yes_or_no,
        {
            "type": "boolean",
            "default": False,
            "description": "Ask every engine about once a second what it says of itself on its Prometheus page, /metrics.",
        },
    ),
    "shuffle": Field(
        yes_or_no,
        {
            "type": "boolean",
            "default": True,
            "description": "Draw the prompts in an order fixed by seed; false sends them as they are listed.",
        },
    ),
    "warmup": Field(
        whole(0, MAX_WARMUP),
        {
            "type": "integer",
            "minimum": 0,
            "maximum": MAX_WARMUP,
            "default": 0,
            "description": "Requests per engine before the start, recorded but not counted.",
        },
    ),
    "countdown": Field(
        seconds(MAX_COUNTDOWN_S, zero=True),
        {**_span(MAX_COUNTDOWN_S, zero=True), "default": 3, "description": "Time from ready to go."},
    ),
    "deadlines": Field(deadline, _DEADLINES, entries=True),
    "params": Field(param, {**_PARAMS, "default": {"max_tokens": 128, "temperature": 0.0}}, entries=True),
}
