"""CPU and memory of the server's own process, where the engine runs on this machine: whoever listens on its port."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import psutil

from racelog_recorder.protocol.messages import WatchedEngine
from racelog_recorder.telemetry.self_samples import MIB, Reading

HERE = {"localhost", "127.0.0.1", "::1"}


class ServerProcess:
    """One engine's process; in `host_samples` it is called ``server:<engine>``."""

    interval_s = 0.5

    def __init__(self, engine: str, pid: int) -> None:
        self.process = engine
        self._process = psutil.Process(pid)
        self._process.cpu_percent()  # counts from here

    def read(self) -> Reading:
        """Return the process's CPU, of all its threads, and its memory; nothing once it is gone."""
        try:
            return Reading(cpu_pct=self._process.cpu_percent(), rss_mib=self._process.memory_info().rss / MIB)
        except psutil.Error:
            return Reading(cpu_pct=None, rss_mib=None)


def open_sources(engines: Sequence[WatchedEngine]) -> Iterator[ServerProcess]:
    """Yield a source for each engine whose process can be found: one of yours, as a rule."""
    listening = dict(_listeners())
    for engine in engines:
        url = urlsplit(engine.url)
        port = url.port or (443 if url.scheme == "https" else 80)
        if url.hostname in HERE and port in listening:
            yield ServerProcess(engine.engine, listening[port])


def _listeners() -> Iterator[tuple[int, int]]:
    """Yield each port that a process listens on, and the process; those of others cannot be looked into."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            for one in process.net_connections("tcp"):
                if one.status == psutil.CONN_LISTEN:
                    yield one.laddr.port, process.pid
