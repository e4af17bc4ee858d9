"""What each key asks for. Names are prompt_toolkit's key names, so that this module needs none of it."""

from enum import Enum, auto


class Do(Enum):
    """Everything a key can ask of the player."""

    PAUSE = auto()
    BACK = auto()
    FORWARD = auto()
    NUDGE_BACK = auto()
    NUDGE_FORWARD = auto()
    FASTER = auto()
    SLOWER = auto()
    NORMAL_SPEED = auto()
    START = auto()
    END = auto()
    LAST_MOMENT = auto()
    NEXT_MOMENT = auto()
    LIVE = auto()
    MARK = auto()
    HELP = auto()
    CLOSE = auto()
    QUIT = auto()
    INTERRUPT = auto()
    YES = auto()
    NO = auto()


KEYS: dict[str, Do] = {
    " ": Do.PAUSE, "p": Do.PAUSE,
    "left": Do.BACK, "right": Do.FORWARD, "s-left": Do.NUDGE_BACK, "s-right": Do.NUDGE_FORWARD,
    "up": Do.FASTER, "down": Do.SLOWER, "+": Do.FASTER, "-": Do.SLOWER, "=": Do.NORMAL_SPEED,
    "home": Do.START, "g": Do.START, "end": Do.END, "G": Do.END,
    "[": Do.LAST_MOMENT, "pageup": Do.LAST_MOMENT, "]": Do.NEXT_MOMENT, "pagedown": Do.NEXT_MOMENT,
    "f": Do.LIVE, "m": Do.MARK, "?": Do.HELP, "h": Do.HELP, "escape": Do.CLOSE,
    "q": Do.QUIT, "c-c": Do.INTERRUPT, "<sigint>": Do.INTERRUPT,
    "y": Do.YES, "n": Do.NO,
}  # fmt: skip

STEP_NS = {
    Do.BACK: -5_000_000_000,
    Do.FORWARD: 5_000_000_000,
    Do.NUDGE_BACK: -1_000_000_000,
    Do.NUDGE_FORWARD: 1_000_000_000,
}

HELP: list[tuple[str, str]] = [
    ("space", "pause, go on, and at the end: play again"),
    ("← →", "5 seconds back or forward; with shift 1 second"),
    ("↑ ↓", "faster, slower: 0.1× to 16× and max"),  # noqa: RUF001 - the sign we show
    ("=", "normal speed"),
    ("0 - 9", "jump to 0 % - 90 % of the race"),
    ("home end", "the start, the end (also g and G)"),
    ("[ ]", "the last or next moment: first token, new leader, finish"),
    ("f", "back to the live edge of a running race"),
    ("m", "set a mark in a race that is being recorded"),
    ("q", "leave (Ctrl+C too)"),
]
