"""A race as it was asked for: what to race, how long, and with which prompts.

Plain frozen values without defaults from anywhere else. They come from a file (`racelog_recorder.plan.file`) or
from flags (`racelog_recorder.plan.flags`); both check every field by `racelog_recorder.plan.fields`.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from racelog.display.text import counted
from racelog.views.verdict import FINISH
from racelog_recorder.dialects.registry import DEFAULT_DIALECT
from racelog_recorder.plan.arrivals import OpenLoop
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.redaction import public_headers, public_params, public_url
from racelog_recorder.transports.reach import Reach, public_reach

Messages = list[dict[str, Any]]
"""One prompt: the messages of a chat, each with ``role`` and ``content``."""

DEFAULT_REQUESTS = 40
"""Requests per engine when a plan names neither a number nor a duration."""

DEFAULT_PARAMS: dict[str, Any] = {"max_tokens": 128, "temperature": 0.0}
"""Short and repeatable: two engines that serve the same weights should say the same."""


class EnginePlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One engine: where it is, how to reach it, how to show it.

    ``url`` is a base URL without a trailing slash; ``model`` empty asks the server; ``api_key_env`` is the NAME of an
    environment variable; ``deadlines`` (seconds by name) and ``params`` win over the race's; ``color`` is ``#rrggbb``
    or empty.
    """

    name: str
    url: str
    model: str = ""
    emoji: str = ""
    color: str = ""
    api_key_env: str = ""
    dialect: str = DEFAULT_DIALECT
    deadlines: dict[str, float] = {}
    pin: tuple[int, ...] = ()
    headers: dict[str, str] = {}
    params: dict[str, Any] = {}
    reach: Reach = Reach()


class RacePlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One race. ``requests``, ``warmup``, ``concurrency`` and ``load`` are per engine.

    ``finish`` is the share of its requests, 0 to 1, that an engine must finish.

    With a ``load`` it is an open loop, and ``concurrency`` is not looked at. ``pin`` gives lanes a CPU each. With both ``requests`` and ``duration_s`` an engine stops at whichever comes first.
    """

    name: str = ""
    engines: tuple[EnginePlan, ...]
    grid: Literal["together", "time-trial"] = "together"
    requests: int | None = None
    duration_s: float | None = None
    concurrency: int = 4
    load: OpenLoop | None = None
    grace_s: float = 30.0
    finish: float = FINISH
    pin: Literal["auto"] | tuple[int, ...] = ()
    seed: int = 0
    shuffle: bool = True
    warmup: int = 0
    calibrate: bool = True
    metrics: bool = False
    countdown_s: float = 3.0
    deadlines: dict[str, float] = {}
    params: dict[str, Any] = field(default_factory=DEFAULT_PARAMS.copy)
    prompts: tuple[Messages, ...]
    prompts_from: str = ""


def deadlines_of(plan: RacePlan, engine: EnginePlan) -> Deadlines:
    """Return the deadlines that hold for ``engine``: its own over the race's over the defaults."""
    given = {**plan.deadlines, **engine.deadlines}
    return Deadlines(**{f"{name}_s": seconds for name, seconds in given.items()})


def public_plan(plan: RacePlan) -> dict[str, Any]:
    """Return the plan as it may be written into a log: whatever could be a secret is ``<removed>``.

    Removed are values of URL queries, of headers and text parameters whose name sounds secret, and anything that
    has the shape of a key. Prompts are told by number and origin; the log holds their text as events of their own.
    """
    return {
        "name": plan.name,
        "engines": [_public_engine(plan, engine) for engine in plan.engines],
        "grid": plan.grid,
        "requests": plan.requests,
        "duration_s": plan.duration_s,
        "concurrency": None if plan.load else plan.concurrency,
        "load": msgspec.to_builtins(plan.load),
        "grace_s": plan.grace_s,
        "finish": plan.finish,
        "pin": msgspec.to_builtins(plan.pin),
        "seed": plan.seed,
        "shuffle": plan.shuffle,
        "warmup": plan.warmup,
        "calibrate": plan.calibrate,
        "metrics": plan.metrics,
        "countdown_s": plan.countdown_s,
        "params": public_params(plan.params),
        "prompts": len(plan.prompts),
        "prompts_from": plan.prompts_from,
    }


def _public_engine(plan: RacePlan, engine: EnginePlan) -> dict[str, Any]:
    return {
        "name": engine.name,
        "url": public_url(engine.url),
        "model": engine.model,
        "emoji": engine.emoji,
        "color": engine.color,
        "api_key_env": engine.api_key_env,
        "dialect": engine.dialect,
        "deadlines": msgspec.to_builtins(deadlines_of(plan, engine)),
        "pin": list(engine.pin),
        "headers": public_headers(engine.headers),
        "params": public_params(engine.params),
        **public_reach(engine.reach),
    }


def before_the_start(plan: RacePlan, countdown_s: float) -> list[str]:
    """Return in words what comes before lanes start, in order; the start is the last."""
    return [
        *(["clock check of about one second"] if plan.calibrate else []),
        *([f"{counted(plan.warmup, 'warm-up request')} each"] if plan.warmup else []),
        *([f"countdown of {countdown_s:g} s"] if countdown_s else []),
        "start",
    ]
