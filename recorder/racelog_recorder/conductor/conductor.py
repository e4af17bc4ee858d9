"""The conductor of a race: opens its log, lets it run, takes the orders of its user, closes its own segment.

It never touches a token. Each lane and the telemetry write their own segments; the conductor writes the race's
facts (`facts`), its marks and the deaths of others (`running`).
"""

import os
from collections.abc import Mapping
from pathlib import Path

import trio

from racelog.errors import StorageError
from racelog.events import Mark
from racelog.log.write.segment import SegmentWriter
from racelog_recorder.conductor.control import RESTARTED, By, RaceControl
from racelog_recorder.conductor.facts import conductor_head, opening_events
from racelog_recorder.conductor.outcome import Outcome
from racelog_recorder.conductor.paths import make_folder
from racelog_recorder.conductor.running import Running, Tell
from racelog_recorder.conductor.setup import set_up
from racelog_recorder.conductor.specs import writer_name
from racelog_recorder.journal.durability import Durability
from racelog_recorder.journal.journal import Journal
from racelog_recorder.machine.facts import host_facts
from racelog_recorder.plan.api_keys import environment_without
from racelog_recorder.plan.model import RacePlan
from racelog_recorder.preflight.preflight import Checked
from racelog_recorder.protocol.pipes import first_of
from racelog_recorder.telemetry.self_samples import sample_self


class Conductor:
    """Conducts one race from the grid to the last lane's end; ``recording`` is set when its log exists."""

    def __init__(
        self,
        plan: RacePlan,
        engines: list[Checked],
        keys: Mapping[str, str],
        *,
        tell: Tell,
        race_id: str = "",
        durability: Durability = Durability(),  # noqa: B008 - frozen
    ) -> None:
        """Settle all there is to settle before the start; the race's origin is now.

        Raises:
            InputError: the plan pins lanes to CPUs that are not there.
        """
        self.outcome = Outcome()
        self.control = RaceControl(plan.grace_s)
        self.recording = trio.Event()
        self.environment = environment_without(one.api_key_env for one in plan.engines)
        self._race = set_up(plan, engines, keys, race_id, durability)
        self._tell = tell
        self._journal: Journal | None = None

    @property
    def race_id(self) -> str:
        """The id of the race."""
        return self._race.race_id

    async def run(self, live: Path) -> Outcome:
        """Race; every segment in ``live`` is finished when this returns, whatever happened to its lane.

        Raises:
            StorageError: ``live`` cannot be made, or the conductor's own segment not written.
        """
        await trio.to_thread.run_sync(make_folder, live)
        self._journal = journal = self._open_journal(live)
        await journal.flush()
        self.recording.set()
        async with trio.open_nursery() as nursery:
            self.control.begin(journal, nursery)
            nursery.start_soon(self._keep, journal)
            nursery.start_soon(sample_self, journal, "conductor")
            running = Running(
                race=self._race, control=self.control, outcome=self.outcome, journal=journal, nursery=nursery,
                live=live, environment=self.environment, tell=self._tell,
            )  # fmt: skip
            await running.run()
            nursery.cancel_scope.cancel()
        self.control.end()
        with trio.CancelScope(shield=True):
            await journal.finish()
        return self.outcome

    def stop(self, by: By = "user") -> int:
        """Stop the race, more firmly each time (see `RaceControl.stop`); return which time it was."""
        self.outcome.stopped = True
        self.outcome.again = False
        return self.control.stop(by)

    def pause(self) -> None:
        """Let no lane send another request until `resume`."""
        if self.control.pause():
            self._tell("paused: open requests go on, nothing new is sent")

    def resume(self) -> None:
        """Go on after a pause."""
        if self.control.resume():
            self._tell("the race goes on")

    def restart(self) -> None:
        """Ask for another race of the same plan; one that still runs ends at once and keeps its log."""
        self.outcome.again = True
        if not self.control.over:
            self.control.end_now(RESTARTED)

    def eliminate(self, lane: int) -> None:
        """Take one lane out of the race for the user; a lane there is not is no error here."""
        engines = self._race.plan.engines
        if 0 <= lane < len(engines) and self.control.eliminate(lane):
            self._tell(f"{engines[lane].name} is eliminated")

    def mark(self, label: str) -> None:
        """Record a named instant for the user; before the log exists there is none to name."""
        if self._journal is not None:
            self._journal.record(Mark(t=self._journal.now_ns(), label=label, by="user"))

    def _open_journal(self, live: Path) -> Journal:
        """Return the journal of the conductor's own segment, with all that is known before the start in it."""
        head = conductor_head(self._race, writer_name(), os.getpid())
        writer = SegmentWriter(live / "conductor.rlog", head)
        journal = Journal(writer, head, durability=self._race.durability)
        for event in opening_events(self._race, host_facts()):
            journal.record(event)
        return journal

    async def _keep(self, journal: Journal) -> None:
        """Write the conductor's own segment; a disk that fails ends the race, and the user hears of it before the lanes end."""
        try:
            await journal.run()
        except* StorageError as group:
            self._tell(f"{first_of(group)}; the race ends here")
            raise
