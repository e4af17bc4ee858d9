"""TLS over bytes in memory, sans-IO: the pump reads, this turns what was read into the peer's words.

`ssl.MemoryBIO` keeps OpenSSL away from the socket, so that every read stays a stamped ``recvmsg``: a message counts
as arrived when the read came in that completed its record.
"""

import ssl
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct

ALPN = ["http/1.1"]
PLAIN_BYTES = 16 * 1024
"""The most a record holds (RFC 8446 §5.1), and so the most that OpenSSL gives at once."""
_HEADER_BYTES = 5
"""A record's type, version and length (RFC 8446 §5.1)."""


class TlsFiles(Struct, frozen=True, kw_only=True):
    """How to trust a server and how to prove oneself: PEM files, empty for the system's trust and for no proof.

    ``verify`` false accepts any certificate: for test servers alone.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""
    verify: bool = True


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Return a context that checks certificate and host name, against ``files.ca`` alone where one is given.

    Raises:
        OSError, ssl.SSLError: a file cannot be read or is no certificate or key.
    """
    context = ssl.create_default_context(cafile=files.ca or None)
    if not files.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if files.cert:
        # An encrypted key must not stop a race to ask for its password on the terminal.
        context.load_cert_chain(files.cert, files.key or None, password=_no_password)
    context.set_alpn_protocols(ALPN)
    return context


def _no_password() -> str:
    raise ssl.SSLError("the key is encrypted; give one without a password (openssl pkey -in KEY -out PLAIN)")


class TlsSession:
    """One client connection. `received` takes what a read brought; `outgoing` is what must go out next.

    ``closed`` is True once the peer has said goodbye (close_notify): an end without it may be an attacker's cut.
    ``partial`` is True while part of a further record has arrived: its bytes share the last read's stamp.
    """

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._records = _Records()
        self.closed = False

    @property
    def partial(self) -> bool:
        """Return whether the bytes so far end inside a record."""
        return self._records.inside

    @property
    def object(self) -> ssl.SSLObject:
        """Return OpenSSL's view of the connection: certificate, cipher, protocol."""
        return self._tls

    def handshake(self, data: bytes) -> bool:
        """Take ``data`` and go on; return True when the connection stands.

        Raises:
            ssl.SSLError: the peer cannot be trusted or talked to.
        """
        self._take(data)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def received(self, data: bytes) -> bytes:
        """Return the plain bytes that ``data`` completes; none for tickets, key updates and unfinished records.

        Raises:
            ssl.SSLError: the records are damaged, or the peer reports a fault.
        """
        self._take(data)
        return b"".join(self._plain())

    def encrypt(self, data: bytes | memoryview) -> bool:
        """Seal ``data`` for `outgoing`; False while a renegotiation must be finished first: read, then try again.

        Raises:
            ssl.SSLError: the connection is broken.
        """
        view = memoryview(data)
        try:
            while view:
                view = view[self._tls.write(view) :]
        except ssl.SSLWantReadError:
            return False
        return True

    def outgoing(self) -> bytes:
        """Return what must be sent to the peer now; empty when nothing must."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def farewell(self) -> bytes:
        """Return the last that goes out: close_notify, so that the server's log has no cut connection."""
        with suppress(ssl.SSLError):  # it would wait for the peer's
            self._tls.unwrap()
        return self.outgoing()

    def _take(self, data: bytes) -> None:
        if data:
            self._records.take(data)
            self._incoming.write(data)

    def _plain(self) -> Iterator[bytes]:
        while not self.closed:
            try:
                plain = self._tls.read(PLAIN_BYTES)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLZeroReturnError:
                plain = b""
            if plain:
                yield plain
            else:
                self.closed = True
            if not self._incoming.pending and not self._tls.pending():
                return  # asking once more would cost an exception to hear the same


class _Records:
    """Follows the framing of records without their content; OpenSSL does not tell where it stands."""

    def __init__(self) -> None:
        self._header = b""
        self._left_bytes = 0

    @property
    def inside(self) -> bool:
        return bool(self._header or self._left_bytes)

    def take(self, data: bytes) -> None:
        if not self.inside and len(data) == _HEADER_BYTES + int.from_bytes(data[3:_HEADER_BYTES], "big"):
            return  # one whole record, as a token mostly is
        position = 0
        while position < len(data):
            if not self._left_bytes:
                header = self._header + data[position : position + _HEADER_BYTES - len(self._header)]
                position += len(header) - len(self._header)
                self._header = header if len(header) < _HEADER_BYTES else b""
                if not self._header:
                    self._left_bytes = int.from_bytes(header[3:], "big")
            else:
                taken = min(self._left_bytes, len(data) - position)
                self._left_bytes -= taken
                position += taken
