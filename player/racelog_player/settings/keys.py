"""What each key asks for. Names are prompt_toolkit's key names, so that this module needs none of it.

Digits are not here: they seek in a race that is over, and choose the mode in one that still runs, where "half of
it" means nothing yet.
"""

from enum import Enum, auto


class Do(Enum):
    """Everything a key can ask of the player. In a file of keys these are written like ``nudge-back``."""

    PAUSE = auto()
    BACK = auto()
    FORWARD = auto()
    NUDGE_BACK = auto()
    NUDGE_FORWARD = auto()
    INCH_BACK = auto()
    INCH_FORWARD = auto()
    MINUTE_BACK = auto()
    MINUTE_FORWARD = auto()
    STEP_BACK = auto()
    STEP_FORWARD = auto()
    FASTER = auto()
    SLOWER = auto()
    DOUBLE_SPEED = auto()
    HALF_SPEED = auto()
    NORMAL_SPEED = auto()
    START = auto()
    END = auto()
    LAST_MOMENT = auto()
    NEXT_MOMENT = auto()
    GO_TO = auto()
    UNDO = auto()
    AB_LOOP = auto()
    LOOP = auto()
    ALIGN = auto()
    LIVE = auto()
    MARK = auto()
    PAUSE_RACE = auto()
    RESTART = auto()
    ELIMINATE = auto()
    SNAPSHOT = auto()
    NEXT_LANE = auto()
    LAST_LANE = auto()
    OPEN = auto()
    SCROLL_DOWN = auto()
    SCROLL_UP = auto()
    INSPECTOR = auto()
    TIMELINE = auto()
    CHARTS = auto()
    DETAILS = auto()
    EXPLAIN = auto()
    ACHIEVEMENTS = auto()
    INSIGHTS = auto()
    HEALTH = auto()
    HELP = auto()
    OPTIONS = auto()
    CLOSE = auto()
    NOVICE = auto()
    EXPERT = auto()
    TEACHER = auto()
    THEME = auto()
    QUIT = auto()
    INTERRUPT = auto()
    YES = auto()
    NO = auto()

    @property
    def word(self) -> str:
        """How it is written in a file of keys."""
        return self.name.lower().replace("_", "-")


KeyMap = dict[str, Do]

KEYS: KeyMap = {
    " ": Do.PAUSE, "p": Do.PAUSE_RACE, "r": Do.RESTART, "x": Do.ELIMINATE,
    "left": Do.BACK, "right": Do.FORWARD, "s-left": Do.NUDGE_BACK, "s-right": Do.NUDGE_FORWARD,
    "c-left": Do.INCH_BACK, "c-right": Do.INCH_FORWARD, ",": Do.STEP_BACK, ".": Do.STEP_FORWARD,
    "up": Do.FASTER, "down": Do.SLOWER, "+": Do.FASTER, "-": Do.SLOWER,
    "}": Do.DOUBLE_SPEED, "{": Do.HALF_SPEED, "=": Do.NORMAL_SPEED, "c-h": Do.NORMAL_SPEED,
    "home": Do.START, "g": Do.START, "end": Do.END, "G": Do.END,
    "[": Do.LAST_MOMENT, "pageup": Do.LAST_MOMENT, "]": Do.NEXT_MOMENT, "pagedown": Do.NEXT_MOMENT,
    ":": Do.GO_TO, "u": Do.UNDO, "l": Do.AB_LOOP, "L": Do.LOOP, "A": Do.ALIGN,
    "f": Do.LIVE, "m": Do.MARK, "s": Do.SNAPSHOT,
    "c-i": Do.NEXT_LANE, "s-tab": Do.LAST_LANE, "c-m": Do.OPEN, "j": Do.SCROLL_DOWN, "k": Do.SCROLL_UP,
    "i": Do.INSPECTOR, "t": Do.TIMELINE, "c": Do.CHARTS, "d": Do.DETAILS, "e": Do.EXPLAIN,
    "a": Do.ACHIEVEMENTS, "n": Do.INSIGHTS, "H": Do.HEALTH, "o": Do.OPTIONS, "?": Do.HELP, "h": Do.HELP, "escape": Do.CLOSE,
    "f1": Do.NOVICE, "f2": Do.EXPERT, "f3": Do.TEACHER, "T": Do.THEME,
    "q": Do.QUIT, "c-c": Do.INTERRUPT, "<sigint>": Do.INTERRUPT,
}  # fmt: skip

ANSWERS: KeyMap = {
    "y": Do.YES, "n": Do.NO, "escape": Do.NO, "q": Do.NO, "c-c": Do.INTERRUPT, "<sigint>": Do.INTERRUPT,
    "c-i": Do.NEXT_LANE, "s-tab": Do.LAST_LANE,
}  # fmt: skip
"""What keys mean while a question is open, whatever they are bound to."""

OPTION_KEYS: dict[str, tuple[int, int]] = {
    "up": (-1, 0), "k": (-1, 0), "down": (1, 0), "j": (1, 0),
    "left": (0, -1), "right": (0, 1), "c-m": (0, 1), " ": (0, 1),
}  # fmt: skip
"""On the page of settings: rows to move by, and choices to turn the setting by, whatever the keys are bound to."""

ZOOM_KEYS = {"+": True, "-": False}
"""What these keys mean on the charts, whatever they are bound to: a shorter stretch, or a longer one."""

PRESETS: dict[str, KeyMap] = {
    "default": {},
    "mpv": {
        "[": Do.SLOWER, "]": Do.FASTER, "up": Do.MINUTE_FORWARD, "down": Do.MINUTE_BACK, "c-h": Do.NORMAL_SPEED,
        "!": Do.LAST_MOMENT, "@": Do.NEXT_MOMENT,
    },
    "asciinema": {"s-left": Do.MINUTE_BACK, "s-right": Do.MINUTE_FORWARD, ">": Do.FASTER, "<": Do.SLOWER},
    "rosbag": {"right": Do.STEP_FORWARD, "left": Do.STEP_BACK, "b": Do.BACK},
}  # fmt: skip
"""What differs from our keys for hands that know another player: its keys first, ours where it has none."""

SEEK_NS = {
    Do.BACK: -5_000_000_000,
    Do.FORWARD: 5_000_000_000,
    Do.NUDGE_BACK: -1_000_000_000,
    Do.NUDGE_FORWARD: 1_000_000_000,
    Do.INCH_BACK: -100_000_000,
    Do.INCH_FORWARD: 100_000_000,
    Do.MINUTE_BACK: -60_000_000_000,
    Do.MINUTE_FORWARD: 60_000_000_000,
}

MODES = (Do.NOVICE, Do.EXPERT, Do.TEACHER)
"""What the digits 1, 2 and 3 choose while a race runs; F1 to F3 do always."""
