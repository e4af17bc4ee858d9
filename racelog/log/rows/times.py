"""When the rows of an event with columns happened."""

from itertools import accumulate

from racelog.events import Tokens
from racelog.log.rows.samples import Samples


def row_times(event: Tokens | Samples) -> list[int]:
    """Return the instant of every row of an event with columns."""
    return list(accumulate(event.d, initial=event.t))[1:]
