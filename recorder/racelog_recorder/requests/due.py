"""When one request is to go out, and whether the log knows of it yet."""

from dataclasses import dataclass

from racelog_recorder.transports.pump.transport import Hold


@dataclass(slots=True)
class Due:
    """A request's instant on the race's clock; without ``come`` it is due as soon as it can be sent.

    ``come`` waits for that instant, ``recorded`` says that the log has the request's schedule. So a request can be made
    ready ahead of its time, and enters the log when that has come.
    """

    t_ns: int
    come: Hold | None = None
    recorded: bool = False
