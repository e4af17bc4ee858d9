"""What `dump` and `cat` read: a log on disk, in time order by its trailers, or one that flows in on standard input.

Both give their events bit by bit, so that a log of any size is told in the memory of a few units.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from racelog.console.arguments import race_path
from racelog.console.choices import KindChoice, no_such_lane
from racelog.console.loss import tell_loss, tell_loss_met
from racelog.console.output import warn
from racelog.console.progress import ProgressLine
from racelog.display.text import counted
from racelog.errors import InputError

if TYPE_CHECKING:
    from racelog.events import AnyEvent
    from racelog.log.read.library import Log
    from racelog.log.read.stream import LogStream

STDIN = "-"
EVENTS_PER_WRITE = 256


class Reading(Protocol):
    """A log opened to be told: its events in batches, the engines by lane, and what of it cannot be read."""

    @property
    def engines(self) -> Mapping[int, str]:
        """The engine on each lane, as far as it was told."""
        ...

    def names(self) -> list[str]:
        """Return the engines known so far, without looking for more."""
        ...

    def batches(self) -> Iterator[list["AnyEvent"]]:
        """Yield the events that were asked for, in their order."""
        ...

    def finish(self) -> None:
        """Say what could not be read, once all was; raise `InputError` if what was asked for is not there."""
        ...


def opened(
    race: str, home: Path | None, *, kind: str | None, lane: str | None, start: int | None, end: int | None
) -> "_Stored | _Piped":
    """Open the log called ``race``, or standard input for ``-``, to read these kinds, this lane, this stretch of time.

    Raises:
        RaceNotFound, NotALog, NewerLog, LogError: there is no such log, or none that can be read.
        InputError: there is no such lane, or standard input is a terminal.
    """
    if race == STDIN:
        return _Piped(KindChoice(kind), lane, start, end)
    return _Stored(race_path(race, home), KindChoice(kind), lane, start, end)


def piped_log() -> "LogStream":
    """Return the log that flows in on standard input.

    Raises:
        InputError: standard input is a terminal.
    """
    from racelog.log.read.stream import LogStream  # noqa: PLC0415 - not needed for --help

    if sys.stdin.isatty():
        raise InputError("- reads a log from standard input: pipe one in, as cat race.rlog | racelog dump -")
    return LogStream(sys.stdin.buffer, "standard input")


class _EngineNames(Mapping[int, str]):
    """Engines by lane, looked for in the log as far as it takes to find the one asked for."""

    def __init__(self, log: "Log") -> None:
        self._more = log.lane_facts()
        self.known: dict[int, str] = {}
        """Those found so far; at first, the one that is told first and its neighbours."""
        next(self._found(), None)

    def _found(self) -> Iterator[tuple[int, str]]:
        for facts in self._more:
            self.known.setdefault(facts.lane, facts.engine)
            yield facts.lane, self.known[facts.lane]

    def __getitem__(self, lane: int) -> str:
        while lane not in self.known:
            if next(self._found(), None) is None:
                raise KeyError(lane)
        return self.known[lane]

    def __iter__(self) -> Iterator[int]:
        yield from list(self.known)
        for lane, _ in self._found():
            yield lane

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def number(self, lane: str) -> int | None:
        """Return the lane called so, by number or engine; None if there is none."""
        return next((number for number in self if lane in (self[number], str(number))), None)


class _Stored:
    """A log on disk. Its trailers say which units reach into the stretch: no others are read."""

    def __init__(
        self, path: Path, kinds: KindChoice, lane: str | None, start: int | None, end: int | None
    ) -> None:
        from racelog.log.read.library import Log  # noqa: PLC0415 - not needed for --help

        self._log = Log(path)
        self._kinds = kinds
        self._start, self._end = start, end
        self.engines = _EngineNames(self._log)
        self._lane = None if lane is None else self.engines.number(lane)
        if lane is not None and self._lane is None and self._log.damage and lane.isdecimal():
            self._lane = int(lane)  # what tells of it may be what was lost
        if lane is not None and self._lane is None:
            raise no_such_lane(lane, str(self._log.path), self.engines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()

    def names(self) -> list[str]:
        return list(self.engines.known.values())

    def batches(self) -> Iterator[list["AnyEvent"]]:
        batch: list[AnyEvent] = []
        with ProgressLine(beside_output=True) as progress:
            for event in self._events(progress):
                batch.append(event)
                if len(batch) == EVENTS_PER_WRITE:
                    yield batch
                    batch = []
        yield batch

    def _events(self, progress: ProgressLine) -> Iterator["AnyEvent"]:
        first = self._log.start_ns if self._start is None else self._start
        last = self._log.end_ns if self._end is None else self._end
        for event in self._log.select(start_ns=self._start, end_ns=self._end, lane=self._lane):
            progress("reading", event.t - first, last - first)
            if event in self._kinds:
                yield event

    def finish(self) -> None:
        tell_loss_met(self._log)
        self._kinds.check()


class _Piped:
    """A log that flows in on standard input: its units as they come, sorted only within each."""

    def __init__(self, kinds: KindChoice, lane: str | None, start: int | None, end: int | None) -> None:
        from racelog.events import Head  # noqa: PLC0415 - not needed for --help
        from racelog.log.format.codec import MAX_T_NS, MIN_T_NS  # noqa: PLC0415 - likewise
        from racelog.log.read.stream import LogStream  # noqa: PLC0415 - likewise

        if sys.stdin.isatty():
            raise InputError(
                "- reads a log from standard input: pipe one in, as cat race.rlog | racelog dump -"
            )
        self._stream = LogStream(sys.stdin.buffer, "standard input")
        self._kinds = kinds
        self._asked_lane = lane
        self._start = MIN_T_NS if start is None else start
        self._end = MAX_T_NS + 1 if end is None else end
        self._heads: list[Head] = []
        self._passed: dict[int, int] = {}
        self.engines: dict[int, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def names(self) -> list[str]:
        return list(self.engines.values())

    def batches(self) -> Iterator[list["AnyEvent"]]:
        from racelog.log.rows.window import part_between  # noqa: PLC0415 - not needed for --help

        for events in self._stream.by_unit():
            parts = (part_between(event, self._start, self._end) for event in self._noted(events))
            wanted = [
                part for part in parts if part is not None and part in self._kinds and self._on_lane(part)
            ]
            if wanted:
                yield sorted(wanted, key=lambda event: event.t)

    def _noted(self, events: list["AnyEvent"]) -> Iterator["AnyEvent"]:
        """Yield ``events`` after taking note of what they tell of the lanes and the segments."""
        from racelog.events import Head, LaneFacts  # noqa: PLC0415 - not needed for --help

        for event in events:
            if isinstance(event, LaneFacts):
                self.engines.setdefault(event.lane, event.engine)
            elif isinstance(event, Head):
                self._heads.append(event)
            yield event

    def _number(self) -> int | None:
        lane = self._asked_lane or ""
        named = next((number for number, engine in self.engines.items() if engine == lane), None)
        return int(lane) if named is None and lane.isdecimal() else named

    def _on_lane(self, event: "AnyEvent") -> bool:
        from racelog.log.rows.rows import lane_of  # noqa: PLC0415 - not needed for --help

        if self._asked_lane is None:
            return True
        lane = lane_of(event)
        wanted = self._number()
        if wanted is None and lane is not None:
            self._passed[lane] = self._passed.get(lane, 0) + 1
        return lane is not None and lane == wanted

    def finish(self) -> None:
        from racelog.log.rewrite.verify import losses  # noqa: PLC0415 - not needed for --help

        report = self._stream.report
        tell_loss("standard input", losses(report.damage, self._heads, finished=report.finished))
        self._kinds.check()
        if self._asked_lane is None:
            return
        number = self._number()
        if number is None or (number not in self.engines and self.engines):
            raise no_such_lane(self._asked_lane, "standard input", self.engines)
        if passed := self._passed.get(number):
            warn(
                f"{counted(passed, 'event')} of lane {self._asked_lane!r} came before the log named it; choose it by number: {number}"
            )
