"""All that is settled before a race starts; nothing here changes while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from racelog.clock import ClockReading, read_clocks
from racelog.home import new_race_id
from racelog_recorder.journal.durability import Durability
from racelog_recorder.machine.affinity import allowed_cpus, lane_cpus
from racelog_recorder.plan.api_keys import engine_secrets
from racelog_recorder.plan.model import RacePlan
from racelog_recorder.plan.prompts import schedule
from racelog_recorder.preflight.preflight import Checked

ORDER_LENGTH = 10_000
"""Prompts drawn ahead, the same for every lane; a longer race repeats the order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceSetup:
    """One race as it is about to be run.

    ``engines``, ``secrets`` (what must not be shown of an engine) and ``cpus`` have an entry per lane, ``keys`` one by an
    engine's name. ``order`` holds the numbers of the prompts that every lane sends, those of the warm-up first.
    """

    plan: RacePlan
    engines: list[Checked]
    keys: Mapping[str, str]
    secrets: list[tuple[str, ...]]
    cpus: list[tuple[int, ...]]
    order: list[int]
    race_id: str
    clocks: ClockReading
    durability: Durability

    @property
    def prompts(self) -> list[int]:
        """The numbers of the prompts that are sent at all, ascending."""
        return sorted(set(self.order))


def set_up(
    plan: RacePlan, engines: list[Checked], keys: Mapping[str, str], race_id: str, durability: Durability
) -> RaceSetup:
    """Return the setup of a race whose origin is now; an empty ``race_id`` gets a new one.

    Raises:
        InputError: the plan pins lanes to CPUs that are not there.
    """
    clocks = read_clocks()
    count = plan.warmup + min(plan.requests or ORDER_LENGTH, ORDER_LENGTH)
    return RaceSetup(
        plan=plan,
        engines=engines,
        keys=keys,
        secrets=[engine_secrets(plan, one, keys.get(one.name, "")) for one in plan.engines],
        cpus=lane_cpus(plan, allowed_cpus()),
        order=schedule(plan.prompts, plan.seed, count, shuffle=plan.shuffle),
        race_id=race_id or new_race_id(clocks.wall_ns),
        clocks=clocks,
        durability=durability,
    )
