"""Packages with entry points, installed for a test as a folder on the path: no installer, no network."""

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

Install = Callable[..., None]

EXTRAS = Path(__file__).parents[1] / "examples" / "plugins" / "racelog-extras"


def install_package(folder: Path, package: str, code: str, points: str, version: str = "1.0") -> None:
    """Put a package of one module, ``<package>_module``, and its entry points into ``folder``."""
    _describe(folder, package, version, points)
    (folder / f"{package}_module.py").write_text(code)


def install_extras(folder: Path) -> Path:
    """Put the example package and its entry points into ``folder``, as its pyproject.toml has them; return ``folder``."""
    project = tomllib.loads((EXTRAS / "pyproject.toml").read_text())["project"]
    shutil.copytree(EXTRAS / "racelog_extras", folder / "racelog_extras")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    _describe(folder, project["name"].replace("-", "_"), project["version"], "\n".join(lines))
    return folder


def _describe(folder: Path, package: str, version: str, points: str) -> None:
    info = folder / f"{package}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(points)
