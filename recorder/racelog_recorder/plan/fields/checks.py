"""One check per kind of field in a race plan. Pure, and blind to where a value came from.

A check returns the value as the plan keeps it, or raises `FieldError` with what was given and what is allowed; who
calls it adds the place.
"""

import difflib
import math
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import wcwidth

from racelog.display.text import printable
from racelog_recorder.dialects.registry import BUILTIN, DIALECTS
from racelog_recorder.plan.deadlines import DEADLINE_NAMES, MAX_DEADLINE_S
from racelog_recorder.redaction import not_text, public_url, shown, without_secrets

MIN_ENGINES, MAX_ENGINES = 1, 10
MAX_REQUESTS = 10_000_000
MAX_CONCURRENCY = 10_000
MAX_WARMUP = 10_000
MAX_SEED = 2**63 - 1
MAX_DURATION_S = 7 * 24 * 3600
MAX_GRACE_S = 3600
MAX_PROMPTS = 100_000
MAX_TOKENS = 10_000_000
MAX_NAME = 64
MAX_MODEL = 256
MAX_URL = 2048
MAX_EMOJI = 8

COLORS = {
    "amber": "#f59e0b", "aqua": "#00ffff", "black": "#000000", "blue": "#0000ff", "brown": "#a52a2a",
    "coral": "#ff7f50", "crimson": "#dc143c", "cyan": "#00ffff", "fuchsia": "#ff00ff", "gold": "#ffd700",
    "gray": "#808080", "green": "#008000", "grey": "#808080", "hotpink": "#ff69b4", "indigo": "#4b0082",
    "khaki": "#f0e68c", "lavender": "#e6e6fa", "lime": "#00ff00", "magenta": "#ff00ff", "maroon": "#800000",
    "navy": "#000080", "olive": "#808000", "orange": "#ffa500", "orchid": "#da70d6", "pink": "#ffc0cb",
    "plum": "#dda0dd", "purple": "#800080", "red": "#ff0000", "royalblue": "#4169e1", "salmon": "#fa8072",
    "silver": "#c0c0c0", "skyblue": "#87ceeb", "steelblue": "#4682b4", "tan": "#d2b48c", "teal": "#008080",
    "tomato": "#ff6347", "turquoise": "#40e0d0", "violet": "#ee82ee", "white": "#ffffff", "yellow": "#ffff00",
}  # fmt: skip
"""CSS names (and amber, which everyone expects) with the values CSS gives them."""

DURATION_PATTERN = r"^(?=.)(\d+h)?(\d+m(?!s))?(\d+(\.\d+)?s|\d+ms)?$"
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s|(\d+)ms)?")
ENV_PATTERN = r"^[A-Z_][A-Z0-9_]{0,127}$"
HEADER_PATTERN = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
COLOR_PATTERN = r"^#[0-9A-Fa-f]{6}$"

MINUTES_FROM_S = 600
"""From here a span is said in minutes: 10m, but 120s."""

RESERVED_PARAMS = {
    "messages": "the prompts of the race are the messages; see 'prompts'",
    "model": "name the model in the engine's 'model'",
    "stream": "racelog always streams: without a stream there are no tokens to time",
}


ENDINGS = sorted((f"/{dialect.path}" for dialect in BUILTIN.values()), key=len, reverse=True)
"""What no base URL ends in: where our dialects' requests go, the longest first, of which another may be the end."""

FRAMING_HEADERS = ("content-length", "transfer-encoding")


class FieldError(ValueError):
    """A value is not what its field allows; says what was given and what is allowed, not where."""


def text(limit: int, *, empty: bool = True) -> Callable[[Any], str]:
    """Return a check for one line of text of at most ``limit`` characters."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise FieldError(not_text(value))
        if not empty and not value.strip():
            raise FieldError("must not be empty")
        if len(value) > limit:
            raise FieldError(f"{len(value):,} characters are too many; at most {limit:,}")
        if printable(value) != value:
            raise FieldError(f"{shown(value)} holds a control character; write one line of visible text")
        return value.strip()

    return check


def whole(low: int, high: int) -> Callable[[Any], int]:
    """Return a check for a whole number from ``low`` to ``high``."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise FieldError(f"{shown(value)} is not a whole number; give {low:,} to {high:,}")
        if not low <= value <= high:
            raise FieldError(f"{shown(value)} is out of range; give {low:,} to {high:,}")
        return value

    return check


def yes_or_no(value: Any) -> bool:
    """Return a truth value as it is.

    Raises:
        FieldError: it is something else, such as the text "no".
    """
    if not isinstance(value, bool):
        raise FieldError(f"{shown(value)} is neither true nor false")
    return value


def number_text(value: float) -> str:
    """Return a number of a plan as a file would give it: ``0.25``, ``99.9``, ``12000``."""
    return f"{value:.10g}"


def span_text(seconds: float) -> str:
    """Return ``90s`` for 90.0, ``10m`` for 600.0, ``2h`` for 7200.0: text that `seconds` takes back."""
    for unit, size_s, least_s in (("h", 3600, 3600), ("m", 60, MINUTES_FROM_S)):
        if seconds >= least_s and seconds % size_s == 0:
            return f"{seconds / size_s:g}{unit}"
    return f"{number_text(seconds)}s"


def seconds(limit_s: int, *, zero: bool) -> Callable[[Any], float]:
    """Return a check for a span of time up to ``limit_s``: a number of seconds, or text such as ``2m`` or ``1h30m``."""
    allowed = f"give seconds or text such as '30s' or '2m', {'from 0' if zero else 'above 0'} up to {span_text(limit_s)}"

    def check(value: Any) -> float:
        if isinstance(value, str):
            found = _DURATION.fullmatch(value.strip())
            if not found or not value.strip():
                raise FieldError(f"{shown(value)} is not a span of time; {allowed}")
            hours, minutes, secs, millis = (float(part or 0) for part in found.groups())
            amount = hours * 3600 + minutes * 60 + secs + millis / 1000
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise FieldError(f"{shown(value)} is not a span of time; {allowed}")
        else:
            amount = value if abs(value) <= limit_s else math.inf
        if not (0 <= amount <= limit_s) or (amount == 0 and not zero):
            raise FieldError(f"{shown(value)} is out of range; {allowed}")
        return float(amount)

    return check


def one_of(names: Sequence[str], what: str) -> Callable[[Any], str]:
    """Return a check for one of ``names``, each of which is ``what`` (with its article)."""
    *others, last = [f"'{name}'" for name in names]
    allowed = f"{', '.join(others)} or {last}"

    def check(value: Any) -> str:
        if value not in names:
            raise FieldError(f"{shown(value)} is not {what}; give {allowed}")
        return str(value)

    return check


def dialect(value: Any) -> str:
    """Return ``value`` if it names a dialect.

    Raises:
        FieldError: no dialect has that name.
    """
    if not isinstance(value, str) or value not in DIALECTS:
        raise FieldError(f"{shown(value)} is not a dialect; give one of {', '.join(DIALECTS)}")
    return str(value)


def deadline(name: str, value: Any) -> float:
    """Return one deadline in seconds.

    Raises:
        FieldError: there is no such deadline, or the value is no span of time within its bounds.
    """
    if name not in DEADLINE_NAMES:
        close = difflib.get_close_matches(name, DEADLINE_NAMES, n=1)
        hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(DEADLINE_NAMES)}"
        raise FieldError(f"is not a deadline; {hint}")
    return seconds(MAX_DEADLINE_S, zero=False)(value)


def url(value: Any) -> str:
    """Return an OpenAI base URL without a trailing slash; a secret in it is refused and never shown.

    Raises:
        FieldError: it is no http or https URL, holds a user or password, ends in a request's path or has a ``#`` part.
    """
    if not isinstance(value, str) or not value.strip():
        raise FieldError(
            f"{shown(value)} is not a URL; give an OpenAI base URL such as 'http://localhost:8000/v1'"
        )
    address = value.strip()
    safe = shown(public_url(address))
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if (
        not usable
        or len(address) > MAX_URL
        or any(letter.isspace() for letter in address)
        or printable(address) != address
    ):
        raise FieldError(f"{safe} is not an http:// or https:// URL such as 'http://localhost:8000/v1'")
    if not _port_usable(parts):
        raise FieldError(f"{safe}: the port is not a number from 1 to 65535")
    if parts.username is not None or parts.password is not None:
        raise FieldError("a user or password must not stand in the URL; use api_key_env or headers instead")
    path = parts.path.rstrip("/")
    for ending in ENDINGS:
        if path.endswith(ending):
            raise FieldError(f"{safe} ends in {ending}; cut that off, the base URL is what is wanted")
    if parts.fragment:
        raise FieldError(f"{safe} has a '#' part, which no server ever sees; cut it off")
    return parts._replace(path=path).geturl()


def _port_usable(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:  # no number, or beyond 65535
        return False


def emoji(value: Any) -> str:
    """Return ``value`` if it is a single emoji, or a mark no wider than one.

    Raises:
        FieldError: it is no text, too long, or wider than one emoji.
    """
    mark = text(MAX_EMOJI)(value)
    if wcwidth.wcswidth(mark) > 2:  # noqa: PLR2004 - the columns of one emoji
        raise FieldError(f"{shown(value)} is wider than one emoji; give one, such as '🚀'")
    return mark


def color(value: Any) -> str:
    """Return ``#rrggbb`` in lower case, for a CSS name too; empty stays empty.

    Raises:
        FieldError: it is neither ``#rrggbb`` nor a name that is known.
    """
    name = text(MAX_NAME)(value).lower()
    if not name or re.match(COLOR_PATTERN, name):
        return name
    if name not in COLORS:
        raise FieldError(f"{shown(value)} is not a colour; give '#rrggbb' or a CSS name such as 'teal'")
    return COLORS[name]


def api_key_env(value: Any) -> str:
    """Return the NAME of an environment variable; anything else may be the key itself and is never shown.

    Raises:
        FieldError: no environment variable is called so.
    """
    if value == "":
        return ""
    if not isinstance(value, str) or not re.fullmatch(ENV_PATTERN, value) or without_secrets(value) != value:
        raise FieldError(
            "is not the name of an environment variable; write the variable's name in capitals, such as"
            " OPENAI_API_KEY, never the key itself"
        )
    return value


def header(name: str, value: Any) -> str:
    """Return a header's value; the value is never shown, it may be a secret.

    Raises:
        FieldError: the name is no header's or one that racelog sets itself, or the value is not visible ASCII on one line.
    """
    if not re.fullmatch(HEADER_PATTERN, name):
        raise FieldError(f"{shown(name)} is not a header name")
    if name.lower() in FRAMING_HEADERS:
        raise FieldError("says how long the body is, which racelog knows for each request; leave it out")
    if not isinstance(value, str):
        raise FieldError("a header's value must be text; put it in quotes")
    if not value.isprintable() or not value.isascii():
        raise FieldError("a header's value must be visible ASCII on one line")
    return value.strip()


def param(name: str, value: Any) -> Any:
    """Return a request parameter as it goes into the JSON body.

    Raises:
        FieldError: racelog sets it itself, it asks for several answers, or JSON cannot carry it.
    """
    if name in RESERVED_PARAMS:
        raise FieldError(f"is not a parameter of a race: {RESERVED_PARAMS[name]}")
    if name == "n" and value != 1:
        raise FieldError(
            f"{shown(value)} asks for several answers to one request, whose texts and times would be mixed; leave it out, and "
            "send more requests"
        )
    _json_value(value)
    return value


def _json_value(value: Any) -> None:
    """Let pass what JSON can carry, at any depth.

    Raises:
        FieldError: it holds a number without a JSON form, or text that is no Unicode.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            _json_value(name)
            _json_value(item)
    elif isinstance(value, list):
        for item in value:
            _json_value(item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise FieldError(f"{shown(value)} cannot be written as JSON; give a finite number")
    elif isinstance(value, int) and abs(value) > MAX_SEED:
        raise FieldError("the number does not fit in 64 bits")
    elif isinstance(value, str) and not value.isascii():
        require_utf8(value)


def require_utf8(value: str) -> None:
    """Let pass text that UTF-8 can carry, and so a JSON body.

    Raises:
        FieldError: it holds half of a surrogate pair; the message says where.
    """
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise FieldError(
            f"character {error.start + 1} is half of a surrogate pair; write the character itself"
        ) from None
