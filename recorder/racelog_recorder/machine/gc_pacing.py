"""Keeps Python's cyclic garbage collector from stopping a lane at a moment of its own choosing.

What start-up made is frozen: it is never garbage, and walking it takes tens of milliseconds. While the lane races, the
collector is off, and what there is of young cyclic garbage is collected at a fixed pace: few objects at a time, so each
walk is short. Little here makes cycles; this holds memory flat when something does.
"""

import gc

import trio

PORTION_S = 0.5


def freeze_startup() -> None:
    """Collect once, and never look at what there is now again."""
    gc.collect()
    gc.freeze()


async def collect_in_portions() -> None:
    """Collect the youngest objects at a fixed pace, and nothing else, until cancelled.

    What survives is old from then on and not walked again before the race has ended. The first portion, with all that a thousand
    requests begin with, is frozen as it is: to walk it takes 29 ms.
    """
    gc.disable()
    try:
        await trio.sleep(PORTION_S)
        gc.freeze()
        while True:
            await trio.sleep(PORTION_S)
            gc.collect(0)
    finally:
        gc.enable()
