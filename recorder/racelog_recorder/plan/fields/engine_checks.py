"""The checks of an engine's fields: who it is, where it is, and what it is sent beside a request's body.

As in `checks`, a check returns the value as the plan keeps it or raises `FieldError`. A value that may be a secret is never
shown.
"""

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

import wcwidth

from racelog.display.text import printable
from racelog.errors import PluginError
from racelog_recorder.dialects.registry import BUILTIN, DIALECTS
from racelog_recorder.plan.fields.checks import MAX_NAME, FieldError, text
from racelog_recorder.redaction import public_url, shown, without_secrets

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

ENV_PATTERN = r"^[A-Z_][A-Z0-9_]{0,127}$"
HEADER_PATTERN = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"
COLOR_PATTERN = r"^#[0-9A-Fa-f]{6}$"
ENDINGS = sorted(
    (f"/{dialect.path}" for dialect in map(DIALECTS.__getitem__, BUILTIN)), key=len, reverse=True
)
"""What no base URL ends in: where our dialects' requests go, the longest first, of which another may be the end."""

FRAMING_HEADERS = ("content-length", "transfer-encoding")


def dialect(value: Any) -> str:
    """Return ``value`` if it names a dialect.

    Raises:
        FieldError: no dialect has that name, or the package that adds it cannot be used.
    """
    try:
        known = isinstance(value, str) and value in DIALECTS
    except PluginError as error:
        raise FieldError(str(error)) from error
    if not known:
        raise FieldError(f"{shown(value)} is not a dialect; give one of {', '.join(DIALECTS)}")
    return str(value)


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
