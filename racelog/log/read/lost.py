"""What damage took from a log, in words: the stretches that cannot be read, and the facts that others stand on."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from racelog.display.text import counted, shortened
from racelog.events import (
    AnyEvent,
    Head,
    LaneFacts,
    Prompt,
    RaceFacts,
    RequestEvent,
    RequestScheduled,
    Tokens,
)

LANES_NAMED = 8
"""How many lanes a sentence names."""

STRETCH_SHOWN = 500
"""How much of a stretch's reason it has, which may quote what stands there: a text of a megabyte."""


def loss_told(path: Path | str, stretches: Sequence[str], facts: Sequence[str] = ()) -> str:
    """Return the sentence about a log of which these ``stretches`` cannot be read, and with them these ``facts``.

    A ``path`` that is a text names what no command can be given again, such as standard input.
    """
    more = f", and {counted(len(stretches) - 1, 'place')} more" if len(stretches) > 1 else ""
    gone = f". With it went {', '.join(facts)}" if facts else ""
    on = (
        f"Look closer: racelog verify {path}; save what reads: racelog recover {path} -o OUT.rlog"
        if isinstance(path, Path)
        else "Look closer: racelog verify; save what reads: racelog recover"
    )
    return f"{path} is damaged: {shortened(stretches[0], STRETCH_SHOWN)}{more}{gone}. This is the rest. {on}"


def lost_facts(events: Iterable[AnyEvent]) -> list[str]:
    """Return what the events of a damaged log stand on and do not tell. Cost: a look at each."""
    heads = races = False
    named: set[int] = set()
    raced: set[int] = set()
    kept: set[int] = set()
    asked: set[int] = set()
    for event in events:
        if isinstance(event, Tokens | RequestEvent):
            raced.add(event.lane)
        match event:
            case RequestScheduled():
                asked.add(event.prompt)
            case Head():
                heads = True
            case RaceFacts():
                races = True
            case LaneFacts():
                named.add(event.lane)
            case Prompt():
                kept.add(event.prompt)
            case _:
                pass
    lost = [] if heads else ["the head (the clock that instants count from)"]
    lost += [] if races else ["the race's name, start and plan"]
    if nameless := sorted(raced - named):
        listed = ", ".join(map(str, nameless[:LANES_NAMED])) + (" ..." if nameless[LANES_NAMED:] else "")
        lost.append(f"the names of {counted(len(nameless), 'engine')} (lane {listed})")
    if unasked := asked - kept:
        lost.append(counted(len(unasked), "prompt"))
    return lost
