"""Logs for other people's programs, and those programs.

A tool that this machine lacks skips its tests and is named after the last one; ``RACELOG_TOOLS=required`` fails them.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from racelog.log.rewrite.seal import seal
from racelog.testing.races import Plan, ScriptedRace

RACE = ScriptedRace(
    [Plan("a", requests=24, tokens=500), Plan("b", requests=24, tokens=500, gap_ms=7.123457, fail=(3,))]
)
"""Its chunks fill two units of a sealed file."""

MISSING: set[str] = set()

Tool = Callable[[str], str]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which readings were not tried; a skip alone is easily overlooked."""
    if MISSING:
        terminalreporter.write_line(
            f"not read by foreign tools, which are missing: {', '.join(sorted(MISSING))}"
        )


@pytest.fixture(scope="session")
def tool() -> Tool:
    """Return how to find a program; what cannot be found skips the test, or fails it where tools are required."""

    def find(name: str) -> str:
        found = shutil.which(name)
        if found is not None and (name != "node" or _sums_with(found)):
            return found
        MISSING.add(name)
        if os.environ.get("RACELOG_TOOLS") == "required":
            pytest.fail(f"RACELOG_TOOLS=required, and there is no usable {name} on this machine")
        pytest.skip(f"no usable {name} on this machine")

    return find


def _sums_with(node: str) -> bool:
    """Tell whether this node is 20.15 or later, which computes CRC-32."""
    asked = subprocess.run([node, "-p", "typeof zlib.crc32"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() == "function"


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return one race in every shape that a log takes."""
    folder = tmp_path_factory.mktemp("logs")
    live = RACE.write_segments(folder / "race.live")
    segments = b"".join(path.read_bytes() for path in sorted(live.glob("*.rlog")))
    RACE.write_segments(folder / "copy.live")
    sealed = seal(folder / "copy.live", folder / "sealed.rlog").read_bytes()
    shapes = {
        "concatenated": segments,
        "twice": sealed + sealed,
        "both forms": sealed + segments,
        "flipped": _flipped(sealed, len(sealed) // 2),
        "torn": segments[:-50],
        "zeros within": segments[:3000] + bytes(700) + segments[3700:],
    }
    for name, data in shapes.items():
        (folder / f"{name}.rlog").write_bytes(data)
    return {
        "live": live,
        "sealed": folder / "sealed.rlog",
        **{name: folder / f"{name}.rlog" for name in shapes},
    }


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
