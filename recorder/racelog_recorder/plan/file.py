"""``race.yaml`` -> `RacePlan`. Every mistake is one line: file, line, field, what was given, what is allowed."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from racelog.errors import PlanError
from racelog_recorder.plan.fields.checks import MAX_ENGINES, MAX_PROMPTS, FieldError
from racelog_recorder.plan.fields.engine import ENGINE_FIELDS
from racelog_recorder.plan.fields.race import RACE_FIELDS
from racelog_recorder.plan.fields.row import Field, Kind, nested
from racelog_recorder.plan.fields.together import attributes, conflict
from racelog_recorder.plan.model import DEFAULT_REQUESTS, EnginePlan, Messages, RacePlan
from racelog_recorder.plan.prompt_files import load_prompts, read_text, to_messages
from racelog_recorder.plan.prompts import BUILTIN, builtin_prompts
from racelog_recorder.plan.yaml_nodes import Located, read_yaml
from racelog_recorder.redaction import inert, shown, sounds_secret
from racelog_recorder.transports.reach import ReachError, reach_from

MAX_PLAN_BYTES = 1 << 20


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


def suggestion(name: str, known: Mapping[str, Field]) -> str:
    """Return what to say about an unknown field: the one that was meant, else all there are."""
    elsewhere = [field for field, row in known.items() if name.lower() in row.also]
    close = elsewhere or difflib.get_close_matches(name.lower(), known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are {', '.join(sorted(known))}"


def is_key_field(name: str) -> bool:
    """Return True for a field that would hold a key itself."""
    return name != "api_key_env" and sounds_secret(name)


def engine_plan(values: dict[str, Any], folder: Path) -> EnginePlan:
    """Return the engine that checked ``values`` of its fields make; files are looked for in ``folder``.

    Raises:
        ReachError: how it is reached does not hold together.
    """
    found = nested(values, ENGINE_FIELDS)
    found["reach"] = reach_from(found.get("reach", {}), values["url"], folder)
    return EnginePlan(**found)


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
        values = self._fields(top, "", RACE_FIELDS)
        if "engines" not in values:
            self._fail(document.line, "engines", "is missing; list at least one engine with name and url")
        if wrong := conflict(values):
            self._fail(top[wrong[0]].key_line, *wrong)
        if values.keys().isdisjoint({"requests", "duration"}):
            values["requests"] = DEFAULT_REQUESTS
        values["engines"] = self._engines(values["engines"])
        values["prompts"], origin = self._prompts(values.get("prompts"))
        return RacePlan(prompts_from=origin, **attributes(values))

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
        values = self._fields(fields, f"{where}.", ENGINE_FIELDS)
        for needed in ("name", "url"):
            if needed not in values:
                self._fail(located.line, f"{where}.{needed}", "is missing; every engine needs name and url")
        try:
            return engine_plan(values, self._folder)
        except ReachError as error:
            self._fail(fields[error.key].line, f"{where}.{error.field}", str(error))

    def _fields(self, given: dict[str, Located], prefix: str, fields: dict[str, Field]) -> dict[str, Any]:
        """Return the checked values of the fields in ``given``."""
        values = {}
        for name, located in given.items():
            if name in fields:
                values[name] = self._value(located, prefix + name, fields[name].kind)
            else:
                hint = KEY_ADVICE if is_key_field(name) else f"unknown field; {suggestion(name, fields)}"
                self._fail(located.key_line, prefix + inert(name), hint)
        return values

    def _value(self, located: Located, where: str, kind: Kind) -> Any:
        if kind.located:
            return located
        if not kind.entries:
            return self._checked(located.line, where, kind.check, located.plain())
        entries = self._mapping(located, where, f"{shown(located.value)} is not a mapping of names to values")
        return {
            name: self._checked(item.line, f"{where}.{inert(name)}", kind.check, name, item.plain())
            for name, item in entries.items()
        }

    def _checked(self, line: int, where: str, check: Callable[..., Any], *value: Any) -> Any:
        try:
            return check(*value)
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
        return tuple(
            self._checked(item.line, f"prompts[{index}]", to_messages, item.plain())
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
