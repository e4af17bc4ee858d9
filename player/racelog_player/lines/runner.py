"""Playing a race as running lines: from one position to the next, in rounds, until somewhere, pausing at its moments."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from typing import TextIO

from racelog.console.output import terminal_width
from racelog.display.signs import to_ascii
from racelog.display.terminal import speaks_unicode
from racelog.replay.pace import Pace
from racelog.replay.playhead import Playhead
from racelog.replay.race import Replay
from racelog.replay.speed import MAX
from racelog.views.condition import Conditions
from racelog.views.moments import Moment, moments, turning_points
from racelog.views.race import race_view
from racelog.views.summary import race_summary
from racelog_player.lines.narrator import Narrator, result_table, standings_table
from racelog_player.model.times import clock_text
from racelog_player.playback.source import Source

POLL_S = 0.1
"""How often a running race is looked at."""

Ask = Callable[[Moment], bool]
"""Waits at a moment for the user; returns False when they have seen enough."""


class Runner:
    """Prints the lines of one race to ``out``."""

    def __init__(self, source: Source, out: TextIO | None = None) -> None:
        self._source = source
        self._out = out or sys.stdout
        self._unicode = speaks_unicode(self._out.encoding, os.environ)
        self._replay = Replay(source.tracks)
        self._conditions = Conditions()
        self._narrator = Narrator()

    def follow(self, until_ns: int | None = None) -> None:
        """Print a race that is being recorded as it goes, and its result; or the standings at ``until_ns``."""
        for edge in _live_positions(self._source):
            if until_ns is not None and edge >= until_ns:
                self._stop_at(until_ns)
                return
            self._tell(edge)
        self._finish()

    def play(self, head: Playhead, until_ns: int | None = None, ask: Ask | None = None) -> None:
        """Print a race that is over as ``head`` runs through it, and its result; or the standings at ``until_ns``.

        At each moment ``ask``, where there is one, is waited for.
        """
        for number, (begin, end) in enumerate(_rounds(head, self._source.tracks.duration_ns())):
            if number:
                self._print(["", f"{clock_text(begin)}  again, round {number + 1}"])
            if not self._round(begin, end, head, until_ns, ask):
                return
        self._finish()

    def _round(
        self, begin_ns: int, end_ns: int, head: Playhead, until_ns: int | None, ask: Ask | None
    ) -> bool:
        """Play one stretch; return False when it came to where playing ends."""
        tracks = self._source.tracks
        self._narrator = Narrator()
        self._replay.seek(begin_ns)
        if begin_ns:  # what happened before is not told, and not at the wrong time
            self._narrator.lines(race_view(self._replay, streams=0, conditions=self._conditions))
        stops = {one.position_ns: one for one in moments(tracks)} if ask is not None else {}
        points = {*turning_points(tracks), *stops, end_ns}
        stop = end_ns if until_ns is None or not begin_ns <= until_ns <= end_ns else until_ns
        pace = Pace(replace(head, anchor_ns=begin_ns, since_ns=time.monotonic_ns(), loop=None, paused=False))
        for position in [begin_ns, *sorted(point for point in points if begin_ns < point <= stop)]:
            if head.speed != MAX:
                pace.wait_until(position, tracks.duration_ns())
            self._tell(position)
            if position > begin_ns and ask is not None and position in stops:
                if not ask(stops[position]):
                    return False
                pace.change(lambda moved, now_ns, here=position: moved.seek(here, now_ns))  # type: ignore[misc]
        if stop == until_ns:
            self._stop_at(stop)
        return stop != until_ns

    def _tell(self, position_ns: int) -> None:
        self._replay.seek(position_ns)
        self._print(self._narrator.lines(race_view(self._replay, streams=0, conditions=self._conditions)))

    def _stop_at(self, position_ns: int) -> None:
        self._tell(position_ns)
        self._print(
            [
                "",
                *standings_table(
                    race_view(self._replay, streams=0, conditions=self._conditions), terminal_width()
                ),
            ]
        )

    def _finish(self) -> None:
        self._replay.seek_end()
        self._print(self._narrator.lines(race_view(self._replay, streams=0, conditions=self._conditions)))
        self._print(["", *result_table(race_summary(Replay(self._source.tracks)), terminal_width())])

    def _print(self, lines: list[str]) -> None:
        self._out.writelines((line if self._unicode else to_ascii(line)) + "\n" for line in lines)
        if lines:
            self._out.flush()


def ask_for_enter(moment: Moment) -> bool:
    """Wait for Enter on the terminal; the end of its input ends playing."""
    sys.stderr.write(f"-- {clock_text(moment.position_ns)}  {moment.text}  (enter goes on) ")
    sys.stderr.flush()
    return bool(sys.stdin.readline())


def _rounds(head: Playhead, end_ns: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches that ``head`` runs through, one after the other."""
    loop = head.loop
    if loop is None or head.anchor_ns >= loop.b_ns:
        yield head.anchor_ns, end_ns
        return
    yield head.anchor_ns, loop.b_ns
    yield from (
        repeat((loop.a_ns, loop.b_ns)) if loop.rounds is None else repeat((loop.a_ns, loop.b_ns), loop.rounds)
    )


def _live_positions(source: Source) -> Iterator[int]:
    """Yield the live edge ten times a second until the race has ended and the edge has come to its end."""
    while True:
        now = time.monotonic_ns()
        source.poll(now)
        edge = source.edge_ns(now)
        yield edge
        if source.ended and edge >= source.tracks.duration_ns():
            return
        time.sleep(POLL_S)
