"""Who shares a core with a lane: it gives way, and a lane is weighed against it."""

import os
import sys
import threading

import pytest
import trio

from racelog_recorder.conductor.child import Child
from racelog_recorder.machine.niceness import NICENESS, give_way

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="Linux alone has a thread's niceness"
)


def test_a_thread_gives_way_and_no_other_thread_of_its_process() -> None:
    nicenesses: list[int] = []

    def watch() -> None:
        give_way()
        nicenesses.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    watching = threading.Thread(target=watch)
    watching.start()
    watching.join()

    after = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert (nicenesses, after) == ([min(before + NICENESS, 19)], before)


def test_a_child_is_in_the_session_of_the_conductor_and_in_a_process_group_of_its_own() -> None:
    found: list[tuple[int, int]] = []

    async def main() -> None:
        child = Child("any", "this_is_no_module", {})
        async with trio.open_nursery() as nursery:
            await nursery.start(child.run)
            found.append((os.getsid(child.pid), os.getpgid(child.pid)))
        found.append((os.getsid(0), child.pid))

    trio.run(main)

    assert found[0] == found[1]
