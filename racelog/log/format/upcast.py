"""Old events become the present form at the reader's door: plain dictionaries in and out, no files, no types.

Every kind has a version, ``v``. When a kind must change in a way that a default cannot bridge, its new version brings
one step here: a function from the dictionary of the version before to the dictionary of the next. Steps are only ever
appended. A step once released is never changed or removed: a log of any age is read by all of them in turn, and the
log itself is never rewritten.

The newest version of a kind is one more than its last step's, and 1 for a kind without steps. A kind of version 2 or
more declares ``v: int = msgspec.field(default_factory=lambda: 2)`` in `racelog.events`, so that its ``v`` is written.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PlainEvent = dict[str, Any]
"""An event as its JSON line decodes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One version of one kind to the next: ``change`` takes the old dictionary and returns the new one.

    ``change`` leaves ``k`` and ``v`` alone: the kind stays what it is, and its version is counted here.
    """

    kind: str
    from_version: int
    change: Callable[[PlainEvent], PlainEvent]


class Upcasters:
    """The steps by kind and version; refuses a list with holes when it is made, not when a log is read."""

    def __init__(self, steps: Sequence[Step] = ()) -> None:
        chains: dict[str, list[Step]] = {}
        for step in steps:
            chain = chains.setdefault(step.kind, [])
            if step.from_version != len(chain) + 1:
                raise ValueError(
                    f"upcaster {step.kind!r} from version {step.from_version} follows version {len(chain)}: "
                    f"the steps of a kind start at 1, leave none out and stand in order"
                )
            chain.append(step)
        self._chains: Mapping[str, Sequence[Step]] = chains

    def __bool__(self) -> bool:
        """Return whether any kind has a step; while none has, readers need not look at versions at all."""
        return bool(self._chains)

    def newest(self, kind: str) -> int:
        """Return the newest version of ``kind`` that is understood."""
        return len(self._chains.get(kind, ())) + 1

    def is_old(self, kind: str, version: int) -> bool:
        """Return whether an event of that kind and version has steps to go."""
        return 1 <= version < self.newest(kind)

    def upcast(self, event: PlainEvent) -> PlainEvent:
        """Return ``event`` in the newest version of its kind, or as it is if it has no steps to go.

        What a step raises on a malformed event passes through: the caller knows the line.
        """
        kind, version = event["k"], event.get("v", 1)
        if not self.is_old(kind, version):
            return event
        for step in self._chains[kind][version - 1 :]:
            event = step.change(event)
        return {**event, "k": kind, "v": self.newest(kind)}


UPCASTERS = Upcasters()
"""Every step there is. Append only; tests/golden keeps a log of each version that a step starts from."""
