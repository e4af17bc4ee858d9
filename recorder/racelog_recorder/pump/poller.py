"""Which sockets have something to read, behind one protocol that every platform can serve.

epoll and kqueue have a descriptor of their own that becomes readable when any socket is, so one trio task waits for
all of them. select has none, and waits on each socket: right everywhere, and slow beyond a few dozen streams.
"""

import select
from contextlib import suppress
from typing import Protocol

import trio

READY_AT_ONCE = 4096
"""Sockets served per drain: more than a lane has, small enough to bound one drain's memory."""


class Poller(Protocol):
    """A level-triggered set of sockets to read from."""

    async def wait(self) -> None:
        """Return when a socket can be read; may return early."""
        ...

    def add(self, fd: int) -> None:
        """Watch ``fd``."""
        ...

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``; must come before it is closed."""
        ...

    def ready(self, within_s: float = 0.0) -> list[int]:
        """Return the descriptors that can be read now; if there is none, wait so long for one, and nothing else runs."""
        ...

    def close(self) -> None:
        """Release the poller's own descriptor."""
        ...


class EpollPoller:
    """Linux."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._events = select.EPOLLIN | select.EPOLLRDHUP

    async def wait(self) -> None:
        """Wait for the epoll descriptor."""
        await trio.lowlevel.wait_readable(self._epoll.fileno())

    def add(self, fd: int) -> None:
        """Watch ``fd`` for bytes and for the peer's close."""
        self._epoll.register(fd, self._events)

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``."""
        self._epoll.unregister(fd)

    def ready(self, within_s: float = 0.0) -> list[int]:
        """Return readable descriptors; ``within_s`` counts in whole milliseconds."""
        return [fd for fd, _ in self._epoll.poll(within_s, READY_AT_ONCE)]

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
        self._change(fd, select.KQ_EV_ADD)  # type: ignore[attr-defined,unused-ignore]

    def remove(self, fd: int) -> None:
        """Stop watching ``fd``."""
        self._change(fd, select.KQ_EV_DELETE)  # type: ignore[attr-defined,unused-ignore]

    def ready(self, within_s: float = 0.0) -> list[int]:
        """Return readable descriptors."""
        return [int(event.ident) for event in self._kqueue.control(None, READY_AT_ONCE, within_s)]

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

    def ready(self, within_s: float = 0.0) -> list[int]:
        """Return readable descriptors."""
        return [fd for fd, _ in self._poll.poll(within_s * 1000)]

    def close(self) -> None:
        """Forget all."""
        self._fds.clear()


def new_poller() -> Poller:
    """Return the best poller of this platform."""
    if hasattr(select, "epoll"):
        return EpollPoller()
    return KqueuePoller() if hasattr(select, "kqueue") else SelectPoller()
