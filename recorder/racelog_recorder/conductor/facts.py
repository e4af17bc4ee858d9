"""The facts that a race's log begins with: who races, on what, with which prompts. Pure; secrets stay behind."""

from collections.abc import Iterator

from racelog import __version__
from racelog.clock import rfc3339
from racelog.events import AnyEvent, ClockAnchor, Head, LaneFacts, Note, Prompt, RaceFacts
from racelog_recorder.conductor.setup import RaceSetup
from racelog_recorder.dialects.registry import DIALECTS
from racelog_recorder.plan.public import public_plan
from racelog_recorder.redaction import public_params, public_url, without_known
from racelog_recorder.transports.reach import transport_of

MODEL_CHARACTERS = 512
"""Of a model's name, which may be the server's own word."""


def conductor_head(race: RaceSetup, writer: str, pid: int) -> Head:
    """Return the first event of the conductor's own segment."""
    return Head(
        t=0, race_id=race.race_id, writer=writer, role="conductor", pid=pid, mono_origin_ns=race.clocks.mono_ns,
        racelog_version=__version__,
    )  # fmt: skip


def opening_events(race: RaceSetup, host: dict[str, object]) -> Iterator[AnyEvent]:
    """Yield all that is known before the first lane starts; ``host`` tells of the machine."""
    clocks = race.clocks
    yield ClockAnchor(t=0, mono_ns=clocks.mono_ns, wall_ns=clocks.wall_ns, boot_ns=clocks.boot_ns)
    yield race_facts(race, host)
    for lane, checked in enumerate(race.engines):
        yield lane_facts(race, lane)
        if checked.remark:
            yield Note(t=0, text=checked.remark, level="warning", lane=lane)
    for prompt in race.prompts:
        yield Prompt(t=0, prompt=prompt, messages=race.plan.prompts[prompt])


def race_facts(race: RaceSetup, host: dict[str, object]) -> RaceFacts:
    """Return what was asked for, on which machine, under which name."""
    plan, load = race.plan, race.plan.load
    return RaceFacts(
        t=0, race_id=race.race_id, name=plan.name or " vs ".join(engine.name for engine in plan.engines),
        started_at=rfc3339(race.clocks.wall_ns), seed=plan.seed, grid=plan.grid, requests=plan.requests,
        duration_ns=plan.duration_ns, concurrency=0 if load else plan.concurrency,
        rate_per_s=load.rate_per_s if load else None, arrival=load.arrival if load else "",
        max_open=load.max_open if load else None, finish=plan.finish, plan=public_plan(plan), host=host,
    )  # fmt: skip


def lane_facts(race: RaceSetup, lane: int) -> LaneFacts:
    """Return who races on a lane, and how it is reached."""
    plan, engine = race.plan, race.plan.engines[lane]
    return LaneFacts(
        t=0, lane=lane, engine=engine.name,
        model=without_known(race.engines[lane].model[:MODEL_CHARACTERS], race.secrets[lane]),
        url=public_url(engine.url), dialect=engine.dialect, path=DIALECTS[engine.dialect].path, color=engine.color, emoji=engine.emoji,
        transport=transport_of(engine.url, engine.reach), params=public_params({**plan.params, **engine.params}),
    )  # fmt: skip
