"""``race.yaml`` -> `RacePlan`. Every mistake is one line: file, line, field, what was given, what is allowed."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from racelog.errors import PlanError
from racelog_recorder.plan.arrivals import OpenLoop
from racelog_recorder.plan.checks import MAX_ENGINES, FieldError
from racelog_recorder.plan.fields import ENGINE_FIELDS, RACE_FIELDS, Field
from racelog_recorder.plan.load_checks import load_conflict
from racelog_recorder.plan.model import DEFAULT_REQUESTS, EnginePlan, Messages, RacePlan
from racelog_recorder.plan.prompt_files import MAX_PROMPTS, load_prompts, read_text, to_messages
from racelog_recorder.plan.prompts import BUILTIN, builtin_prompts
from racelog_recorder.plan.yaml_nodes import Located, read_yaml
from racelog_recorder.redaction import inert, shown, sounds_secret
from racelog_recorder.transports.reach import REACH_KEYS, Reach, ReachError, reach_from

MAX_PLAN_BYTES = 1 << 20

FIELD_OF = {"duration": "duration_s", "countdown": "countdown_s", "grace": "grace_s"}
"""Where a field of the file has another name in the plan: the file takes ``2m``, the plan holds seconds."""

_ALSO_CALLED = {
    "endpoints": "engines", "lanes": "engines", "models": "engines", "colour": "color", "icon": "emoji",
    "base_url": "url", "endpoint": "url", "host": "url", "time": "duration", "duration_s": "duration",
    "countdown_s": "countdown", "users": "concurrency", "parallel": "concurrency", "mode": "grid",
    "num_requests": "requests", "dataset": "prompts", "max_tokens": "params", "temperature": "params",
    "request_rate": "rate", "rps": "rate", "qps": "rate", "max_concurrency": "max_open", "cpus": "pin", "affinity": "pin",
}  # fmt: skip
"""What people call a field elsewhere."""


def load_plan(path: str | Path) -> RacePlan:
    """Return the plan in a race.yaml; a file of prompts is looked for beside it.

    Raises:
        PlanError: the file cannot be read or a field is wrong; the message holds file, line, field, the value
            (never a secret) and what is allowed.
    """
    path = Path(path)
    return parse_plan(read_text(path, MAX_PLAN_BYTES), str(path), path.parent)


def parse_plan(text: str, source: str, folder: Path) -> RacePlan:
    """Return the plan in ``text``; ``source`` names it in errors, ``folder`` is where its prompts lie.

    Raises:
        PlanError: see `load_plan`.
    """
    return _Reader(source, folder).race(read_yaml(text, source))


def suggestion(name: str, known: Mapping[str, object]) -> str:
    """Return what to say about an unknown field: the one that was meant, else all there are."""
    meant = _ALSO_CALLED.get(name.lower())
    close = [meant] if meant in known else difflib.get_close_matches(name.lower(), known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are {', '.join(sorted(known))}"


def open_loop(values: dict[str, Any], given: OpenLoop | None = None) -> OpenLoop | None:
    """Take the fields of an open loop out of checked ``values``; return it, over ``given``, or None without any."""
    names = {"rate": "rate_per_s", "arrival": "arrival", "burstiness": "burstiness", "max_open": "max_open"}
    changes = {name: values.pop(field) for field, name in names.items() if field in values}
    if given is None:
        return OpenLoop(**changes) if changes else None
    return msgspec.structs.replace(given, **changes)


def is_key_field(name: str) -> bool:
    """Return True for a field that would hold a key itself."""
    return name != "api_key_env" and sounds_secret(name)


KEY_ADVICE = "a key must not stand in a plan; put it into an environment variable and write the variable's NAME as api_key_env"


class _Reader:
    """Reads one document; holds only what errors need."""

    def __init__(self, source: str, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def race(self, document: Located) -> RacePlan:
        """Return the plan of a document: fields at the top, or all under ``race``."""
        top = self._mapping(document, "", "the plan is a mapping of fields, such as 'engines'")
        if set(top) == {"race"}:
            document = top["race"]
            top = self._mapping(document, "race", "'race' is a mapping of fields, such as 'engines'")
        known = {**RACE_FIELDS, "engines": None, "prompts": None}
        values = self._fields(top, "", RACE_FIELDS, known)
        if "engines" not in top:
            self._fail(document.line, "engines", "is missing; list at least one engine with name and url")
        if conflict := load_conflict(values):
            self._fail(top[conflict[0]].key_line, *conflict)
        if values.keys().isdisjoint({"requests", "duration"}):
            values["requests"] = DEFAULT_REQUESTS
        if load := open_loop(values):
            values["load"] = load
        prompts, origin = self._prompts(top.get("prompts"))
        plan_values = {FIELD_OF.get(name, name): value for name, value in values.items()}
        return RacePlan(
            engines=self._engines(top["engines"]), prompts=prompts, prompts_from=origin, **plan_values
        )

    def _engines(self, located: Located) -> tuple[EnginePlan, ...]:
        items = located.value
        if not isinstance(items, list):
            self._fail(
                located.key_line,
                "engines",
                f"{shown(items)} is not a list of engines; start each with '- name:'",
            )
        if not 1 <= len(items) <= MAX_ENGINES:
            self._fail(located.key_line, "engines", f"{len(items)} engines; a race has 1 to {MAX_ENGINES}")
        engines: list[EnginePlan] = []
        for index, item in enumerate(items):
            where = f"engines[{index}]"
            engine = self._engine(item, where)
            if engine.name in {other.name for other in engines}:
                line = item.value["name"].line
                self._fail(
                    line, f"{where}.name", f"{shown(engine.name)} is taken; every engine needs its own name"
                )
            engines.append(engine)
        return tuple(engines)

    def _engine(self, located: Located, where: str) -> EnginePlan:
        fields = self._mapping(located, where, f"{shown(located.value)} is not a mapping with name and url")
        values = self._fields(fields, f"{where}.", ENGINE_FIELDS, ENGINE_FIELDS)
        for needed in ("name", "url"):
            if needed not in values:
                self._fail(located.line, f"{where}.{needed}", "is missing; every engine needs name and url")
        reach = self._reach(values, fields, where)
        return EnginePlan(
            **{key: value for key, value in values.items() if key not in REACH_KEYS}, reach=reach
        )

    def _reach(self, values: dict[str, Any], fields: dict[str, Located], where: str) -> Reach:
        try:
            return reach_from(values, values["url"], self._folder)
        except ReachError as error:
            self._fail(fields[error.key].line, f"{where}.{error.field}", str(error))

    def _fields(
        self, given: dict[str, Located], prefix: str, fields: dict[str, Field], known: Mapping[str, object]
    ) -> dict[str, Any]:
        """Return the checked values of the plain fields in ``given``; those of ``known`` alone are left to the caller."""
        values = {}
        for name, located in given.items():
            if name in fields:
                values[name] = self._value(located, prefix + name, fields[name])
            elif name not in known:
                hint = KEY_ADVICE if is_key_field(name) else f"unknown field; {suggestion(name, known)}"
                self._fail(located.key_line, prefix + inert(name), hint)
        return values

    def _value(self, located: Located, where: str, field: Field) -> Any:
        if not field.entries:
            return self._checked(located.line, where, field, located.plain())
        entries = self._mapping(located, where, f"{shown(located.value)} is not a mapping of names to values")
        return {
            name: self._checked(item.line, f"{where}.{inert(name)}", field, name, item.plain())
            for name, item in entries.items()
        }

    def _checked(self, line: int, where: str, field: Field, *value: Any) -> Any:
        try:
            return field.check(*value)
        except FieldError as error:
            self._fail(line, where, str(error))

    def _prompts(self, located: Located | None) -> tuple[tuple[Messages, ...], str]:
        """Return the prompts and where they came from."""
        if located is None or located.value == BUILTIN:
            return builtin_prompts(), BUILTIN
        if isinstance(located.value, str):
            return self._prompts_in_file(located), located.value
        if not isinstance(located.value, list):
            self._fail(located.line, "prompts", f"{shown(located.value)} is neither a file's name nor a list")
        if not 1 <= len(located.value) <= MAX_PROMPTS:
            self._fail(
                located.key_line, "prompts", f"{len(located.value):,} prompts; give 1 to {MAX_PROMPTS:,}"
            )
        field = Field(to_messages, {})
        return tuple(
            self._checked(item.line, f"prompts[{index}]", field, item.plain())
            for index, item in enumerate(located.value)
        ), Path(self._source).name

    def _prompts_in_file(self, located: Located) -> tuple[Messages, ...]:
        try:
            return load_prompts(self._folder / located.value)
        except PlanError as error:
            self._fail(located.line, "prompts", str(error))

    def _mapping(self, located: Located, where: str, why: str) -> dict[str, Located]:
        if not isinstance(located.value, dict):
            self._fail(located.line, where, why)
        return dict(located.value)

    def _fail(self, line: int, where: str, why: str) -> NoReturn:
        raise PlanError(f"{self._source}:{line}: {where}{': ' if where else ''}{why}")
