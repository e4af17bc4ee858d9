"""Fuzzes the frame walker.

Invariant: any bytes, split anywhere, are units and damage that add up to every byte, or one `LogError`, and the same
whichever way they were split; never anything else, and never more memory than the bytes fed.

    python -m tests.fuzz.fuzz_scanner CORPUS -max_total_time=600
"""

from racelog.errors import LogError
from racelog.log.format.units import Damage, Unit, UnitScanner
from racelog.log.read.reader import UnitReader
from tests.fuzz.harness import main, repaired


def scanned(data: bytes, step: int) -> list[Unit | Damage] | str:
    """Return what a scanner finds in ``data`` fed ``step`` bytes at a time, or the words of its refusal."""
    scanner = UnitScanner()
    found: list[Unit | Damage] = []
    try:
        for start in range(0, len(data), step):
            found += scanner.feed(data[start : start + step])
            assert len(scanner._buffer) <= len(data)
    except LogError as refusal:
        return str(refusal)
    tail = scanner.finish()
    return [*found, tail] if tail else found


def check(data: bytes) -> None:
    """Byte 0 says whether checksums are made to hold, byte 1 how the rest is split."""
    if len(data) < 2:
        return
    log = repaired(data[2:]) if data[0] & 1 else data[2:]
    found = scanned(log, len(log) + 1)
    assert found == scanned(log, 1 + data[1] * data[1])
    if isinstance(found, str):
        return
    assert [0, *(part.end for part in found)] == [*(part.offset for part in found), len(log)]
    reader = UnitReader()
    events = sum(len(reader.read("fuzzed", part)) for part in found)
    assert events == reader.report.events


if __name__ == "__main__":
    main("scanner", check)
