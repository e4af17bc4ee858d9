"""The settings as a page shows them: what may be chosen for each, which one is looked at, and what comes next. Pure."""

from dataclasses import dataclass

from msgspec.structs import replace

from racelog_player.settings.keys import PRESETS
from racelog_player.settings.settings import FPS, NAMES, Settings

IDLE_LIMITS = ("", "500ms", "1s", "2s", "5s", "10s")

TOLD = {
    "theme": ("theme", "colours; put your own theme files into the folder themes"),
    "mode": ("mode", "novice explains, expert shows more numbers, teacher points and asks"),
    "keys": ("keys", "key preset: mpv, asciinema, rosbag or your file"),
    "commentary": ("commentary", "how many comments: quiet, normal, verbose"),
    "fps": ("frames a second", "fewer use less CPU; events are never dropped"),
    "motion": ("motion", "animated bars, places and pop-up messages"),
    "mouse": ("mouse", "off: the terminal selects text; on: hold shift to select"),
    "idle_limit": ("idle limit", "skip idle gaps longer than this"),
}  # fmt: skip
"""What each setting is called and what it does."""


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One setting as it is shown; ``chosen`` is looked at."""

    title: str
    value: str
    told: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class OptionsView:
    """The page of settings."""

    rows: tuple[OptionRow, ...]


class Options:
    """Walks the settings; `turned` says what one would become, and changes nothing."""

    def __init__(self, settings: Settings, themes: tuple[str, ...] = ("default",)) -> None:
        self.settings = settings
        self.themes = themes
        self._at = 0

    @property
    def name(self) -> str:
        """The setting that is looked at."""
        return NAMES[self._at]

    def move(self, rows: int) -> None:
        """Look at another one, round and round."""
        self._at = (self._at + rows) % len(NAMES)

    def turned(self, name: str, step: int) -> Settings:
        """Return the settings with ``name`` so many choices on; from a value of the user's own, the first."""
        choices, present = self._choices(name), getattr(self.settings, name)
        at = choices.index(present) + step if present in choices else 0
        return replace(self.settings, **{name: choices[at % len(choices)]})

    def view(self) -> OptionsView:
        """Return the page."""
        return OptionsView(
            tuple(
                OptionRow(
                    TOLD[name][0],
                    _words(name, getattr(self.settings, name)),
                    TOLD[name][1],
                    chosen=at == self._at,
                )
                for at, name in enumerate(NAMES)
            )
        )

    def _choices(self, name: str) -> tuple[object, ...]:
        return {
            "theme": self.themes,
            "mode": ("novice", "expert", "teacher"),
            "keys": tuple(PRESETS),
            "commentary": ("quiet", "normal", "verbose"),
            "fps": FPS,
            "idle_limit": IDLE_LIMITS,
        }.get(name, (False, True))


def _words(name: str, value: object) -> str:
    """Return a setting's value in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return (
        f"{value:g}"
        if isinstance(value, float | int)
        else str(value) or {"theme": "default"}.get(name, "none")
    )
