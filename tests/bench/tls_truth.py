"""The truth server of the calibration over TLS: the same schedule and texts, its encryption part of the error.

python tls_truth.py PEM TOKENS TTFT_MS GAP_MS     prints its port; ends when stdin closes, with one line of JSON
"""

import heapq
import json
import select
import socket
import ssl
import sys
import time

from racelog_recorder.calibration.truth_server import HEAD, REQUEST_END, TruthServer, report

HANDSHAKE_S = 5.0


class TlsTruthServer(TruthServer):
    """Shakes hands one client at a time, before their requests: later the schedule is all there is to do."""

    def __init__(self, pem: str, tokens: int, ttft_ns: int, gap_ns: int) -> None:
        super().__init__(tokens, ttft_ns, gap_ns)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._context.set_alpn_protocols(["http/1.1"])

    def _accept(self) -> None:
        try:
            raw, _ = self._listener.accept()
            raw.settimeout(HANDSHAKE_S)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = self._context.wrap_socket(raw, server_side=True)
        except OSError:
            return
        stream.setblocking(False)
        self._streams[stream.fileno()] = stream
        self._poll.register(stream, select.POLLIN)

    def _request(self, fd: int) -> None:
        stream = self._streams[fd]
        try:
            data = stream.recv(65536)
        except ssl.SSLWantReadError:
            return
        except OSError:
            data = b""
        if REQUEST_END in data:
            self._write(stream, HEAD)
            heapq.heappush(self._due, (time.monotonic_ns() + self._ttft_ns, fd, 0))
        if not data:
            self._poll.unregister(fd)
            self._streams.pop(fd).close()


if __name__ == "__main__":
    server = TlsTruthServer(
        sys.argv[1], int(sys.argv[2]), int(float(sys.argv[3]) * 1e6), int(float(sys.argv[4]) * 1e6)
    )
    print(server.port, flush=True)
    server.run()
    print(json.dumps(report(server)), flush=True)
