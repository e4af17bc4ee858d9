"""Draw the rooms of racelog from the import contracts in pyproject.toml, and list them: `make docs`.

A layer of a contract is a row, what may not know each other stands side by side in it, and a part stands on what it
imports. What each room is for is the first line of its own docstring. So neither the picture nor the table can say
anything that the code does not; `tests/docs/test_architecture.py` compares both with the sources.
"""

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "rooms.svg"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: written by `make docs` -->\n", "<!-- rooms: end -->\n"
FOLDERS = {"racelog_recorder": "recorder", "racelog_player": "player", "racelog_cards": "cards"}

Layers = list[list[str]]

WIDTH, EDGE, GAP, HEAD, ROW, SPACE = 960, 16, 14, 34, 28, 5
"""Pixels: the picture, its edge, between parts, a part's heading, a layer, between layers."""

STYLE = """
  text { font: 12.5px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2933; text-anchor: middle; dominant-baseline: central }
  .head { font-weight: 700; font-size: 14px; text-anchor: start }
  .word { font: 12.5px system-ui, "Segoe UI", Helvetica, "DejaVu Sans", sans-serif; text-anchor: start; fill: #52606d }
  .inner { font-size: 11.5px }
  .ground { fill: #ffffff } .part { fill: #f5f7fa; stroke: #cbd2d9 } .module { fill: none; stroke: #9aa5b1; stroke-dasharray: 3 3 } .chip { fill: #ffffff; stroke: #9fb3c8 }
  .recorder { fill: #ffe3c7 } .player { fill: #d8f0dc } .cards { fill: #eddcf7 } .core { fill: #d5e6fb }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4e7eb } .word { fill: #9aa5b1 } .ground { fill: #0d1117 } .part { fill: #161b22; stroke: #3e4c59 }
    .module { stroke: #616e7c } .chip { fill: #0d1117; stroke: #486581 }
    .recorder { fill: #6b4420 } .player { fill: #245232 } .cards { fill: #4d3363 } .core { fill: #1f4068 }
  }
"""


@dataclass(frozen=True, slots=True)
class Part:
    """A package: its import name, and its layers from top to bottom; one that no contract divides has none."""

    name: str
    layers: Layers

    @property
    def folder(self) -> Path:
        """Where its code is."""
        return ROOT / FOLDERS.get(self.name, ".") / self.name

    @property
    def colour(self) -> str:
        """The style of its rooms."""
        return FOLDERS.get(self.name, "core")

    @property
    def height(self) -> int:
        """Pixels it takes in the picture."""
        return HEAD + max(1, len(self.layers)) * (ROW + SPACE) + SPACE

    def is_room(self, name: str) -> bool:
        """Tell a room, which is a folder, from a module."""
        return (self.folder / name).is_dir()


def contracts() -> list[dict[str, object]]:
    """Return the contracts as pyproject.toml has them."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    found: list[dict[str, object]] = tool["importlinter"]["contracts"]
    return found


def layers_of(container: str) -> Layers:
    """Return the layers inside ``container``, top first; none where no contract divides it."""
    for contract in contracts():
        if contract.get("containers") == [container]:
            return _layers(contract)
    return []


def _layers(contract: dict[str, object]) -> Layers:
    rows = contract["layers"]
    assert isinstance(rows, list)
    return [[name.strip() for name in row.split("|")] for row in rows]


def stories() -> list[list[Part]]:
    """Return the parts, top first: those side by side do not know each other and stand on what is below."""
    (whole,) = [one for one in contracts() if one["type"] == "layers" and "containers" not in one]
    return [[Part(name, layers_of(name)) for name in row] for row in _layers(whole)]


def picture() -> str:
    """Return the picture as SVG."""
    rows = stories()
    heights = [max(part.height for part in row) for row in rows]
    words = [
        "A box may import what is",
        "below it, in its part and in",
        "the core; nothing above it,",
        "nothing beside it.",
        "",
        "Filled: a room, a folder.",
        "Dashed: a single module.",
    ]
    rules = [str(one["name"]) for one in contracts() if one["type"] == "forbidden"]
    height = EDGE * 2 + sum(heights) + GAP * (len(rows) - 1) + 20 * len(rules) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>The rooms of racelog, by its import contracts</title><style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>',
    ]
    y = EDGE
    for row, tallest in zip(rows, heights, strict=True):
        x = float(EDGE)
        for part, width in zip(row, _widths(row), strict=True):
            top = y + tallest - part.height
            lines += _drawn(part, x, top, width)
            if part.height < tallest / 2:
                lines += [_word(x + 6, y + 12 + 19 * at, text) for at, text in enumerate(words)]
            x += width + GAP
        y += tallest + GAP
    lines += [_word(EDGE + 6, y + 6 + 20 * at, f"Also checked: {rule}.") for at, rule in enumerate(rules)]
    return "\n".join([*lines, "</svg>", ""])


def _widths(row: list[Part]) -> list[float]:
    """Share the width among parts side by side by the most rooms that one of their layers has."""
    room = WIDTH - 2 * EDGE - GAP * (len(row) - 1)
    most = [max([2, *map(len, part.layers)]) + 1 for part in row]
    return [room * share / sum(most) for share in most]


def _drawn(part: Part, x: float, y: float, width: float) -> Iterator[str]:
    yield f'<rect class="part" x="{x:g}" y="{y:g}" width="{width:.1f}" height="{part.height}" rx="8"/>'
    yield f'<text class="head" x="{x + 12:g}" y="{y + HEAD / 2:g}">{escape(part.name)}</text>'
    top, left, inside = y + HEAD, x + 8, width - 16
    for layer in part.layers or [["one room"]]:
        each = (inside - SPACE * (len(layer) - 1)) / len(layer)
        for at, name in enumerate(layer):
            style = part.colour if part.is_room(name) or not part.layers else "module"
            yield from _box(style, name, (left + at * (each + SPACE), top), each, _rooms_in(part, name))
        top += ROW + SPACE


def _rooms_in(part: Part, name: str) -> Layers:
    """Return the layers of a room that is divided into rooms; none of one that has modules alone."""
    inner = layers_of(f"{part.name}.{name}")
    whole = all((part.folder / name / one).is_dir() for layer in inner for one in layer)
    return inner if whole else []


def _box(style: str, name: str, at: tuple[float, float], width: float, inner: Layers) -> Iterator[str]:
    x, y = at
    yield f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{ROW}" rx="5"/>'
    if not inner:
        yield f'<text x="{x + width / 2:.1f}" y="{y + ROW / 2:.1f}">{escape(name)}</text>'
        return
    yield f'<text x="{x + 50:.1f}" y="{y + ROW / 2:.1f}">{escape(name)}</text>'
    left, step = x + 100, (width - 106) / len(inner)
    for number, layer in enumerate(inner):
        wide = step - 16
        yield f'<rect class="chip" x="{left:.1f}" y="{y + 4:.1f}" width="{wide:.1f}" height="{ROW - 8}" rx="4"/>'
        yield f'<text class="inner" x="{left + wide / 2:.1f}" y="{y + ROW / 2:.1f}">{escape(" | ".join(layer))}</text>'
        if number < len(inner) - 1:
            yield f'<text class="inner" x="{left + wide + 8:.1f}" y="{y + ROW / 2:.1f}">→</text>'
        left += step


def _word(x: float, y: float, text: str) -> str:
    return f'<text class="word" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def table() -> str:
    """Return the rooms of every part as Markdown, each with what its docstring promises."""
    lines: list[str] = []
    for part in (part for story in stories() for part in story):
        path = part.folder.relative_to(ROOT).as_posix()
        lines += ["", f"### `{path}/`", "", _promise(part.folder / "__init__.py"), ""]
        if not part.layers:
            continue
        lines += ["| room or module | what it holds |", "| --- | --- |"]
        for name in (name for layer in part.layers for name in layer):
            lines.append(f"| `{name}` | {_promise(part.folder / name)} |")
            lines += [
                f"| `{name}/{inner}` | {_promise(part.folder / name / inner)} |"
                for layer in _rooms_in(part, name)
                for inner in layer
            ]
    return "\n".join(lines).strip() + "\n"


def _promise(path: Path) -> str:
    """Return the first line of a docstring: of a file, of a module without its suffix, or of a room."""
    module = path if path.suffix else path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].replace("|", "\\|").replace("``", "`")


def with_table(page: str) -> str:
    """Return the page of the architecture with its table of rooms as it should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
