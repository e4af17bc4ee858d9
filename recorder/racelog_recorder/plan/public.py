"""A plan as a log may hold it: by the rows of its fields, without prompts and without whatever could be a secret."""

from functools import reduce
from typing import Any

import msgspec

from racelog_recorder.plan.fields.defaults import default_of
from racelog_recorder.plan.fields.engine import ENGINE_FIELDS
from racelog_recorder.plan.fields.race import RACE_FIELDS
from racelog_recorder.plan.model import EnginePlan, RacePlan


def public_plan(plan: RacePlan) -> dict[str, Any]:
    """Return the plan as it may be written into a log: whatever could be a secret is ``<removed>``.

    Fields stand under their attribute's name, which has the unit (``grace_s``), those of an open loop together under
    ``load``. Removed are values of URL queries, of headers and text parameters whose name sounds secret, and anything that
    has the shape of a key. Prompts are told by number and origin; the log holds their text as events of their own.
    """
    found: dict[str, Any] = {
        "name": plan.name,
        "engines": [_public_engine(plan, one) for one in plan.engines],
    }
    for row in RACE_FIELDS.values():
        if row.public is None:
            continue
        *outer, last = row.path
        if outer and getattr(plan, outer[0]) is None:
            found[outer[0]] = None
        else:
            place = reduce(lambda place, part: place.setdefault(part, {}), outer, found)
            place[last] = row.public(row.value(plan), plan)
    found["prompts_from"] = plan.prompts_from
    return dict(msgspec.to_builtins(found))


def changed_fields(plan: RacePlan) -> dict[str, Any]:
    """Return the fields of the race that are not at their defaults, each as a file would say it, without secrets."""
    found: dict[str, Any] = {}
    for name, row in RACE_FIELDS.items():
        value = row.value(plan)
        if row.public is None or row.kind.located or value in (None, default_of(row, RacePlan)):
            continue
        if (public := row.public(value, plan)) is not None:
            found[name] = row.kind.write(public)
    return found


def _public_engine(plan: RacePlan, engine: EnginePlan) -> dict[str, Any]:
    return {
        name: row.public(row.value(engine), plan)
        for name, row in ENGINE_FIELDS.items()
        if row.public is not None
    }
