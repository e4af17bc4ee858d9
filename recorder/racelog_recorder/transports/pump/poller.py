"""Which sockets have something to read, behind one protocol that every platform can serve.

epoll and kqueue have a descriptor of their own that becomes readable when any socket is, so one trio task waits for
all of them; both tell of every arrival once, and of what was not read only when more comes. select has no descriptor, waits on
each socket, and tells of all that is not read each time: right everywhere, and slow beyond a few dozen streams.
"""

import select
from contextlib import suppress
from typing import Protocol

import trio

READY_AT_ONCE = 4096
"""Sockets that one look shows: more than a lane has, small enough to bound its memory."""

BYTES = select.POLLIN
"""What is said of a socket that has bytes and nothing else; `select.EPOLLIN` is the same number."""

ENDED = select.POLLIN | select.POLLHUP
"""What is said where the system has words of its own for an end."""


class Poller(Protocol):
    """A set of sockets to read from.

    A socket is shown when something has arrived since it was last shown. Some show it again as long as not all is read;
    not all do, so whoever leaves bytes unread must remember it.
    """

    async def wait(self) -> None:
        """Return when a socket can be read; may return early."""
        ...

    def add(self, fd: int) -> None:
        """Watch ``fd``."""
        ...

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``; must come before it is closed."""
        ...

    def ready(self, within_s: float = 0.0) -> list[tuple[int, int]]:
        """Return what is ready now, each with `BYTES`, or with another number where the peer has ended or failed.

        If there is none, wait so long for one, and nothing else runs.
        """
        ...

    def close(self) -> None:
        """Release the poller's own descriptor."""
        ...


class EpollPoller:
    """Linux."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._events = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET

    async def wait(self) -> None:
        """Wait for the epoll descriptor."""
        await trio.lowlevel.wait_readable(self._epoll.fileno())

    def add(self, fd: int) -> None:
        """Watch ``fd`` for bytes and for the peer's close."""
        self._epoll.register(fd, self._events)

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``."""
        self._epoll.unregister(fd)

    def ready(self, within_s: float = 0.0) -> list[tuple[int, int]]:
        """Return what is ready; ``within_s`` counts in whole milliseconds."""
        return self._epoll.poll(within_s, READY_AT_ONCE)

    def close(self) -> None:
        """Close the epoll descriptor."""
        self._epoll.close()


class KqueuePoller:
    """macOS and the BSDs."""

    def __init__(self) -> None:
        self._kqueue = select.kqueue()  # type: ignore[attr-defined,unused-ignore]  # absent on Linux

    async def wait(self) -> None:
        """Wait for the kqueue descriptor."""
        await trio.lowlevel.wait_readable(int(self._kqueue.fileno()))

    def add(self, fd: int) -> None:
        """Watch ``fd``."""
        self._change(fd, select.KQ_EV_ADD | select.KQ_EV_CLEAR)  # type: ignore[attr-defined,unused-ignore]

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``."""
        self._change(fd, select.KQ_EV_DELETE)  # type: ignore[attr-defined,unused-ignore]

    def ready(self, within_s: float = 0.0) -> list[tuple[int, int]]:
        """Return what is ready."""
        ended = select.KQ_EV_EOF | select.KQ_EV_ERROR  # type: ignore[attr-defined,unused-ignore]
        return [
            (int(event.ident), ENDED if event.flags & ended else BYTES)
            for event in self._kqueue.control(None, READY_AT_ONCE, within_s)
        ]

    def close(self) -> None:
        """Close the kqueue descriptor."""
        self._kqueue.close()

    def _change(self, fd: int, flag: int) -> None:
        event = select.kevent(fd, select.KQ_FILTER_READ, flag)  # type: ignore[attr-defined,unused-ignore]
        self._kqueue.control([event], 0, 0)


class SelectPoller:
    """Any other POSIX system: one waiting task per socket, and ``poll`` (select without its limit of 1,024)."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._fds: set[int] = set()
        self._changed = trio.Event()

    async def wait(self) -> None:
        """Wait on every socket; adding or removing one begins anew."""
        self._changed = trio.Event()
        async with trio.open_nursery() as nursery:

            async def readable(fd: int) -> None:
                with suppress(OSError, trio.ClosedResourceError):  # closed meanwhile: begin anew
                    await trio.lowlevel.wait_readable(fd)
                nursery.cancel_scope.cancel()

            for fd in self._fds:
                nursery.start_soon(readable, fd)
            await self._changed.wait()
            nursery.cancel_scope.cancel()

    def add(self, fd: int) -> None:
        """Watch ``fd`` for bytes and for the peer's close."""
        self._fds.add(fd)
        self._poll.register(fd, select.POLLIN)
        self._changed.set()

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``."""
        self._fds.remove(fd)
        self._poll.unregister(fd)
        self._changed.set()

    def ready(self, within_s: float = 0.0) -> list[tuple[int, int]]:
        """Return what is ready."""
        return self._poll.poll(within_s * 1000)

    def close(self) -> None:
        """Forget all."""
        self._fds.clear()


def new_poller() -> Poller:
    """Return the best poller of this platform."""
    if hasattr(select, "epoll"):
        return EpollPoller()
    return KqueuePoller() if hasattr(select, "kqueue") else SelectPoller()
