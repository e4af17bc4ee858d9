"""The engines' API keys: a plan has the names of environment variables, the keys are in these."""

import os
from collections.abc import Iterable

from racelog.errors import InputError
from racelog_recorder.dialects.registry import DIALECTS
from racelog_recorder.plan.model import EnginePlan, RacePlan
from racelog_recorder.redaction import secrets_of, sounds_secret


def api_keys(plan: RacePlan) -> dict[str, str]:
    """Return each engine's API key from the environment, by the engine's name.

    Raises:
        InputError: a named variable is not set, or holds what no header can carry.
    """
    if problems := key_problems(plan):
        raise InputError(problems[0])
    return {engine.name: _key(engine) for engine in plan.engines if engine.api_key_env}


def engine_secrets(plan: RacePlan, engine: EnginePlan, key: str) -> tuple[str, ...]:
    """Return what must not be shown of an engine, in each form that its server may echo it in."""
    keys = DIALECTS[engine.dialect].secrets(key)
    return secrets_of(engine.url, keys, engine.headers, {**plan.params, **engine.params})


def environment_without(names: Iterable[str]) -> dict[str, str]:
    """Return this process's environment without the variables ``names``, and any other whose name sounds secret.

    A lane gets the key of its own engine over its pipe; what it inherits, whoever it talks to could make it tell.
    """
    named = set(names)
    return {
        name: value for name, value in os.environ.items() if name not in named and not sounds_secret(name)
    }


def key_problems(plan: RacePlan) -> list[str]:
    """Return a line for each engine whose key cannot be had here."""
    return [problem for engine in plan.engines if engine.api_key_env and (problem := _problem(engine))]


def _key(engine: EnginePlan) -> str:
    return os.environ.get(engine.api_key_env, "").strip()


def _problem(engine: EnginePlan) -> str:
    key = _key(engine)
    if not key:
        return f"{engine.name}: the environment variable {engine.api_key_env} (api_key_env) is not set"
    if not (key.isascii() and key.isprintable()):
        return f"{engine.name}: the key in {engine.api_key_env} has characters that no HTTP header can carry"
    return ""
