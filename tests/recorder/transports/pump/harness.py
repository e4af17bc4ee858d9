"""What the transport's tests share: a client over a running pump, a recorder of sends and arrivals, TLS servers."""

import contextlib
import select
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import trio
import trio.testing
import trustme

from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.poller import EpollPoller, KqueuePoller, Poller, SelectPoller
from racelog_recorder.transports.pump.stamps import Arrival
from racelog_recorder.transports.pump.transport import PumpTransport, Sent

Use = Callable[[httpx2.AsyncClient], Awaitable[Any]]
MakeTransport = Callable[[Pump], httpx2.AsyncBaseTransport]
Script = Callable[[Any, int], object]

POLLERS: dict[str, Callable[[], Poller]] = {"select": SelectPoller}
"""Every poller that this platform has, the best one last."""

if hasattr(select, "epoll"):
    POLLERS["epoll"] = EpollPoller
if hasattr(select, "kqueue"):
    POLLERS["kqueue"] = KqueuePoller

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def with_client(
    use: Use, make: MakeTransport | None = None, *, idle_jump_s: float | None = None, **options: Any
) -> Any:
    """Run ``use`` with an httpx client over a running pump, and raise its only error without a group around it."""

    async def main() -> Any:
        async with trio.open_nursery() as nursery:
            pump = Pump()
            nursery.start_soon(pump.run)
            await trio.testing.wait_all_tasks_blocked()
            transport = make(pump) if make else PumpTransport(pump, **options)
            async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
                result = await use(client)
            nursery.cancel_scope.cancel()
        return result

    clock = None if idle_jump_s is None else trio.testing.MockClock(autojump_threshold=idle_jump_s)
    try:
        return trio.run(main, clock=clock)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group.exceptions[0].__cause__


class Recorder:
    """Notes sends and body arrivals; the brackets of each read as they came."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.arrivals: list[Arrival] = []
        self.reads: list[bytes] = []

    @property
    def data(self) -> bytes:
        return b"".join(self.reads)

    @property
    def uses(self) -> list[str]:
        return [sent.connection for sent in self.sent]

    @property
    def extensions(self) -> dict[str, Any]:
        return {"racelog.sink": self, "racelog.on_sent": self.sent.append}

    def read_begins(self, when: Arrival) -> None:
        self.arrivals.append(when)
        self.reads.append(b"")

    def body(self, data: bytes) -> None:
        self.reads[-1] += data

    def read_ends(self) -> None:
        return

    async def post(self, client: httpx2.AsyncClient, url: str, **options: Any) -> str:
        """Send one request and return what was not streamed of its answer."""
        request = client.build_request("POST", url, json={}, extensions=self.extensions, **options)
        return (await client.send(request)).text


class Certificates:
    """An authority of the test's own, and the files a client needs of it."""

    def __init__(self, folder: Any) -> None:
        self.authority = trustme.CA()
        self.ca = str(folder / "ca.pem")
        self.authority.cert_pem.write_to_path(self.ca)
        self.client = str(folder / "client.pem")
        self.authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(
            self.client
        )

    def server(self, name: str = "127.0.0.1", *, ask_client: bool = False) -> ssl.SSLContext:
        """Return the context of a server called ``name``."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name).configure_cert(context)
        if ask_client:
            self.authority.configure_trust(context)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def over_tls(context: ssl.SSLContext, script: Script) -> Script:
    """Return a script that speaks TLS first; it says goodbye properly unless ``script`` closed the socket."""

    def speak(connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as talking:
            script(talking, number)
            if talking.fileno() >= 0:
                talking.unwrap()

    return speak
