"""Which fields can stand together, and what several of them make: rules over checked values."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from racelog_recorder.plan.arrivals import OpenLoop
from racelog_recorder.plan.fields.race import RACE_FIELDS
from racelog_recorder.plan.fields.row import nested

ONE_OF_TWO = ("rate", "concurrency")
"""The open loop's field and the closed loop's: who gives both has not said how requests are sent."""

SHAPED = "gamma"
"""The arrival that has a burstiness."""


def conflict(given: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return (field, why) of the first of the fields of a plan that cannot stand with the others, or None."""
    for name, row in RACE_FIELDS.items():
        if name in given and row.needs and row.needs not in given:
            return name, f"needs '{row.needs}'; give that too, or leave this out"
    if all(name in given for name in ONE_OF_TWO):
        return (
            "concurrency",
            "is the closed loop's and 'rate' the open loop's; give one, and cap a rate by 'max_open'",
        )
    if "burstiness" in given and given.get("arrival") != SHAPED:
        return "burstiness", f"is the shape of 'arrival: {SHAPED}'; give that too"
    return None


def attributes(values: dict[str, Any], load: OpenLoop | None = None) -> dict[str, Any]:
    """Return checked ``values`` of a race by attribute; those of an open loop as one, over ``load``."""
    found = nested(values, RACE_FIELDS)
    if "load" in found:
        found["load"] = OpenLoop(**found["load"]) if load is None else structs.replace(load, **found["load"])
    return found
