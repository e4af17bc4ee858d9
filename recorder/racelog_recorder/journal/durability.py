"""How much of a recording a crash may cost: the two options behind ``--flush`` and ``--fsync``, and their defaults."""

from typing import Literal, get_args

from msgspec import Struct

Fsync = Literal["always", "interval", "never"]

FSYNC_CHOICES: tuple[Fsync, ...] = get_args(Fsync)

FLUSH_S = 0.25
"""At most this much is lost to kill -9 (docs/metrics.md#what-a-recording-may-cost); live size per token was measured at this window."""

FLUSH_BYTES = 64 << 10
"""Flush before the window ends once about this much payload has gathered, so that a fast lane's units stay as quick to
write, and as little to lose to one damaged byte, as a slow one's."""

MIN_FLUSH_S = 0.01
"""Below this a unit holds less than its own 68-byte trailer, and the threads do nothing else."""

MAX_FLUSH_S = 60.0
"""Above this a live view would stand still, and a crash would cost more than most requests take."""

SYNC_S = 1.0
"""``--fsync interval``: at most this much more is lost to a power failure."""


class Durability(Struct, frozen=True, kw_only=True):
    """What a journal promises.

    ``flush_s``: seconds of recording that kill -9 may cost. ``fsync``: what a power failure may cost - nothing that was
    flushed (``always``), one more second (``interval``), or whatever the operating system had not yet written (``never``).
    """

    flush_s: float = FLUSH_S
    fsync: Fsync = "interval"
