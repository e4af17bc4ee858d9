"""What a terminal is told to be by its environment: whether it obeys escapes, shows colours, speaks Unicode.

Asked by every verb, in one place. Nothing here looks at a device.
"""

import codecs
import io
import os
import sys
from collections.abc import Mapping
from typing import BinaryIO, TextIO

from racelog.display.signs import to_ascii

_UNADDRESSED = ("", "dumb", "unknown")
_UTF8 = ("utf8", "utf-8")


def addressable(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal obeys escape sequences: ``TERM`` is set and not ``dumb``."""
    return environment.get("TERM", "") not in _UNADDRESSED or os.name == "nt"


def colours(environment: Mapping[str, str]) -> bool | None:
    """Return whether results are styled: never, always, or, for None, on a terminal alone.

    ``NO_COLOR`` (https://no-color.org) is stronger than ``FORCE_COLOR`` and ``CLICOLOR_FORCE``, those than
    ``CLICOLOR=0`` and a terminal that obeys no escapes.
    """
    if environment.get("NO_COLOR"):
        return False
    forced = environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE")
    if forced:
        return forced != "0"
    return False if environment.get("CLICOLOR") == "0" or not addressable(environment) else None


def speaks_unicode(encoding: str | None, environment: Mapping[str, str]) -> bool:
    """Return whether output in ``encoding`` reaches somebody who can show more than ASCII.

    Python writes UTF-8 under ``LC_ALL=C`` too (PEP 538, 540), so the locale is asked as well; where none is set, as in
    most containers, the encoding decides.
    """
    return (encoding or "").lower() in _UTF8 and _locale_speaks_unicode(environment)


def _locale_speaks_unicode(environment: Mapping[str, str]) -> bool:
    locale = environment.get("LC_ALL") or _character_locale(environment) or environment.get("LANG")
    if not locale:
        return True
    _, _, charset = locale.partition("@")[0].partition(".")
    return charset.lower() in _UTF8 or (not charset and locale not in ("C", "POSIX"))


def _character_locale(environment: Mapping[str, str]) -> str:
    """Return ``LC_CTYPE`` as the user has it: Python itself sets a UTF-8 one where there is no such locale (PEP 538)."""
    found = environment.get("LC_CTYPE", "")
    return "" if found in ("C.UTF-8", "C.utf8", "UTF-8") and environment.get("LANG") else found


class SignWriter(io.TextIOWrapper):
    """Standard output or error for those who cannot show our signs: what the encoding lacks is written by likeness."""

    def __init__(self, buffer: BinaryIO, encoding: str, *, line_buffering: bool) -> None:
        super().__init__(buffer, encoding=encoding, errors="replace", line_buffering=line_buffering)
        self.written_in = encoding

    def write(self, text: str, /) -> int:
        """Write ``text``; letters without a likeness become ``?``."""
        super().write(text if text.isascii() else "".join(map(self._shown, text)))
        return len(text)

    def _shown(self, character: str) -> str:
        try:
            character.encode(self.written_in)
        except UnicodeEncodeError:
            return to_ascii(character)
        return character


class AsciiWriter(SignWriter):
    """The same for those who read nothing but ASCII.

    It calls itself Latin-1, of which ASCII is a part: click takes a stream in ASCII for a mistake and writes UTF-8 to it.
    """

    def __init__(self, buffer: BinaryIO, *, line_buffering: bool) -> None:
        super().__init__(buffer, "latin-1", line_buffering=line_buffering)
        self.written_in = "ascii"


def adapt_output(environment: Mapping[str, str]) -> None:
    """Let standard output and error write what their readers can show. For a program's own start, once."""
    sys.stdout, sys.stderr = _adapted(sys.stdout, environment), _adapted(sys.stderr, environment)


def _adapted(stream: TextIO, environment: Mapping[str, str]) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper) or speaks_unicode(stream.encoding, environment):
        return stream
    encoding, line_buffering = stream.encoding, stream.line_buffering
    ascii_only = codecs.lookup(encoding).name in (
        "ascii",
        "utf-8",
    )  # UTF-8 that the locale's terminal does not know
    buffer = stream.detach()
    if ascii_only:
        return AsciiWriter(buffer, line_buffering=line_buffering)
    return SignWriter(buffer, encoding, line_buffering=line_buffering)
