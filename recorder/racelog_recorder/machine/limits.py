"""What one machine can carry: open files per process, ports towards one address. Told before a race, not in it."""

import resource
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from racelog.display.text import counted
from racelog.errors import InputError
from racelog_recorder.plan.model import RacePlan

SPARE_FILES = 64
"""What a lane has open beside its connections: log, pipes, poller, libraries."""

PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
EVERY_PORT = 65_535 - 1_024 + 1
"""All ports that are not reserved: the bound where the system tells none."""


def raise_file_limit() -> None:
    """Raise this process's soft limit of open files to the hard one; leave it where the system says no."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        return


def connections_allowed() -> int:
    """Return how many connections one process may have at once; below 0 where even its other files are too many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**31 if hard == resource.RLIM_INFINITY else hard - SPARE_FILES


def ports_allowed() -> int:
    """Return how many connections this machine can have to one address at once: one local port each."""
    try:
        low, high = PORT_RANGE.read_text(encoding="ascii").split()
        return max(1, int(high) - int(low) + 1)
    except (OSError, ValueError):  # no Linux, or no /proc
        return EVERY_PORT


def check_limits(plan: RacePlan, files: int, ports: int) -> None:
    """Refuse a race that needs more connections than a process may have open (``files``) or one address takes (``ports``).

    An open loop without ``max_open`` has no number to check; a request that meets a limit then fails as `client_limit`.

    Raises:
        InputError: it needs more; the message has what is needed, what there is, and the way out.
    """
    name, streams = ("max_open", plan.load.max_open or 0) if plan.load else ("concurrency", plan.concurrency)
    if streams and streams > files:
        raise InputError(
            f"{name} {streams:,} needs more open files than this system allows a process: {streams + SPARE_FILES:,}, and "
            f"the limit is {files + SPARE_FILES:,}; raise it (ulimit -Hn {streams + SPARE_FILES}, or LimitNOFILE=), or "
            f"lower {name} and race the same url under several names"
        )
    for address, lanes in Counter(_address(engine.url) for engine in plan.engines).items():
        together = lanes if plan.grid == "together" else 1
        if streams * together > ports:
            raise InputError(
                f"{name} {streams:,} on {counted(together, 'lane')} needs {counted(streams * together, 'connection')} to {address}, and this "
                f"machine has {ports:,} ports towards one address; widen net.ipv4.ip_local_port_range, lower {name}, or "
                "give the server several addresses"
            )


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
