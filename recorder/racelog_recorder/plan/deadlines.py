"""How long each step of a request may take: the data of it, as a plan says it."""

from msgspec import Struct

MAX_DEADLINE_S = 24 * 3600


class Deadlines(Struct, frozen=True, kw_only=True):
    """Seconds each step may take; a broken one fails the request with a kind of its own.

    ``connect_s`` from asking for a connection to having it (DNS, TCP, TLS); ``headers_s`` from sent to the status
    line (as long as ``first_token_s``, for some servers send the one with the other); ``first_token_s`` from sent to
    the first token chunk; ``between_tokens_s`` from one token chunk to the next, or to the end; ``total_s`` from
    asking for a connection (or from when it is due, for a request made ready ahead of its time) to the last byte.
    """

    connect_s: float = 10.0
    headers_s: float = 120.0
    first_token_s: float = 120.0
    between_tokens_s: float = 30.0
    total_s: float = 600.0


DEADLINE_NAMES = tuple(name.removesuffix("_s") for name in Deadlines.__struct_fields__)
"""The names of the deadlines as a plan has them."""

DEFAULTS = ", ".join(f"{name} {getattr(Deadlines(), f'{name}_s'):g}s" for name in DEADLINE_NAMES)
