"""A server that knows the truth, for the calibration before a race: it writes its send time into every chunk.

    python -I -S truth_server.py TOKENS TTFT_MS GAP_MS [PEM]     prints its port; ends when stdin closes, with a line of JSON

With PEM, a file with a key and its certificate, it speaks TLS.

Every request gets TOKENS chunks in OpenAI's shape at the same pace, whatever it asks for. The text of a chunk is
``CLOCK_MONOTONIC`` right before its ``send``, so what the server cannot keep up with shows as later send times, never
as wrong ones; what it can be wrong by is how long the send took. Imports nothing but the standard library: it has to
be there in a few milliseconds.

It sends about 80,000 chunks/s of CPU time (`tests/bench/test_stamps.py`); the calibration asks for a quarter of that.
"""

import heapq
import json
import select
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl

BACKLOG = 4096
REQUEST_END = b"\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"%019d"},"finish_reason":null}]}\n\n'
TOKEN = b"%x\r\n" % len(_EVENT % 0) + _EVENT + b"\r\n"
_FINISH = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
END = b"%x\r\n%s\r\n0\r\n\r\n" % (len(_FINISH), _FINISH)


class TruthServer:
    """Serves until stdin closes. ``late_ns`` and ``write_ns`` are its own errors, one entry a chunk."""

    def __init__(self, tokens: int, ttft_ns: int, gap_ns: int, certificate: str = "") -> None:
        self._tokens, self._ttft_ns, self._gap_ns = tokens, ttft_ns, gap_ns
        self._tls: ssl.SSLContext | None = None
        self._not_yet: tuple[type[OSError], ...] = (BlockingIOError,)
        if certificate:
            self._speak_tls(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._listener, select.POLLIN)
        self._poll.register(0, select.POLLIN | select.POLLHUP)
        self._streams: dict[int, socket.socket] = {}
        self._due: list[tuple[int, int, int]] = []
        self.late_ns: list[int] = []
        self.write_ns: list[int] = []

    @property
    def port(self) -> int:
        """Where it listens, on loopback."""
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        """Serve until stdin closes."""
        while True:
            wait_ms = max(0, (self._due[0][0] - time.monotonic_ns()) // 1_000_000) if self._due else None
            for fd, _ in self._poll.poll(wait_ms):
                if fd == 0:
                    return
                self._accept() if fd == self._listener.fileno() else self._request(fd)
            self._send_due()

    def _speak_tls(self, certificate: str) -> None:
        import ssl  # noqa: PLC0415 - 20 ms that a calibration without TLS has no need of

        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._not_yet += (ssl.SSLWantReadError, ssl.SSLWantWriteError)

    def _accept(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            stream.setblocking(False)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:  # the first reads and writes of a stream shake hands
                stream = self._tls.wrap_socket(stream, server_side=True, do_handshake_on_connect=False)
            self._streams[stream.fileno()] = stream
            self._poll.register(stream, select.POLLIN)

    def _request(self, fd: int) -> None:
        """Begin an answer when a request's head is there; the client sends nothing else."""
        try:
            data = self._streams[fd].recv(65536)
            if REQUEST_END in data:
                self._streams[fd].send(HEAD)
                heapq.heappush(self._due, (time.monotonic_ns() + self._ttft_ns, fd, 0))
        except self._not_yet:
            return
        except OSError:
            data = b""
        if not data:
            self._poll.unregister(fd)
            self._streams.pop(fd).close()

    def _send_due(self) -> None:
        """Send every chunk that is due; the next one follows on the schedule, not on the clock."""
        due, now_ns = self._due, time.monotonic_ns()
        while due and due[0][0] <= now_ns:
            at_ns, fd, number = due[0]
            stream = self._streams.get(fd)
            if stream is None or number == self._tokens:
                heapq.heappop(due)
                if stream is not None:
                    self._write(stream, END)
                continue
            sent_ns = time.monotonic_ns()
            self._write(stream, TOKEN % sent_ns)
            self.write_ns.append(time.monotonic_ns() - sent_ns)
            self.late_ns.append(sent_ns - at_ns)
            heapq.heapreplace(due, (at_ns + self._gap_ns, fd, number + 1))

    @staticmethod
    def _write(stream: socket.socket, data: bytes) -> None:
        """Send; a client that is gone or does not read loses what it would have got."""
        try:
            stream.send(data)
        except OSError:
            return


def report(server: TruthServer) -> dict[str, float]:
    """Return what was sent and how far the server itself was off: its lateness, and the time a write took."""
    return {
        "sent": len(server.late_ns),
        "late_p99_us": _p99_us(server.late_ns),
        "write_p99_us": _p99_us(server.write_ns),
        "cpu_s": time.process_time(),
    }


def _p99_us(values: list[int]) -> float:
    return sorted(values)[len(values) * 99 // 100] / 1e3 if values else 0.0


def main(arguments: list[str]) -> None:
    """Serve on a free port as told on the command line."""
    tokens, ttft_ms, gap_ms, *certificate = arguments
    server = TruthServer(int(tokens), int(float(ttft_ms) * 1e6), int(float(gap_ms) * 1e6), *certificate)
    print(server.port, flush=True)  # noqa: T201 - stdout is how the port gets to who started it
    server.run()
    print(json.dumps(report(server)), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main(sys.argv[1:])
