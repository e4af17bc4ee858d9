"""``racelog record --dry-run``: the race as it was understood and what would be sent when, without sending it. Pure."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from msgspec import Struct

from racelog.clock import NS_PER_S
from racelog.console.output import Heading, table_lines
from racelog.display.cells import cut
from racelog.display.figures import MS_PER_S, duration, tick
from racelog.display.text import counted, printable
from racelog_recorder.plan.arrivals import due_ns, due_until
from racelog_recorder.plan.fields.row import in_words
from racelog_recorder.plan.model import Messages, RacePlan
from racelog_recorder.plan.prompts import schedule
from racelog_recorder.plan.public import changed_fields, public_plan

SHOWN = 10
TOLD = frozenset({
    "name", "grid", "requests", "duration", "concurrency", "rate", "arrival", "burstiness", "max_open", "pin", "seed",
    "warmup", "countdown",
})  # fmt: skip
"""Fields that the lines for people tell in words of their own; every other one is named if it is not at its default."""

PROMPT_WIDTH = 90
"""Enough of a prompt to know it by; ``--json`` has all of it."""

COUNTED = 1_000_000
"""A schedule is counted request by request up to about so many of them, half a second's work; beyond, by its mean."""


class FirstRequest(Struct, frozen=True, kw_only=True):
    """One of the first requests. ``due_s`` is None in a closed loop, where a request waits for the one before it."""

    number: int
    due_s: float | None
    prompt: int
    text: str


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What a race would send to each engine.

    ``changed`` has the race's fields that are not at their defaults, as a file would say them. ``requests`` is None where
    only the engines' speed decides, and a mean unless ``exact``; ``sending_s`` is the time in which they are sent, None
    likewise.
    """

    plan: dict[str, Any]
    changed: dict[str, Any]
    cpus: list[list[int]]
    requests: int | None
    exact: bool
    sending_s: float | None
    first: list[FirstRequest]


def rehearse(plan: RacePlan, cpus: list[tuple[int, ...]]) -> Rehearsal:
    """Return what ``plan`` would send. Cost: up to half a second for a schedule of a million requests."""
    requests, exact = _requests(plan)
    shown = SHOWN if requests is None else min(SHOWN, requests)
    order = schedule(plan.prompts, plan.seed, plan.warmup + shown, shuffle=plan.shuffle)[plan.warmup :]
    due = [t / NS_PER_S for t in islice(due_ns(plan.load, plan.seed), shown)] if plan.load else [None] * shown
    first = [
        FirstRequest(number=number, due_s=due_s, prompt=prompt, text=_text(plan.prompts[prompt]))
        for number, (due_s, prompt) in enumerate(zip(due, order, strict=True))
    ]
    return Rehearsal(
        plan=public_plan(plan), changed=changed_fields(plan), cpus=[list(lane) for lane in cpus],
        requests=requests, exact=exact, sending_s=_sending_s(plan, requests), first=first,
    )  # fmt: skip


def _requests(plan: RacePlan) -> tuple[int | None, bool]:
    """Return how many requests each engine gets, and whether that is exact."""
    if plan.load is None:
        return (plan.requests, True) if plan.duration_s is None else (None, False)
    if plan.duration_s is None:
        return plan.requests, True
    mean = plan.load.rate_per_s * plan.duration_s
    if min(mean, plan.requests or mean) > COUNTED:
        return min(round(mean), plan.requests or round(mean)), False
    duration_ns = round(plan.duration_s * NS_PER_S)
    return due_until(plan.load, plan.seed, requests=plan.requests, duration_ns=duration_ns), True


def _sending_s(plan: RacePlan, requests: int | None) -> float | None:
    """Return how long each engine is sent requests, to the last one's instant or by the plan's own limit."""
    if plan.load is None or not requests:
        return plan.duration_s
    if requests > COUNTED:
        return requests / plan.load.rate_per_s
    return next(islice(due_ns(plan.load, plan.seed), requests - 1, None)) / NS_PER_S


def _text(messages: Messages) -> str:
    content = messages[-1]["content"] if messages else ""
    return content if isinstance(content, str) else str(content)


def rehearsal_lines(race: Rehearsal, width: int | None) -> Iterator[str]:
    """Yield the rehearsal for people; a terminal's ``width`` cuts the prompts."""
    plan = race.plan
    yield printable(plan["name"] or " vs ".join(engine["name"] for engine in plan["engines"]))
    yield f"{plan['grid']} · {_load_words(plan)} · seed {plan['seed']} · countdown {plan['countdown_s']:g} s"
    yield printable(f"{_amount(race)}; {counted(plan['prompts'], 'prompt')}, {plan['prompts_from']}")
    if also := {name: value for name, value in race.changed.items() if name not in TOLD}:
        yield printable(f"not as usual: {in_words(also)}")
    yield ""
    for engine, cpus in zip(plan["engines"], race.cpus, strict=True):
        pinned = f", pinned to CPU {', '.join(map(str, cpus))}" if cpus else ""
        model = engine["model"] or "the first model it lists"
        yield printable(f"{engine['emoji']} {engine['name']}: {model} at {engine['url']}{pinned}".strip())
    yield ""
    scheduled = plan["load"] is not None
    due = [Heading("due", right=True)] if scheduled else []
    headings = [Heading("request", right=True), *due, Heading("prompt")]
    rows = [
        [
            str(request.number),
            *([f"{request.due_s:.4f} s"] if request.due_s is not None else []),
            cut(request.text, PROMPT_WIDTH),
        ]
        for request in race.first
    ]
    yield from table_lines(headings, rows, width)
    yield ""
    when = (
        ", each request at this time after the start"
        if scheduled
        else ", the next request when one has ended"
    )
    yield f"Nothing was sent. Every engine gets this order{when}."


def _load_words(plan: dict[str, Any]) -> str:
    load = plan["load"]
    if load is None:
        return f"closed loop, concurrency {plan['concurrency']}"
    shape = f" (burstiness {load['burstiness']:g})" if load["arrival"] == "gamma" else ""
    cap = f", at most {load['max_open']:,} open" if load["max_open"] else ""
    return f"open loop, {tick(load['rate_per_s'])}/s {load['arrival']}{shape}{cap}"


def _amount(race: Rehearsal) -> str:
    """Say how many requests each engine gets in what time, as far as that is known."""
    count = "as many requests as it answers" if race.requests is None else counted(race.requests, "request")
    told = f"each engine gets {'' if race.exact or race.requests is None else 'about '}{count}"
    if race.sending_s is not None:
        told += f" in {duration(race.sending_s * MS_PER_S)}"
    return told + (f", after {race.plan['warmup']:,} to warm up" if race.plan["warmup"] else "")
