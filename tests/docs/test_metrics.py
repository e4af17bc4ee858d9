"""docs/metrics.md has the thresholds that the code has, and the code cites pages of this repository alone."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
TABLE = re.compile(r"^\| `(racelog[\w.]+)` \| value \|.*\n\| -.*\n((?:\|.*\n)+)", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| ([\d.]+) \|", re.MULTILINE)
THRESHOLDS = [
    (module, name, float(value)) for module, rows in TABLE.findall(PAGE) for name, value in ROW.findall(rows)
]

CITING = [
    path
    for folder in ("racelog", "recorder", "player", "cards", "tests", "docs", "schemas", "examples")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".md", ".sql", ".json", ".yaml", ".toml"} and path != Path(__file__).resolve()
] + [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "Makefile", "pyproject.toml")
    if (ROOT / name).exists()
]
ELSEWHERE = re.compile(
    r"\b(?:DESIGN|MISSION|HOUSE|PEERS|ENGINES|STYLE|LOG-FORMAT|[A-Z]+-ANCHORS)\.md\b|\bDESIGN\b|\b[Tt]he seed(?:'s| asks)\b"
)
CITED = re.compile(r"(?<![\w./-])(docs/[\w./-]+?\.md)(?:#([\w-]+))?")


def heading_anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to a page's headings."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def test_the_page_has_thresholds_of_every_kind() -> None:
    assert len(THRESHOLDS) > 50


@pytest.mark.parametrize(("module", "name", "value"), THRESHOLDS)
def test_a_threshold_is_what_the_code_has(module: str, name: str, value: float) -> None:
    assert value == getattr(importlib.import_module(module), name)


def test_nothing_cites_a_page_that_is_not_in_the_repository() -> None:
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path in CITING
        if (match := ELSEWHERE.search(path.read_text(encoding="utf-8", errors="replace")))
    }

    assert found == {}


def test_every_page_and_heading_that_the_code_cites_is_there() -> None:
    broken = []
    for path in CITING:
        if path.suffix != ".py":
            continue
        for page, anchor in CITED.findall(path.read_text(encoding="utf-8", errors="replace")):
            if page == "docs/api.md":  # Ollama's own
                continue
            cited = ROOT / page
            if not cited.exists() or (
                anchor and anchor not in heading_anchors(cited.read_text(encoding="utf-8"))
            ):
                broken.append(f"{path.relative_to(ROOT)}: {page}#{anchor}")

    assert broken == []


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
            name, _, anchor = target.partition("#")
            cited = (path.parent / name).resolve() if name else path
            missing = anchor and cited.suffix == ".md" and anchor not in heading_anchors(_text(cited))
            if not cited.exists() or missing:
                broken.append(f"{path.relative_to(ROOT)}: {target}")

    assert broken == []
