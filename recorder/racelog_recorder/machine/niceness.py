"""Who goes first where a lane shares its core: the lane; whoever only watches gives way.

It matters most where the kernel does not stamp: what comes while another process has the core is stamped so much later.

Linux weighs the processes of one session against each other, and each session against the others
(``sched_autogroup(7)``). So a lane has a process group of its own but no session: in another session it would be the
conductor's equal, however nice that is. And who waits for the core is looked at when somebody wakes, and else once in 4 ms.
"""

import os
import sys
import threading
from contextlib import suppress

NICENESS = 10
"""A tenth of a full core: enough to keep up with a race, and soon done where there is another core. As ``SCHED_IDLE`` a thread
gives way at once and always, but where all cores are taken it is hardly ever let in, and its process waits for the
interpreter's lock with it: Ctrl+C would take seconds."""


def give_way() -> None:
    """Let the calling thread wait for whoever wants its core; where a niceness is not a thread's own, nothing happens."""
    if sys.platform.startswith("linux"):
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)


def let_in() -> None:
    """Let whoever waits for this core have it now, if it is their turn. Cost: a microsecond."""
    if hasattr(os, "sched_yield"):
        os.sched_yield()
