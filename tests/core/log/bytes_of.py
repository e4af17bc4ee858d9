"""Logs as bytes, read in memory the way files are read."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from racelog.events import AnyEvent
from racelog.log.format.codec import encode_events
from racelog.log.format.units import Damage, Trailer, Unit, UnitKind, UnitScanner, encode_unit
from racelog.log.read.reader import LogReport, UnitReader
from racelog.testing.races import Plan, ScriptedRace

SMALL_RACE = ScriptedRace([Plan("a", requests=2, tokens=3), Plan("b", requests=2, tokens=3, fail=(1,))])


def race_bytes(race: ScriptedRace = SMALL_RACE, *, per_unit: int = 5) -> bytes:
    """Return a whole race as one segment's bytes."""
    with TemporaryDirectory() as folder:
        return race.write_file(Path(folder) / "race.rlog", per_unit=per_unit).read_bytes()


def unit(payload: bytes = b'{"k":"mark","t":1,"label":"x"}\n', seq: int = 0, writer: int = 7) -> bytes:
    """Return one unit around ``payload``."""
    return encode_unit(payload, Trailer(UnitKind.DATA, writer, seq, 1, 1, payload.count(b"\n")))


def scan(data: bytes, cuts: list[int] | None = None) -> list[Unit | Damage]:
    """Return what a scanner finds in ``data`` fed in pieces cut at ``cuts``, the tail included."""
    scanner = UnitScanner()
    found: list[Unit | Damage] = []
    edges = [0, *sorted(cuts or []), len(data)]
    for start, stop in itertools.pairwise(edges):
        found += scanner.feed(data[start:stop])
    tail = scanner.finish()
    return [*found, tail] if tail else found


def units(data: bytes) -> list[Unit]:
    """Return the verified units in ``data``."""
    return [found for found in scan(data) if isinstance(found, Unit)]


@dataclass(frozen=True)
class Reading:
    """What was read: each unit's events as bytes by its (writer, seq), and the report."""

    by_unit: dict[tuple[int, int], bytes]
    report: LogReport


def read(data: bytes) -> Reading:
    """Read ``data`` to the end; never raises for damage."""
    reader = UnitReader()
    by_unit: dict[tuple[int, int], list[AnyEvent]] = {}
    for found in scan(data):
        for _, writer, seq, _, event in reader.read("race.rlog", found):
            by_unit.setdefault((writer, seq), []).append(event)
    return Reading({key: encode_events(events) for key, events in by_unit.items()}, reader.report)
