"""One log over HTTP: in ranges where the server gives them, taken up again where a connection broke."""

import base64
import os
import re
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from typing import cast
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

from racelog.errors import LogError

TIMEOUT_S = 30.0
"""The longest silence of a server."""

PART_BYTES = 8 << 20
READ_BYTES = 1 << 20
MOST_TRIES = 3
"""How often one range is asked for."""

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
_CHANGED = "changed while it was read; try again"
_PARTIAL, _OK = 206, 200


class HttpLog:
    """One log behind an http or https URL; a user and password in it are sent as Basic authentication, to its host alone."""

    def __init__(self, url: str, shown: str) -> None:
        self._url, self._login = bare(url)
        self._validator = ""
        self._size = 0
        self.identity = self._url
        self.shown = shown

    def state(self) -> tuple[str, int]:
        """Return the server's mark of the present state and the size; without such a mark every state is another.

        Raises:
            LogError: the server refuses, or does not tell a size.
        """
        with self._ask(0, 0) as answer:
            found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            length = answer.headers.get("Content-Length", "")
            if answer.status == _PARTIAL and found:
                self._size = int(found[3])
            elif answer.status == _OK and length.isdigit():
                self._size = int(length)
            else:
                raise LogError(f"cannot read {self.shown}: the server does not say how large it is")
            self._validator = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        return self._validator or os.urandom(8).hex(), self._size

    def parts(self) -> Iterator[bytes]:
        """Yield the bytes, after `state`.

        Raises:
            LogError: the server refuses, gives something else than asked for, or breaks off too often.
        """
        came, tries = 0, 0
        while came < self._size:
            try:
                for part in self._range(came):
                    came, tries = came + len(part), 0
                    yield part
            except (OSError, HTTPException) as error:
                tries += 1
                if tries >= MOST_TRIES:
                    raise LogError(
                        f"cannot read {self.shown}: {_why(error)}, {tries} times at byte {came:,}"
                    ) from error

    def _range(self, start: int) -> Iterator[bytes]:
        """Yield what one request brings from ``start`` on: a range, or all where the server knows no ranges."""
        with self._ask(start, min(self._size, start + PART_BYTES) - 1) as answer:
            found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            whole = answer.status == _OK
            if not whole and (not found or int(found[1]) != start or int(found[3]) != self._size):
                raise LogError(f"{self.shown} {_CHANGED}")
            if whole:
                self._check_same(answer)
                _skip(answer, start)
            while part := answer.read(READ_BYTES):
                yield part
            if answer.length:
                raise HTTPException("the connection ended early")

    def _check_same(self, answer: HTTPResponse) -> None:
        """Raise `LogError` unless a whole answer is of the state that was asked for."""
        mark = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if mark != self._validator or answer.length != self._size:
            raise LogError(f"{self.shown} {_CHANGED}")

    def _ask(self, first: int, last: int) -> HTTPResponse:
        headers = {"Range": f"bytes={first}-{last}", "Accept-Encoding": "identity"}
        request = Request(self._url, headers=headers)  # noqa: S310 - http and https alone come here
        if self._validator and not self._validator.startswith("W/"):
            request.add_header("If-Range", self._validator)
        return ask(request, self._login, self.shown)


def bare(url: str) -> tuple[str, str]:
    """Return a URL without user, password and fragment, and those two as Basic authentication has them."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    login = base64.b64encode(unquote(user).encode()).decode() if at else ""
    return urlunsplit((parts.scheme, host, parts.path, parts.query, "")), login


def ask(request: Request, login: str, shown: str) -> HTTPResponse:
    """Return the server's answer; ``login`` goes to the host that was asked, and nowhere it leads to.

    Raises:
        LogError: the server refuses (the cause is an `HTTPError`), or does not answer.
    """
    if login:
        request.add_unredirected_header("Authorization", f"Basic {login}")
    try:
        return cast("HTTPResponse", urlopen(request, timeout=TIMEOUT_S))  # noqa: S310 - http and https alone come here
    except HTTPError as error:
        error.close()
        raise LogError(f"cannot read {shown}: HTTP {error.code}") from error
    except (URLError, ValueError) as error:
        raise LogError(f"cannot read {shown}: {_why(error)}") from error


def _skip(answer: HTTPResponse, size: int) -> None:
    while size and (part := answer.read(min(size, READ_BYTES))):
        size -= len(part)


def _why(error: Exception) -> str:
    """Return what broke, in words that hold no URL."""
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or type(reason).__name__
