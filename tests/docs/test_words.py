"""Words that were hard to read once do not come back: nowhere in what we print, draw or document."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = [
    path
    for folder in ("racelog", "recorder", "player", "cards")
    for path in (ROOT / folder).rglob("*.py")
    if ".venv" not in path.parts
]
READ = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

HARD = (
    "client-limited", "the client was the bottleneck:", "together with later ones", "ms off (p9", "OUT OF THE ORDINARY",
    "is uneven", "answers first", "later than usual", "where nothing happens for longer, pass", "keys of another player over",
    "can they be trusted", "picture it for ever", "take the processor from each other", "live on under another name",
    "was nobody's", "by a nose", "photo finish", "Neck and neck", "crosses the line", "alone against the clock", "And they are off",
)  # fmt: skip


@pytest.mark.parametrize("words", HARD)
def test_a_phrase_that_needs_reading_twice_is_not_shipped(words: str) -> None:
    assert [path.name for path in (*SHIPPED, *READ) if words in path.read_text(encoding="utf-8")] == []
