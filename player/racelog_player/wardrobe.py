"""Which theme is worn: chosen, changed, and remembered for the next time."""

from contextlib import suppress
from pathlib import Path

from racelog.errors import InputError
from racelog_player.memory import remember
from racelog_player.themes import Theme, find_theme, theme_names


class Wardrobe:
    """The themes there are, the one that is worn, and the home they are remembered in."""

    def __init__(self, home: Path, wanted: str = "") -> None:
        self.home = home
        self._folder = home / "themes"
        self.theme = find_theme(wanted or "default", self._folder)

    def change(self) -> Theme:
        """Return the next theme after the present one, now worn and remembered; files that are none are passed over."""
        names = theme_names(self._folder)
        here = names.index(self.theme.name) if self.theme.name in names else -1
        for name in [*names[here + 1 :], *names[: here + 1]]:
            with suppress(InputError):
                self.theme = find_theme(name, self._folder)
                break
        remember(self.home, theme=self.theme.name)
        return self.theme
