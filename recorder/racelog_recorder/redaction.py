"""What must never be shown or stored: which names and values could be secrets, and what stands in their place.

Too much removed costs a reader a detail; too little costs a user a key. Every rule here leans to the first.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from racelog.display.text import printable, shortened

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

TELLING = 8
"""So many first characters of a secret, or half of a shorter one, say too much of it."""


def sounds_secret(name: str) -> bool:
    """Return True when a header, query or parameter of that name may hold a secret."""
    return _SECRET_NAME.search(name) is not None


def without_secrets(text: str) -> str:
    """Return ``text`` with everything that has the shape of a key replaced."""
    return _SECRET_SHAPES.sub(REMOVED, text)


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` without the given secrets, their beginnings, and anything else that has the shape of a key.

    Servers and libraries echo what they were sent in their error messages; a message that was cut short may hold the
    beginning of a secret alone.
    """
    return without_secrets(without_known(text, secrets))


def without_known(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` without the given secrets and their beginnings; what only has the shape of a key stays."""
    known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
    for secret in sorted(known, key=len, reverse=True):
        text = _without(text, secret)
    return text


def _without(text: str, secret: str) -> str:
    """Return ``text`` with every occurrence of ``secret``, and of a telling beginning of it, replaced."""
    stem = secret[: _telling(secret)]
    kept: list[str] = []
    start = 0
    while (at := text.find(stem, start)) >= 0:
        kept += [text[start:at], REMOVED]
        pairs = zip(text[at : at + len(secret)], secret, strict=False)
        start = at + next((length for length, (a, b) in enumerate(pairs) if a != b), len(secret))
    return "".join([*kept, text[start:]])


class Hidden(NamedTuple):
    """A text that must not be shown, and how many of its first characters alone say too much: all, or fewer of a key."""

    value: str
    telling: int


def hidden_of(
    url: str, keys: Iterable[str], headers: Mapping[str, str], params: Mapping[str, Any]
) -> tuple[Hidden, ...]:
    """Return everything about an engine that may not be shown, as it is written there.

    Those are the key in every form in which it is sent, every header's value (its last word too, as in ``Bearer KEY``, where that sounds or looks like a key, and what
    a cookie sets), every value of the
    URL's query, its user and password, alone and as the header that they become, and text parameters with secret-sounding
    names. Of a header that does not sound secret the beginning may be an ordinary word, and only the whole is hidden; a
    short user beside a password (``admin``) is one, and an answer may say it.
    """
    keys = {*keys, *_secret_params("", dict(params)), *_secrets_of_url(url)}
    plain: set[str] = set()
    for name, value in headers.items():
        if sounds_secret(name):
            crumbs = {crumb.strip().partition("=")[2] for crumb in value.split(";")}
            keys |= {value, value.rpartition(" ")[2], *crumbs}
        else:
            word = value.rpartition(" ")[2]
            plain |= {value, word} if len(word) >= TELLING and any(map(str.isdigit, word)) else {value}
    hidden = {Hidden(value, _telling(value)) for value in keys if value}
    return tuple(sorted(hidden | {Hidden(value, len(value)) for value in plain - keys if value}))


def _secrets_of_url(url: str) -> set[str]:
    try:
        parts = urlsplit(url)
        user, password = parts.username or "", parts.password or ""
        values = {password, *(value for _, value in parse_qsl(parts.query))}
    except ValueError:  # no URL: nothing is sent, nothing comes back
        return set()
    if not password or len(user) >= TELLING:
        values.add(user)
    if user or password:
        values.add(b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode())
    return values | {pair.partition("=")[2] for pair in parts.query.split("&")}


def _user_of(url: str) -> str:
    try:
        return urlsplit(url).username or ""
    except ValueError:
        return ""


def _telling(value: str) -> int:
    """Return how many first characters of a key say too much of it."""
    return min(len(value), max(SHORTEST_SECRET, min(TELLING, len(value) // 2)))


def secrets_of(
    url: str, keys: Iterable[str], headers: Mapping[str, str], params: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return what `hidden_of` an engine does, in each form that a server may echo it in.

    As it is, percent-encoded and decoded, and as JSON and Python write it.
    """
    values = {one.value for one in hidden_of(url, keys, headers, params)} | {_user_of(url)}
    forms = (
        str,
        quote,
        unquote,
        lambda value: quote(value, safe=""),
        lambda value: json.dumps(value)[1:-1],
        lambda value: repr(value)[1:-1],
    )
    return tuple(sorted({form(value) for value in values for form in forms if value}))


def _secret_params(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, str) and sounds_secret(name):
        yield value
    elif isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _secret_params(str(inner), item)
    elif isinstance(value, list):
        for item in value:
            yield from _secret_params(name, item)


def shown(value: object) -> str:
    """Return ``value`` as an error message may show it: quoted if text, short, inert and without secrets."""
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"'{inert(value)}'" if isinstance(value, str) else inert(str(value))


def not_text(value: object, what: str = "text") -> str:
    """Return what is wrong with a value that should be ``what``, and what would make it so."""
    several = isinstance(value, list | dict)
    return f"{shown(value)} is not {what}; {'give a single one' if several else 'put it in quotes'}"


def inert(text: str) -> str:
    """Return ``text`` short, on one line, obeyed by no terminal and without secrets; not quoted."""
    # Cut after removing, so that a long key is recognised whole; cut before too, so that cost is bounded.
    text = printable(without_secrets(text[: 16 * SHOWN_CHARACTERS]))
    return shortened(text, SHOWN_CHARACTERS)


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
    """Return ``headers`` without their values: a user's header says who is asking, whatever it is called."""
    return dict.fromkeys(headers, REMOVED)


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


TIMINGS_KEPT = 64
TIMING_CHARACTERS = 200


def public_timings(timings: Mapping[str, Any], secrets: Iterable[str]) -> dict[str, Any]:
    """Return a server's timings as the log may hold them: numbers and short texts without secrets, the first `TIMINGS_KEPT`.

    llama.cpp sends 9 numbers; what is nested deeper is no timing.
    """
    known = tuple(secrets)

    def text(said: str) -> str:
        return scrubbed(said[: 8 * TIMING_CHARACTERS], known)[:TIMING_CHARACTERS]

    kept = (
        (name, value)
        for name, value in timings.items()
        if value is None or isinstance(value, int | float | str)
    )
    return {
        text(name): text(value) if isinstance(value, str) else value
        for name, value in islice(kept, TIMINGS_KEPT)
    }
