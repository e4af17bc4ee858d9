"""The pages for contributors are whole: every decision, how-to and page is in its index, and hooks call locked tools alone."""

import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_every_decision_is_in_the_index_under_its_title() -> None:
    found = [
        (path.name, *re.findall(r"^# (\d+)\. (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)[0])
        for path in sorted(DOCS.glob("decisions/0*.md"))
    ]
    rows = re.findall(
        r"^\| (\d+) \| \[(.+)\]\((\S+)\) \| [\w ]+ \|$", text("docs/decisions/README.md"), re.MULTILINE
    )

    assert len(found) > 20
    assert found == [(name, number, title) for number, title, name in rows]


def test_a_decision_s_number_is_that_of_its_file() -> None:
    numbers = [
        (path.name[:4], path.read_text(encoding="utf-8").partition(".")[0])
        for path in DOCS.glob("decisions/0*.md")
    ]

    assert [(name, heading) for name, heading in numbers if heading != f"# {int(name)}"] == []


def test_every_how_to_is_in_the_index() -> None:
    pages = sorted(path.name for path in DOCS.glob("howto/*.md") if path.name != "README.md")

    assert pages == sorted(re.findall(r"\]\((\w[\w-]*\.md)\)", text("docs/howto/README.md")))


def test_every_page_is_in_the_index() -> None:
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"}

    assert pages == set(re.findall(r"^\| \[.+\]\((\w[\w-]*\.md)\)", text("docs/README.md"), re.MULTILINE))


def test_the_guide_to_english_has_ten_pairs() -> None:
    guide = text("CONTRIBUTING.md").partition("| before | after | why |")[2]
    pairs = re.findall(r"^\| (?!---)(.+) \| (.+) \| .+ \|$", guide, re.MULTILINE)

    assert len(pairs) == 10
    assert [pair for pair in pairs if pair[0] == pair[1]] == []


def test_a_hook_calls_a_locked_tool_and_fetches_nothing() -> None:
    config = yaml.safe_load(text(".pre-commit-config.yaml"))
    groups = tomllib.loads(text("pyproject.toml"))["dependency-groups"]
    tools = {Requirement(one).name for name in ("test", "check") for one in groups[name]}
    programs = {"lint-imports": "import-linter"}
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    called = [re.fullmatch(r"\.venv/bin/([\w-]+).*", hook["entry"]) for hook in hooks]

    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert [
        found and found[1]
        for found in called
        if found is None or programs.get(found[1], found[1]) not in tools
    ] == []


def test_every_action_is_pinned_by_a_full_hash_with_its_version() -> None:
    used = [
        (path.name, line.strip())
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]

    assert len(used) > 10
    assert [
        one for one in used if not re.fullmatch(r"- uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one[1])
    ] == []


def test_one_action_has_one_hash_in_all_workflows() -> None:
    pins: dict[str, set[str]] = {}
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for name, pin in re.findall(r"uses: ([\w./-]+)@(.+)", path.read_text(encoding="utf-8")):
            pins.setdefault(name, set()).add(pin)

    assert {name: found for name, found in pins.items() if len(found) > 1} == {}
