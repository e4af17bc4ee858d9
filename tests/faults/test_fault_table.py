"""Every file operation of record -> finish -> seal fails once, in every way; the table itself is `tests.soak.fault_table`."""

import pytest

from tests.soak.fault_table import FAILURES, Outcome, count_operations, run_once


@pytest.fixture(scope="module")
def operations() -> dict[str, int]:
    return count_operations()


def outcomes(operation: str, operations: dict[str, int]) -> list[Outcome]:
    return [
        run_once(operation, failure, action, number)  # type: ignore[arg-type]  # a parameter of the tests below
        for number in range(1, operations[operation] + 1)
        for failure, action in FAILURES[operation].items()  # type: ignore[index]  # the same
    ]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("operation", FAILURES)
def test_no_failing_operation_costs_what_was_committed(operation: str, operations: dict[str, int]) -> None:
    rows = outcomes(operation, operations)

    assert all(row.struck for row in rows)
    assert [row for row in rows if not row.harmless] == []


def test_every_operation_happens_often_enough_to_be_failed(operations: dict[str, int]) -> None:
    at_least = {"open": 7, "write": 12, "fsync": 13, "rename": 1, "remove": 3}

    assert {name: operations[name] >= times for name, times in at_least.items()} == dict.fromkeys(
        at_least, True
    )


def test_a_failed_sync_of_a_segment_ends_nothing(operations: dict[str, int]) -> None:
    rolled = [
        row
        for row in outcomes("fsync", operations)
        if row.stage != "create" and "rlog.sealing" not in row.struck
    ]

    assert sum(row.rolled for row in rolled) >= 16
    assert [row.told for row in rolled if row.rolled and row.told] == []
