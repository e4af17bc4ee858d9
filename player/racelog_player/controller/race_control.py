"""What the user asks of a race that is being recorded: pause, resume, mark, restart, eliminate, stop. Each is a wish to the recorder.

Whether it was granted is not assumed: a pause is shown when the log has it.
"""

from enum import Enum

from racelog_player.controller.control_pipe import Control
from racelog_player.playback.source import Source
from racelog_player.settings.keys import Do
from racelog_player.terminal.cells import cut, flat

NOBODY = "nobody is recording; that needs a running `racelog record`"
NAME_CELLS = 24
"""So much of a name leaves room for the answers at 80 columns."""

GONE = "the recorder is gone; this is only a view now, q leaves"


class Asking(Enum):
    """A question that is open, in the words it is asked with."""

    STOP = "stop the race?  y yes · n no, race on"
    RESTART = "start over? this race ends here and its log is kept  y yes · n no, race on"
    ELIMINATE = "take {name} out of the race?  y yes · tab another · n no, race on"
    AGAIN = "race again, by the same plan?  y yes · n no"


class RaceControl:
    """Asks, warns and passes on; ``done`` says that the user has left the view."""

    def __init__(self, control: Control, source: Source) -> None:
        self.done = False
        self.asking: Asking | None = None
        self._control = control
        self._source = source
        self._ending = ""
        self._wished: bool | None = None
        self._lane = 0

    @property
    def connected(self) -> bool:
        """True while somebody records and listens."""
        return self._control.connected

    @property
    def question(self) -> str:
        """The open question in words; empty while there is none."""
        return "" if self.asking is None else self.asking.value.format(name=self._name())

    def announce(self) -> None:
        """Tell the recorder, if there is one, that keys now come here."""
        self._control.up()

    def look(self) -> None:
        """Take note of what the log says by now: an end, which leaves nothing to stop, or a pause that was granted."""
        if self._source.ended:
            self.asking = self.asking if self.asking is Asking.AGAIN else None
            self.done = self.done or self._ending == "restart"
        if self.asking is Asking.ELIMINATE and self._lane not in self._racing():
            self.asking = None
        if self._wished is self._held():
            self._wished = None

    def notice(self) -> str:
        """Return what is being waited for, or nothing."""
        if self._source.ended or not self._ending:
            return ""
        waits = {"stop": "stopping", "restart": "starting over"}[self._ending]
        return f"{waits}: waiting for the lanes to end"

    def pause(self) -> str:
        """Ask to pause the race, or to go on; return words about it."""
        held = self._held() if self._wished is None else self._wished
        if not (self._control.resume() if held else self._control.pause()):
            return NOBODY
        self._wished = not held
        return "the race goes on" if held else "pausing the race: what is open goes on, nothing new is sent"

    def mark(self) -> str:
        """Ask for a mark at this instant; return words about it."""
        sent = not self._source.ended and self._control.mark("user")
        return "marked" if sent else "nobody is recording; marks need a running `racelog record`"

    def restart(self) -> str:
        """Ask the user whether to begin the race anew; return words where nobody could do so."""
        if not self.connected:
            return NOBODY
        if not self._ending:
            self.asking = Asking.AGAIN if self._source.ended else Asking.RESTART
        return ""

    def eliminate(self, lane: int | None) -> str:
        """Ask the user whether to take ``lane`` out, or the first that still races; return words where that cannot be."""
        if self._source.ended or not self.connected:
            return NOBODY
        racing = self._racing()
        if racing and not self._ending:
            self.asking, self._lane = Asking.ELIMINATE, lane if lane in racing else racing[0]
        return ""

    def another(self, wish: Do) -> int | None:
        """Ask about the next or the last lane instead, where the question is about one; return its number."""
        racing = self._racing()
        if self.asking is not Asking.ELIMINATE or self._lane not in racing:
            return None
        step = 1 if wish is Do.NEXT_LANE else -1
        self._lane = racing[(racing.index(self._lane) + step) % len(racing)]
        return self._lane

    def leave(self, *, insisting: bool = False) -> None:
        """Leave a race that needs nobody; ask first where leaving would stop it. A second Ctrl+C leaves at once.

        It is passed on as well: the recorder stops the more firmly, the more often it is told to.
        """
        insists = bool(self._ending) and insisting
        if self._source.ended or not self.connected:
            self.done = True
        elif insists:
            self._control.stop()
            self.done = True
        elif not self._ending:
            self.asking = Asking.STOP

    def answer(self, wish: Do) -> str:
        """Take the answer to the open question; return words about it."""
        asked, self.asking = self.asking, None
        if wish is Do.INTERRUPT:
            if asked is Asking.STOP:
                self._control.stop()
                self.done = True
            else:
                self.leave(insisting=True)
            return ""
        if wish is Do.NO:
            return ""
        if asked is Asking.STOP:
            self._ending = "stop" if self._control.stop() else ""
            return "" if self._ending else GONE
        if asked is Asking.ELIMINATE:
            sent = self._control.eliminate(self._lane)
            return f"taking {self._name()} out: nothing more is sent to it" if sent else GONE
        self._ending = "restart" if self._control.restart() else ""
        self.done = asked is Asking.AGAIN and bool(self._ending)
        return "" if self._ending else GONE

    def _racing(self) -> list[int]:
        """Return the lanes that may still be taken out: not at their end, and not told to come to it."""
        tracks = self._source.tracks
        out = {order.lane for order in tracks.controls if order.what == "eliminate"}
        return [lane for lane, track in tracks.lanes.items() if track.end_ns is None and lane not in out]

    def _name(self) -> str:
        track = self._source.tracks.lanes.get(self._lane)
        return cut(flat(track.facts.engine), NAME_CELLS) if track is not None else ""

    def _held(self) -> bool:
        orders = [order.what for order in self._source.tracks.controls if order.what in ("pause", "resume")]
        return bool(orders) and orders[-1] == "pause"
