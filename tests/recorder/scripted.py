"""Scripted servers for the faults no real engine produces on demand; real sockets on loopback."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

SAMPLES = Path(__file__).with_name("samples")

Script = Callable[[socket.socket, int], None]


def read_request(connection: socket.socket) -> bytes:
    """Return one whole request: head, and the body its Content-Length names; empty when the client left."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    ]
    while lengths and len(body) < lengths[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def chunked(*pieces: bytes, last: bool = True) -> bytes:
    """Return pieces in chunked transfer coding, with the final chunk unless told otherwise."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return body + (b"0\r\n\r\n" if last else b"")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(json: str) -> bytes:
    """Return one server-sent event."""
    return b"data: " + json.encode() + b"\n\n"


def content(text: str) -> bytes:
    """Return a content chunk of the chat dialect."""
    return event(f'{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}')


FINISH = event('{"choices":[{"delta":{},"finish_reason":"stop"}]}')
USAGE = event('{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}')
DONE = b"data: [DONE]\n\n"


def reset(connection: socket.socket) -> None:
    """Close with a TCP reset instead of a farewell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


class ScriptedServer:
    """Runs a script for every connection, each in a thread; the script gets the socket and its number."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        _shut(self._listener)
        self._threads[0].join(5)  # what it accepted last is in the list before the list is closed
        for sock in self._open:
            _shut(sock)
        for thread in self._threads[1:]:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True)
            self.connections += 1
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            self.script(connection, number)


class Wire:
    """The bytes and helpers that scripts are made of, under one name."""

    HEAD = HEAD
    FINISH = FINISH
    USAGE = USAGE
    DONE = DONE
    SAMPLES = SAMPLES
    event = staticmethod(event)
    content = staticmethod(content)
    chunked = staticmethod(chunked)
    reset = staticmethod(reset)
    read_request = staticmethod(read_request)
