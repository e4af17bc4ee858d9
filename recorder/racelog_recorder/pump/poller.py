"""Which sockets have something to read, behind one protocol that every platform can serve.

The poller's own descriptor becomes readable when any socket is, so one trio task waits for all of them.
"""

import select
from typing import Protocol

READY_AT_ONCE = 4096
"""Sockets served per drain: more than a lane has, small enough to bound one drain's memory."""


class Poller(Protocol):
    """A level-triggered set of sockets to read from."""

    def fileno(self) -> int:
        """Return the descriptor that is readable while any socket is."""
        ...

    def add(self, fd: int) -> None:
        """Watch ``fd``."""
        ...

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``; must come before it is closed."""
        ...

    def ready(self) -> list[int]:
        """Return the descriptors that can be read now, without waiting."""
        ...

    def close(self) -> None:
        """Release the poller's own descriptor."""
        ...


class EpollPoller:
    """Linux."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._events = select.EPOLLIN | select.EPOLLRDHUP

    def fileno(self) -> int:
        """Return the epoll descriptor."""
        return self._epoll.fileno()

    def add(self, fd: int) -> None:
        """Watch ``fd`` for bytes and for the peer's close."""
        self._epoll.register(fd, self._events)

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``."""
        self._epoll.unregister(fd)

    def ready(self) -> list[int]:
        """Return readable descriptors."""
        return [fd for fd, _ in self._epoll.poll(0, READY_AT_ONCE)]

    def close(self) -> None:
        """Close the epoll descriptor."""
        self._epoll.close()


class KqueuePoller:
    """macOS and the BSDs."""

    def __init__(self) -> None:
        self._kqueue = select.kqueue()  # type: ignore[attr-defined,unused-ignore]  # absent on Linux

    def fileno(self) -> int:
        """Return the kqueue descriptor."""
        return int(self._kqueue.fileno())

    def add(self, fd: int) -> None:
        """Watch ``fd``."""
        self._change(fd, select.KQ_EV_ADD)  # type: ignore[attr-defined,unused-ignore]

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``."""
        self._change(fd, select.KQ_EV_DELETE)  # type: ignore[attr-defined,unused-ignore]

    def ready(self) -> list[int]:
        """Return readable descriptors."""
        return [int(event.ident) for event in self._kqueue.control(None, READY_AT_ONCE, 0)]

    def close(self) -> None:
        """Close the kqueue descriptor."""
        self._kqueue.close()

    def _change(self, fd: int, flag: int) -> None:
        event = select.kevent(fd, select.KQ_FILTER_READ, flag)  # type: ignore[attr-defined,unused-ignore]
        self._kqueue.control([event], 0, 0)


def new_poller() -> Poller:
    """Return the poller of this platform."""
    return EpollPoller() if hasattr(select, "epoll") else KqueuePoller()
