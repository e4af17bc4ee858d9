"""docs/errors.md is the one table of error kinds, and says what `racelog.faults` says."""

from pathlib import Path

from racelog.faults import FAULTS
from racelog_recorder.cli.record import record
from racelog_recorder.plan.deadlines import Deadlines

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()


def test_the_table_of_kinds_is_the_one_the_code_has() -> None:
    rows = [
        f"| `{fault.kind}` | {fault.happened} | {fault.look_at} | {f'`{fault.deadline}`' if fault.deadline else ''} |"
        for fault in FAULTS
    ]

    assert [line for line in PAGE.splitlines() if line.startswith("| `")] == rows


def test_the_help_tells_the_default_deadlines() -> None:
    (option,) = [parameter for parameter in record.params if parameter.name == "deadlines"]
    limits = Deadlines()

    assert getattr(option, "help", "").startswith(
        f"How long a step of a request may take; repeat. connect ({limits.connect_s:g}s), headers and first_token "
        f"({limits.first_token_s:g}s), between_tokens ({limits.between_tokens_s:g}s), total ({limits.total_s / 60:g}m)"
    )
    assert limits.headers_s == limits.first_token_s
