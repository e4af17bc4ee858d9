"""No place but `racelog.display.figures` says how a fraction reads: the source is looked through for formats of its own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
ROOTS = ("racelog", "player", "recorder", "cards")
THE_PLACE = "racelog/display/figures.py"

ELSEWHERE = {
    "racelog/console/output.py: {value:f}": "JSON of a decimal: every digit",
    "racelog/console/tables.py: {value:f}": "CSV of a decimal: every digit",
    "racelog/console/tables.py: {value:.{MOST_DECIMALS}f}": "SQL's own rows: a column has one number of decimals",
    "racelog/console/tables.py: {value:.{decimals}f}": "SQL's own rows, as above",
    "racelog/console/tables.py: {value:.2g}": "SQL's own rows: what those decimals would show as none",
    "racelog/console/axes.py: {value:.3g}": "labels of a plot of any column, of any size",
    "racelog/console/axes.py: {step:e}": "read by the program, not shown",
    "racelog/console/axes.py: {value + 0.0:,.{decimals}f}": "labels of a plot: as many decimals as its steps need",
    "racelog/console/narrate.py: {fact.t / NS_PER_S:13.6f}": "the instant of `racelog cat`: microseconds, lined up",
    "racelog/views/condition.py: {quiet_s:.0f}": "whole seconds of a wait",
    "player/racelog_player/panes/frame.py: {passed:.1f}": "a clock that runs: its digits must not jump",
    "player/racelog_player/panes/frame.py: {whole:.1f}": "beside that clock",
    "player/racelog_player/panes/pages/health.py: {one.rss_mib:,.0f}": "whole MiB of a process",
    "player/racelog_player/controller/player.py: {quiet:.0f}": "whole seconds of a wait",
    "recorder/racelog_recorder/conductor/running.py: {left:.0f}": "the countdown: 3, 2, 1",
    "recorder/racelog_recorder/plan/fields/checks.py: {value:.10g}": "a number of a plan, said back as a file would give it",
    "recorder/racelog_recorder/cli/progress_line.py: {age_s:.0f}": "whole seconds of a wait",
    "recorder/racelog_recorder/cli/dry_run.py: {request.due_s:.4f}": "the plan's own instants, to compare between engines",
}
"""Formats of fractions outside that place, and why each is none of its business."""

FRACTION = re.compile(r"(?!%[A-Za-z])(?:.*\.(?:\d|\{\})|.*[eEfFG%]$)")
"""A format that sets decimals. ``g`` alone says a number back as somebody gave it; a date begins with ``%Y``."""

TEMPLATE = re.compile(
    r"\{[\w.\[\]]*(?:![rsa])?:[^{}\s]*(?:\.\d+[a-zA-Z%]?|[eEfFG%])\}|%[-+ 0\d]*\.?\d*[feEG]\b"
)
"""The same in a text that is filled in later, by ``format`` or ``%``."""


def formats(source: str) -> Iterator[str]:
    """Yield every format of a fraction in Python source, as it is written there."""
    tree = ast.parse(source)
    written = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        match node:
            case ast.FormattedValue(value=value, format_spec=ast.JoinedStr() as spec) if FRACTION.match(
                _text(spec)
            ):
                yield f"{{{ast.unparse(value)}:{_spelled(spec)}}}"
            case ast.Call(func=ast.Name(id="format"), args=[_, spec]):
                yield ast.unparse(node)
            case ast.Constant(value=str() as text) if id(node) not in written:
                yield from TEMPLATE.findall(text)


def _text(spec: ast.JoinedStr) -> str:
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in spec.values)


def _spelled(spec: ast.JoinedStr) -> str:
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"  # type: ignore[attr-defined]  # a value
        for part in spec.values
    )


def test_fractions_are_formatted_in_one_place_and_where_a_reason_is_given() -> None:
    found = set()
    for root in ROOTS:
        for path in sorted((HERE / root).rglob("*.py")):
            name = path.relative_to(HERE).as_posix()
            if name != THE_PLACE:
                found |= {f"{name}: {each}" for each in formats(path.read_text(encoding="utf-8"))}
    assert found == set(ELSEWHERE)


@pytest.mark.parametrize(
    "source",
    [
        'f"{x:.1f}"', 'f"{x:.0f} %"', 'f"{x:.1%}"', 'f"{x:%}"', 'f"{x:6.2f}"', 'f"{x:,.0f}"', 'f"{x:.3g}"', 'f"{x:.{n}f}"',
        'f"{x:>8.1f}"', 'f"{x:.3}"', 'format(x, ".1f")', '"{:.1f}".format(x)', '"%.1f" % x', '"a %5.1f b" % x', 'f"{x:e}"',
    ],
)  # fmt: skip
def test_a_format_of_a_fraction_is_found(source: str) -> None:
    assert len(list(formats(source))) == 1


@pytest.mark.parametrize(
    "source",
    ['f"{x}"', 'f"{x:,}"', 'f"{x:>8}"', 'f"{x:02d}"', 'f"{x:{n}}"', 'f"{x:g}"', 'f"{t:%Y-%m-%d}"', '"100 % of it"', '"%s" % x'],
)  # fmt: skip
def test_other_formats_are_not(source: str) -> None:
    assert list(formats(source)) == []
