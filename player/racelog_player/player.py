"""The player itself, without a terminal: keys change it, the clock moves it, and it gives scenes to draw."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from racelog.clock import NS_PER_S
from racelog.replay.playhead import Playhead
from racelog.replay.race import Replay
from racelog.replay.speed import faster, slower
from racelog.views.race import race_view
from racelog.views.summary import RaceSummary, race_summary
from racelog_player.control import Control
from racelog_player.keys import KEYS, STEP_NS, Do
from racelog_player.moments import Moment, moments
from racelog_player.movers import Movers
from racelog_player.scene import Scene, Stage, Transport
from racelog_player.source import Source

STREAMS = 16
"""Open requests asked of the view per lane; a box shows the one that has streamed longest."""

NOTICE_NS = 3 * NS_PER_S
QUIET_S = 5.0
"""A recorder commits four times a second; after this long without a word something is wrong."""


@dataclass(slots=True)
class _Dialog:
    """What lies over the race at the moment: help, the question to stop, a passing notice."""

    help: bool = False
    asking: bool = False
    stopping: bool = False
    notice: str = ""
    notice_until_ns: int = 0


class Player:
    """One race on one screen. ``done`` says that the user has left."""

    def __init__(self, source: Source, playhead: Playhead, control: Control | None = None) -> None:
        self.done = False
        self.playhead = playhead
        self._source = source
        self._control = control or Control()
        self._replay = Replay(source.tracks)
        self._movers = Movers()
        self._dialog = _Dialog()
        self._summary: RaceSummary | None = None
        self._moments: list[Moment] | None = None

    def moving(self, now_ns: int) -> bool:
        """Return whether the picture changes by itself, without a key."""
        settled = self._source.ended and (self.playhead.paused or self._over(now_ns))
        return not settled or now_ns < self._dialog.notice_until_ns or self._movers.fresh(now_ns)

    def announce(self) -> None:
        """Tell the recorder, if there is one, that keys now come here."""
        self._control.up()

    def press(self, key: str, now_ns: int) -> None:
        """Take one key, by prompt_toolkit's name for it; keys without a meaning are ignored."""
        if len(key) == 1 and key in "0123456789":
            self._seek(self._limit_ns(now_ns) * int(key) // 10, now_ns)
        elif (wish := KEYS.get(key)) is not None:
            if self._dialog.asking:
                self._answer(wish, now_ns)
            else:
                self._obey(wish, now_ns)

    def scene(self, now_ns: int) -> Scene:
        """Return what there is to see at ``now_ns``. Cost: folding what passed since the last scene."""
        self._source.poll(now_ns)
        if self._source.ended:
            self._dialog.asking = False  # there is nothing left to stop
        limit = self._limit_ns(now_ns)
        self._catch_up(now_ns, limit)
        position = self.playhead.position_ns(now_ns, limit)
        over = self._over(now_ns)
        if over:
            self._replay.seek_end()
        else:
            self._replay.seek(position)
        race = race_view(self._replay, streams=STREAMS)
        waiting = all(track.start_ns is None for track in self._replay.tracks.lanes.values())
        countdown = self._source.countdown_s(now_ns) if waiting else None
        return Scene(
            race=race,
            stage=Stage.RESULT
            if over
            else Stage.GRID
            if waiting and not self._source.ended
            else Stage.RACING,
            transport=self._transport(position, limit, now_ns, over=over),
            movers=self._movers.update(race, now_ns),
            countdown_s=countdown,
            summary=self._result() if over else None,
            requests=facts.requests if (facts := self._replay.tracks.facts) else None,
            concurrency=facts.concurrency if facts else 0,
            notice=self._notice(now_ns),
            question="stop the race?  y yes · n no, race on" if self._dialog.asking else "",
            help=self._dialog.help,
        )

    def _over(self, now_ns: int) -> bool:
        """Return whether the race is over and the playhead at its very end."""
        position = self.playhead.position_ns(now_ns, self._limit_ns(now_ns))
        return self._source.ended and position >= self._source.tracks.duration_ns()

    def _catch_up(self, now_ns: int, limit: int) -> None:
        """Tie a playhead that ran into the live edge to it."""
        head = self.playhead
        if not self._source.ended and not head.live and not head.paused and head.at_end(now_ns, limit):
            self.playhead = head.go_live()

    def _transport(self, position_ns: int, limit_ns: int, now_ns: int, *, over: bool) -> Transport:
        head = self.playhead
        running = not self._source.ended
        behind = self._source.edge_ns(now_ns) - position_ns
        return Transport(
            position_ns=position_ns, end_ns=limit_ns, speed=head.speed, paused=head.paused, over=over,
            live=running, behind_ns=0 if head.live or not running else max(0, behind),
            at_edge=head.live and running, controls=running and self._control.connected,
        )  # fmt: skip

    def _limit_ns(self, now_ns: int) -> int:
        """Return the last position the playhead may take: the live edge, or what another lane recorded beyond it."""
        edge = self._source.edge_ns(now_ns)
        return edge if self.playhead.live else max(edge, self._source.tracks.duration_ns())

    def _result(self) -> RaceSummary:
        """Return the closing summary, made once: it reads every chunk."""
        if self._summary is None:
            self._summary = race_summary(Replay(self._source.tracks))
        return self._summary

    def _notice(self, now_ns: int) -> str:
        if now_ns < self._dialog.notice_until_ns:
            return self._dialog.notice
        quiet = self._source.quiet_s(now_ns)
        if quiet >= QUIET_S:
            return f"no news from the recorder for {quiet:.0f} s"
        return (
            "stopping: waiting for the lanes to end"
            if self._dialog.stopping and not self._source.ended
            else ""
        )

    def _tell(self, text: str, now_ns: int) -> None:
        self._dialog.notice, self._dialog.notice_until_ns = text, now_ns + NOTICE_NS

    def _seek(self, position_ns: int, now_ns: int) -> None:
        self.playhead = self.playhead.seek(min(position_ns, self._limit_ns(now_ns)), now_ns)

    def _obey(self, wish: Do, now_ns: int) -> None:  # noqa: C901 - one branch per wish
        head, limit = self.playhead, self._limit_ns(now_ns)
        match wish:
            case Do.PAUSE:
                self._pause(now_ns, limit)
            case Do.BACK | Do.FORWARD | Do.NUDGE_BACK | Do.NUDGE_FORWARD:
                self._step(STEP_NS[wish], now_ns, limit)
            case Do.FASTER | Do.SLOWER | Do.NORMAL_SPEED:
                self._change_speed(wish, now_ns, limit)
            case Do.START:
                self._seek(0, now_ns)
            case Do.END | Do.LIVE:
                self.playhead = head.seek(limit, now_ns) if self._source.ended else head.go_live()
            case Do.LAST_MOMENT | Do.NEXT_MOMENT:
                self._jump(wish, now_ns, limit)
            case Do.MARK:
                self._mark(now_ns)
            case Do.HELP | Do.CLOSE:
                self._dialog.help = wish is Do.HELP and not self._dialog.help
            case Do.QUIT | Do.INTERRUPT:
                self._leave(wish)
            case Do.YES | Do.NO:
                pass  # nothing was asked

    def _pause(self, now_ns: int, limit: int) -> None:
        if self._over(now_ns):  # the play button of a finished film starts it again
            self.playhead = replace(self.playhead.seek(0, now_ns), paused=False)
        else:
            self.playhead = self.playhead.toggle(now_ns, limit)

    def _step(self, step_ns: int, now_ns: int, limit: int) -> None:
        target = self.playhead.position_ns(now_ns, limit) + step_ns
        if target >= limit and not self._source.ended:
            self.playhead = self.playhead.go_live()
        else:
            self._seek(target, now_ns)

    def _change_speed(self, wish: Do, now_ns: int, limit: int) -> None:
        if self.playhead.live and not self._source.ended:
            self._tell("live runs at 1×; seek back with ← first", now_ns)  # noqa: RUF001 - the sign we show
            return
        change: dict[Do, Callable[[float], float]] = {Do.FASTER: faster, Do.SLOWER: slower}
        speed = change[wish](self.playhead.speed) if wish in change else 1.0
        self.playhead = self.playhead.at_speed(speed, now_ns, limit)

    def _jump(self, wish: Do, now_ns: int, limit: int) -> None:
        if self._moments is None or not self._source.ended:
            self._moments = moments(self._source.tracks)
        here = self.playhead.position_ns(now_ns, limit)
        if wish is Do.NEXT_MOMENT:
            target = next((moment for moment in self._moments if moment.position_ns > here), None)
        else:
            # Half a second of grace, so that pressing it twice while playing goes back two moments.
            grace = 0 if self.playhead.paused else int(NS_PER_S / 2 * min(self.playhead.speed, 16))
            earlier = [moment for moment in self._moments if moment.position_ns < here - grace]
            target = earlier[-1] if earlier else Moment(0, "start")
        if target is None:
            self._tell("no later moment", now_ns)
        else:
            self._seek(target.position_ns, now_ns)
            self._tell(target.text, now_ns)

    def _mark(self, now_ns: int) -> None:
        sent = not self._source.ended and self._control.mark("user")
        self._tell("marked" if sent else "nobody is recording; marks need a running `racelog record`", now_ns)

    def _leave(self, wish: Do) -> None:
        insists = self._dialog.stopping and wish is Do.INTERRUPT
        self.done = self._source.ended or not self._control.connected or insists
        self._dialog.asking = not self.done and not self._dialog.stopping

    def _answer(self, wish: Do, now_ns: int) -> None:
        """Take the answer to "stop the race?"; a second Ctrl+C leaves at once, and the recorder decides."""
        if wish is Do.INTERRUPT:
            self.done = True
        elif wish is Do.YES:
            self._dialog.asking = False
            self._dialog.stopping = self._control.stop()
            if not self._dialog.stopping:
                self._tell("the recorder is gone; this is only a view now, q leaves", now_ns)
        elif wish in (Do.NO, Do.CLOSE, Do.QUIT):
            self._dialog.asking = False
