"""Samplers of other packages: what they read goes into the log as readings of a GPU, a process or an engine, under their name.

Each is loaded and read in threads of the telemetry process, so one that is slow delays no other and no lane. One that
fails is told, noted in the log, and read no more.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import msgspec
import trio
from msgspec import Struct

from racelog.errors import RacelogError
from racelog.events import Note
from racelog.plugins import Group, a_function
from racelog_recorder.journal.journal import Journal
from racelog_recorder.journal.samples import SampleColumns, recorded
from racelog_recorder.protocol.messages import Report, WatchedEngine
from racelog_recorder.protocol.pipes import say
from racelog_recorder.telemetry.gpu import GpuColumns, GpuReading
from racelog_recorder.telemetry.self_samples import HostColumns, Reading
from racelog_recorder.telemetry.watched import GROUP, RESERVED

FASTEST_S = 0.01
"""A source is read no more often than this, whatever it asks for: 100 rows a second."""

USUAL_S = 0.5
"""Between two readings of a source that does not say, as for the machine's own."""


class Source(Protocol):
    """One thing that can be read; what it is, its other attributes say.

    ``device`` (a number) and ``name``: a GPU or another accelerator; ``read`` returns a `GpuReading`.
    ``process``: a process or a part of a machine; ``read`` returns a `Reading`.
    ``lane``: what an engine says of itself; ``read`` returns an `EngineReading`.
    ``interval_s`` is the time between two readings, half a second where it has none.
    """

    def read(self) -> Any:
        """Return the present reading; what is not known is None. Runs in a thread, and may block it."""
        ...


class Sampler(Protocol):
    """Returns what can be read on this machine for a race of these engines; none where there is nothing."""

    def __call__(self, engines: Sequence[WatchedEngine]) -> Iterable[Source]:
        """Open the sources."""
        ...


SAMPLERS: Group[Sampler] = Group(GROUP, a_function("open_sources(engines) -> sources"), RESERVED)
"""Name -> what opens its sources."""


async def run_sampler(
    nursery: trio.Nursery, journal: Journal, name: str, engines: Sequence[WatchedEngine]
) -> None:
    """Open one sampler and start recording each of its sources; one that cannot be opened is told and left out."""
    try:
        sources = await trio.to_thread.run_sync(partial(_opened, name, engines), abandon_on_cancel=True)
    except (RacelogError, OSError) as error:
        _complain(journal, name, error)
        return
    for source, columns, kind in sources:
        nursery.start_soon(_sample, journal, name, source, columns, kind)


class _Gpu(NamedTuple):
    """Which GPU or other accelerator a sampler reads."""

    source: str
    device: int
    name: str


Opened = tuple[Source, SampleColumns[Any], type[Struct]]
"""A source, what gathers its readings, and what a reading of it is."""


def _opened(name: str, engines: Sequence[WatchedEngine]) -> list[Opened]:
    """Return a sampler's sources.

    Raises:
        PluginError: it cannot be loaded, it fails, or one of its sources is none.
    """
    open_sources = SAMPLERS.load(name)
    with SAMPLERS.running(name):
        return [(source, *_gathered(name, source, engines)) for source in open_sources(engines)]


def _gathered(
    name: str, source: Any, engines: Sequence[WatchedEngine]
) -> tuple[SampleColumns[Any], type[Struct]]:
    """Return what gathers a source's readings, and what a reading of it is.

    Raises:
        TypeError, ValueError: it is no source, or one of a lane that is not there.
    """
    if not callable(getattr(source, "read", None)):
        raise TypeError(f"{source!r} has no read()")
    if isinstance(process := getattr(source, "process", None), str):
        return HostColumns(f"{name}:{process}"), Reading
    if isinstance(lane := getattr(source, "lane", None), int):
        if lane not in {engine.lane for engine in engines}:
            raise ValueError(f"there is no lane {lane}")
        from racelog_recorder.telemetry.engine_metrics import EngineColumns, EngineReading  # noqa: PLC0415 - loads HTTP

        return EngineColumns(lane, source=name), EngineReading
    if isinstance(device := getattr(source, "device", None), int):
        return GpuColumns(_Gpu(name, device, str(getattr(source, "name", "")))), GpuReading
    raise TypeError(
        f"{source!r} has neither a device (a number), nor a process (a text), nor a lane (a number)"
    )


async def _sample(
    journal: Journal, name: str, source: Source, columns: SampleColumns[Any], kind: type[Struct]
) -> None:
    """Record one source until cancelled, or until it fails."""
    interval_s = max(FASTEST_S, float(getattr(source, "interval_s", USUAL_S)))
    read = partial(_read, name, source.read, kind)
    with recorded(journal, columns) as add:
        while True:
            try:
                reading = await trio.to_thread.run_sync(read, abandon_on_cancel=True)
            except (RacelogError, OSError) as error:
                _complain(journal, name, error)
                return
            add(journal.now_ns(), reading)
            await trio.sleep(interval_s)


def _read(name: str, read: Callable[[], Any], kind: type[Struct]) -> Struct:
    """Return one reading, its fields checked: what is recorded cannot be taken back.

    Raises:
        PluginError: it failed, or gave something else.
    """
    with SAMPLERS.running(name):
        reading = read()
        if not isinstance(reading, kind):
            raise TypeError(f"read() gave {reading!r}, which is no {kind.__name__}")
        return msgspec.convert(msgspec.to_builtins(reading), kind)


def _complain(journal: Journal, name: str, error: Exception) -> None:
    """Say in the log and to whoever records that a sampler is read no more."""
    text = f"no samples of {name}: {error}"
    journal.record(Note(t=journal.now_ns(), text=text, level="warning"))
    say(Report(say="told", text=text))
