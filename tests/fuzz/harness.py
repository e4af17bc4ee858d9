"""What the fuzzers share: seeds from the golden logs, checksums made to hold, and the way they are run.

A fuzzer is a module with ``check(data)``, which raises if its invariant does not hold. The suite runs every ``check``
on every seed and on every input that once failed (``found/``); ``main`` lets atheris look for new ones.
"""

import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType

from racelog.errors import LogError
from racelog.log.format.units import MAX_FRAME_BYTES, TRAILER_BYTES, Unit, decode_payload
from racelog.log.read.scan import scan_file

GOLDEN = Path(__file__).parents[1] / "golden"
FOUND = Path(__file__).parent / "found"
PREFIX = struct.pack("<II4s", 0x184D2A5C, 60, b"RLG1")
LIMITS = ["-max_len=16384", "-timeout=10", "-rss_limit_mb=2048"]
"""An input that takes longer or more is a finding; the longest allowed payload, 64 MiB, is held a few times over."""

OLD_MARKS = [
    b'{"k":"mark","t":7,"name":"HALF TIME","by":"user"}\n{"k":"mark","v":1,"t":-9,"name":""}\n',
    b'{"k":"mark","v":2,"t":7,"title":"HALF TIME"}\n{"k":"mark","v":3,"t":8,"label":"x"}\n{"k":"mark","v":4,"t":9}\n',
]


def repaired(data: bytes, *, whole: bool = False) -> bytes:
    """Return ``data`` with every trailer's checksums made to hold, so that a mutation gets past them.

    ``whole``: the last 68 bytes are a trailer, whatever they begin with, and everything before them is its frame.
    """
    mended = bytearray(data)
    if whole:
        start = len(mended) - TRAILER_BYTES
        mended[start : start + len(PREFIX)] = PREFIX
        struct.pack_into("<I", mended, start + 52, start)
        _sum(mended, start)
        return bytes(mended)
    at = mended.find(PREFIX)
    while 0 <= at <= len(mended) - TRAILER_BYTES:
        _sum(mended, at)
        at = mended.find(PREFIX, at + 1)
    return bytes(mended)


def _sum(data: bytearray, at: int) -> None:
    """Write the two checksums of the trailer at ``at``."""
    (zlen,) = struct.unpack_from("<I", data, at + 52)
    if zlen <= min(at, MAX_FRAME_BYTES):
        struct.pack_into("<I", data, at + 60, zlib.crc32(data[at - zlen : at]))
    struct.pack_into("<I", data, at + 64, zlib.crc32(data[at : at + 64]))


def seeds(target: str) -> Iterator[bytes]:
    """Yield what a fuzzer starts from: the golden logs as it takes them."""
    for path in sorted(GOLDEN.glob("v*/*.rlog")):
        data = path.read_bytes()
        if target == "scanner":
            yield b"\x00\xff" + data
            yield b"\x01\x03" + data
            continue
        for unit in _units(path):
            if target == "trailer":
                yield data[unit.offset : unit.end]
            else:
                yield from _payload(unit)
    if target == "upcast":
        yield from OLD_MARKS


def _units(path: Path) -> Iterator[Unit]:
    try:
        yield from (found for found in scan_file(path) if isinstance(found, Unit))
    except LogError:
        return


def _payload(unit: Unit) -> Iterator[bytes]:
    try:
        yield decode_payload(unit)
    except LogError:
        return


def _functions() -> Iterator[FunctionType]:
    """Yield every function of the log's own modules, methods and properties included."""
    modules = [module for name, module in sys.modules.items() if name.startswith(("racelog.log", "__main__"))]
    for module in modules:
        for member in vars(module).values():
            if getattr(member, "__module__", None) == module.__name__:
                parts = vars(member).values() if isinstance(member, type) else [member]
                bare = (part.fget if isinstance(part, property) else part for part in parts)
                yield from (part for part in bare if isinstance(part, FunctionType))


def main(target: str, check: Callable[[bytes], None]) -> None:
    """Run ``check`` under atheris with libFuzzer's own arguments; the first one is the corpus, seeded here."""
    import atheris  # noqa: PLC0415 - only here: the suite runs the checks without it

    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(f"usage: python -m tests.fuzz.fuzz_{target} CORPUS [-max_total_time=600 ...]")
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(target)):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    words = [f"-dict={Path(__file__).parent / 'json.dict'}"] if target in ("event", "upcast") else []
    for (
        function
    ) in _functions():  # all that is imported, as instrument_all() has it, takes a minute and slows the run
        atheris.instrument_func(function)
    atheris.Setup([*sys.argv, *LIMITS, *words], check)
    atheris.Fuzz()
