"""Command-line flags -> `RacePlan`, and flags over a plan from a file. Checked by the same rules as the file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import structs

from racelog.errors import PlanError
from racelog_recorder.plan.fields.checks import MAX_ENGINES, FieldError
from racelog_recorder.plan.fields.engine import ENGINE_FIELDS
from racelog_recorder.plan.fields.race import RACE_FIELDS
from racelog_recorder.plan.fields.row import Field, Flag, Kind, option_of
from racelog_recorder.plan.fields.together import attributes, conflict
from racelog_recorder.plan.file import KEY_ADVICE, engine_plan, is_key_field, suggestion
from racelog_recorder.plan.model import DEFAULT_REQUESTS, EnginePlan, Messages, RacePlan
from racelog_recorder.plan.prompt_files import load_prompts
from racelog_recorder.plan.prompts import BUILTIN, builtin_prompts
from racelog_recorder.redaction import inert, shown
from racelog_recorder.transports.reach import ReachError

_ENGINE_OPTIONS = {name: row for name, row in ENGINE_FIELDS.items() if row.option}


def plan_from_flags(engines: Sequence[str], **flags: Any) -> RacePlan:
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


def override(plan: RacePlan, **flags: Any) -> RacePlan:
    """Return ``plan`` with the flags that are not None in place of its fields.

    A flag has its field's name, or that of the entry it sets (``max_tokens``). ``params``, ``max_tokens`` and ``deadlines``
    (``NAME=TIME`` each) are merged over the plan's. One of ``requests`` and ``duration`` given alone replaces both of the
    plan's: whoever types ``--requests 10`` wants ten, not ten or thirty seconds.

    Raises:
        PlanError: a flag is wrong; the message names it.
        TypeError: there is no flag of that name.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    changes: dict[str, Any] = {}
    for row in RACE_FIELDS.values():
        if row.kind.entries:
            if added := _entries(row, given):
                changes[row.name] = {**row.value(plan), **added}
        elif row.name in given:
            changes[row.name] = _checked(row, row.kind, given.pop(row.name))
    if given:
        raise TypeError(f"a plan has no {', '.join(given)}")
    if not changes.keys().isdisjoint({"requests", "duration"}):
        changes = {"requests": None, "duration": None, **changes}
    keep = plan.load is not None and "concurrency" not in changes
    standing = {"rate": plan.load.rate_per_s, "arrival": plan.load.arrival} if plan.load and keep else {}
    if wrong := conflict({**standing, **changes}):
        raise PlanError(f"{_option(RACE_FIELDS[wrong[0]])}: {wrong[1]}")
    if (prompts := changes.get("prompts")) is not None:
        changes["prompts"], origin = _prompts(prompts)
        plan = structs.replace(plan, prompts_from=origin)
    if not keep:
        plan = structs.replace(plan, load=None)
    return structs.replace(plan, **attributes(changes, plan.load))


def _entries(row: Field, given: dict[str, Any]) -> dict[str, Any]:
    """Take the flags of a mapping out of ``given``; return the entries they give, checked."""
    found: dict[str, Any] = {}
    entries = given.pop(row.name, {})
    for name, value in entries.items() if isinstance(entries, Mapping) else map(_name_and_value, entries):
        found[name] = _checked(row, row.kind, value, name)
    flag = row.flag
    if flag is not None and flag.kind is not None and flag.entry in given:
        found[flag.entry] = _checked(row, flag.kind, given.pop(flag.entry))
    return found


def _name_and_value(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _checked(row: Field, kind: Kind, value: Any, *entry: str) -> Any:
    """Return a flag's value as the plan keeps it; ``entry`` is the name of the entry of a mapping.

    Raises:
        PlanError: the check refuses it; the message names the flag.
    """
    try:
        return kind.check(*entry, kind.parse(value) if isinstance(value, str) else value)
    except FieldError as error:
        where = " ".join([_option(row), *map(inert, entry)])
        raise PlanError(f"{where}: {error}") from None


def _option(row: Field) -> str:
    """Return the flag to name in an error; a switch takes no value that could be wrong, its field does."""
    return option_of(row, Flag() if row.flag is None or row.flag.sets is not None else row.flag)


def _engine(text: str) -> EnginePlan:
    """Return the engine that ``NAME=BASE_URL[,option=value]...`` describes.

    Raises:
        PlanError: it has no URL, an unknown option, or a value that is wrong.
    """
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
        return engine_plan(values, Path())
    except ReachError as error:
        raise PlanError(f"--engine: {error.field}: {error}") from None


def _engine_value(field: str, value: str) -> Any:
    """Return one value of ``--engine`` as the plan keeps it.

    Raises:
        PlanError: the check refuses it; the message names the field.
    """
    try:
        return ENGINE_FIELDS[field].kind.check(value)
    except FieldError as error:
        raise PlanError(f"--engine: {field}: {error}") from None


def _prompts(path: str | Path) -> tuple[tuple[Messages, ...], str]:
    """Return the prompts of ``--prompts``, and where they came from.

    Raises:
        PlanError: the file cannot be read, or is no file of prompts.
    """
    if str(path) == BUILTIN:
        return builtin_prompts(), BUILTIN
    try:
        return load_prompts(path), Path(path).name
    except PlanError as error:
        raise PlanError(f"--prompts: {error}") from None
