"""A server that knows the truth: paces many chat streams from one schedule and writes its send time into each chunk.

    python truth_server.py TOKENS TTFT_MS GAP_MS      prints ``listening PORT``; runs until stdin closes

One thread and one heap of deadlines; the time in a chunk is ``CLOCK_MONOTONIC`` right before its ``send``, the same
clock that stamps arrivals on this machine. What it cannot keep up with shows as later send times, never as wrong ones.
"""

import heapq
import select
import socket
import sys
import time

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
END = b"%x\r\n%s\r\n0\r\n\r\n" % (len(FINISH), FINISH)


def frame() -> bytes:
    """Return a content chunk that carries the present instant, in chunked coding."""
    event = b'data: {"choices":[{"delta":{"content":"%020d"}}]}\n\n' % time.monotonic_ns()
    return b"%x\r\n%s\r\n" % (len(event), event)


class Truth:
    """Serves every request with the same number of tokens at the same pace."""

    def __init__(self, tokens: int, ttft_ns: int, gap_ns: int) -> None:
        self.tokens, self.ttft_ns, self.gap_ns = tokens, ttft_ns, gap_ns
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setblocking(False)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.poll.register(0, select.EPOLLIN)
        self.streams: dict[int, socket.socket] = {}
        self.due: list[tuple[int, int, int]] = []

    def run(self) -> None:
        """Serve until stdin closes."""
        while True:
            wait_s = max(0.0, (self.due[0][0] - time.monotonic_ns()) / 1e9) if self.due else -1
            for fd, _ in self.poll.poll(min(wait_s, 0.0005) if 0 < wait_s < 0.002 else wait_s):
                if fd == 0:
                    return
                self.accept() if fd == self.listener.fileno() else self.request(fd)
            now = time.monotonic_ns()
            while self.due and self.due[0][0] <= now:
                self.send(*heapq.heappop(self.due))

    def accept(self) -> None:
        """Take one connection."""
        stream, _ = self.listener.accept()
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.streams[stream.fileno()] = stream
        self.poll.register(stream, select.EPOLLIN)

    def request(self, fd: int) -> None:
        """Schedule the first token when a request's head arrives; a body that comes apart from it says nothing."""
        data = self.streams[fd].recv(65536)
        if not data:
            self.poll.unregister(fd)
            self.streams.pop(fd).close()
            return
        if b" HTTP/1.1\r\n" not in data:
            return
        self.streams[fd].send(HEAD)
        heapq.heappush(self.due, (time.monotonic_ns() + self.ttft_ns, fd, 0))

    def send(self, at_ns: int, fd: int, number: int) -> None:
        """Send one token, and schedule the next on the schedule, not on the clock."""
        stream = self.streams.get(fd)
        if stream is None:
            return
        if number == self.tokens:
            stream.send(END)
            return
        stream.send(frame())
        heapq.heappush(self.due, (at_ns + self.gap_ns, fd, number + 1))


if __name__ == "__main__":
    truth = Truth(int(sys.argv[1]), int(float(sys.argv[2]) * 1e6), int(float(sys.argv[3]) * 1e6))
    print("listening", truth.listener.getsockname()[1], flush=True)
    truth.run()
