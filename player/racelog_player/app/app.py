"""The player on a terminal: raw mode, keys, resizes, signals, frames, and leaving all as it was found.

prompt_toolkit owns the terminal (its input and output classes know every terminal's ways); the frames are our
canvas's, which costs a millisecond where a layout engine costs fifty. Runs on asyncio, never on trio.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from prompt_toolkit.input import Input, create_input
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.output import Output, create_output

from racelog.errors import ExitCode, InputError
from racelog_player.app.mouse import KEY, OFF, ON, mouse_of, pointed_at
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import save
from racelog_player.model.scene import Scene
from racelog_player.panes.screen import screen, scrolled_within
from racelog_player.settings.settings import Settings, remember
from racelog_player.terminal.canvas import Canvas, Line
from racelog_player.terminal.keeping import ENDS, stop_here
from racelog_player.terminal.style import Look, colors_of, depth_of, shows_unicode
from racelog_player.terminal.themes import ThemeChoice, cast_for

SUSPEND = "c-z"
"""In raw mode the terminal makes no signal of it."""

ESCAPE_S = 0.05
"""A lone ESC is the Escape key when nothing follows it for this long (ncurses waits a full second)."""


class App:
    """One player on one terminal; `run` returns when the user leaves or the terminal goes away."""

    def __init__(
        self,
        player: Player,
        terminal: tuple[Input, Output],
        look: Look,
        settings: Settings,
        themes: ThemeChoice,
    ) -> None:
        self._player = player
        self._themes = themes
        self._in, self._out = terminal
        self._look = look
        self._canvas = Canvas(look.depth, ascii_only=look.ascii_only, theme=themes.theme)
        self._worn = themes.theme
        self._lines: list[Line] = []
        self._scene: Scene | None = None
        self._scrolled = 0
        self._mouse = settings.mouse
        player.attach(self)
        self._frame_s = 1 / settings.fps
        self._drawn_ns = time.monotonic_ns()
        self._recorder = os.getppid() if player.recorded else None
        self._wake = asyncio.Event()
        self._exit_code: ExitCode | None = None
        self._cooked: AbstractContextManager[None] | None = None
        self._failure: BaseException | None = None

    async def run(self) -> ExitCode:
        """Draw until done. A terminal that goes away ends it quietly."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._failed)
        with ExitStack() as stack:
            stack.enter_context(suppress(BrokenPipeError))
            stack.enter_context(_signals(loop, self))
            self._cooked = self._in.raw_mode()
            stack.enter_context(self._cooked)
            stack.callback(self._give_back)
            self._take()
            stack.enter_context(self._in.attach(self._read_keys))
            self._player.announce()
            await self._draw_until_done(loop)
        if self._failure is not None:
            raise self._failure
        return self._exit_code or ExitCode.OK

    def _failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take the terminal back before a bug in a callback shows; the loop alone would print and play on."""
        self._failure = context.get("exception") or RuntimeError(context["message"])
        self._wake.set()

    async def _draw_until_done(self, loop: asyncio.AbstractEventLoop) -> None:
        """Draw frame after frame on a fixed beat; a beat that cannot be kept is left out, never made up for."""
        beat = loop.time()
        moved = True
        while not self._player.done and self._exit_code is None and self._failure is None:
            self._wake.clear()
            if not self._draw():
                return
            if self._recorder is not None and os.getppid() != self._recorder:
                return  # whoever started us is gone, and with it our place on the terminal
            moving = self._player.moving(time.monotonic_ns())
            # One more frame after everything has come to rest shows it at rest; then only a key wakes us.
            wait = moving or moved
            moved = moving
            beat = max(beat + self._frame_s, loop.time())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), beat - loop.time() if wait else None)

    def _draw(self) -> bool:
        """Write what changed since the last frame; return False when the terminal is gone."""
        try:
            size = self._out.get_size()
            begun_ns = time.monotonic_ns()
            self._scene = self._player.scene(begun_ns)
            self._keep_within(size.columns, size.rows)
            self._dress()
            self._lines = screen(self._scene, self._look, size.columns, size.rows)
            if text := self._canvas.frame(self._lines, size.columns, size.rows):
                self._out.write_raw(text)
                self._out.flush()
        except OSError:
            return False
        self._drawn_ns = now_ns = time.monotonic_ns()
        self._player.drawn(now_ns - begun_ns, now_ns)
        return True

    def _dress(self) -> None:
        """Wear the theme with colours for the lanes of this race, told from each other."""
        assert self._scene is not None
        theme = cast_for(self._themes.theme, colors_of(self._scene.race))
        if theme != self._worn:
            self._worn = theme
            self._canvas.wear(theme)

    def _keep_within(self, columns: int, rows: int) -> None:
        """Take back what was scrolled beyond the end of a page, so that scrolling up moves it at once."""
        assert self._scene is not None
        if self._scene.scroll > self._scrolled:
            scroll = scrolled_within(self._scene, self._look, columns, rows)
            self._player.navigation.scroll = scroll
            self._scene = replace(self._scene, scroll=scroll)
        self._scrolled = self._scene.scroll

    def _read_keys(self) -> None:
        if self._in.closed:
            self.leave(ExitCode.OK)
            return
        self._press(self._in.read_keys())
        asyncio.get_running_loop().call_later(ESCAPE_S, lambda: self._press(self._in.flush_keys()))

    def _press(self, keys: list[KeyPress]) -> None:
        for press in keys:
            key = str(getattr(press.key, "value", press.key))
            if key == KEY:
                self._point(press.data)
            elif key == SUSPEND:
                self.suspend(group=True)
            else:
                self._player.press(key, time.monotonic_ns())
            self._wake.set()

    def _point(self, report: str) -> None:
        """Pass on what the mouse did, with what it did it to; what is no report of ours is dropped."""
        mouse = mouse_of(report)
        if mouse is not None and self._scene is not None:
            pointed = pointed_at(self._scene, self._lines, self._out.get_size().columns, mouse)
            self._player.point(pointed, mouse.kind, time.monotonic_ns())

    def snapshot(self) -> str:
        """Save the screen as an SVG beside where the player was started; a number keeps it from any other."""
        size = self._out.get_size()
        for number in range(1, 1000):
            path = Path(f"racelog-{number}.svg")
            if not path.exists():
                try:
                    save(path, self._lines, size.columns, size.rows, self._worn)
                except InputError as error:
                    return str(error)
                return f"saved {path}"
        return "there are 999 snapshots here already; move some"

    def themes(self) -> tuple[str, ...]:
        """Return the names of the themes there are."""
        return self._themes.names()

    def adopt(self, name: str, settings: Settings) -> str:
        """Show by ``settings`` from the next frame on, and remember what has changed."""
        self._frame_s = 1 / settings.fps
        self._themes.wear(settings.theme)
        if settings.mouse != self._mouse:
            self._mouse = settings.mouse
            self._out.write_raw(ON if settings.mouse else OFF)
        return remember(self._themes.home, name, getattr(settings, name))

    def resized(self) -> None:
        """Draw everything anew in the new size."""
        self._canvas.forget()
        self._out.erase_screen()
        self._wake.set()

    def suspend(self, *, group: bool) -> None:
        """Give the terminal back and stop until someone lets us go on: this process, or the whole job by its key.

        A job that records stops with its view, but not its lanes: they are jobs of their own and record on.
        """
        self._give_back()
        with suppress(OSError):
            self._restore()
            stop_here(group=group)
        self.resumed()

    def resumed(self) -> None:
        """Take the terminal again, which a shell has used meanwhile; a replay goes on from where it was last seen."""
        self._player.slept(self._drawn_ns, time.monotonic_ns())
        with suppress(OSError):
            self._in.raw_mode().__enter__()  # the one `run` entered knows how the terminal was before
            self._take()
        self._canvas.forget()
        self._wake.set()

    def _take(self) -> None:
        """Take the alternate screen, whatever is there and whatever our output believes of the cursor."""
        out = self._out
        out.enter_alternate_screen()
        out.show_cursor()
        out.hide_cursor()
        out.disable_autowrap()
        out.erase_screen()
        if self._mouse:
            out.write_raw(ON)
        out.flush()

    def _give_back(self) -> None:
        """Leave the screen as it was found."""
        with suppress(OSError):  # a terminal that is gone needs nothing back
            self._out.write_raw(f"{OFF}\x1b[0m")
            self._out.enable_autowrap()
            self._out.show_cursor()
            self._out.quit_alternate_screen()
            self._out.flush()

    def _restore(self) -> None:
        """Set the terminal's modes as they were before `run`."""
        if self._cooked is not None:
            self._cooked.__exit__(None, None, None)

    def interrupted(self) -> None:
        """Take SIGINT as Ctrl+C: the terminal sends a key, a script a signal."""
        self._player.press("c-c", time.monotonic_ns())
        self._wake.set()

    def leave(self, code: ExitCode) -> None:
        """End after the present frame."""
        self._exit_code = code
        self._wake.set()


@contextmanager
def _signals(loop: asyncio.AbstractEventLoop, app: App) -> Iterator[None]:
    """Turn the signals a terminal program meets into calls of ``app``."""
    handlers: dict[int, Callable[[], None]] = {
        signal.SIGWINCH: app.resized,
        signal.SIGINT: app.interrupted,
        **{number: partial(app.leave, code) for number, code in ENDS.items()},
        signal.SIGTSTP: partial(app.suspend, group=False),
        signal.SIGCONT: app.resumed,
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


def run_app(player: Player, settings: Settings, themes: ThemeChoice) -> ExitCode:
    """Play on this process's terminal; return the exit code.

    Raises:
        InputError: there is no terminal to take keys from.
    """
    if not (sys.stdin.isatty() or sys.stdout.isatty()):
        raise InputError("play needs a terminal for its keys; for text without one: racelog play --plain")
    unicode = shows_unicode(sys.stdout.encoding, os.environ)
    look = Look(depth_of(os.environ), ascii_only=not unicode)
    terminal = create_input(always_prefer_tty=True), create_output()

    async def played() -> ExitCode:
        return await App(player, terminal, look, settings, themes).run()

    return asyncio.run(played())
