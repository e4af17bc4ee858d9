"""Columns of readings, joined into longer ones and taken apart again: what sealing does with host, GPU and engine samples."""

from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise

import msgspec

from racelog.events import EngineSamples, GpuSamples, HostSamples
from racelog.log.codec import encode_events

Samples = HostSamples | GpuSamples | EngineSamples

SAMPLES_PER_BATCH = 1024
"""Longest column of readings in a sealed file: 100 s at ten a second."""


def join_samples(readings: Iterable[Samples]) -> list[Samples]:
    """Return readings joined into columns of at most `SAMPLES_PER_BATCH` rows, same readings, same times.

    Only events that agree in everything but their columns, and have the same columns, are joined: a column that is
    not there is not one of nulls. Events that overlap or hold no row stay as they are.
    """
    joined: list[Samples] = []
    open_runs: dict[tuple[object, ...], list[Samples]] = {}
    ends: dict[tuple[object, ...], int] = {}
    sizes: dict[tuple[object, ...], int] = {}
    for event in sorted(readings, key=lambda event: event.t):
        size = len(event.d)
        if not size:
            joined.append(event)
            continue
        key = _same_source(event)
        if key in open_runs and (event.t < ends[key] or sizes[key] + size > SAMPLES_PER_BATCH):
            joined.append(_joined(open_runs.pop(key)))
        if key not in open_runs:
            open_runs[key], sizes[key] = [], 0
        open_runs[key].append(event)
        ends[key] = event.t + sum(event.d)
        sizes[key] += size
    return [*joined, *map(_joined, open_runs.values())]


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
