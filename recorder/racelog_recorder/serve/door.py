"""Who is let in: a web page in somebody's browser must not talk to a server on that machine. Pure.

A page can make its own name point at this machine (DNS rebinding), and then reads what it likes; but its requests still carry
that name. So a server answers to the names it is known by: loopback, what it was bound to, the address that a connection came
in on, and what its user adds. A page can also post blindly to any address, but only as forms and plain text do.
"""

import ipaddress
from collections.abc import Iterable

JSON_TYPE = "application/json"


class Door:
    """The names of a server that listens on ``bound``, and ``names`` that clients know it by as well."""

    def __init__(self, bound: str, names: Iterable[str] = ()) -> None:
        self._names = {host_of(name) for name in (bound, *names)} | {"localhost"}

    def lets_in(self, host: str, local: str) -> bool:
        """Return whether a request may be answered whose ``Host`` is this, on a connection to the address ``local``.

        Who sends no Host speaks HTTP/1.0, and is no browser.
        """
        name = host_of(host)
        if not host or name in self._names or name.endswith(".localhost"):
            return True
        address = _address(name)
        return address is not None and (address.is_loopback or address == _address(host_of(local)))


def host_of(header: str) -> str:
    """Return the host of a ``Host`` header or an address in small letters, without port, brackets, zone and last dot."""
    text = header.strip().lower()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return text.partition("%")[0].removesuffix(".")


def is_json(content_type: str) -> bool:
    """Return whether a body says that it is JSON, which a page of another origin cannot say without being asked first."""
    return content_type.partition(";")[0].strip().lower() == JSON_TYPE


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
