"""Open files: how many this process may have, and how many a race needs."""

import resource

SPARE_FILES = 64
"""What a lane has open beside its connections: log, pipes, poller, libraries."""


def raise_file_limit() -> None:
    """Raise this process's soft limit of open files to the hard one; leave it where the system says no."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        return


def connections_allowed() -> int:
    """Return how many connections one process may have at once."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**31 if hard == resource.RLIM_INFINITY else max(1, hard - SPARE_FILES)
