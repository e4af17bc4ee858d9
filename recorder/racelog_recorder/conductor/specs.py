"""What each process of a race is told when it starts. Pure, but for the writer's number that is drawn for each."""

from pathlib import Path

from racelog import __version__
from racelog.log.write.segment import new_writer_id
from racelog_recorder.conductor.setup import RaceSetup
from racelog_recorder.plan.model import deadlines_of, traffic_of
from racelog_recorder.protocol.messages import LaneSpec, TelemetrySpec
from racelog_recorder.telemetry.watched import installed_samplers, metrics_targets, watched_engines
from racelog_recorder.transports.reach import transport_of


def writer_name() -> str:
    """Return the name of a new writer, as a segment's head has it."""
    return f"{new_writer_id():016x}"


def lane_spec(race: RaceSetup, lane: int, live: Path) -> LaneSpec:
    """Return all that the process of ``lane`` needs, its engine's key too; its segment lies in ``live``."""
    plan, engine, checked = race.plan, race.plan.engines[lane], race.engines[lane]
    return LaneSpec(
        race_id=race.race_id, lane=lane, segment=str(live / f"lane-{lane}.rlog"), writer=writer_name(),
        mono_origin_ns=race.clocks.mono_ns, racelog_version=__version__, engine=engine.name, model=checked.model,
        url=engine.url, transport=transport_of(engine.url, engine.reach), reach=engine.reach,
        api_key=race.keys.get(engine.name, ""), headers=engine.headers, params={**plan.params, **engine.params},
        prompts={prompt: plan.prompts[prompt] for prompt in race.prompts},
        order=race.order[plan.warmup :], warmup=race.order[: plan.warmup], traffic=traffic_of(plan),
        calibrate=plan.calibrate, cpus=race.cpus[lane], durability=race.durability, dialect=engine.dialect,
        ask_usage=checked.ask_usage, deadlines=deadlines_of(plan, engine),
    )  # fmt: skip


def telemetry_spec(race: RaceSetup, live: Path) -> TelemetrySpec:
    """Return all that the telemetry process needs: engines to ask for metrics, and samplers of other packages."""
    return TelemetrySpec(
        race_id=race.race_id, segment=str(live / "telemetry.rlog"), writer=writer_name(),
        mono_origin_ns=race.clocks.mono_ns, racelog_version=__version__, durability=race.durability,
        engines=metrics_targets(race.plan, race.keys), samplers=installed_samplers(), watched=watched_engines(race.plan),
    )  # fmt: skip
