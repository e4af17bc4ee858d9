"""Readings gathered row by row and recorded as events of columns: of a process, a GPU or an engine."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import sub
from typing import Any, Generic, TypeVar

from msgspec import Struct

from racelog.events import EngineSamples, GpuSamples, HostSamples
from racelog_recorder.journal.journal import Journal

SAMPLES_PER_EVENT = 10
"""A second of a process, which is read ten times a second; sealing joins events into longer ones."""

Row = TypeVar("Row", bound=Struct)
Columns = dict[str, Any]
"""By a field's name, a list of numbers or None: `Any`, since they go on as keywords."""


class SampleColumns(ABC, Generic[Row]):
    """The readings of one source since its last event; every field of a reading is a number, or None."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._rows: list[Row] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, t_ns: int, reading: Row) -> None:
        """Append one reading."""
        self._times.append(t_ns)
        self._rows.append(reading)

    @abstractmethod
    def take(self) -> HostSamples | GpuSamples | EngineSamples:
        """Return what was gathered and start anew; there must be at least one reading."""

    def _taken(self, decimals: int | None = None) -> tuple[int, list[int], Columns]:
        """Return the first instant, the steps from row to row and a column for each field; start anew."""
        times, rows = self._times, self._rows
        self._times, self._rows = [], []
        columns = {
            name: [_rounded(getattr(row, name), decimals) for row in rows]
            for name in rows[0].__struct_fields__
        }
        return times[0], [0, *map(sub, times[1:], times)], columns


def said(columns: Columns) -> Columns:
    """Return the columns in which there is a number."""
    return {name: values for name, values in columns.items() if values.count(None) < len(values)}


@contextmanager
def recorded(journal: Journal, columns: SampleColumns[Row]) -> Iterator[Callable[[int, Row], None]]:
    """Give a function that takes a reading and its time; events are recorded as they fill up, the last one on leaving."""

    def add(t_ns: int, reading: Row) -> None:
        columns.add(t_ns, reading)
        if len(columns) >= SAMPLES_PER_EVENT:
            journal.record(columns.take())

    try:
        yield add
    finally:
        if len(columns):
            journal.record(columns.take())


def _rounded(value: float | None, decimals: int | None) -> float | None:
    return value if value is None or decimals is None else round(value, decimals)
