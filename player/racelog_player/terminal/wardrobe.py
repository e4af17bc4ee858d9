"""Which theme is worn, and which there are to wear."""

from pathlib import Path

from racelog.errors import InputError
from racelog_player.terminal.themes import Theme, find_theme, theme_names


class Wardrobe:
    """The themes there are and the one that is worn; ``home`` is where the user's own lie.

    Raises:
        InputError: there is no theme that is called ``wanted``.
    """

    def __init__(self, home: Path, wanted: str = "") -> None:
        self.home = home
        self._folder = home / "themes"
        self.theme = find_theme(wanted or "default", self._folder)

    def names(self) -> tuple[str, ...]:
        """Return the names of all themes that can be worn; files that are none are left out."""
        return tuple(name for name in theme_names(self._folder) if self._found(name) is not None)

    def wear(self, name: str) -> bool:
        """Wear a theme; return whether that is another one. One that is gone is not worn."""
        found = self._found(name or "default")
        changed = found is not None and found != self.theme
        self.theme = found or self.theme
        return changed

    def _found(self, name: str) -> Theme | None:
        try:
            return find_theme(name, self._folder)
        except InputError:
            return None
