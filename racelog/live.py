"""What a recorder and a view of its race say to each other: wishes on a pipe, and the countdown as a mark in the log.

A view reads the log and nothing else; what its user asks of the race goes back as one JSON object a line.
"""

from typing import Literal

import msgspec
from msgspec import Struct

from racelog.clock import NS_PER_S

LONGEST_LABEL = 200
"""Letters of a mark's label that are recorded."""

LONGEST_WISH_BYTES = 16_384
"""A longer line is no wish: the longest label takes 2,400, every letter escaped."""

MAX_COUNTDOWN_S = 3600
USUAL_COUNTDOWN_S = 3
"""What a countdown lasts whose mark does not say so."""

_COUNTDOWN = "countdown"


class Wish(Struct, frozen=True, omit_defaults=True):
    """What a view asks of the race: ``label`` belongs to ``mark``, ``lane`` to ``eliminate``.

    ``up`` says that the view has the keyboard; from then on a Ctrl+C is a key of its own.
    """

    do: Literal["up", "stop", "restart", "pause", "resume", "eliminate", "mark"]
    label: str = ""
    lane: int = -1


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Wish)


def wish_line(wish: Wish) -> bytes:
    """Return ``wish`` as it goes over the pipe, newline included."""
    return _encoder.encode(wish) + b"\n"


def read_wish(line: bytes) -> Wish | None:
    """Return the wish that a line without its newline holds; None for what is none, or one of a later racelog."""
    try:
        wish = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return msgspec.structs.replace(wish, label=wish.label[:LONGEST_LABEL])


def countdown_label(seconds: float) -> str:
    """Return the label of the mark that begins a countdown of so many seconds."""
    return f"{_COUNTDOWN}:{seconds:g}"


def countdown_ns(label: str) -> int | None:
    """Return how long the countdown lasts that a mark of this label begins; None for every other mark."""
    word, _, seconds = label.partition(":")
    if word != _COUNTDOWN:
        return None
    try:
        length_s = float(seconds)
    except ValueError:
        length_s = USUAL_COUNTDOWN_S
    if not 0 < length_s <= MAX_COUNTDOWN_S:
        length_s = USUAL_COUNTDOWN_S
    return round(length_s * NS_PER_S)
