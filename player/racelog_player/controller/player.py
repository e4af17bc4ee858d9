"""The player itself, without a terminal: keys change it, the clock moves it, and it gives scenes to draw."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from racelog.clock import NS_PER_S
from racelog.errors import RacelogError
from racelog.replay.playhead import Playhead
from racelog.replay.race import Replay
from racelog.replay.speed import doubled, faster, halved, slower
from racelog.views.condition import Conditions
from racelog.views.race import race_view
from racelog.views.recent import Recent
from racelog.views.story.engine import Story, until
from racelog.views.story.rows import Comment, Level, Tone
from racelog.views.summary import RaceSummary, race_summary
from racelog_player.controller.control_pipe import Control
from racelog_player.controller.host import Host
from racelog_player.controller.navigation import Navigation
from racelog_player.controller.pages import Pages
from racelog_player.controller.race_control import NOBODY, RaceControl
from racelog_player.model.animation import Motion, Movers
from racelog_player.model.lag import Lag
from racelog_player.model.pointer import Pointed
from racelog_player.model.scene import MODES, Mode, Page, Scene, Stage, Transport
from racelog_player.model.times import parse_position
from racelog_player.panes.pages.table import PAGES
from racelog_player.playback.playback import Playback
from racelog_player.playback.source import Source
from racelog_player.settings.keys import ANSWERS, KEYS, OPTION_KEYS, SEEK_NS, ZOOM_KEYS, Do, KeyMap
from racelog_player.settings.keys import MODES as MODE_KEYS
from racelog_player.settings.options import Options
from racelog_player.settings.rebinding import key_map
from racelog_player.settings.settings import Settings
from racelog_player.terminal.cells import flat

STREAMS = 16
"""Open requests asked of the view per lane; a box shows the one that has streamed longest."""

NOTICE_NS = 3 * NS_PER_S
QUIET_S = 5.0
"""A recorder commits four times a second; after this long without a word something is wrong."""

LONGEST_TYPED = 40

LEVELS: tuple[Level, ...] = ("quiet", "normal", "verbose")
TONES: tuple[Tone, ...] = ("info", "good", "warn", "error")
STILL = Settings(motion=False)
SPEEDS: dict[Do, Callable[[float], float]] = {
    Do.FASTER: faster, Do.SLOWER: slower, Do.DOUBLE_SPEED: doubled, Do.HALF_SPEED: halved, Do.NORMAL_SPEED: lambda _: 1.0,
}  # fmt: skip

Act = Callable[[int], str | None]
"""What a key does at an instant of the clock; it may return words to show."""

KEPT = 100
"""Lines of commentary that can be scrolled back to."""


@dataclass(slots=True)
class _Dialog:
    """What lies over the picture at the moment: what is being typed, a passing notice."""

    typing: str | None = None
    notice: str = ""
    notice_until_ns: int = 0


class Player:
    """One race on one screen."""

    def __init__(
        self,
        source: Source,
        playhead: Playhead,
        control: Control | None = None,
        *,
        keys: KeyMap = KEYS,
        settings: Settings = STILL,
        mode: Mode | None = None,
    ) -> None:
        """Play ``source`` by ``settings``; ``mode`` is chosen for this once."""
        self.playback = Playback(source, playhead)
        self._options = Options(settings if mode is None else replace(settings, mode=mode))
        self._host: Host | None = None
        self._source = source
        self._keys = keys
        self._race_control = RaceControl(control or Control(), source)
        self._replay = Replay(source.tracks)
        self._movers = Movers()
        self._motion = Motion(on=settings.motion)
        self._frames = Lag()
        self._dialog = _Dialog()
        self._pages = Pages()
        self._conditions = Conditions()
        self._recent = Recent()
        self._summary: RaceSummary | None = None
        self.navigation = Navigation()
        self._acts = self._all_acts()

    @property
    def done(self) -> bool:
        """Whether the user has left."""
        return self._race_control.done

    @property
    def playhead(self) -> Playhead:
        """The playhead as it is now."""
        return self.playback.playhead

    @property
    def mode(self) -> Mode:
        """How much is explained."""
        return self._options.settings.mode

    def attach(self, host: Host) -> None:
        """Be shown by ``host``."""
        self._host, self._options.themes = host, host.themes()

    def moving(self, now_ns: int) -> bool:
        """Return whether the picture changes by itself, without a key."""
        looping = self.playhead.loop is not None and not self.playhead.paused
        settled = self._source.ended and (
            self.playhead.paused or (self.playback.over(now_ns) and not looping)
        )
        return not settled or now_ns < self._dialog.notice_until_ns or self._movers.fresh(now_ns)

    def drawn(self, took_ns: int, now_ns: int) -> None:
        """Take note of how long a scene took to get to the screen: by so much it is behind when it is seen."""
        self._frames.note(took_ns, now_ns)

    @property
    def recorded(self) -> bool:
        """Whether somebody records what is shown and listens to us."""
        return self._race_control.connected

    def slept(self, since_ns: int, now_ns: int) -> None:
        """Go on from where the playhead was at ``since_ns``: nobody has seen what passed since."""
        self.playback.slept(since_ns, now_ns)

    def announce(self) -> None:
        """Tell the recorder, if there is one, that keys now come here."""
        self._race_control.announce()

    def press(self, key: str, now_ns: int) -> None:
        """Take one key, by prompt_toolkit's name for it; keys without a meaning are ignored."""
        if self._dialog.typing is not None:
            self._type(key, now_ns)
        elif self._race_control.asking is not None:
            if (answer := ANSWERS.get(key)) is not None:
                self._answer(answer, now_ns)
        elif self.navigation.page is Page.OPTIONS and key in OPTION_KEYS:
            rows, step = OPTION_KEYS[key]
            self._options.move(rows)
            self._turn_option(self._options.name if step else "", step, now_ns)
        elif self.navigation.page is Page.CHARTS and key in ZOOM_KEYS:
            self.tell(self._pages.zoom(self._replay, inward=ZOOM_KEYS[key]), now_ns)
        elif (wish := self._keys.get(key)) is not None:
            self._obey(wish, now_ns)
        elif len(key) == 1 and key in "0123456789":
            self._digit(int(key), now_ns)

    def scene(self, now_ns: int) -> Scene:
        """Return what there is to see at ``now_ns``. Cost: folding what passed since the last scene."""
        playback = self.playback
        self._source.poll(now_ns)
        self._race_control.look()
        if told := playback.catch_up(now_ns):
            self.tell(told, now_ns)
        over = playback.over(now_ns)
        position = playback.position_ns(now_ns)
        if over:
            self._replay.seek_end()
        else:
            self._replay.seek(position)
        race = race_view(self._replay, streams=STREAMS, conditions=self._conditions)
        waiting = all(track.start_ns is None for track in self._replay.tracks.lanes.values())
        racing = Stage.GRID if waiting and not self._source.ended else Stage.RACING
        at = self.navigation
        at.focus = min(at.focus, max(0, len(race.lanes) - 1))
        comments = self._comments(position)
        said, newer = at.talk(comments if self.mode != "expert" else [])
        head = self.playhead
        return Scene(
            race=race, stage=Stage.RESULT if over else racing,
            transport=self._transport(position, now_ns, over=over),
            movers=self._movers.update(race, now_ns),
            countdown_s=self._source.countdown_s(now_ns) if waiting else None,
            summary=self._result() if over else None,
            requests=facts.requests if (facts := self._replay.tracks.facts) else None,
            concurrency=facts.concurrency if facts else 0, notice=self._notice(now_ns),
            question=self._race_control.question,
            typing=self._dialog.typing, page=at.page,
            content=self._content(at.page, position),
            focus=at.focus, chosen=at.chosen, scroll=at.scroll, answered=at.answered, mode=self.mode, comments=said, newer=newer,
            moved=self._motion.frame(race, comments, now_ns, speed=head.speed, moves=not (over or head.paused)),
            recent={number: self._recent.of(fold) for number, fold in self._replay.lanes.items()} if at.page is Page.RACE else {},
        )  # fmt: skip

    def _content(self, page: Page, position_ns: int) -> object:
        """Return what ``page`` draws."""

        def story() -> Story:
            return until(self.playback.story(), position_ns)

        return self._pages.content(
            page, self._replay, lane=self._focus_lane(), request=self.navigation.reading,
            story=story, explained=len(self.navigation.explained), options=self._options.view,
        )  # fmt: skip

    def _comments(self, position_ns: int) -> list[Comment]:
        """Return the commentary's last lines; an expert is only told of what went wrong, and asks for no more."""
        if self.mode == "expert" and not self._motion.on:
            return []
        told = self.playback.story().comments
        last = bisect_right(told, position_ns, key=lambda row: row.position_ns)
        levels = LEVELS[: LEVELS.index(self._options.settings.commentary) + 1]
        tones = ("warn", "error") if self.mode == "expert" else TONES
        return [row for row in told[max(0, last - KEPT) : last] if row.level in levels and row.tone in tones]

    def _focus_lane(self) -> int | None:
        lanes = list(self._replay.lanes)
        return lanes[self.navigation.focus] if lanes else None

    def _transport(self, position_ns: int, now_ns: int, *, over: bool) -> Transport:
        head, loop = self.playhead, self.playhead.loop
        running = not self._source.ended
        behind = self._source.edge_ns(now_ns) - position_ns
        return Transport(
            position_ns=position_ns, end_ns=self.playback.limit_ns(now_ns), speed=head.speed, paused=head.paused, over=over,
            live=running, behind_ns=0 if head.live or not running else max(0, behind),
            at_edge=head.live and running, controls=self._race_control.connected,
            loop_ns=(loop.a_ns, loop.b_ns) if loop is not None else None, held_ns=self.playback.pauses(),
            late_ns=0 if over or head.paused else max(self._frames.worst_ns(now_ns), self._source.late_ns(now_ns)),
        )  # fmt: skip

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
        return self._race_control.notice()

    def tell(self, text: str, now_ns: int, lasts_ns: int = NOTICE_NS) -> None:
        """Show words for a while, or until there are others; none change nothing."""
        if text:
            self._dialog.notice, self._dialog.notice_until_ns = text, now_ns + lasts_ns

    def _digit(self, digit: int, now_ns: int) -> None:
        """Seek to so many tenths of a race that is over; choose the mode in one that runs."""
        if self._source.ended:
            self.playback.seek(self.playback.limit_ns(now_ns) * digit // 10, now_ns)
        elif 1 <= digit <= len(MODES):
            self._choose(MODES[digit - 1], now_ns)

    def _obey(self, wish: Do, now_ns: int) -> None:
        if (act := self._acts.get(wish)) is not None:
            self.tell(act(now_ns) or "", now_ns)

    def _all_acts(self) -> dict[Do, Act]:
        """Return what each wish does; only answers to questions are not among them."""
        playback, at, race = self.playback, self.navigation, self._race_control
        return {
            Do.PAUSE: playback.pause, Do.UNDO: playback.undo, Do.AB_LOOP: playback.ab_loop, Do.LOOP: playback.loop_all,
            Do.ALIGN: playback.align, Do.END: playback.go_end, Do.LIVE: playback.go_end,
            Do.START: partial(playback.seek, 0),
            **{wish: partial(playback.move, step_ns) for wish, step_ns in SEEK_NS.items()},
            **{wish: partial(playback.change_speed, change) for wish, change in SPEEDS.items()},
            Do.STEP_BACK: partial(playback.step, forward=False), Do.STEP_FORWARD: partial(playback.step, forward=True),
            Do.LAST_MOMENT: partial(playback.jump, forward=False), Do.NEXT_MOMENT: partial(playback.jump, forward=True),
            Do.GO_TO: self._ask_where,
            Do.MARK: lambda _: race.mark(), Do.ELIMINATE: lambda _: race.eliminate(self._focus_lane()),
            Do.PAUSE_RACE: self._pause_race, Do.RESTART: self._restart,
            Do.QUIT: lambda _: race.leave(), Do.INTERRUPT: lambda _: race.leave(insisting=True),
            Do.NEXT_LANE: lambda _: self._next_lane(1), Do.LAST_LANE: lambda _: self._next_lane(-1),
            Do.SCROLL_DOWN: lambda _: at.scroll_by(1), Do.SCROLL_UP: lambda _: at.scroll_by(-1),
            Do.OPEN: lambda _: at.open(self._content(at.page, self._replay.position_ns), self._busy()),
            Do.CLOSE: lambda _: at.close(),
            **{row.wish: self._turning_to(page) for page, row in PAGES.items() if row.wish is not None},
            **{wish: partial(self._choose, mode) for wish, mode in zip(MODE_KEYS, MODES, strict=True)},
            Do.THEME: self._next_theme, Do.SNAPSHOT: lambda _: self._host.snapshot() if self._host else "",
        }  # fmt: skip

    def _turning_to(self, page: Page) -> Act:
        return lambda _: self.navigation.turn(page, self._busy())

    def _ask_where(self, _now_ns: int) -> None:
        self._dialog.typing = ""

    def _next_lane(self, step: int) -> None:
        self.navigation.choose((self.navigation.focus + step) % max(1, len(self._replay.lanes)))

    def _busy(self) -> list[bool]:
        return [bool(fold.open) for fold in self._replay.lanes.values()]

    def point(self, pointed: Pointed, kind: str, now_ns: int) -> None:
        """Take a press, a drag or a turn of the wheel on what is shown."""
        if self._race_control.asking is not None or self._dialog.typing is not None:
            return
        if kind in ("wheel-up", "wheel-down"):
            self.navigation.wheel(kind)
        elif pointed.share is not None:
            undoable = kind == "press"  # a drag is one seek, however many places it passes
            self.playback.seek(
                round(pointed.share * self.playback.limit_ns(now_ns)), now_ns, undoable=undoable
            )
        elif pointed.lane is not None and kind == "press":
            self._press_lane(pointed.lane, now_ns)

    def _press_lane(self, number: int, now_ns: int) -> None:
        """Choose a lane; one that was chosen already is shown in detail."""
        lanes = list(self._replay.lanes)
        if number not in lanes:
            return
        at = self.navigation
        again = at.chosen and lanes[at.focus] == number and at.page is Page.RACE
        at.choose(lanes.index(number))
        if again:
            at.turn(Page.DETAILS)
        elif at.page is Page.RACE:
            name = flat(self._source.tracks.lanes[number].facts.engine)
            self.tell(f"{name}: i its answers, d its details (or press again)", now_ns)

    def _turn_option(self, name: str, step: int, now_ns: int) -> None:
        """Turn one setting so many choices on."""
        if name:
            self._adopt(name, self._options.turned(name, step), now_ns)

    def _adopt(self, name: str, settings: Settings, now_ns: int) -> None:
        """Go by ``settings``, of which ``name`` has changed, from now on, and have it remembered."""
        self._options.settings = settings
        self._motion.on = settings.motion
        if name == "keys":
            self._keys = key_map(settings.keys)
        elif name == "idle_limit":
            limit = parse_position(settings.idle_limit).ns if settings.idle_limit else None
            self.playback.limit_idle(limit, now_ns)
        if self._host is not None:
            self.tell(self._host.adopt(name, settings), now_ns)

    def _choose(self, mode: Mode, now_ns: int) -> None:
        self.tell(f"{mode} mode", now_ns)
        self._adopt("mode", replace(self._options.settings, mode=mode), now_ns)

    def _next_theme(self, now_ns: int) -> None:
        if self._host is not None:
            settings = self._options.turned("theme", 1)
            self.tell(f"theme {settings.theme}", now_ns)
            self._adopt("theme", settings, now_ns)

    def _type(self, key: str, now_ns: int) -> None:
        """Take a key of a "go to": enter goes there, escape does not."""
        typed = self._dialog.typing or ""
        if key in ("c-m", "escape", "c-c", "<sigint>"):
            self._dialog.typing = None
            if key == "c-m" and typed.strip():
                try:
                    self.tell(self.playback.go_to(typed, now_ns), now_ns)
                except RacelogError as error:
                    self.tell(str(error), now_ns)
        elif key == "c-h":
            self._dialog.typing = typed[:-1] if typed else None
        elif len(key) == 1 and key.isprintable() and len(typed) < LONGEST_TYPED:
            self._dialog.typing = typed + key

    def _answer(self, wish: Do, now_ns: int) -> None:
        """Take an answer to the open question; a question about one lane goes on to another, which is chosen then."""
        if wish not in (Do.NEXT_LANE, Do.LAST_LANE):
            self.tell(self._race_control.answer(wish), now_ns)
        elif (lane := self._race_control.another(wish)) in self._replay.lanes:
            self.navigation.choose(list(self._replay.lanes).index(lane))

    def _pause_race(self, now_ns: int) -> str:
        """Pause the race itself while somebody records it, else the playing of it."""
        if self._race_control.connected and not self._source.ended:
            return self._race_control.pause()
        return self.playback.pause(now_ns)

    def _restart(self, now_ns: int) -> str:
        """Ask for the race anew while somebody records it, else play it from its start."""
        if self._race_control.connected:
            return self._race_control.restart()
        self.playback.seek(0, now_ns)
        return "" if self._source.ended else NOBODY
