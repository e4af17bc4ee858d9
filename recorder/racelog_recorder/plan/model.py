"""A race as it was asked for: what to race, how long, and with which prompts.

Plain frozen values; here alone stand the defaults of a plan. The values come from a file (`racelog_recorder.plan.file`) or
from flags (`racelog_recorder.plan.flags`); both check every field by its row in `racelog_recorder.plan.fields`.
"""

from typing import Any, Literal

from msgspec import Struct, field

from racelog.clock import NS_PER_S
from racelog.display.text import counted
from racelog.views.verdict import FINISH
from racelog_recorder.dialects.registry import DEFAULT_DIALECT
from racelog_recorder.plan.arrivals import OpenLoop
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.transports.reach import Reach

Messages = list[dict[str, Any]]
"""One prompt: the messages of a chat, each with ``role`` and ``content``."""

Grid = Literal["together", "time-trial"]

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


class Traffic(Struct, frozen=True, kw_only=True):
    """How an engine is sent its requests: the part of a plan that every lane gets as it is.

    With a ``load`` it is an open loop, and ``concurrency`` is not looked at. With both ``requests`` and ``duration_s`` an
    engine stops at whichever comes first; ``grace_s`` later what is still open is cancelled.
    """

    requests: int | None = None
    duration_s: float | None = None
    concurrency: int = 4
    load: OpenLoop | None = None
    grace_s: float = 30.0
    seed: int = 0

    @property
    def duration_ns(self) -> int | None:
        """``duration_s`` in nanoseconds, as clocks and logs count."""
        return None if self.duration_s is None else round(self.duration_s * NS_PER_S)


class RacePlan(Traffic, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One race. ``requests``, ``warmup``, ``concurrency`` and ``load`` are per engine.

    ``finish`` is the share of its requests, 0 to 1, that an engine must finish. ``pin`` gives lanes a CPU each.
    """

    name: str = ""
    engines: tuple[EnginePlan, ...]
    grid: Grid = "together"
    finish: float = FINISH
    pin: Literal["auto"] | tuple[int, ...] = ()
    shuffle: bool = True
    warmup: int = 0
    calibrate: bool = True
    metrics: bool = False
    countdown_s: float = 3.0
    deadlines: dict[str, float] = {}
    params: dict[str, Any] = field(default_factory=DEFAULT_PARAMS.copy)
    prompts: tuple[Messages, ...]
    prompts_from: str = ""


def traffic_of(plan: RacePlan) -> Traffic:
    """Return the part of ``plan`` that its lanes get."""
    return Traffic(**{name: getattr(plan, name) for name in Traffic.__struct_fields__})


def deadlines_of(plan: RacePlan, engine: EnginePlan) -> Deadlines:
    """Return the deadlines that hold for ``engine``: its own over the race's over the defaults."""
    return deadlines_under(plan, engine.deadlines)


def deadlines_under(plan: RacePlan, own: dict[str, float]) -> Deadlines:
    """Return the deadlines that hold for an engine of ``plan`` that has ``own`` ones, in seconds by name."""
    given = {**plan.deadlines, **own}
    return Deadlines(**{f"{name}_s": seconds for name, seconds in given.items()})


def before_the_start(plan: RacePlan, countdown_s: float) -> list[str]:
    """Return in words what comes before lanes start, in order; the start is the last."""
    return [
        *(["clock check of about one second"] if plan.calibrate else []),
        *([f"{counted(plan.warmup, 'warm-up request')} each"] if plan.warmup else []),
        *([f"countdown of {countdown_s:g} s"] if countdown_s else []),
        "start",
    ]
