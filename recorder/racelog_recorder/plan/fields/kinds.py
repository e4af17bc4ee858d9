"""The kinds of values that fields take: each bound stands once, in the check and in its JSON Schema alike."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from racelog_recorder.plan.deadlines import DEADLINE_NAMES, MAX_DEADLINE_S
from racelog_recorder.plan.fields import checks, load_checks
from racelog_recorder.plan.fields.row import Kind, in_words, unchanged


def line(limit: int, *, empty: bool = True) -> Kind:
    """Return the kind of one line of text of at most ``limit`` characters."""
    least = {} if empty else {"minLength": 1}
    return Kind(check=checks.text(limit, empty=empty), schema={"type": "string", "maxLength": limit, **least})


def whole(low: int, high: int) -> Kind:
    """Return the kind of whole numbers from ``low`` to ``high``."""
    return Kind(
        check=checks.whole(low, high),
        schema={"type": "integer", "minimum": low, "maximum": high},
        parse=_number(int),
    )


def span(limit_s: int, *, zero: bool) -> Kind:
    """Return the kind of spans of time up to ``limit_s``, kept in seconds; ``zero`` says whether 0 is one."""
    low = {"minimum": 0} if zero else {"exclusiveMinimum": 0}
    schema = {
        "oneOf": [
            {"type": "number", **low, "maximum": limit_s},
            {"type": "string", "pattern": checks.DURATION_PATTERN},
        ]
    }
    return Kind(
        check=checks.seconds(limit_s, zero=zero),
        schema=schema,
        write=checks.span_text,
        parse=number_of_seconds,
    )


def number_of_seconds(text: str) -> str | float:
    """Return seconds for ``"45"``, which YAML would have read as a number; other text as it is."""
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else text


def one_of(names: Sequence[str], what: str) -> Kind:
    """Return the kind of a choice among ``names``, each of which is ``what`` (with its article)."""
    return Kind(check=checks.one_of(names, what), schema={"enum": list(names)})


def entries(
    check: Callable[[str, Any], Any], schema: dict[str, Any], parse: Callable[[str], Any] = unchanged
) -> Kind:
    """Return the kind of a mapping; ``check`` takes the name and the value of one entry, ``parse`` reads one from a flag."""
    return Kind(check=check, schema={"type": "object", **schema}, entries=True, parse=parse)


def _number(number: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        try:
            return number(text)
        except ValueError:
            return text

    return parse


YES_OR_NO = Kind(check=checks.yes_or_no, schema={"type": "boolean"})

RATE = Kind(
    check=load_checks.rate,
    schema={
        "oneOf": [
            {"type": "number", "exclusiveMinimum": 0, "maximum": load_checks.MAX_RATE_PER_S},
            {"type": "string", "pattern": load_checks.RATE_PATTERN},
        ]
    },
    write=lambda per_s: f"{checks.number_text(per_s)}/s",
)

BURSTINESS = Kind(
    check=load_checks.burstiness,
    schema={"type": "number", "minimum": load_checks.MIN_BURSTINESS, "maximum": load_checks.MAX_BURSTINESS},
    write=lambda shape: int(shape) if shape.is_integer() else shape,
    parse=_number(float),
)

PERCENTAGE = Kind(
    check=load_checks.finish,
    schema={
        "oneOf": [
            {"anyOf": [{"const": 0}, {"type": "number", "minimum": 1, "maximum": 100}]},
            {"type": "string", "pattern": load_checks.PERCENT_PATTERN},
        ]
    },
    write=lambda share: f"{checks.number_text(share * 100)}%",
)

_CPU = {"type": "integer", "minimum": 0, "maximum": load_checks.MAX_CPU}
_CPUS = {"type": "array", "items": _CPU, "minItems": 1}

CPUS = Kind(check=load_checks.cpus, schema={"anyOf": [_CPUS, _CPU]}, write=list)

PIN = Kind(
    check=load_checks.pin,
    schema={"anyOf": [_CPUS, _CPU, {"type": "string", "pattern": load_checks.PIN_PATTERN}]},
    write=lambda pin: pin if pin == "auto" else in_words(pin),
)

_PARAMS = {
    "propertyNames": {"not": {"enum": sorted(checks.RESERVED_PARAMS)}},
    "properties": {"n": {"const": 1}},
}
PARAMS = entries(checks.param, _PARAMS)

DEADLINES = entries(
    checks.deadline,
    {
        "properties": {name: span(MAX_DEADLINE_S, zero=False).schema for name in DEADLINE_NAMES},
        "additionalProperties": False,
    },
    number_of_seconds,
)
