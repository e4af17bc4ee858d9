"""The logs that a web server's page of a folder links to: what nginx, Apache and `python -m http.server` show of one.

A page is hostile text. Of its links only the names count, of files in the page's own folder: an address is made of the
folder's and a name, so no page leads anywhere else. Found by pattern, for Python's HTML parser takes quadratic time.
"""

import html
import re
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from http.client import HTTPException, HTTPResponse
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit
from urllib.request import Request

from racelog.errors import InputError, LogError
from racelog.log.format.names import SEGMENT_SUFFIX
from racelog.query.sources.https import ask, bare

MOST_PAGE_BYTES = 8 << 20
"""Room for 10,000 links of 800 bytes; Apache's fancy table takes 300 for one."""

MOST_PAGE_S = 60
_PART_BYTES = 1 << 16

_LINK = re.compile(r"""<a\s[^<>]*?\bhref\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([^\s"'<>]+))""", re.IGNORECASE)
_ABSENT = frozenset({403, 404, 410})
"""What servers answer that have no page of a folder, or keep it to themselves."""


def linked_logs(url: str, shown: str) -> list[str]:
    """Return the addresses of the logs that match ``url``, a folder's and a pattern for names, in order of their names.

    The user, the password and the query of ``url`` are in each of them.

    Raises:
        InputError: there is no page of the folder that links to a log, or it is too large.
        LogError: the server does not answer.
    """
    parts = urlsplit(url)
    folder, _, pattern = parts.path.rpartition("/")
    page = urlunsplit((*parts[:2], f"{folder}/", parts.query, ""))
    names = sorted(set(_names(_text(page, shown), page)))
    if not names:
        raise InputError(_refusal(shown, "its folder's page links to no log"))
    return [
        urlunsplit((*parts[:2], f"{folder}/{quote(name)}", parts.query, ""))
        for name in names
        if fnmatchcase(name, unquote(pattern))
    ]


def _names(text: str, page: str) -> Iterator[str]:
    """Yield the name of each log in the page's own folder that ``text`` links to."""
    here = urlsplit(page)
    for found in _LINK.finditer(text):
        link = html.unescape(next(filter(None, found.groups()), ""))
        try:
            there = urlsplit(urljoin(urlunsplit((*here[:3], "", "")), link))
        except ValueError:
            continue  # no address at all
        folder, _, name = unquote(there.path).rpartition("/")
        if there[:2] == here[:2] and f"{folder}/" == unquote(here.path) and name.endswith(SEGMENT_SUFFIX):
            yield name


def _text(page: str, shown: str) -> str:
    """Return what a page says.

    Raises:
        InputError: it is no page, leads elsewhere, or is too large.
        LogError: the server does not answer.
    """
    address, login = bare(page)
    try:
        with ask(Request(address, headers={"Accept-Encoding": "identity"}), login, shown) as answer:  # noqa: S310 - http and https alone come here
            if answer.geturl() != address:
                raise InputError(_refusal(shown, "its folder's address leads elsewhere"))
            if answer.headers.get_content_type() not in ("text/html", "application/xhtml+xml"):
                raise InputError(_refusal(shown, "its folder has no page of links"))
            return _bounded(answer, shown).decode("utf-8", "replace")
    except LogError as error:
        cause = error.__cause__
        if isinstance(cause, HTTPError) and cause.code in _ABSENT:
            raise InputError(_refusal(shown, f"its folder has no page: HTTP {cause.code}")) from error
        raise
    except (OSError, HTTPException) as error:
        raise LogError(f"cannot read the page of {shown}: {type(error).__name__}") from error


def _bounded(answer: HTTPResponse, shown: str) -> bytes:
    came, deadline = bytearray(), time.monotonic() + MOST_PAGE_S
    while part := answer.read1(_PART_BYTES):
        came += part
        if len(came) > MOST_PAGE_BYTES or time.monotonic() > deadline:
            limits = f"more than {MOST_PAGE_BYTES:,} bytes or {MOST_PAGE_S} s"
            raise InputError(_refusal(shown, f"its folder's page takes {limits}"))
    return bytes(came)


def _refusal(shown: str, why: str) -> str:
    return f"{shown.partition(':')[0]} cannot list what matches {shown}: {why}; name each log"
