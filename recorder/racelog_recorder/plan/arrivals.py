"""When the requests of an open loop are due: one seeded schedule, the same on every lane. Pure.

An open loop sends by the clock, not by what has been answered, as users do who know nothing of each other. All lanes
make the same schedule from the same seed, so every engine gets the same prompt at the same instant.
"""

import math
import random
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal

from msgspec import Struct

from racelog.clock import NS_PER_S

Arrival = Literal["poisson", "constant", "gamma"]


class OpenLoop(Struct, frozen=True, kw_only=True):
    """An open loop as a plan asks for it.

    ``arrival`` spaces requests at ``rate_per_s`` on average: ``poisson`` independently of each other, ``constant`` evenly,
    ``gamma`` by ``burstiness``, which is 1 for Poisson, smaller in bursts, larger more evenly (vLLM's bench has the same
    knob). ``max_open`` requests are open at once; what is due beyond that waits its turn, and its wait is on record.
    """

    rate_per_s: float
    arrival: Arrival = "poisson"
    burstiness: float = 1.0
    max_open: int | None = None


def due_ns(load: OpenLoop, seed: int) -> Iterator[int]:
    """Yield, without end, when each request is due: nanoseconds after the start, the first at 0, ascending.

    The same for the same arguments on every machine (to the last bit of libm's logarithm). Cost: O(1) memory.
    """
    # The prompts are drawn from the bare seed; a schedule from the same numbers would tie a prompt to its gap.
    draw = random.Random(f"schedule:{seed}").random  # noqa: S311 - reproducible by intent
    mean_ns = NS_PER_S / load.rate_per_s
    at_ns, number = 0.0, 0
    while True:
        yield round(at_ns)
        number += 1
        if load.arrival == "constant":
            at_ns = number * mean_ns  # a sum of rounded gaps would drift
        elif load.arrival == "poisson":
            at_ns += -math.log(1.0 - draw()) * mean_ns
        else:
            at_ns += _gamma(load.burstiness, draw) / load.burstiness * mean_ns


def due_until(load: OpenLoop, seed: int, *, requests: int | None, duration_ns: int | None) -> int:
    """Return how many requests a race sends: those due before ``duration_ns``, ``requests`` at most.

    Raises:
        ValueError: neither bound is given; the schedule has no end.
    """
    if duration_ns is None:
        if requests is None:
            raise ValueError("a schedule without a number of requests or a duration has no end")
        return requests
    number = 0
    for at_ns in islice(due_ns(load, seed), requests):
        if at_ns >= duration_ns:
            break
        number += 1
    return number


def _gamma(shape: float, draw: Callable[[], float]) -> float:
    """Return one gamma variate of scale 1, by Marsaglia and Tsang (2000).

    Written out because `random.gammavariate` may change between Python versions; `random.random` does not.
    """
    if shape < 1.0:
        return _gamma(shape + 1.0, draw) * math.pow(1.0 - draw(), 1.0 / shape)
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = math.sqrt(-2.0 * math.log(1.0 - draw())) * math.cos(2.0 * math.pi * draw())
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(1.0 - draw()) < 0.5 * x * x + d - d * v + d * math.log(v):
            return d * v
