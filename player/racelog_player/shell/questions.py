"""What is asked of `racelog shell`, cut out of lines: queries, saved ones and dot commands. Pure."""

from collections.abc import Iterable, Iterator

from racelog.query.connection.split import Statement, split


def is_complete(text: str) -> bool:
    """Return whether Enter sends ``text``: queries ended by a semicolon, a saved one, a dot command, or nothing.

    A query that is to be drawn ends as any other; comments after the last semicolon do not matter.
    """
    return _rest(text) == ""


def questions_in(lines: Iterable[str]) -> Iterator[str]:
    """Yield the questions in lines of text, in their order; the last may lack its semicolon."""
    gathered = ""
    for line in lines:
        gathered += line
        # Of a query over many lines nothing comes to its end before a semicolon; only what is no query may.
        if ";" in line or gathered.lstrip()[:1] in ("", ".", "@", "-", "/"):
            rest = _rest(gathered)
            yield from _asked(gathered[: len(gathered) - len(rest)])
            gathered = rest
    yield from _asked(gathered)


def _asked(text: str) -> Iterator[str]:
    for statement in split(text):
        if not statement.bare:
            yield from _each_line(statement)


def _each_line(statement: Statement) -> Iterator[str]:
    """Yield the dot commands and saved queries that stand before a statement, each on a line of its own, and it."""
    text = _without_comments(statement.text)
    while _is_command(text):
        command, _, after = text.partition("\n")
        if _draws_query(command):
            break
        yield command.strip()
        text = _without_comments(after)
    if text:
        yield f"{text};" if statement.ended else text


def _rest(text: str) -> str:
    """Return what of ``text`` waits for more lines: a query without its semicolon; empty where nothing does."""
    *_, last = (None, *split(text))
    if last is None or last.ended or (last.bare and not last.cut_off):
        return ""
    waiting = _without_comments(last.text)
    while _is_command(waiting) and not _draws_query(waiting.partition("\n")[0]):
        waiting = _without_comments(waiting.partition("\n")[2])
    return last.text if waiting else ""


def _is_command(text: str) -> bool:
    return text[:1] in (".", "@")


def _draws_query(line: str) -> bool:
    """Return whether a dot command goes on until a semicolon, for a query of one's own stands in it."""
    command, *words = line.split(maxsplit=2) or [""]
    return command == ".plot" and len(words) > 1 and not words[1].startswith("@")


def _without_comments(text: str) -> str:
    """Return ``text`` without comments of whole lines and blanks before what is said, and blanks after it."""
    text = text.strip()
    while text.startswith("--"):
        text = text.partition("\n")[2].strip()
    return text
