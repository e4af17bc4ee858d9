"""Columns of readings, joined into longer ones and taken apart again: what sealing does with host, GPU and engine samples."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import msgspec

from racelog.events import EngineSamples, GpuSamples, HostSamples
from racelog.log.format.codec import encode_events

Samples = HostSamples | GpuSamples | EngineSamples

SAMPLES_PER_BATCH = 1024
"""Longest column of readings in a sealed file: 100 s at ten a second."""


class SampleRuns:
    """Joins readings that come in time order into columns of at most `SAMPLES_PER_BATCH` rows, same readings, same times.

    Only events that agree in everything but their columns, and have the same columns, are joined: a column that is
    not there is not one of nulls. Events that overlap or hold no row stay as they are.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[object, ...], _Run] = {}

    @property
    def earliest_ns(self) -> int | None:
        """When the earliest of the columns that are being filled begins; None where there is none."""
        return min((run.events[0].t for run in self._open.values()), default=None)

    def take(self, event: Samples) -> Iterator[Samples]:
        """Take the next event; yield what is whole because of it."""
        size = len(event.d)
        if not size:
            yield event
            return
        key = _same_source(event)
        run = self._open.get(key)
        if run and (event.t < run.end_ns or run.rows + size > SAMPLES_PER_BATCH):
            yield _joined(self._open.pop(key).events)
            run = None
        if run is None:
            run = self._open[key] = _Run()
        run.events.append(event)
        run.rows += size
        run.end_ns = event.t + sum(event.d)

    def end_earliest(self) -> Samples:
        """Return the column that begins first as it is; there must be one."""
        key = min(self._open, key=lambda key: self._open[key].events[0].t)
        return _joined(self._open.pop(key).events)

    def finish(self) -> Iterator[Samples]:
        """Yield the columns that are still being filled."""
        runs = self._open.values()
        self._open = {}
        return (_joined(run.events) for run in runs)


@dataclass(slots=True)
class _Run:
    """Events of one source in time order that will be one column, how many rows they have, and when the last one is."""

    events: list[Samples] = field(default_factory=list)
    rows: int = 0
    end_ns: int = 0


def _same_source(event: Samples) -> tuple[object, ...]:
    """Return what two events must agree in to be joined: every field that is no column, and which columns there are."""
    values = ((name, getattr(event, name)) for name in event.__struct_fields__ if name not in ("t", "d"))
    named = [(name, len(value) > 0 if isinstance(value, list) else value) for name, value in values]
    return (type(event), *named)


def _joined(run: list[Samples]) -> Samples:
    """Return the rows of ``run``, events of one source in time order, as one event."""
    first = run[0]
    if len(run) == 1:
        return first
    columns = {
        name: [value for event in run for value in getattr(event, name)]
        for name in first.__struct_fields__
        if isinstance(getattr(first, name), list) and name != "d"
    }
    deltas = list(first.d)
    for before, event in pairwise(run):
        gap = event.t - before.t - sum(before.d)
        deltas += [gap + event.d[0], *event.d[1:]]
    return msgspec.structs.replace(first, d=deltas, **columns)


def rows_alone(event: Samples) -> Iterator[bytes]:
    """Yield every row of ``event``, which has some, encoded as the event it would be alone."""
    columns = [
        name
        for name in event.__struct_fields__
        if isinstance(getattr(event, name), list) and getattr(event, name)
    ]
    for row, t in enumerate(accumulate(event.d[1:], initial=event.t + event.d[0])):
        alone = {name: [getattr(event, name)[row]] for name in columns}
        yield encode_events([msgspec.structs.replace(event, t=t, **{**alone, "d": [0]})])
