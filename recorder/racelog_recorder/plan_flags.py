"""Command-line flags -> `RacePlan`, and flags over a plan from a file. Checked by the same rules as the file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from racelog.errors import PlanError
from racelog_recorder.plan import DEFAULT_REQUESTS, EnginePlan, RacePlan
from racelog_recorder.plan_checks import MAX_ENGINES, FieldError, whole
from racelog_recorder.plan_fields import ENGINE_FIELDS, RACE_FIELDS
from racelog_recorder.plan_file import KEY_ADVICE, is_key_field, suggestion
from racelog_recorder.plan_secrets import shown
from racelog_recorder.prompt_files import load_prompts
from racelog_recorder.prompts import BUILTIN, builtin_prompts

MAX_TOKENS = 10_000_000

_ENGINE_OPTIONS = {name: ENGINE_FIELDS[name] for name in ("model", "api_key_env", "emoji", "color")}


def plan_from_flags(
    engines: Sequence[str],
    *,
    name: str | None = None,
    grid: str | None = None,
    requests: int | None = None,
    duration: str | float | None = None,
    concurrency: int | None = None,
    seed: int | None = None,
    warmup: int | None = None,
    countdown: str | float | None = None,
    max_tokens: int | None = None,
    params: Mapping[str, Any] | None = None,
    prompts: str | Path | None = None,
) -> RacePlan:
    """Return a plan from flags alone; each engine is ``NAME=BASE_URL[,model=M][,api_key_env=E][,emoji=..][,color=..]``.

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
    return override(
        plan, name=name, grid=grid, requests=requests, duration=duration, concurrency=concurrency, seed=seed,
        warmup=warmup, countdown=countdown, max_tokens=max_tokens, params=params, prompts=prompts,
    )  # fmt: skip


def override(
    plan: RacePlan,
    *,
    name: str | None = None,
    grid: str | None = None,
    requests: int | None = None,
    duration: str | float | None = None,
    concurrency: int | None = None,
    seed: int | None = None,
    warmup: int | None = None,
    countdown: str | float | None = None,
    max_tokens: int | None = None,
    params: Mapping[str, Any] | None = None,
    prompts: str | Path | None = None,
) -> RacePlan:
    """Return ``plan`` with the flags that are not None in place of its fields.

    ``params`` and ``max_tokens`` are merged over the plan's. One of ``requests`` and ``duration`` given alone replaces both of the
    plan's: whoever types ``--requests 10`` wants ten, not ten or thirty seconds.

    Raises:
        PlanError: a flag is wrong; the message names it.
    """
    flags = {
        "name": name, "grid": grid, "requests": requests, "duration": duration, "concurrency": concurrency,
        "seed": seed, "warmup": warmup, "countdown": countdown,
    }  # fmt: skip
    changes = {
        field: _checked(f"--{field}", field, value) for field, value in flags.items() if value is not None
    }
    if not changes.keys().isdisjoint({"requests", "duration"}):
        changes.setdefault("requests", None)
        changes["duration_s"] = changes.pop("duration", None)
    if "countdown" in changes:
        changes["countdown_s"] = changes.pop("countdown")
    added = {**(params or {}), **({} if max_tokens is None else {"max_tokens": max_tokens})}
    if added:
        changes["params"] = {**plan.params, **{key: _param(key, value) for key, value in added.items()}}
    if prompts is not None:
        builtin = str(prompts) == BUILTIN
        changes["prompts"] = builtin_prompts() if builtin else load_prompts(prompts)
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
    return EnginePlan(**values)


def _engine_value(field: str, value: str) -> Any:
    try:
        return ENGINE_FIELDS[field].check(value)
    except FieldError as error:
        raise PlanError(f"--engine: {field}: {error}") from None


def _checked(flag: str, field: str, value: Any) -> Any:
    if field in ("duration", "countdown") and isinstance(value, str):
        value = _number(value)
    try:
        return RACE_FIELDS[field].check(value)
    except FieldError as error:
        raise PlanError(f"{flag}: {error}") from None


def _number(text: str) -> str | float:
    """Return seconds for ``"45"``, which YAML would have read as a number; other text as it is."""
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else text


def _param(name: str, value: Any) -> Any:
    try:
        if name == "max_tokens":
            return whole(1, MAX_TOKENS)(value)
        return RACE_FIELDS["params"].check(name, value)
    except FieldError as error:
        raise PlanError(f"--{name.replace('_', '-')}: {error}") from None
