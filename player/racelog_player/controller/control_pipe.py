"""The way back from the view to the recorder: wishes (`racelog.live`) on a pipe that it handed us."""

import os

from racelog.live import Wish, wish_line


class Control:
    """Sends wishes to whoever records; without a peer, or once it is gone, the view is only a view."""

    def __init__(self, fd: int | None = None) -> None:
        self._fd = fd

    @property
    def connected(self) -> bool:
        """True while somebody seems to listen."""
        return self._fd is not None

    def up(self) -> bool:
        """Tell that the view has the terminal: from now on a Ctrl+C is a key, and asks before it stops."""
        return self._send(Wish("up"))

    def stop(self) -> bool:
        """Ask to end the race early; return whether the wish was sent."""
        return self._send(Wish("stop"))

    def restart(self) -> bool:
        """Ask to end this race, if it runs, and to begin another by the same plan; return whether the wish was sent."""
        return self._send(Wish("restart"))

    def pause(self) -> bool:
        """Ask that no further request is sent until `resume`; what is open goes on. Return whether the wish was sent."""
        return self._send(Wish("pause"))

    def resume(self) -> bool:
        """Ask to go on after a pause; return whether the wish was sent."""
        return self._send(Wish("resume"))

    def eliminate(self, lane: int) -> bool:
        """Ask to take one lane out of the race; return whether the wish was sent."""
        return self._send(Wish("eliminate", lane=lane))

    def mark(self, label: str) -> bool:
        """Ask for a mark named ``label`` now; return whether the wish was sent."""
        return self._send(Wish("mark", label=label))

    def _send(self, wish: Wish) -> bool:
        if self._fd is None:
            return False
        try:
            os.write(self._fd, wish_line(wish))
        except OSError:  # the recorder is gone: we carry on as a viewer
            self._fd = None
            return False
        return True
