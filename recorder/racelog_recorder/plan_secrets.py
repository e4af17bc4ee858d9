"""What must never be shown or stored: which names and values could be secrets, and what stands in their place.

Too much removed costs a reader a detail; too little costs a user a key. Every rule here leans to the first.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from racelog.text import printable

REMOVED = "<removed>"
SHOWN_CHARACTERS = 60

_SECRET_NAME = re.compile(
    r"auth|key|token|cookie|secret|passw|credential|signature|session|jwt", re.IGNORECASE
)

_SECRET_SHAPES = re.compile(
    r"\b(?:bearer|basic)\s+(?=\S*[\d=])\S{8,}"  # an Authorization value, pasted whole
    r"|\b(?:sk|pk|rk)[-_][\w-]{8,}|\b(?:hf|gsk|ghp|gho|xai|nvapi)[-_]\w{16,}"  # the prefixes vendors use
    r"|\bAIza[\w-]{16,}|\bAKIA\w{12,}|\bxox[abp]-[\w-]{8,}|\beyJ[\w.-]{16,}"  # Google, AWS, Slack, a web token
    r"|(?<!\w)(?=\w*\d)(?=\w*[a-z])\w{32,}"  # a long run of letters and digits is no word
    r"|(?<![^\s/@:])[^\s/@:]+:[^\s/@]*@",  # user:password@
    re.IGNORECASE,
)
"""Every alternative starts at a boundary, so that the search stays linear on any text."""


SHORTEST_SECRET = 4
"""Shorter header values are no secrets, and removing them would make holes in ordinary words."""


def sounds_secret(name: str) -> bool:
    """Return True when a header, query or parameter of that name may hold a secret."""
    return _SECRET_NAME.search(name) is not None


def without_secrets(text: str) -> str:
    """Return ``text`` with everything that has the shape of a key replaced."""
    return _SECRET_SHAPES.sub(REMOVED, text)


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` without the given secrets and without anything else that has the shape of a key.

    Servers and libraries echo what they were sent in their error messages.
    """
    for secret in sorted(
        (secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True
    ):
        text = text.replace(secret, REMOVED)
    return without_secrets(text)


def shown(value: object) -> str:
    """Return ``value`` as an error message may show it: quoted if text, short, inert and without secrets."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{inert(value)}'" if isinstance(value, str) else inert(str(value))


def inert(text: str) -> str:
    """Return ``text`` short, on one line, obeyed by no terminal and without secrets; not quoted."""
    # Cut after removing, so that a long key is recognised whole; cut before too, so that cost is bounded.
    text = printable(without_secrets(text[: 16 * SHOWN_CHARACTERS]))
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def public_url(url: str) -> str:
    """Return ``url`` without user, password and fragment, its query's values removed.

    What does not parse as a URL loses everything up to its last ``@`` and after its first ``?``.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return without_secrets(url.rpartition("@")[2].partition("?")[0])
    host = parts.netloc.rpartition("@")[2]
    path = without_secrets(parts.path if host else parts.path.rpartition("@")[2])
    query = "&".join(f"{pair.partition('=')[0]}={REMOVED}" for pair in parts.query.split("&") if pair)
    return urlunsplit((parts.scheme, host, path, query, ""))


def public_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return ``headers`` with the values of secret-sounding names, and anything shaped like a key, removed."""
    return {
        name: REMOVED if sounds_secret(name) else without_secrets(value) for name, value in headers.items()
    }


def public_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return request parameters without secrets, at any depth; numbers (``max_tokens``) are none."""
    return {name: _public_value(name, value) for name, value in params.items()}


def _public_value(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return REMOVED if sounds_secret(name) else without_secrets(value)
    if isinstance(value, Mapping):
        return public_params(value)
    if isinstance(value, list):
        return [_public_value(name, item) for item in value]
    return value
