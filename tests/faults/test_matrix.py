"""Every kind of failure by its own server: the log, the summary, info, SQL and the exit code say the same; see `matrix`."""

import re
from pathlib import Path

import pytest

from racelog.faults import FAULTS
from tests.faults.matrix import FAULTY, KEY, Case, seen

pytestmark = pytest.mark.timeout(120)


def label(case: Case) -> str:
    """Return how the kind of a case is shown."""
    return f"http {case.http_status}" if case.error == "http" else case.error


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: case.name)
def test_a_fault_is_the_same_fact_everywhere(case: Case, tmp_path: Path) -> None:
    found = seen(case, tmp_path)

    assert (found.end.status, found.end.error) == (case.status, case.error)
    assert case.says in found.end.message
    assert found.sql == (case.status, case.error or None, case.http_status)
    assert found.exit_code == case.exit_code
    assert KEY not in found.everything
    assert "Traceback" not in found.everything
    if case.error:
        assert f" {label(case)}" in next(line for line in found.info.splitlines() if "errors: " in line)
        assert f" x {case.error} (" in found.summary
        assert re.search(rf"\d failed \(.*\d {case.error}\b", found.play)
    else:
        assert "errors: " not in found.info
        assert "failed" not in found.play


def test_every_kind_of_failure_has_its_case() -> None:
    assert {case.error for case in FAULTY if case.error} == {fault.kind for fault in FAULTS}
