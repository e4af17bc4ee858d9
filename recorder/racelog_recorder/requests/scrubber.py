r"""Secrets taken out of a stream of texts as it arrives, sans-IO: any split of a text gives what the whole would.

A server can say what it was sent, in as many chunks as it likes, and its answers go into a log that people share. A secret is
looked for as it is and as JSON, Python and URLs write its characters (a minus also as ``\u002d``, ``\x2d`` or ``%2d``), for an
argument of a tool is JSON inside JSON. Every chunk keeps its place and its time: a text whose end may begin a secret is a
`Held`, which is told what it is once that shows.
"""

import re
from collections.abc import Iterable, Iterator

from racelog_recorder.journal.chunks import ChunkColumns, Held
from racelog_recorder.redaction import REMOVED, SHORTEST_SECRET, Hidden

_ESCAPED = frozenset("/\"'\\")
"""What a backslash before it may mean itself."""

_PREFIX = 4
"""So many first characters of a secret are looked for at once; no secret is shorter."""

_LONGEST_FORM = 12
"""Characters that one may be written in: four bytes of a URL."""


class Secrets:
    """What is looked for. `may_hold` is the cheap question that most texts answer with no.

    Cost of that: a fifth of a microsecond for a token. Of a text that does hold one, or begin one at its end: linear, and a few
    microseconds for each place that looks like one.
    """

    def __init__(self, hidden: Iterable[Hidden]) -> None:
        longest_first = sorted(set(hidden), key=lambda one: (-len(one.value), one))
        self._hidden = [one for one in longest_first if len(one.value) >= SHORTEST_SECRET]
        self._by_first: dict[str, list[Hidden]] = {}
        for one in self._hidden:
            self._by_first.setdefault(one.value[0], []).append(one)
        beginnings = sorted({_beginning(one.value) for one in self._hidden})
        telling = dict.fromkeys(value[:telling] for value, telling in self._hidden)
        self.may_hold = re.compile("|".join([*beginnings, r"\\", "%"])).search
        self._as_is = re.compile("|".join(map(re.escape, telling)))
        self._written = re.compile("|".join("".join(map(_any_form, text)) for text in telling), re.IGNORECASE)
        self._longest = max((len(one.value) for one in self._hidden), default=0) * _LONGEST_FORM

    def __bool__(self) -> bool:
        return bool(self._hidden)

    def found(self, text: str, *, whole: bool) -> tuple[list[tuple[int, int]], int]:
        """Return where secrets stand in ``text``, and from where on that cannot be told before more of it is known.

        Of a ``whole`` text everything can be told.
        """
        search = (self._written if "\\" in text or "%" in text else self._as_is).search
        spans: list[tuple[int, int]] = []
        at, looked = 0, len(text) if whole else max(0, len(text) - self._longest)
        while True:
            match = search(text, at)
            start = match.start() if match else len(text)
            if (undecided := self._undecided(text, max(at, looked), start)) is not None:
                return spans, undecided
            if not match:
                return spans, len(text)
            end, _ = self._match(text, start)
            if end:
                spans.append((start, end))
            at = max(end, start + 1)
            looked = max(looked, at)

    def _undecided(self, text: str, at: int, last: int) -> int | None:
        """Return the first place from ``at`` to ``last`` where ``text`` ends before it shows what it is, or None."""
        while (candidate := self.may_hold(text, at)) and candidate.start() <= last:
            if self._match(text, candidate.start())[1]:
                return candidate.start()
            at = candidate.start() + 1
        return None

    def _match(self, text: str, start: int) -> tuple[int, bool]:
        """Return the end of the longest secret that stands at ``start`` (0 for none), and whether more text could change that."""
        longest, undecided = 0, False
        for one in self._by_first.get(text[start], self._hidden if text[start] in "\\%" else ()):
            end, ran_out = _as_it_is(one, text, start) or _in_any_form(one, text, start)
            longest, undecided = max(longest, end), undecided or ran_out
        return longest, undecided


def _as_it_is(hidden: Hidden, text: str, start: int) -> tuple[int, bool] | None:
    """Return what `_in_any_form` does where the text stands as it is, which is quick to tell; None where it may be written otherwise."""
    value, telling = hidden
    there = text[start : start + len(value)]
    if "\\" in there or "%" in there or "\\" in value or "%" in value:
        return None
    ran_out = len(there) < len(value) and value.startswith(there)
    if there[:telling] != value[:telling]:
        return 0, ran_out
    same = next((at for at, (a, b) in enumerate(zip(there, value, strict=False)) if a != b), len(there))
    return start + same, ran_out


def _in_any_form(hidden: Hidden, text: str, start: int) -> tuple[int, bool]:
    """Return where the secret that stands at ``start`` ends (0 for none), and whether more text could change that."""
    value, telling = hidden
    longest, undecided, ends = 0, False, {start}
    for matched, character in enumerate(value):
        following: set[int] = set()
        for at in ends:
            undecided = _step(text, at, character, following) or undecided
        if not following:
            break
        ends = following
        if matched + 1 >= telling:
            longest = max(longest, *ends)
    return longest, undecided


def _beginning(value: str) -> str:
    """Return a pattern for the first characters of ``value``, or fewer at the very end of a text."""
    pattern = ""
    for character in reversed(value[:_PREFIX]):
        pattern = re.escape(character) + (rf"(?:{pattern}|[\\%]|\Z)" if pattern else "")
    return pattern


def _any_form(character: str) -> str:
    """Return a pattern for ``character`` in any form."""
    forms = [character, *_written(character), *(["\\" + character] if character in _ESCAPED else [])]
    return f"(?:{'|'.join(map(re.escape, forms))})"


def _step(text: str, at: int, character: str, reached: set[int]) -> bool:
    """Add to ``reached`` where ``text`` can go on after ``character`` at ``at``; return True if it ended before that could be told."""
    if at >= len(text):
        return True
    if text[at] == character:
        reached.add(at + 1)
    if text[at] not in "\\%":
        return False
    ran_out = text[at:] == "\\"
    if text[at] == "\\" and text[at + 1 : at + 2] == character and character in _ESCAPED:
        reached.add(at + 2)
    for written in _written(character):
        there = text[at : at + len(written)].lower()
        if there == written:
            reached.add(at + len(written))
        elif written.startswith(there) and at + len(there) == len(text):
            ran_out = True
    return ran_out


def _written(character: str) -> Iterator[str]:
    """Yield ``character`` as JSON, Python and URLs may write it, in small letters."""
    code = ord(character)
    yield f"\\u{code:04x}"
    if code < 0x100:  # noqa: PLR2004 - two digits
        yield f"\\x{code:02x}"
    yield "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "replace"))


class Scrubber:
    """The texts of one stream, kind by kind; give every text of a kind to `scrub` in turn, and `release` at the end."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._waiting: dict[str, list[Held]] = {}

    def scrub(self, kind: str, text: str) -> str | Held:
        """Return ``text`` without secrets; or `Held` where that shows only later, or what stood before it is held."""
        waiting = self._waiting.get(kind)
        if not waiting:
            found = self._secrets.may_hold(text)
            if not found:
                return text
            held = Held(text)
            if (
                found.end() == len(text) < found.start() + _PREFIX
            ):  # an end that may begin one, as of a twentieth of all tokens
                held.known, held.unknown = text[: found.start()], found[0]
                self._waiting[kind] = [held]
                return held
            waiting = []
        elif not self._secrets.may_hold("".join([*(held.unknown for held in waiting), text])):
            for held in self._waiting.pop(kind):
                held.known, held.unknown, held.open = held.known + held.unknown, "", False
            return text
        else:
            held = Held(text)
        self._waiting[kind] = self._decided([*waiting, held], whole=False)
        return held if held.open else held.known

    def release(self) -> None:
        """Decide on everything that is held: nothing more comes."""
        for held in self._waiting.values():
            self._decided(held, whole=True)
        self._waiting.clear()

    def _decided(self, texts: list[Held], *, whole: bool) -> list[Held]:
        """Tell ``texts`` as much of themselves as can be; return those that have to wait for the rest."""
        joined = "".join(held.unknown for held in texts)
        spans, known = self._secrets.found(joined, whole=whole)
        waiting: list[Held] = []
        start = 0
        for held in texts:
            end = start + len(held.unknown)
            held.known += _without(joined, spans, start, min(end, known))
            held.unknown = joined[max(start, known) : end]
            held.open = end > known
            if held.open:
                waiting.append(held)
            start = end
        return waiting


def _without(text: str, spans: list[tuple[int, int]], start: int, end: int) -> str:
    """Return ``text[start:end]`` without the secrets at ``spans``; one stands where it begins."""
    kept: list[str] = []
    at = start
    for a, b in spans:
        if b <= start or a >= end:
            continue
        kept.append(text[at:a])
        if a >= start:
            kept.append(REMOVED)
        at = max(at, b)
    return "".join([*kept, text[at:end]])


class ScrubbedColumns:
    """One stream's way into its lane's columns, through a `Scrubber`; `release` when it has ended."""

    def __init__(self, columns: ChunkColumns, secrets: Secrets) -> None:
        self._columns = columns
        self._scrubber = Scrubber(secrets)
        self.mark_coalesced = columns.mark_coalesced
        self.release = self._scrubber.release

    def add(  # noqa: PLR0917 - as the columns' own
        self, t_ns: int, request: int, text: str, code: str, tokens: int | None, stamp: str
    ) -> None:
        """Append one chunk; its text may be told later."""
        said = self._scrubber.scrub(code, text)
        if isinstance(said, Held):
            self._columns.hold(t_ns, request, said, code, tokens, stamp)
        else:
            self._columns.add(t_ns, request, said, code, tokens, stamp)
