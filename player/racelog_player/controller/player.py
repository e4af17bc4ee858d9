"""The player itself, without a terminal: keys change it, the clock moves it, and it gives scenes to draw."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from racelog.clock import NS_PER_S
from racelog.errors import RacelogError
from racelog.replay.playhead import Playhead
from racelog.replay.race import Replay
from racelog.views.condition import Conditions
from racelog.views.race import race_view
from racelog.views.recent import Recent
from racelog.views.story.achievements import viewer_achievements
from racelog.views.story.engine import until
from racelog.views.story.rows import Comment, Level, Tone
from racelog.views.summary import RaceSummary, race_summary
from racelog_player.controller.control_pipe import Control
from racelog_player.controller.host import Host
from racelog_player.controller.navigation import Browsing
from racelog_player.controller.pages import ZOOM_KEYS, Pages
from racelog_player.controller.race_control import NOBODY, Steering
from racelog_player.model.animation import Motion, Movers
from racelog_player.model.lag import Lag
from racelog_player.model.pointer import Pointed
from racelog_player.model.scene import MODES, Mode, Page, Scene, Stage, Transport
from racelog_player.model.times import parse_position
from racelog_player.playback.playback import SPEEDS, Deck
from racelog_player.playback.source import Source
from racelog_player.settings.keys import ANSWERS, KEYS, OPTION_KEYS, SEEK_NS, Do, KeyMap
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
        self.deck = Deck(source, playhead)
        self._options = Options(settings if mode is None else replace(settings, mode=mode))
        self._host: Host | None = None
        self._source = source
        self._keys = keys
        self._steering = Steering(control or Control(), source)
        self._replay = Replay(source.tracks)
        self._movers = Movers()
        self._motion = Motion(on=settings.motion)
        self._frames = Lag()
        self._dialog = _Dialog()
        self._pages = Pages()
        self._conditions = Conditions()
        self._recent = Recent()
        self._summary: RaceSummary | None = None
        self.browsing = Browsing()

    @property
    def done(self) -> bool:
        """Whether the user has left."""
        return self._steering.done

    @property
    def playhead(self) -> Playhead:
        """The playhead as it is now."""
        return self.deck.playhead

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
        settled = self._source.ended and (self.playhead.paused or (self.deck.over(now_ns) and not looping))
        return not settled or now_ns < self._dialog.notice_until_ns or self._movers.fresh(now_ns)

    def drawn(self, took_ns: int, now_ns: int) -> None:
        """Take note of how long a scene took to get to the screen: by so much it is behind when it is seen."""
        self._frames.note(took_ns, now_ns)

    @property
    def recorded(self) -> bool:
        """Whether somebody records what is shown and listens to us."""
        return self._steering.connected

    def slept(self, since_ns: int, now_ns: int) -> None:
        """Go on from where the playhead was at ``since_ns``: nobody has seen what passed since."""
        self.deck.slept(since_ns, now_ns)

    def announce(self) -> None:
        """Tell the recorder, if there is one, that keys now come here."""
        self._steering.announce()

    def press(self, key: str, now_ns: int) -> None:
        """Take one key, by prompt_toolkit's name for it; keys without a meaning are ignored."""
        if self._dialog.typing is not None:
            self._type(key, now_ns)
        elif self._steering.asking is not None:
            if (answer := ANSWERS.get(key)) is not None:
                self._answer(answer, now_ns)
        elif self.browsing.page is Page.OPTIONS and key in OPTION_KEYS:
            rows, step = OPTION_KEYS[key]
            self._options.move(rows)
            self._turn_option(self._options.name if step else "", step, now_ns)
        elif self.browsing.page is Page.CHARTS and key in ZOOM_KEYS:
            self.tell(self._pages.zoom(self._replay, inward=ZOOM_KEYS[key]), now_ns)
        elif (wish := self._keys.get(key)) is not None:
            self._obey(wish, now_ns)
        elif len(key) == 1 and key in "0123456789":
            self._digit(int(key), now_ns)

    def scene(self, now_ns: int) -> Scene:
        """Return what there is to see at ``now_ns``. Cost: folding what passed since the last scene."""
        deck = self.deck
        self._source.poll(now_ns)
        self._steering.look()
        if told := deck.catch_up(now_ns):
            self.tell(told, now_ns)
        over = deck.over(now_ns)
        position = deck.position_ns(now_ns)
        if over:
            self._replay.seek_end()
        else:
            self._replay.seek(position)
        race = race_view(self._replay, streams=STREAMS, conditions=self._conditions)
        waiting = all(track.start_ns is None for track in self._replay.tracks.lanes.values())
        racing = Stage.GRID if waiting and not self._source.ended else Stage.RACING
        at = self.browsing
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
            question=self._steering.question,
            typing=self._dialog.typing, page=at.page,
            content=self._content(at.page, position),
            focus=at.focus, chosen=at.chosen, scroll=at.scroll, answered=at.answered, mode=self.mode, comments=said, newer=newer,
            moved=self._motion.frame(race, comments, now_ns, speed=head.speed, moves=not (over or head.paused)),
            recent={number: self._recent.of(fold) for number, fold in self._replay.lanes.items()} if at.page is Page.RACE else {},
        )  # fmt: skip

    def _content(self, page: Page, position_ns: int) -> object:
        """Return what ``page`` draws: a part of the story, or a view of the replay where it stands."""
        if page in (Page.ACHIEVEMENTS, Page.INSIGHTS):
            known = until(self.deck.story(), position_ns)
            mine = viewer_achievements(len(self.browsing.explained), known.achievements)
            return [*known.achievements, *mine] if page is Page.ACHIEVEMENTS else known
        if page is Page.OPTIONS:
            return self._options.view()
        return self._pages.content(page, self._replay, self._focus_lane(), self.browsing.reading)

    def _comments(self, position_ns: int) -> list[Comment]:
        """Return the commentary's last lines; an expert is only told of what went wrong, and asks for no more."""
        if self.mode == "expert" and not self._motion.on:
            return []
        told = self.deck.story().comments
        last = bisect_right(told, position_ns, key=lambda row: row.position_ns)
        levels = LEVELS[: LEVELS.index(self._options.settings.commentary) + 1]
        tones = ("warn", "error") if self.mode == "expert" else TONES
        return [row for row in told[max(0, last - KEPT) : last] if row.level in levels and row.tone in tones]

    def _focus_lane(self) -> int | None:
        lanes = list(self._replay.lanes)
        return lanes[self.browsing.focus] if lanes else None

    def _transport(self, position_ns: int, now_ns: int, *, over: bool) -> Transport:
        head, loop = self.playhead, self.playhead.loop
        running = not self._source.ended
        behind = self._source.edge_ns(now_ns) - position_ns
        return Transport(
            position_ns=position_ns, end_ns=self.deck.limit_ns(now_ns), speed=head.speed, paused=head.paused, over=over,
            live=running, behind_ns=0 if head.live or not running else max(0, behind),
            at_edge=head.live and running, controls=self._steering.connected,
            loop_ns=(loop.a_ns, loop.b_ns) if loop is not None else None, held_ns=self.deck.pauses(),
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
        return self._steering.notice()

    def tell(self, text: str, now_ns: int, lasts_ns: int = NOTICE_NS) -> None:
        """Show words for a while, or until there are others; none change nothing."""
        if text:
            self._dialog.notice, self._dialog.notice_until_ns = text, now_ns + lasts_ns

    def _digit(self, digit: int, now_ns: int) -> None:
        """Seek to so many tenths of a race that is over; choose the mode in one that runs."""
        if self._source.ended:
            self.deck.seek(self.deck.limit_ns(now_ns) * digit // 10, now_ns)
        elif 1 <= digit <= len(MODE_KEYS):
            self._obey(MODE_KEYS[digit - 1], now_ns)

    def _obey(self, wish: Do, now_ns: int) -> None:
        deck = self.deck
        plain: dict[Do, Callable[[int], str]] = {
            Do.PAUSE: deck.pause, Do.UNDO: deck.undo, Do.AB_LOOP: deck.ab_loop, Do.LOOP: deck.loop_all,
            Do.ALIGN: deck.align, Do.END: deck.go_end, Do.LIVE: deck.go_end,
        }  # fmt: skip
        if wish in plain:
            self.tell(plain[wish](now_ns), now_ns)
        elif wish in SEEK_NS:
            deck.move(SEEK_NS[wish], now_ns)
        elif wish in SPEEDS or wish is Do.NORMAL_SPEED:
            self.tell(deck.change_speed(wish, now_ns), now_ns)
        elif wish in (Do.STEP_BACK, Do.STEP_FORWARD):
            self.tell(deck.step(wish, now_ns), now_ns)
        elif wish in (Do.LAST_MOMENT, Do.NEXT_MOMENT):
            self.tell(deck.jump(wish, now_ns), now_ns)
        else:
            self._show(wish, now_ns)

    def _show(self, wish: Do, now_ns: int) -> None:
        """Obey what concerns the screen and the session, not the playhead."""
        match wish:
            case Do.START:
                self.deck.seek(0, now_ns)
            case Do.GO_TO:
                self._dialog.typing = ""
            case Do.MARK | Do.PAUSE_RACE | Do.RESTART | Do.ELIMINATE:
                self.tell(self._steer(wish, now_ns), now_ns)
            case Do.NEXT_LANE | Do.LAST_LANE:
                step = 1 if wish is Do.NEXT_LANE else -1
                self.browsing.choose((self.browsing.focus + step) % max(1, len(self._replay.lanes)))
            case Do.SCROLL_DOWN | Do.SCROLL_UP:
                self.browsing.scroll_by(1 if wish is Do.SCROLL_DOWN else -1)
            case Do.OPEN:
                self.browsing.open(self._content(self.browsing.page, self._replay.position_ns), self._busy())
            case Do.NOVICE | Do.EXPERT | Do.TEACHER:
                self._choose(MODES[MODE_KEYS.index(wish)], now_ns)
            case Do.THEME | Do.SNAPSHOT:
                self._ask_host(wish, now_ns)
            case Do.QUIT | Do.INTERRUPT:
                self._steering.leave(wish)
            case _:
                self.browsing.turn(wish, self._busy())

    def _busy(self) -> list[bool]:
        return [bool(fold.open) for fold in self._replay.lanes.values()]

    def point(self, pointed: Pointed, kind: str, now_ns: int) -> None:
        """Take a press, a drag or a turn of the wheel on what is shown."""
        if self._steering.asking is not None or self._dialog.typing is not None:
            return
        if kind in ("wheel-up", "wheel-down"):
            self.browsing.wheel(kind)
        elif pointed.share is not None:
            undoable = kind == "press"  # a drag is one seek, however many places it passes
            self.deck.seek(round(pointed.share * self.deck.limit_ns(now_ns)), now_ns, undoable=undoable)
        elif pointed.lane is not None and kind == "press":
            self._press_lane(pointed.lane, now_ns)

    def _press_lane(self, number: int, now_ns: int) -> None:
        """Choose a lane; one that was chosen already is shown in detail."""
        lanes = list(self._replay.lanes)
        if number not in lanes:
            return
        at = self.browsing
        again = at.chosen and lanes[at.focus] == number and at.page is Page.RACE
        at.choose(lanes.index(number))
        if again:
            at.turn(Do.DETAILS)
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
            self.deck.limit_idle(limit, now_ns)
        if self._host is not None:
            self.tell(self._host.adopt(name, settings), now_ns)

    def _choose(self, mode: Mode, now_ns: int) -> None:
        self.tell(f"{mode} mode", now_ns)
        self._adopt("mode", replace(self._options.settings, mode=mode), now_ns)

    def _ask_host(self, wish: Do, now_ns: int) -> None:
        if self._host is None:
            return
        if wish is Do.SNAPSHOT:
            self.tell(self._host.snapshot(), now_ns)
        else:
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
                    self.tell(self.deck.go_to(typed, now_ns), now_ns)
                except RacelogError as error:
                    self.tell(str(error), now_ns)
        elif key == "c-h":
            self._dialog.typing = typed[:-1] if typed else None
        elif len(key) == 1 and key.isprintable() and len(typed) < LONGEST_TYPED:
            self._dialog.typing = typed + key

    def _answer(self, wish: Do, now_ns: int) -> None:
        """Take an answer to the open question; a question about one lane goes on to another, which is chosen then."""
        if wish not in (Do.NEXT_LANE, Do.LAST_LANE):
            self.tell(self._steering.answer(wish), now_ns)
        elif (lane := self._steering.another(wish)) in self._replay.lanes:
            self.browsing.choose(list(self._replay.lanes).index(lane))

    def _steer(self, wish: Do, now_ns: int) -> str:
        """Mark, thin out, pause or restart the race itself while somebody records it; pause or restart the playing of it else."""
        if wish is Do.MARK:
            return self._steering.mark()
        if wish is Do.ELIMINATE:
            return self._steering.eliminate(self._focus_lane())
        if self._steering.connected and wish is Do.RESTART:
            return self._steering.restart()
        if self._steering.connected and not self._source.ended:
            return self._steering.pause()
        if wish is Do.PAUSE_RACE:
            return self.deck.pause(now_ns)
        self.deck.seek(0, now_ns)
        return "" if self._source.ended else NOBODY
