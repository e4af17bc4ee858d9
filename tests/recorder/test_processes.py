"""How racelog's own processes are started."""

import subprocess
from pathlib import Path

import pytest

from racelog_recorder.processes import own_process


@pytest.mark.parametrize("name", ["click", "queue"])
def test_a_file_of_the_user_s_folder_is_not_run_for_a_module_of_that_name(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")

    ran = subprocess.run([*own_process("racelog"), "ls"], cwd=tmp_path, check=False, capture_output=True)

    assert (ran.returncode, ran.stdout) == (0, b"")


def test_every_process_of_a_race_is_started_so() -> None:
    root = Path(__file__).parents[2] / "recorder" / "racelog_recorder"

    bare = [str(path) for path in root.rglob("*.py") if '"-m"' in path.read_text("utf-8")]

    assert bare == [str(root / "processes.py")]
