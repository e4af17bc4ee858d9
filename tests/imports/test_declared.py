"""What is imported is declared, what is declared is locked, and every floor is a release that `make test-lowest` installs."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / ".ci" / "locks"
SHIPPED = ("racelog", "recorder", "player", "cards")
OURS = {"racelog", "racelog_recorder", "racelog_player", "racelog_cards", "tests", "docs"}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

ELSEWHERE = {"torch", "transformers", "tokenizers", "aiohttp", "atheris"}
"""What programs under ``tests`` import in environments of their own: vLLM's, a peer's, a hunt's."""

MODULES = {"yaml": "pyyaml", "PIL": "pillow", "pynvml": "nvidia-ml-py"}
"""Modules whose distribution has another name, where it may not be installed."""


def requirements(listed: list[Any]) -> dict[str, Requirement]:
    """Return requirements by the canonical name of what they require."""
    parsed = [Requirement(text) for text in listed if isinstance(text, str)]
    return {canonicalize_name(one.name): one for one in parsed}


NEEDED = requirements(PROJECT["project"]["dependencies"])
EXTRAS = requirements(
    [one for extra in PROJECT["project"]["optional-dependencies"].values() for one in extra]
)
TESTING = requirements(PROJECT["dependency-groups"]["test"])
BUILDING = requirements(PROJECT["build-system"]["requires"])


@cache
def imported(folder: str) -> frozenset[tuple[str, str]]:
    """Return every top-level module that a Python file under ``folder`` imports anywhere, with the file."""
    return frozenset(_imports(ROOT / folder))


def _imports(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                yield name.partition(".")[0], str(path.relative_to(ROOT))


_distributions = cache(packages_distributions)


def undeclared(folder: str, declared: set[str], known: frozenset[str] | set[str] = frozenset()) -> list[str]:
    """Return the imports of third-party modules under ``folder`` whose distribution is not ``declared``."""
    distributions = _distributions()
    missing = set()
    for module, path in imported(folder):
        beside = (ROOT / path).parent / f"{module}.py"
        if module in sys.stdlib_module_names | OURS | known or beside.exists():
            continue
        names = {canonicalize_name(name) for name in distributions.get(module, [])} | {
            MODULES.get(module, canonicalize_name(module))
        }
        if not names & declared:
            missing.add(f"{path} imports {module}")
    return sorted(missing)


@pytest.mark.parametrize("folder", SHIPPED)
def test_what_the_shipped_package_imports_is_declared(folder: str) -> None:
    assert undeclared(folder, NEEDED.keys() | EXTRAS.keys()) == []


def test_what_the_tests_import_is_declared() -> None:
    assert undeclared("tests", NEEDED.keys() | TESTING.keys(), ELSEWHERE) == []


def test_an_import_that_is_not_declared_is_found() -> None:
    assert "recorder/racelog_recorder/transports/pump/backend.py imports httpcore2" in undeclared(
        "recorder", NEEDED.keys() - {"httpcore2"} | EXTRAS.keys()
    )


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_what_is_declared_is_imported(name: str) -> None:
    distributions = _distributions()
    modules = {module for folder in SHIPPED for module, _ in imported(folder)}
    used = {canonicalize_name(found) for module in modules for found in distributions.get(module, [])}

    assert name in used


def locked(lock: str) -> dict[str, set[Version]]:
    """Return the releases that a lock pins, by name; several where they differ by Python's version."""
    pinned: dict[str, set[Version]] = {}
    for line in (LOCKS / f"{lock}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith((" ", "#")):
            one = Requirement(line.rstrip("\\ "))
            (release,) = one.specifier
            assert release.operator == "=="
            pinned.setdefault(canonicalize_name(one.name), set()).add(Version(release.version))
    return pinned


def floor(one: Requirement) -> Version:
    """Return the release that a requirement names as its oldest."""
    (oldest,) = [Version(bound.version) for bound in one.specifier if bound.operator in (">=", "==")]
    return oldest


FLOORS = {**NEEDED, **EXTRAS, **TESTING, **BUILDING}


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_a_floor_is_a_release_and_the_one_that_is_tested(name: str) -> None:
    assert locked("lowest")[name] == {floor(FLOORS[name])}


@pytest.mark.parametrize("name", sorted({**NEEDED, **TESTING, **BUILDING}))
def test_the_lock_pins_what_is_declared_within_its_bounds(name: str) -> None:
    bounds = FLOORS[name].specifier

    assert all(release in bounds for release in locked("dev")[name])


def test_a_user_s_lock_is_a_part_of_the_developers() -> None:
    everything = locked("dev")

    assert {name: releases for name, releases in locked("run").items() if everything[name] != releases} == {}
    assert locked("run").keys() >= NEEDED.keys() | BUILDING.keys() | {"pip"}


@pytest.mark.parametrize("lock", ["dev", "run", "lowest", "lock"])
def test_every_pin_in_a_lock_has_its_hashes(lock: str) -> None:
    pins = (LOCKS / f"{lock}.txt").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()

    assert [pin for pin in pins if pin and "--hash=sha256:" not in pin] == []


def test_one_requirement_of_a_package_says_the_same_everywhere() -> None:
    assert {name: str(EXTRAS[name]) for name in EXTRAS.keys() & TESTING.keys()} == {
        name: str(TESTING[name]) for name in EXTRAS.keys() & TESTING.keys()
    }
