"""How an engine is reached beside its URL: TLS files, a unix socket, a proxy, HTTP/2; and which transport that takes.

The plan's keys ``tls``, ``unix_socket``, ``proxy`` and ``http2`` of an engine. The pump does everything but proxies and
HTTP/2; those run through httpx's own transport.
"""

import ipaddress
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import (  # type: ignore[attr-defined]  # documented, but not in typeshed
    getproxies_environment,
    proxy_bypass_environment,
)

from msgspec import Struct, structs

from racelog_recorder.redaction import public_url
from racelog_recorder.transports.pump.tls import TlsFiles, client_context

NO_PROXY = "none"
"""What ``proxy`` says to go straight whatever the environment says."""


class Reach(Struct, frozen=True, kw_only=True):
    """The road to one engine. ``proxy`` is a URL, `NO_PROXY`, or empty for what the environment says."""

    tls: TlsFiles | None = None
    unix_socket: str = ""
    proxy: str = ""
    http2: bool = False


REACH_KEYS = tuple(Reach.__struct_fields__)


class ReachError(ValueError):
    """An engine's reach does not hold together; ``field`` is where, ``key`` the engine's key it stands under."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field
        self.key = field.partition(".")[0]


def proxy_for(url: str, reach: Reach, environ: Mapping[str, str] = os.environ) -> str:
    """Return the proxy towards ``url``, empty for none.

    The plan's wins over ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` (capital or small). The
    environment's is never used towards this machine itself, as Go has it: a race there measures no proxy unasked.
    """
    if reach.unix_socket or reach.proxy == NO_PROXY:
        return ""
    if reach.proxy:
        return reach.proxy
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies_environment() if environ is os.environ else _proxies(environ)
    if _is_here(host) or proxy_bypass_environment(host, proxies):
        return ""
    found = proxies.get(parts.scheme) or proxies.get("all") or ""
    return found if "://" in found or not found else f"http://{found}"


def _is_here(host: str) -> bool:
    """Return True for this machine's own names."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what `getproxies_environment` would of ``environ``: names without ``_proxy``, the small ones winning."""
    given = {name: value for name, value in environ.items() if name.lower().endswith("_proxy")}
    small = {name: value for name, value in given.items() if name == name.lower()}
    return {
        name.lower().removesuffix("_proxy"): value
        for name, value in (*given.items(), *small.items())
        if value
    }


def transport_of(url: str, reach: Reach, environ: Mapping[str, str] = os.environ) -> Literal["pump", "httpx"]:
    """Return which transport reaches ``url``, as the log's ``lane`` event names it."""
    return "httpx" if reach.http2 or proxy_for(url, reach, environ) else "pump"


def reach_from(values: Mapping[str, Any], url: str, folder: Path) -> Reach:
    """Return the reach that an engine's checked plan values give; file names are relative to ``folder``.

    Raises:
        ReachError: the values do not go together, or a TLS file cannot be used.
    """
    reach = Reach(**{key: values[key] for key in REACH_KEYS if key in values})
    if reach.unix_socket and (reach.http2 or reach.proxy not in ("", NO_PROXY)):
        raise ReachError("unix_socket", "goes with neither proxy nor http2; leave one of them out")
    if reach.unix_socket:
        reach = structs.replace(reach, unix_socket=str(folder / reach.unix_socket))
    if reach.tls is not None:
        if not url.startswith("https://"):
            raise ReachError("tls", "the URL is not https://, so there is no TLS to set up")
        reach = structs.replace(reach, tls=_located(reach.tls, folder))
    return reach


def _located(tls: TlsFiles, folder: Path) -> TlsFiles:
    """Return ``tls`` with whole paths, each tried once so that a mistake shows before a race."""
    files = {name: str(folder / value) for name in ("ca", "cert", "key") if (value := getattr(tls, name))}
    for name, path in files.items():
        try:
            with Path(path).open("rb"):
                pass
        except OSError as error:
            raise ReachError(f"tls.{name}", f"cannot read {path}: {error.strerror}") from None
    located = structs.replace(tls, **files)
    try:
        client_context(located)
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error
        raise ReachError("tls", f"the files cannot be used ({reason}); give PEM files") from None
    return located


def public_tls(tls: TlsFiles | None) -> dict[str, str | bool] | None:
    """Return ``tls`` as the log may hold it: no file but by its name."""
    return None if tls is None else {key: _name(value) for key, value in structs.asdict(tls).items()}


def public_proxy(proxy: str) -> str:
    """Return the plan's proxy as the log may hold it; the environment's is not in the plan."""
    return public_url(proxy) if "://" in proxy else proxy


def _name(value: str | bool) -> str | bool:  # noqa: FBT001 - a field of TlsFiles, whatever it is
    return Path(value).name if isinstance(value, str) and value else value
