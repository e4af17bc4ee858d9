"""One run of `racelog play`: what the flags ask for, put together. The edge between the command line and the player."""

import os
import re
import sys
import time
from dataclasses import replace as evolve
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from racelog.clock import NS_PER_S
from racelog.console.loss import tell_loss_of
from racelog.console.output import terminal_width
from racelog.display.signs import to_ascii
from racelog.display.terminal import addressable, speaks_unicode
from racelog.display.text import counted, json_inert
from racelog.errors import ExitCode, InputError
from racelog.log.write.atomic import new_file
from racelog.plugins import hold_what_is_told
from racelog.replay.idle import squeezed
from racelog.replay.playhead import Loop, Playhead
from racelog.replay.race import RaceTracks, Replay
from racelog.replay.speed import MAX, parse_speed, speed_text
from racelog.views.moments import busy_instants, moments
from racelog.views.race import race_view
from racelog_player.cli.options import PlayOptions
from racelog_player.controller.control_pipe import Control
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import form_of, save
from racelog_player.lines.narrator import standings_table
from racelog_player.lines.runner import Runner, ask_for_enter
from racelog_player.model.times import clock_text, parse_position, parse_span
from racelog_player.panes.screen import screen
from racelog_player.playback.source import LiveRace, PastRace
from racelog_player.settings.profile import keep_profile, load_profile
from racelog_player.settings.rebinding import key_map
from racelog_player.settings.settings import NAMES, Settings, recall, remember
from racelog_player.terminal.style import Look, colors_of
from racelog_player.terminal.themes import ThemeChoice, cast_for

PROBLEM_NS = 60 * NS_PER_S
"""What is wrong with a setting is shown so long, or until the first key says something."""

NICENESS = 10
"""Who watches a race that runs waits for who records it: a view that shares a full core with a lane draws less often (a
tenth of the core is its own), and the lane reads in time."""

FILMS = (".cast", ".gif")

LARGEST = 1000
"""Columns or rows of a picture; more is a slip of the finger."""


class Session:
    """What `racelog play` was asked for; `run` does it and returns the exit code.

    Raises:
        InputError: a flag says something that cannot be; always before anything is shown or written.
    """

    def __init__(self, paths: list[Path], home: Path, options: PlayOptions) -> None:
        self.home = home
        self.options = options
        self.speed = parse_speed(options.speed) if options.speed is not None else None
        self.size = _size(options.size)
        self.settings, self.problem = _settings(home, options)
        self.keys = key_map(self.settings.keys)
        self._check()
        only = frozenset(name.strip() for name in options.lanes.split(",")) if options.lanes else None
        self.source = (
            LiveRace(paths[0], options.align, only)
            if options.follow
            else PastRace(*paths, align=options.align, only=only)
        )
        if isinstance(self.source, PastRace):
            for log in self.source.logs:  # first: a full screen gives the line back when it ends
                tell_loss_of(log)
        tracks = self.source.tracks
        if only is not None and not options.follow and not tracks.lanes:
            raise InputError(f"no lane of this race is called {options.lanes!r}; racelog info lists them")

    def _check(self) -> None:
        """Refuse what cannot be in any flag, also in those that this way of playing makes no use of."""
        options = self.options
        for text in (options.start, options.until, options.at, options.idle_limit):
            if text:
                parse_position(text)
        if options.ab is not None:
            parse_span(options.ab)
        if options.loop is not None:
            _rounds(options.loop)
        if options.snapshot is not None:
            form_of(options.snapshot)
        if options.cast is not None and options.cast.suffix.lower() not in FILMS:
            raise InputError(
                f"{options.cast}: a film is written as {' or '.join(FILMS)}, not "
                f"{options.cast.suffix or 'without a suffix'}"
            )
        self._themes()

    def run(self) -> int:
        """Print the instant, tell what would be played, write the film, or play."""
        options = self.options
        if options.at is not None:
            self._instant(options.at)
        elif options.dry_run:
            self._dry_run()
        elif options.cast is not None:
            self._cast(options.cast)
        else:
            return self._play()
        return ExitCode.OK

    def playhead(self, now_ns: int, fallback: float = 1.0) -> Playhead:
        """Return the playhead the flags ask for, anchored at ``now_ns``."""
        options, tracks = self.options, self.source.tracks
        begin = parse_position(options.start)
        speed = self.speed if self.speed is not None else fallback
        if options.follow:
            if options.loop is not None or options.ab is not None:
                raise InputError("--loop and --ab need a race that is over; --follow follows one that runs")
            return Playhead(0, now_ns, speed, live=True)
        end = tracks.duration_ns()
        start = begin.within(end)
        head = Playhead(start, now_ns, speed, paused=options.paused)
        if self.settings.idle_limit:
            limit = parse_position(self.settings.idle_limit).within(1 << 62)
            head = evolve(head, squeeze=squeezed(busy_instants(tracks), limit, end))
        if options.ab is not None:
            low, high = (position.within(end) for position in parse_span(options.ab))
            if low >= high:
                raise InputError(f"the stretch {options.ab} is empty; write it like 10s..20s")
            anchor = max(start, low)
            head = evolve(head, anchor_ns=anchor, loop=Loop(low, high))
        elif options.loop is not None:
            head = evolve(head, loop=Loop(0, end, _rounds(options.loop)))
        return head

    def player(self, playhead: Playhead, control: Control | None = None, *, motion: bool = False) -> Player:
        """Return the player the flags and the settings ask for; pictures and films are still."""
        if self.options.mode:
            remember(self.home, "mode", self.settings.mode)
        settings = replace(self.settings, motion=motion and self.settings.motion)
        player = Player(self.source, playhead, control, keys=self.keys, settings=settings)
        player.playback.until_ns = self._until_ns()
        player.playback.stop_at_moments = self.options.pause_on_marks
        return player

    def _until_ns(self) -> int | None:
        """Return where playing ends, or None for the race's end."""
        if self.options.until is None:
            return None
        whole = 1 << 62 if self.options.follow else self.source.tracks.duration_ns()
        return parse_position(self.options.until).within(whole)

    def _run_lines(self, head: Playhead) -> None:
        """Print running lines instead of a screen."""
        runner, until_ns = Runner(self.source), self._until_ns()
        if self.options.follow:
            runner.follow(until_ns)
            return
        if self.options.pause_on_marks and not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise InputError(
                "--pause-on-marks waits for enter, so it needs a terminal; leave it out in a pipe"
            )
        runner.play(head, until_ns, ask_for_enter if self.options.pause_on_marks else None)

    def _instant(self, at: str) -> None:
        """Print, or picture, the state folded up to ``at``."""
        tracks = self.source.tracks
        replay = Replay(tracks)
        instant = parse_position(at).within(tracks.duration_ns())
        if instant >= tracks.duration_ns():
            replay.seek_end()
        else:
            replay.seek(instant)
        if self.options.snapshot is not None:
            still = self.player(Playhead(instant, 0, paused=True)).scene(0)
            theme = cast_for(self._themes().theme, colors_of(still.race))
            save(
                self.options.snapshot,
                screen(still, Look(), *self.size),
                *self.size,
                theme,
                force=self.options.force,
            )
            return
        view = race_view(replay)
        if self.options.as_json:
            sys.stdout.write(json_inert(msgspec.json.encode(view).decode()) + "\n")
            return
        unicode = speaks_unicode(sys.stdout.encoding, os.environ)
        for line in standings_table(view, terminal_width()):
            click.echo(line if unicode else to_ascii(line))

    def _dry_run(self) -> None:
        """Say how long playing would take and what there is to see."""
        tracks = self.source.tracks
        head, end = self.playhead(0), tracks.duration_ns()
        due = evolve(head, paused=False).due_ns(end, end)
        requests = sum(len(fold.requests) for fold in _at_end(tracks).lanes.values())
        chunks = sum(len(track.t) for track in tracks.lanes.values())
        length = "for ever" if head.loop is not None and head.loop.rounds is None else clock_text(due or 0)
        click.echo(f"{clock_text(end)} recorded, {length} to play at {speed_text(head.speed)}")
        click.echo(
            f"{counted(len(tracks.lanes), 'lane')}, {counted(requests, 'request')}, {counted(chunks, 'chunk')}, "
            f"{counted(len(moments(tracks)), 'moment')}"
        )

    def _cast(self, path: Path) -> None:
        """Write the film: every frame, as fast as it can be drawn."""
        from racelog_player.film.cast import cast_lines  # noqa: PLC0415 - this flag alone needs it

        if self.options.follow or self.options.loop == "0" or self.options.ab:
            raise InputError("--cast needs an end: a race that is over, and no loop for ever")
        player = self.player(self.playhead(0))
        facts = self.source.tracks.facts
        with new_file(path, force=self.options.force) as partial:
            if path.suffix.lower() == ".gif":
                self._gif(partial, player)
                return
            theme, title = self._themes().theme, facts.name if facts else ""
            with partial.open("w", encoding="utf-8") as file:
                file.writelines(cast_lines(player, theme, self.size, self.settings.fps, title))

    def _gif(self, path: Path, player: Player) -> None:
        """Write the film as pixels, with a bar on the terminal of how far it is."""
        from racelog_player.film import gif  # noqa: PLC0415 - matplotlib takes 0.1 s to load
        from racelog_player.film.cast import frames  # noqa: PLC0415 - this flag alone needs it

        end = self.source.tracks.duration_ns()
        fps = min(self.options.fps or gif.FPS, gif.MOST_FPS)
        lasts_ns = player.playhead.due_ns(end, end) or 0
        if (count := round(lasts_ns / NS_PER_S * fps)) > gif.MOST_FRAMES:
            raise InputError(
                f"a GIF of {count:,} frames is more than {gif.MOST_FRAMES:,}; play faster (--speed), a stretch (--start, "
                "--until), or fewer frames a second (--fps)"
            )
        stills = [
            screen(self.player(Playhead(round(end * part), 0, paused=True)).scene(0), Look(), *self.size)
            for part in (0.25, 0.6, 1.0)
        ]
        film = ((t_ns, lines) for t_ns, _, lines in frames(player, self.size, fps))
        with click.progressbar(length=max(1, lasts_ns), label="drawing", file=sys.stderr) as bar:
            theme = cast_for(self._themes().theme, colors_of(player.scene(0).race))
            painter = gif.Painter(theme, self.size)
            gif.write_gif(path, film, stills, painter, seen=lambda t_ns: bar.update(t_ns - bar.pos))

    def _play(self) -> int:
        """Play on the terminal, or as lines where there is none."""
        terminal = sys.stdout.isatty()
        head = self.playhead(time.monotonic_ns(), 1.0 if terminal else MAX)
        if self.options.plain or not terminal or not addressable(os.environ):
            self._run_lines(head)
            return ExitCode.OK
        from racelog_player.app.app import run_app  # noqa: PLC0415 - prompt_toolkit takes 0.1 s to load

        if self.options.follow and hasattr(os, "nice"):
            os.nice(NICENESS)
        themes = self._themes()
        self.settings = replace(self.settings, theme=themes.theme.name)
        player = self.player(head, Control(self.options.control_fd), motion=True)
        if self.problem:
            player.tell(self.problem, time.monotonic_ns(), PROBLEM_NS)
        before = load_profile(self.home)
        player.navigation.explained |= before.explanations
        with hold_what_is_told():
            code = run_app(player, self.settings, themes)
        if player.navigation.explained != before.explanations:
            keep_profile(self.home, replace(before, explanations=frozenset(player.navigation.explained)))
        return code

    def _themes(self) -> ThemeChoice:
        """Return the themes, the wanted or remembered one worn; one that was remembered and is gone is not missed."""
        try:
            return ThemeChoice(self.home, self.settings.theme)
        except InputError:
            if self.options.theme:
                raise
            return ThemeChoice(self.home)


def _settings(home: Path, options: PlayOptions) -> tuple[Settings, str]:
    """Return the remembered settings with the flags over them, and what is wrong with a remembered one.

    Raises:
        InputError: a flag says what cannot be; a setting that cannot is as if it had not been made.
    """
    settings, problem = recall(home)
    for name, check in (("keys", key_map), ("idle_limit", parse_position)):
        try:
            if value := getattr(settings, name):
                check(value)
        except InputError as error:
            settings, problem = replace(settings, **{name: getattr(Settings(), name)}), str(error)
    given = {name: value for name in NAMES if (value := getattr(options, name)) not in (None, "")}
    if os.environ.get("NO_MOTION"):
        given["motion"] = False
    return replace(settings, **given), problem


def _at_end(tracks: RaceTracks) -> Replay:
    replay = Replay(tracks)
    replay.seek_end()
    return replay


def _rounds(text: str) -> int | None:
    """Return how many times more to play than once; None is for ever."""
    if not re.fullmatch(r"\d{1,6}", text):
        raise InputError(f"--loop {text!r} is not a number of times; leave it out to loop for ever")
    return int(text) or None


def _size(text: str) -> tuple[int, int]:
    """Return the columns and rows of ``120x36``."""
    found = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text.lower())
    if found is None or not all(1 <= int(part) <= LARGEST for part in found.groups()):
        raise InputError(f"no size {text!r}; write it like 120x36, at most {LARGEST}x{LARGEST}")
    return int(found[1]), int(found[2])
