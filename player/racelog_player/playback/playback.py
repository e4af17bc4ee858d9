"""Playback: one source, one playhead, and everything that moves it. No screen, no keys, no waiting."""

from collections.abc import Callable
from dataclasses import replace

from racelog.clock import NS_PER_S
from racelog.replay.idle import AS_RECORDED, squeezed
from racelog.replay.playhead import Loop, Playhead
from racelog.replay.race import Align
from racelog.views.moments import Moment, busy_instants, moments
from racelog.views.pauses import pauses
from racelog.views.story.engine import Story
from racelog.views.story.live import Teller
from racelog_player.model.times import clock_text, parse_target
from racelog_player.playback.source import Source

UNDO_DEPTH = 50
EASE_NS = 5 * NS_PER_S
"""Who goes back to a moment and presses again within this time means the one before it."""

_ALIGN: dict[Align, tuple[Align, str]] = {
    "start": ("first-token", "lanes aligned at their first token"),
    "first-token": ("wall", "lanes as the clock had them"),
    "wall": ("start", "lanes aligned at their start"),
}


class Playback:
    """Moves a playhead over a source; every method takes the clock's instant and returns words for the user, or "".

    ``until_ns`` and ``stop_at_moments`` pause it by themselves when it gets there.
    """

    def __init__(self, source: Source, playhead: Playhead) -> None:
        self.source = source
        self.playhead = playhead
        self.until_ns: int | None = None
        self.stop_at_moments = False
        self.loop_a_ns: int | None = None
        self._seen_ns = playhead.anchor_ns
        self._jumped: tuple[int, int] | None = None
        self._undo: list[int] = []
        self._moments: list[Moment] | None = None
        self._known_ns = -1
        self._teller = Teller(source.tracks)
        self._story: Story | None = None
        self._story_s = -1

    def limit_ns(self, now_ns: int) -> int:
        """Return the last position the playhead may take: the live edge, or what another lane recorded beyond it."""
        edge = self.source.edge_ns(now_ns)
        return edge if self.playhead.live else max(edge, self.source.tracks.duration_ns())

    def position_ns(self, now_ns: int) -> int:
        """Return where the playhead is."""
        return self.playhead.position_ns(now_ns, self.limit_ns(now_ns))

    def over(self, now_ns: int) -> bool:
        """Return whether the race is over and the playhead at its very end."""
        return self.source.ended and self.position_ns(now_ns) >= self.source.tracks.duration_ns()

    def moments(self) -> list[Moment]:
        """Return the moments of the race so far. Cost: two folds, once for a race that is over."""
        known = self.source.tracks.duration_ns()
        if self._moments is None or (not self.source.ended and known != self._known_ns):
            told = [
                Moment(row.position_ns, row.text, "anomaly", row.lane)
                for row in self.story().anomalies
                if row.kind != "outlier"
            ]
            self._moments = sorted(
                [*moments(self.source.tracks), *told], key=lambda one: (one.position_ns, one.text)
            )
            self._known_ns = known
        return self._moments

    def pauses(self) -> tuple[tuple[int, int], ...]:
        """Return the stretches in which the race itself was paused. Cost: a look at each order."""
        return tuple(pauses(self.source.tracks)) if self.source.tracks.controls else ()

    def story(self) -> Story:
        """Return the story of the race so far, told on for every second that a running race has grown."""
        known = -1 if self.source.ended else self.source.tracks.duration_ns() // NS_PER_S
        if self._story is None or known != self._story_s:
            self._story, self._story_s = self._teller.story(), known
        return self._story

    def slept(self, since_ns: int, now_ns: int) -> None:
        """Go on from where it was at ``since_ns``; a live edge has moved on by itself."""
        if not self.playhead.live and not self.playhead.paused:
            self.playhead = self.playhead.seek(self.position_ns(since_ns), now_ns)

    def catch_up(self, now_ns: int) -> str:
        """Tie a playhead that ran into the live edge to it, and hold one that came to where it should stop."""
        head, limit = self.playhead, self.limit_ns(now_ns)
        if not self.source.ended and not head.live and not head.paused and head.at_end(now_ns, limit):
            self.playhead = head.go_live()
        here = self.position_ns(now_ns)
        before, self._seen_ns = self._seen_ns, here
        if head.paused or here <= before:
            return ""
        if self.until_ns is not None and before < self.until_ns <= here:
            self._hold(self.until_ns, now_ns)
            return f"paused at {clock_text(self.until_ns)}"
        passed = (
            (one for one in self.moments() if before < one.position_ns <= here)
            if self.stop_at_moments
            else ()
        )
        for moment in passed:
            self._hold(moment.position_ns, now_ns)
            return moment.text
        return ""

    def seek(self, position_ns: int, now_ns: int, *, undoable: bool = True) -> None:
        """Go to a position, or to the nearest end of the race."""
        if undoable:
            self._undo = [*self._undo[-UNDO_DEPTH:], self.position_ns(now_ns)]
        target = max(0, min(position_ns, self.limit_ns(now_ns)))
        self._jumped = None
        self.playhead = self.playhead.seek(target, now_ns)
        self._seen_ns = target

    def undo(self, now_ns: int) -> str:
        """Go back to where the last seek was made from."""
        if not self._undo:
            return "nothing to undo"
        self.seek(self._undo.pop(), now_ns, undoable=False)
        return ""

    def pause(self, now_ns: int) -> str:
        """Pause or go on; at the end of a film, play it again."""
        if self.over(now_ns):
            self.seek(0, now_ns)
            self.playhead = replace(self.playhead, paused=False)
        else:
            self.playhead = self.playhead.toggle(now_ns, self.limit_ns(now_ns))
        return ""

    def move(self, step_ns: int, now_ns: int) -> str:
        """Go so far forward or back; beyond the live edge is live."""
        target = self.position_ns(now_ns) + step_ns
        if target >= self.limit_ns(now_ns) and not self.source.ended:
            self.playhead = self.playhead.go_live()
        else:
            self.seek(target, now_ns)
        return ""

    def step(self, now_ns: int, *, forward: bool) -> str:
        """Pause, and go to the next or last thing that was recorded."""
        here, tracks = self.position_ns(now_ns), self.source.tracks
        target = tracks.next_change_ns(here) if forward else tracks.last_change_ns(here)
        if target is None:
            return "nothing later is recorded" if forward else "nothing earlier is recorded"
        self._hold(target, now_ns)
        return ""

    def jump(self, now_ns: int, *, forward: bool) -> str:
        """Go to the next or the last moment; return what happens there."""
        here = self.position_ns(now_ns)
        if forward:
            target = next((moment for moment in self.moments() if moment.position_ns > here), None)
        else:
            before_ns = self._before_ns(here, now_ns)
            earlier = [moment for moment in self.moments() if moment.position_ns < before_ns]
            target = earlier[-1] if earlier else Moment(0, "start")
        if target is None:
            return "no later moment"
        self.seek(target.position_ns, now_ns)
        self._jumped = (target.position_ns, now_ns)
        return target.text

    def _before_ns(self, here_ns: int, now_ns: int) -> int:
        """Return what a moment must lie before to be the last one: where we are, or the moment just gone back to."""
        if self._jumped is not None and now_ns - self._jumped[1] <= EASE_NS:
            return self._jumped[0]
        # Half a second of grace: who sees a moment pass and wants the one before is a little late.
        return here_ns - (0 if self.playhead.paused else int(NS_PER_S / 2 * min(self.playhead.speed, 16)))

    def go_to(self, text: str, now_ns: int) -> str:
        """Go where words say, such as ``1m23s``, ``50%``, ``+250ms`` or ``@finish``.

        Raises:
            InputError: they say nothing we know.
        """
        here, limit = self.position_ns(now_ns), self.limit_ns(now_ns)
        self.seek(parse_target(text, here, limit, self.moments()), now_ns)
        return ""

    def change_speed(self, change: Callable[[float], float], now_ns: int) -> str:
        """Play at what ``change`` makes of the present speed."""
        if self.playhead.live and not self.source.ended:
            return "live runs at 1×; seek back with ← first"  # noqa: RUF001 - the sign we show
        self.playhead = self.playhead.at_speed(change(self.playhead.speed), now_ns, self.limit_ns(now_ns))
        return ""

    def go_end(self, now_ns: int) -> str:
        """Go to the end of a race that is over, to the live edge of one that is not."""
        if self.source.ended:
            self.seek(self.limit_ns(now_ns), now_ns)
        else:
            self.playhead = self.playhead.go_live()
        return ""

    def ab_loop(self, now_ns: int) -> str:
        """Set A, then B, then take the loop away: three presses of one key."""
        here, limit = self.position_ns(now_ns), self.limit_ns(now_ns)
        if self.playhead.loop is not None:
            self.playhead = self.playhead.looping(None, now_ns, limit)
            return "loop off"
        if self.loop_a_ns is None:
            self.loop_a_ns = here
            return f"loop from {clock_text(here)}; press again at its end"
        (a, b), self.loop_a_ns = sorted((self.loop_a_ns, here)), None
        if a == b:
            return "loop off: it would be empty"
        self.playhead = self.playhead.seek(a, now_ns).looping(Loop(a, b), now_ns, limit)
        self._seen_ns = a
        return f"loop {clock_text(a)} to {clock_text(b)}"

    def loop_all(self, now_ns: int) -> str:
        """Loop the whole race, or no more."""
        limit = self.limit_ns(now_ns)
        loop = None if self.playhead.loop is not None else Loop(0, limit)
        self.playhead = self.playhead.looping(loop, now_ns, limit)
        return "loop off" if loop is None else "looping the whole race"

    def limit_idle(self, limit_ns: int | None, now_ns: int) -> None:
        """Let stretches in which nothing happens pass in ``limit_ns``, or as recorded; not while the race still grows."""
        tracks, here = self.source.tracks, self.position_ns(now_ns)
        if not self.source.ended:
            return
        squeeze = AS_RECORDED
        if limit_ns is not None:
            squeeze = squeezed(busy_instants(tracks), limit_ns, tracks.duration_ns())
        self.playhead = replace(self.playhead.seek(here, now_ns), squeeze=squeeze)

    def align(self, now_ns: int) -> str:
        """Align the lanes another way, and stay where the playhead is as far as the race then reaches."""
        tracks = self.source.tracks
        tracks.align, told = _ALIGN[tracks.align]
        self._moments = self._story = None
        self.seek(self.position_ns(now_ns), now_ns, undoable=False)
        return told

    def _hold(self, position_ns: int, now_ns: int) -> None:
        self.seek(position_ns, now_ns, undoable=False)
        self.playhead = replace(self.playhead, paused=True)
