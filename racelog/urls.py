"""URLs as they may be shown: what stands before ``@``, after ``?`` and after ``#`` may be a secret and never is."""

import re
from urllib.parse import urlsplit

_URL = re.compile(r"""[A-Za-z][A-Za-z0-9+.-]{0,31}:/{1,3}[^\s'"<>|\\^`]*""")
"""A URL in running text; with one slash, as a path makes of it. A scheme has an end, so that a long word costs no more than itself."""

_SECRET = re.compile(r"[@?#]")


def public_url(url: str) -> str:
    """Return a URL without what may be a secret: the user, the password, the query, the fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{url.partition('://')[0]}://..."
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def without_url_secrets(text: str) -> str:
    """Return ``text`` with every URL in it that may hold a secret as `public_url` has it; all else as it is."""
    return _URL.sub(_shown, text) if ":/" in text else text


def _shown(found: re.Match[str]) -> str:
    url = found[0]
    if not _SECRET.search(url):
        return url
    scheme, _, rest = url.partition(":")
    return public_url(f"{scheme}://{rest.lstrip('/')}")
