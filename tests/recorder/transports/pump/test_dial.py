"""Connecting: every address of a name in turn, each step timed, and a reason when none answers."""

import socket
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import trio

from racelog_recorder.transports.pump.dial import Dialled, Target, dial


class Names(trio.abc.HostnameResolver):
    """Resolves every name to the given loopback ports."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.ports = ports

    async def getaddrinfo(self, *_: Any, **__: Any) -> Any:
        family = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*family, ("127.0.0.1", port)) for port in self.ports]

    async def getnameinfo(self, sockaddr: Any, flags: int) -> tuple[str, str]:
        raise NotImplementedError


def connect(target: Target, ports: Sequence[int] | None = None) -> tuple[Dialled, int]:
    """Return what dialling gave and the port it reached."""

    async def main() -> tuple[Dialled, int]:
        if ports is not None:
            trio.socket.set_custom_hostname_resolver(Names(ports))
        dialled = await dial(target)
        port = dialled.sock.getpeername()[1]
        dialled.sock.close()
        return dialled, port

    return trio.run(main)


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that refuses: bound, so that nobody else gets it, and never listened at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


def test_an_address_needs_no_lookup(scripted: Any) -> None:
    dialled, _ = connect(Target("127.0.0.1", scripted(lambda *_: None).port))
    times = dialled.times

    assert (times.dns_ns, times.tls_ns) == (None, None)
    assert times.tcp_ns is not None
    assert 0 < times.tcp_ns <= times.total_ns


def test_the_next_address_is_tried_as_soon_as_one_fails(scripted: Any, dead_port: int) -> None:
    server = scripted(lambda *_: None)

    dialled, port = connect(Target("engine.example", 80), [dead_port, server.port])

    assert port == server.port
    assert dialled.times.dns_ns is not None
    assert dialled.times.tcp_ns is not None


def test_the_first_address_that_connects_is_the_only_one_kept(scripted: Any) -> None:
    first, second = scripted(lambda *_: None), scripted(lambda *_: None)

    _, port = connect(Target("engine.example", 80), [first.port, second.port])

    assert (port, second.connections) == (first.port, 0)


def test_when_all_refuse_the_first_reason_is_told(dead_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        connect(Target("engine.example", 80), [dead_port, dead_port])


def test_a_name_without_addresses_is_an_error_in_words() -> None:
    with pytest.raises(OSError, match="the host name has no address"):
        connect(Target("engine.example", 80), [])


def test_a_name_that_is_none_is_a_resolvers_error() -> None:
    with pytest.raises(socket.gaierror):
        connect(Target("no-such-host.invalid", 80))


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "..", "\ud800.example"])
def test_an_impossible_name_is_an_error_in_words(host: str) -> None:
    with pytest.raises(OSError, match=r"is not a host name|not known|Name|name"):
        connect(Target(host, 80))
