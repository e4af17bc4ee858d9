"""The checks of an engine's fields that say how it is reached: TLS, a unix socket, a proxy, HTTP/2."""

import importlib.util
from typing import Any
from urllib.parse import urlsplit

from racelog.display.text import printable
from racelog_recorder.plan.fields.checks import FieldError
from racelog_recorder.redaction import not_text, public_url, shown
from racelog_recorder.transports.pump.tls import TlsFiles
from racelog_recorder.transports.reach import NO_PROXY

MAX_PATH = 4096
MAX_SOCKET_PATH = 107
"""sockaddr_un.sun_path less its final zero (Linux; macOS has 103)."""

TLS_KEYS = tuple(TlsFiles.__struct_fields__)


def tls(value: Any) -> TlsFiles:
    """Return the TLS files of an engine; whether they can be used is seen when the plan is complete.

    Raises:
        FieldError: it is no mapping of the known names to files, or has a key without a certificate.
    """
    if not isinstance(value, dict):
        raise FieldError(f"{shown(value)} is not a mapping; give any of {', '.join(TLS_KEYS)}")
    for name, given in value.items():
        if name not in TLS_KEYS:
            raise FieldError(f"{shown(name)} is unknown; known are {', '.join(TLS_KEYS)}")
        try:
            _boolean(given) if name == "verify" else _path(given, MAX_PATH)
        except FieldError as error:
            raise FieldError(f"{name}: {error}") from None
    if "key" in value and "cert" not in value:
        raise FieldError("key without cert; give the certificate that belongs to it")
    return TlsFiles(**value)


def unix_socket(value: Any) -> str:
    """Return the path of a socket.

    Raises:
        FieldError: it is no path, or longer than a socket's may be.
    """
    return _path(value, MAX_SOCKET_PATH)


def proxy(value: Any) -> str:
    """Return a proxy's URL, or `NO_PROXY`; a password in it is refused and never shown.

    Raises:
        FieldError: it is no http or https URL, or holds a user or password.
    """
    if value == NO_PROXY:
        return NO_PROXY
    address = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or printable(address) != address:
        safe = shown(public_url(address)) if address else shown(value)
        raise FieldError(f"{safe} is not a proxy; give 'http://host:port', or 'none' to go straight")
    if parts.username is not None or parts.password is not None:
        raise FieldError(
            "a user or password must not stand in a plan; set HTTPS_PROXY in the environment instead"
        )
    return address


def http2(value: Any) -> bool:
    """Return whether HTTP/2 is wanted; it needs a package of its own.

    Raises:
        FieldError: it is neither true nor false, or the package is missing.
    """
    if _boolean(value) and importlib.util.find_spec("h2") is None:
        raise FieldError("HTTP/2 needs the package h2: pip install 'racelog[http2]'")
    return bool(value)


def _boolean(value: Any) -> bool:
    """Return a truth value as it is.

    Raises:
        FieldError: it is something else.
    """
    if not isinstance(value, bool):
        raise FieldError(f"{shown(value)} is neither true nor false")
    return value


def _path(value: Any, limit: int) -> str:
    """Return a file's name of at most ``limit`` bytes.

    Raises:
        FieldError: it is no text, too long, or holds a control character.
    """
    if not isinstance(value, str) or not value.strip():
        raise FieldError(not_text(value, "a file's name"))
    if len(value.encode("utf-8", "surrogateescape")) > limit:
        raise FieldError(f"the path is longer than {limit} bytes, more than this system takes")
    if printable(value) != value:
        raise FieldError(f"{shown(value)} holds a control character")
    return value
