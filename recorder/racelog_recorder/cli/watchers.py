"""Those who watch a race being recorded: the player on a terminal, or a line now and then where there is none.

Both only follow the log. A view that dies, is killed or never starts does not touch the recording.
"""

import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import trio

from racelog.live import LONGEST_WISH_BYTES, Wish, read_wish
from racelog.log.read.follow import LogFollower
from racelog_recorder.cli.progress_line import Progress, calibration_line
from racelog_recorder.machine.niceness import give_way, let_in
from racelog_recorder.processes import own_process
from racelog_recorder.protocol.lines import lines_of

PROGRESS_S = 2.0
READING_S = 0.25
"""The log is read so often, a little at a time: two seconds of 50,000 tokens/s take 90 ms of a core that a lane may be on,
and chunks that arrive 20 ms apart are joined by then."""

BITE_BYTES = 4096
"""So much of each segment, or a whole unit, is read and folded at once: a millisecond or two."""

INTERRUPTED = (1, -2, 130)
"""How a Python program ends on a Ctrl+C that comes while it starts."""

Tell = Callable[[str], None]


class Steered(Protocol):
    """A race that takes the wishes of its view."""

    def stop(self) -> object:
        """End the race; each further call more firmly."""
        ...

    def restart(self) -> None:
        """End this race, if it still runs, and begin another of the same plan."""
        ...

    def pause(self) -> None:
        """Send nothing more until `resume`."""
        ...

    def resume(self) -> None:
        """Go on after a pause."""
        ...

    def eliminate(self, lane: int) -> None:
        """Take one lane out."""
        ...

    def mark(self, label: str) -> None:
        """Name this instant."""
        ...


class TerminalState:
    """The terminal as it was, to be put back should the view die without doing so."""

    LEAVE = "\x1b[?2026l\x1b[?1006l\x1b[?1002l\x1b[?1049l\x1b[?25h\x1b[0m\r"

    def __init__(self) -> None:
        self._saved: list[object] | None = None
        try:
            import termios  # noqa: PLC0415 - absent where there is no POSIX terminal

            self._saved = termios.tcgetattr(0)
        except (ImportError, OSError):
            return
        except Exception:  # noqa: BLE001 - termios.error has no stable base; without a saved state there is nothing to restore
            return

    def restore(self) -> None:
        """Put the terminal back: its modes, the normal screen, the cursor."""
        if self._saved is None:
            return
        import termios  # noqa: PLC0415 - present, since it gave us the saved state

        sys.stdout.write(self.LEAVE)
        sys.stdout.flush()
        termios.tcsetattr(0, termios.TCSADRAIN, self._saved)  # type: ignore[arg-type]  # as tcgetattr gave it


async def watch_in_terminal(
    live: Path,
    race: Steered,
    tell: Tell,
    flags: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> None:
    """Run the player on this terminal with ``flags``, following ``live``, and carry its wishes to the race; end when it ends."""
    terminal = TerminalState()
    reading, writing = os.pipe()
    command = [
        *own_process("racelog"),
        "play",
        str(live),
        "--follow",
        "--control-fd",
        str(writing),
        *flags,
    ]
    process = await trio.lowlevel.open_process(
        command, pass_fds=(writing,), stderr=subprocess.DEVNULL, env=environment
    )
    os.close(writing)
    try:
        async with trio.lowlevel.FdStream(reading) as wishes:
            up = await _hear(wishes, race)
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            with trio.CancelScope(shield=True):
                await process.wait()
        if process.returncode:
            terminal.restore()
    if not up and code in INTERRUPTED:
        race.stop()  # a Ctrl+C that met the view before it had the keyboard was meant for the race
    elif code:
        tell(f"the view ended (exit code {code}); the recording goes on, Ctrl+C stops it")


async def _hear(wishes: trio.abc.ReceiveStream, race: Steered) -> bool:
    """Carry the view's wishes to the race until it ends; return whether it ever had the keyboard."""
    up = False
    async for line in lines_of(wishes, LONGEST_WISH_BYTES):
        if (wish := read_wish(line)) is not None:
            up = up or wish.do == "up"
            _grant(wish, race)
    return up


def _grant(wish: Wish, race: Steered) -> None:
    """Pass one wish on."""
    match wish.do:
        case "stop":
            race.stop()
        case "restart":
            race.restart()
        case "pause":
            race.pause()
        case "resume":
            race.resume()
        case "eliminate":
            race.eliminate(wish.lane)
        case "mark":
            race.mark(wish.label)
        case "up":  # it is the view's answer to who has the keyboard, and asks nothing of the race
            return


def _catch_up(follower: LogFollower, progress: Progress) -> None:
    """Fold what is there, a unit of each segment at a time; a lane that waits for the core is let in between.

    Not for longer than `PROGRESS_S`: where more comes than can be read meanwhile, a line that is old is better than none.
    """
    until_s = time.monotonic() + PROGRESS_S
    while time.monotonic() < until_s and (events := follower.poll(BITE_BYTES)):
        let_in()
        progress.extend(events)
        let_in()


async def print_progress(live: Path, tell: Tell) -> None:
    """Tell in one line, every `PROGRESS_S`, how far every lane is; runs until cancelled.

    The log is read in a thread of its own, behind the lanes: it stays behind them as long as it lives, so it is no
    thread that others use as well.
    """
    follower, progress = LogFollower(live), Progress()
    reader = ThreadPoolExecutor(1, initializer=give_way)

    async def read() -> None:
        reading = reader.submit(_catch_up, follower, progress)
        await trio.to_thread.run_sync(reading.result, abandon_on_cancel=True)

    try:
        await _tell_progress(progress, read, tell)
    finally:
        reader.shutdown(wait=False)


async def _tell_progress(progress: Progress, read: Callable[[], Awaitable[None]], tell: Tell) -> None:
    await read()
    before, calibrated = "", set[int]()
    while True:
        due_s = trio.current_time() + PROGRESS_S
        while trio.current_time() < due_s:  # reading takes as long as it takes
            await trio.sleep(READING_S)
            await read()
        for lane, one in progress.lanes.items():
            if one.calibration is not None and lane not in calibrated:
                calibrated.add(lane)
                tell(calibration_line(one.engine, one.calibration))
        line = progress.line(time.monotonic_ns())
        if line and line != before:
            tell(line)
        before = line
