"""Which engines the telemetry process looks at, and by which samplers of other packages."""

from collections.abc import Mapping

from racelog.plugins import installed
from racelog_recorder.plan.model import RacePlan
from racelog_recorder.protocol.messages import MetricsTarget, WatchedEngine
from racelog_recorder.redaction import public_url

GROUP = "racelog.samplers"

RESERVED = frozenset({"host", "lane", "nvml", "prometheus"})
"""Names by which racelog's own readings are known."""


def metrics_targets(plan: RacePlan, keys: Mapping[str, str]) -> list[MetricsTarget]:
    """Return the engines to ask what they say of themselves, with their ``keys``; none where the plan does not ask."""
    if not plan.metrics:
        return []
    return [
        MetricsTarget(
            lane=lane, engine=engine.name, url=engine.url, api_key=keys.get(engine.name, ""),
            headers=engine.headers, reach=engine.reach, dialect=engine.dialect,
        )
        for lane, engine in enumerate(plan.engines)
    ]  # fmt: skip


def installed_samplers() -> list[str]:
    """Return the names of the samplers that are installed; imports none."""
    return [*installed(GROUP, RESERVED)]


def watched_engines(plan: RacePlan) -> list[WatchedEngine]:
    """Return the engines as samplers may know them: nothing secret."""
    return [
        WatchedEngine(lane=lane, engine=engine.name, url=public_url(engine.url))
        for lane, engine in enumerate(plan.engines)
    ]
