"""Command-line flags -> `RacePlan`, and flags over a plan from a file. Checked by the same rules as the file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit

import msgspec

from racelog.errors import PlanError
from racelog_recorder.plan.checks import MAX_ENGINES, FieldError, whole
from racelog_recorder.plan.fields import ENGINE_FIELDS, RACE_FIELDS
from racelog_recorder.plan.file import FIELD_OF, KEY_ADVICE, is_key_field, open_loop, suggestion
from racelog_recorder.plan.load_checks import load_conflict
from racelog_recorder.plan.model import DEFAULT_REQUESTS, EnginePlan, Messages, RacePlan
from racelog_recorder.plan.prompt_files import load_prompts
from racelog_recorder.plan.prompts import BUILTIN, builtin_prompts
from racelog_recorder.redaction import inert, shown
from racelog_recorder.transports.reach import REACH_KEYS, ReachError, reach_from

MAX_TOKENS = 10_000_000

MERGED = frozenset({"params", "deadlines"})
"""Fields whose flags add to the plan's entries, rather than replace them."""

_ENGINE_OPTIONS = {
    name: ENGINE_FIELDS[name]
    for name in ("model", "api_key_env", "emoji", "color", "dialect", "unix_socket", "proxy")
}


class Flags(TypedDict, total=False):
    """What a command line may say of a race. None is the same as left out."""

    name: str | None
    grid: str | None
    requests: int | None
    duration: str | float | None
    concurrency: int | None
    seed: int | None
    warmup: int | None
    countdown: str | float | None
    calibrate: bool | None
    metrics: bool | None
    max_tokens: int | None
    params: Mapping[str, Any] | None
    deadlines: Sequence[str]
    prompts: str | Path | None
    rate: str | float | None
    arrival: str | None
    burstiness: float | None
    max_open: int | None
    grace: str | float | None
    finish: str | float | None
    pin: str | None


def plan_from_flags(
    engines: Sequence[str],
    **flags: Unpack[Flags],
) -> RacePlan:
    """Return a plan from flags alone; each engine is ``NAME=BASE_URL[,model=M][,api_key_env=E][,emoji=..][,color=..][,dialect=..]``.

    A bare URL is its own name (``host:port``). Flags that are None take the plan's defaults.

    Raises:
        PlanError: a flag is wrong; the message names it.
    """
    if not 1 <= len(engines) <= MAX_ENGINES:
        raise PlanError(f"--engine: {len(engines)} engines; give 1 to {MAX_ENGINES}")
    plans: list[EnginePlan] = []
    for text in engines:
        engine = _engine(text)
        if engine.name in {other.name for other in plans}:
            raise PlanError(f"--engine: {shown(engine.name)} is taken; every engine needs its own name")
        plans.append(engine)
    plan = RacePlan(
        engines=tuple(plans), requests=DEFAULT_REQUESTS, prompts=builtin_prompts(), prompts_from=BUILTIN
    )
    return override(plan, **flags)


def override(
    plan: RacePlan,
    **flags: Unpack[Flags],
) -> RacePlan:
    """Return ``plan`` with the flags that are not None in place of its fields.

    ``params``, ``max_tokens`` and ``deadlines`` (``NAME=TIME`` each) are merged over the plan's. One of ``requests`` and ``duration`` given alone replaces both of the
    plan's: whoever types ``--requests 10`` wants ten, not ten or thirty seconds.

    Raises:
        PlanError: a flag is wrong; the message names it.
    """
    changes = {
        field: _checked(field, value)
        for field, value in flags.items()
        if field in RACE_FIELDS and field not in MERGED and value is not None
    }
    changes.update(_load(plan, changes))
    if not changes.keys().isdisjoint({"requests", "duration"}):
        changes.setdefault("requests", None)
        changes["duration_s"] = changes.pop("duration", None)
    for field, name in FIELD_OF.items():
        if field in changes:
            changes[name] = changes.pop(field)
    max_tokens = flags.get("max_tokens")
    added = {**(flags.get("params") or {}), **({} if max_tokens is None else {"max_tokens": max_tokens})}
    if added:
        changes["params"] = {**plan.params, **{key: _param(key, value) for key, value in added.items()}}
    if deadlines := flags.get("deadlines"):
        changes["deadlines"] = {**plan.deadlines, **dict(_deadline(text) for text in deadlines)}
    if (prompts := flags.get("prompts")) is not None:
        builtin = str(prompts) == BUILTIN
        changes["prompts"] = builtin_prompts() if builtin else _prompts_in_file(prompts)
        changes["prompts_from"] = BUILTIN if builtin else Path(prompts).name
    return msgspec.structs.replace(plan, **changes)


def _engine(text: str) -> EnginePlan:
    """Return the engine that ``NAME=BASE_URL[,option=value]...`` describes."""
    name: str | None
    if text.startswith(("http://", "https://")):
        name, rest = None, text
    else:
        name, equals, rest = text.partition("=")
        if not equals:
            raise PlanError(
                f"--engine: {shown(text)} has no URL; write NAME=BASE_URL, such as a=http://localhost:8000/v1"
            )
    # Only ",word=" begins an option, so that a URL may hold commas.
    address, *options = re.split(r",(?=[A-Za-z_]+=)", rest)
    values = {"url": _engine_value("url", address)}
    values["name"] = _engine_value("name", urlsplit(values["url"]).netloc if name is None else name)
    for option in options:
        key, _, value = option.partition("=")
        if is_key_field(key):
            raise PlanError(f"--engine: {key}: {KEY_ADVICE}")
        if key not in _ENGINE_OPTIONS:
            raise PlanError(f"--engine: {key}: unknown option; {suggestion(key, _ENGINE_OPTIONS)}")
        values[key] = _engine_value(key, value)
    try:
        reach = reach_from(values, values["url"], Path())
    except ReachError as error:
        raise PlanError(f"--engine: {error.field}: {error}") from None
    return EnginePlan(**{key: value for key, value in values.items() if key not in REACH_KEYS}, reach=reach)


def _engine_value(field: str, value: str) -> Any:
    try:
        return ENGINE_FIELDS[field].check(value)
    except FieldError as error:
        raise PlanError(f"--engine: {field}: {error}") from None


def _load(plan: RacePlan, changes: dict[str, Any]) -> dict[str, Any]:
    """Take the load's fields out of ``changes``; return the load they make, the last word on how requests are sent."""
    keep = plan.load is not None and "concurrency" not in changes
    given = {"rate": plan.load.rate_per_s, "arrival": plan.load.arrival} if plan.load and keep else {}
    if conflict := load_conflict({**given, **changes}):
        field, why = conflict
        raise PlanError(f"{_flag(field)}: {why}")
    load = open_loop(changes, plan.load if keep else None)
    return {"load": load} if load != plan.load else {}


def _flag(field: str) -> str:
    return f"--{field.replace('_', '-')}"


def _checked(field: str, value: Any) -> Any:
    if field in ("duration", "countdown", "grace") and isinstance(value, str):
        value = _number(value)
    try:
        return RACE_FIELDS[field].check(value)
    except FieldError as error:
        raise PlanError(f"{_flag(field)}: {error}") from None


def _number(text: str) -> str | float:
    """Return seconds for ``"45"``, which YAML would have read as a number; other text as it is."""
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else text


def _deadline(text: str) -> tuple[str, float]:
    """Return the name and the seconds of ``NAME=TIME``."""
    name, _, value = text.partition("=")
    try:
        return name, RACE_FIELDS["deadlines"].check(name, _number(value))
    except FieldError as error:
        raise PlanError(f"--deadline {inert(name)}: {error}") from None


def _prompts_in_file(path: str | Path) -> tuple[Messages, ...]:
    try:
        return load_prompts(path)
    except PlanError as error:
        raise PlanError(f"--prompts: {error}") from None


def _param(name: str, value: Any) -> Any:
    try:
        if name == "max_tokens":
            return whole(1, MAX_TOKENS)(value)
        return RACE_FIELDS["params"].check(name, value)
    except FieldError as error:
        raise PlanError(f"{_flag(name)}: {error}") from None
