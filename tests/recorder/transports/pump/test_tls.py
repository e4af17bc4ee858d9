"""HTTPS under the pump: who is trusted, how it ends, and that any split of the records gives the same bytes."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelog_recorder.transports.pump.exchange import CUT_SHORT
from racelog_recorder.transports.pump.tls import TlsFiles, TlsSession, client_context
from tests.recorder.transports.pump.harness import HELLO, Certificates, Recorder, over_tls, with_client

X509_V_ERR_IP_ADDRESS_MISMATCH = 64
"""OpenSSL's number, which stays; its words change."""

pytestmark = pytest.mark.usefixtures("every_poller")


def https(server: Any, host: str = "127.0.0.1") -> str:
    return f"https://{host}:{server.port}/v1"


def fetch(url: str, **options: Any) -> str:
    async def use(client: httpx2.AsyncClient) -> str:
        return (await client.get(url)).text

    return str(with_client(use, **options))


@pytest.fixture
def hello(wire: Any) -> Any:
    def script(connection: Any, _number: int) -> None:
        while wire.read_request(connection):
            connection.sendall(HELLO)

    return script


def test_a_stream_over_tls_keeps_the_kernels_stamps(
    scripted: Any, wire: Any, certificates: Certificates
) -> None:
    def script(connection: Any, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(wire.HEAD + wire.chunked(b"one", last=False))
        connection.sendall(wire.chunked(b"two"))

    server, recorder = scripted(over_tls(certificates.server(), script)), Recorder()

    async def use(client: httpx2.AsyncClient) -> None:
        await recorder.post(client, https(server))

    with_client(use, tls=TlsFiles(ca=certificates.ca))

    assert recorder.data == b"onetwo"
    assert all(arrival.t_ns > recorder.sent[0].t_ns for arrival in recorder.arrivals)
    if sys.platform.startswith("linux"):
        assert {arrival.stamp for arrival in recorder.arrivals} == {"k"}


def test_connecting_is_timed_by_step(scripted: Any, hello: Any, certificates: Certificates) -> None:
    server, recorder = scripted(over_tls(certificates.server("localhost"), hello)), Recorder()

    async def use(client: httpx2.AsyncClient) -> None:
        await recorder.post(client, https(server, "localhost"))
        await recorder.post(client, https(server, "localhost"))

    with_client(use, tls=TlsFiles(ca=certificates.ca))
    new, reused = recorder.sent
    steps = [new.dns_ns, new.tcp_ns, new.tls_ns]

    assert recorder.uses == ["new", "reused"]
    assert all(step is not None and step > 0 for step in steps)
    assert new.connect_ns is not None
    assert new.connect_ns >= sum(step or 0 for step in steps)
    assert (reused.connect_ns, reused.dns_ns, reused.tcp_ns, reused.tls_ns) == (None, None, None, None)


def test_an_unknown_authority_is_not_trusted(scripted: Any, hello: Any, certificates: Certificates) -> None:
    server = scripted(over_tls(certificates.server(), hello))

    with pytest.raises(httpx2.ConnectError) as raised:
        fetch(https(server))
    assert isinstance(raised.value.__cause__, ssl.SSLCertVerificationError)


def test_another_hosts_certificate_is_not_trusted(
    scripted: Any, hello: Any, certificates: Certificates
) -> None:
    server = scripted(over_tls(certificates.server("elsewhere.example"), hello))

    with pytest.raises(httpx2.ConnectError) as raised:
        fetch(https(server), tls=TlsFiles(ca=certificates.ca))
    assert isinstance(raised.value.__cause__, ssl.SSLCertVerificationError)
    assert raised.value.__cause__.verify_code == X509_V_ERR_IP_ADDRESS_MISMATCH


def test_any_certificate_is_taken_when_the_plan_says_so(
    scripted: Any, hello: Any, certificates: Certificates
) -> None:
    server = scripted(over_tls(certificates.server("elsewhere.example"), hello))

    assert fetch(https(server), tls=TlsFiles(verify=False)) == "hello"


def test_the_client_proves_itself_with_its_certificate(
    scripted: Any, hello: Any, certificates: Certificates
) -> None:
    server = scripted(over_tls(certificates.server(ask_client=True), hello))

    assert fetch(https(server), tls=TlsFiles(ca=certificates.ca, cert=certificates.client)) == "hello"


def test_a_server_that_wants_a_certificate_is_an_error_with_tls_below_it(
    scripted: Any, hello: Any, certificates: Certificates
) -> None:
    server = scripted(over_tls(certificates.server(ask_client=True), hello))

    with pytest.raises(httpx2.NetworkError) as raised:
        fetch(https(server), tls=TlsFiles(ca=certificates.ca))
    assert isinstance(raised.value.__cause__, ssl.SSLError)


def test_the_server_is_told_which_host_is_meant_and_that_http_1_is_spoken(
    scripted: Any, hello: Any, certificates: Certificates
) -> None:
    context = certificates.server("localhost")
    context.set_alpn_protocols(["h2", "http/1.1"])
    names: list[str | None] = []
    protocols: list[str | None] = []
    context.sni_callback = lambda _sock, name, _context: names.append(name)

    def script(connection: Any, number: int) -> None:
        protocols.append(connection.selected_alpn_protocol())
        hello(connection, number)

    server = scripted(over_tls(context, script))

    assert fetch(https(server, "localhost"), tls=TlsFiles(ca=certificates.ca)) == "hello"
    assert (names, protocols) == (["localhost"], ["http/1.1"])


def test_https_towards_a_plain_port_is_a_tls_error(scripted: Any) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(httpx2.ConnectError) as raised:
        fetch(https(scripted(script)))
    assert isinstance(raised.value.__cause__, ssl.SSLError)


def test_a_connection_closed_during_the_handshake_is_a_tls_error(scripted: Any) -> None:
    server = scripted(
        lambda connection, _number: connection.recv(65536) and connection.shutdown(socket.SHUT_RDWR)
    )

    with pytest.raises(httpx2.ConnectError, match="closed the connection during the TLS handshake") as raised:
        fetch(https(server))
    assert isinstance(raised.value.__cause__, ssl.SSLError)


def unframed(wire: Any, *, farewell: bool) -> Any:
    """Return a script that answers without a length and ends with or without close_notify."""

    def script(connection: Any, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
        if not farewell:
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
            connection.close()

    return script


def test_a_farewell_ends_a_body_without_a_length(
    scripted: Any, wire: Any, certificates: Certificates
) -> None:
    server = scripted(over_tls(certificates.server(), unframed(wire, farewell=True)))

    assert fetch(https(server), tls=TlsFiles(ca=certificates.ca)) == "hello"


def test_an_end_without_a_farewell_is_a_body_cut_short(
    scripted: Any, wire: Any, certificates: Certificates
) -> None:
    server = scripted(over_tls(certificates.server(), unframed(wire, farewell=False)))

    with pytest.raises(httpx2.RemoteProtocolError, match=CUT_SHORT):
        fetch(https(server), tls=TlsFiles(ca=certificates.ca))


def test_a_whole_body_needs_no_farewell(scripted: Any, wire: Any, certificates: Certificates) -> None:
    def script(connection: Any, _number: int) -> None:
        wire.read_request(connection)
        connection.sendall(HELLO)
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
        connection.close()

    server = scripted(over_tls(certificates.server(), script))

    assert fetch(https(server), tls=TlsFiles(ca=certificates.ca)) == "hello"


def test_the_server_hears_our_farewell(scripted: Any, wire: Any, certificates: Certificates) -> None:
    ends: list[str] = []

    def script(connection: socket.socket, _number: int) -> None:
        context = certificates.server()
        with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as talking:
            wire.read_request(talking)
            talking.sendall(HELLO)
            try:
                ends.append("farewell" if talking.recv(1) == b"" else "more")
            except ssl.SSLError as error:
                ends.append(str(error))

    server = scripted(script)

    assert fetch(https(server), tls=TlsFiles(ca=certificates.ca)) == "hello"
    server.close()
    assert ends == ["farewell"]


def test_a_record_damaged_on_the_way_is_a_named_error(
    scripted: Any, wire: Any, certificates: Certificates
) -> None:
    def script(connection: Any, _number: int) -> None:
        wire.read_request(connection)
        socket.socket.send(connection, b"\x17\x03\x03\x00\x20" + bytes(32))
        connection.recv(1)

    server = scripted(over_tls(certificates.server(), script))

    with pytest.raises(httpx2.ReadError) as raised:
        fetch(https(server), tls=TlsFiles(ca=certificates.ca))
    assert isinstance(raised.value.__cause__, ssl.SSLError)


def test_an_encrypted_key_is_refused_without_asking_on_the_terminal(
    certificates: Certificates, tmp_path: Path
) -> None:
    openssl = shutil.which("openssl") or pytest.skip("needs the openssl command")
    key = tmp_path / "key.pem"
    command = [
        openssl,
        "genpkey",
        "-algorithm",
        "ed25519",
        "-aes256",
        "-pass",
        "pass:secret",
        "-out",
        str(key),
    ]
    subprocess.run(command, check=True, capture_output=True)

    with pytest.raises(ssl.SSLError, match="the key is encrypted"):
        client_context(TlsFiles(cert=certificates.client, key=str(key)))


class Peer:
    """A server's end of a connection in memory, connected to a `TlsSession`."""

    def __init__(self, certificates: Certificates) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = certificates.server().wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.client = TlsSession(client_context(TlsFiles(ca=certificates.ca)), "127.0.0.1")
        done = self.client.handshake(b"")
        while not done:
            self.incoming.write(self.client.outgoing())
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
            done = self.client.handshake(self.outgoing.read())
        self.incoming.write(self.client.outgoing())
        self.tls.do_handshake()
        self.tickets = self.outgoing.read()

    def seal(self, *messages: bytes) -> bytes:
        for message in messages:
            self.tls.write(message)
        return self.outgoing.read()


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=5), st.data())
def test_any_split_of_the_records_gives_the_same_bytes(
    certificates: Certificates, messages: list[bytes], data: st.DataObject
) -> None:
    peer = Peer(certificates)
    wire = peer.tickets + peer.seal(*messages)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=12)))
    pieces = [wire[start:end] for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)]

    assert b"".join(peer.client.received(piece) for piece in pieces) == b"".join(messages)
    assert not peer.client.partial


def test_a_read_that_ends_inside_a_record_says_so(certificates: Certificates) -> None:
    peer = Peer(certificates)
    peer.client.received(peer.tickets)
    first, second = peer.seal(b"first"), peer.seal(b"second")

    assert peer.client.received(first + second[:1]) == b"first"
    assert peer.client.partial
    assert peer.client.received(second[1:]) == b"second"
    assert not peer.client.partial


class OpensslServer:
    """``openssl s_server``: the lines typed at it go to the client, some letters are orders."""

    def __init__(self, certificates: Certificates, folder: Path, *options: str) -> None:
        openssl = shutil.which("openssl") or pytest.skip("needs the openssl command")
        pem = str(folder / "server.pem")
        certificates.authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
        command = [
            openssl,
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-cert",
            pem,
            "-key",
            pem,
            *options,
        ]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.port = int(self.read_until(b"ACCEPT").rpartition(b":")[2])

    def read_until(self, text: bytes) -> bytes:
        assert self.process.stdout is not None
        while text not in (line := self.process.stdout.readline()):
            assert line, "openssl s_server ended"
        return line

    def type(self, text: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_a_server_may_renegotiate_in_the_middle_of_a_request(
    certificates: Certificates, tmp_path: Path
) -> None:
    server = OpensslServer(certificates, tmp_path, "-tls1_2")

    def answer() -> None:
        server.read_until(b"User-Agent")
        server.type(b"r\n")
        server.read_until(b"SSL_do_handshake")  # it looks for orders at the start of what it reads alone
        server.type(HELLO + b"\n")

    typing = threading.Thread(target=answer, daemon=True)
    typing.start()
    try:
        assert fetch(https(server), tls=TlsFiles(ca=certificates.ca)) == "hello"
    finally:
        server.close()
        typing.join(5)


class Heard(Recorder):
    """Sets ``begun`` when the first piece of a body is there."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()

    def body(self, data: bytes) -> None:
        super().body(data)
        self.begun.set()


@pytest.mark.parametrize("order", [b"K", b"k"], ids=["asking for ours", "its own alone"])
def test_a_server_may_update_its_keys_in_the_middle_of_a_stream(
    certificates: Certificates, tmp_path: Path, order: bytes
) -> None:
    server, first, second = OpensslServer(certificates, tmp_path, "-tls1_3", "-msg"), Heard(), Recorder()

    def answer() -> None:
        server.read_until(b"POST")
        server.type(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        first.begun.wait(10)  # so that the order is at the start of what the server reads next
        server.type(order + b"\n")
        server.read_until(b", KeyUpdate")
        server.type(b"world")
        if order == b"K":
            server.read_until(b"<<< TLS 1.3, Handshake [length 0005], KeyUpdate")
        server.read_until(b"POST")  # it can read what was sealed with our new keys
        server.type(HELLO)

    async def use(client: httpx2.AsyncClient) -> None:
        await first.post(client, https(server))
        await second.post(client, https(server))

    typing = threading.Thread(target=answer, daemon=True)
    typing.start()
    try:
        with_client(use, tls=TlsFiles(ca=certificates.ca))
    finally:
        server.close()
        typing.join(5)

    assert (first.data, second.data) == (b"helloworld", b"hello")
    assert (first.uses, second.uses) == (["new"], ["reused"])
    if sys.platform.startswith("linux"):
        assert {arrival.stamp for arrival in first.arrivals} == {"k"}
