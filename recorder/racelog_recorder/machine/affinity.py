"""Which CPU each lane runs on, when a plan says so."""

import os

from racelog.errors import InputError
from racelog_recorder.plan.model import RacePlan


def allowed_cpus() -> list[int]:
    """Return the CPUs this process may run on, ascending; none where the system pins no processes (macOS)."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def lane_cpus(plan: RacePlan, allowed: list[int]) -> list[tuple[int, ...]]:
    """Return for each engine of ``plan`` the CPUs to pin its lane to, empty for none.

    An engine's own ``pin`` wins over the race's, which gives one CPU to each lane in turn. ``auto`` leaves the first to
    the conductor, the telemetry and the view, if there is more than one.

    Raises:
        InputError: the plan names a CPU that is not ``allowed``, or nothing can be pinned here.
    """
    wanted = bool(plan.pin) or any(engine.pin for engine in plan.engines)
    if wanted and not allowed:
        raise InputError("pin (--pin): this system cannot pin a process to a CPU; leave it out")
    shared = (allowed[1:] or allowed) if plan.pin == "auto" else list(plan.pin)
    cpus = [
        engine.pin or ((shared[lane % len(shared)],) if shared else ())
        for lane, engine in enumerate(plan.engines)
    ]
    missing = sorted({cpu for lane in cpus for cpu in lane} - set(allowed))
    if wanted and missing:
        raise InputError(
            f"pin (--pin): CPU {', '.join(map(str, missing))} is not among those this process may use "
            f"({_ranges(allowed)}); name others, or 'auto'"
        )
    return cpus


def pin_self(cpus: tuple[int, ...]) -> list[int]:
    """Pin this process to ``cpus``; return those it runs on from now, none where the system did not let it."""
    try:
        os.sched_setaffinity(0, cpus)
        return sorted(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return []


def _ranges(cpus: list[int]) -> str:
    """Return ``0-3, 6`` for ``[0, 1, 2, 3, 6]``."""
    spans: list[list[int]] = []
    for cpu in cpus:
        if spans and cpu == spans[-1][-1] + 1:
            spans[-1].append(cpu)
        else:
            spans.append([cpu])
    return ", ".join(f"{span[0]}-{span[-1]}" if len(span) > 1 else str(span[0]) for span in spans)
