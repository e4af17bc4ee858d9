"""docs/howto/plan-field.md works: its diff, applied to a copy of the sources, makes a field that is seen everywhere."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from racelog.events import RaceFacts
from racelog.log.read.reader import open_log
from tests.patching import apply
from tests.recorder.scripted import ScriptedServer, Wire

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "plan-field.md"
ENGINE = ("--engine", "a=http://127.0.0.1:1/v1,model=m")


class Copy:
    """A copy of the sources with the page's field in it, and written out as the page says."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("recorder", "docs", "schemas"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.changed = apply(PAGE.read_text(), root)
        done = self.run("racelog_recorder.plan.generate")
        assert done.returncode == 0, done.stderr

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PYTHONPATH": str(self.root / "recorder"), "COLUMNS": "200"}
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            capture_output=True, text=True, check=False, cwd=self.root, env=environment,
        )  # fmt: skip

    def record(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.run("racelog", "record", *arguments)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("copy"))


@pytest.fixture
def engine() -> Iterator[str]:
    """Give the URL of an engine that answers every request with one token."""

    def script(connection: object, _number: int) -> None:
        while Wire.read_request(connection):  # type: ignore[arg-type]
            answer = Wire.chunked(Wire.content("hi"), Wire.FINISH, Wire.USAGE, Wire.DONE)
            connection.sendall(Wire.HEAD + answer)  # type: ignore[attr-defined]

    server = ScriptedServer(script)
    yield server.url
    server.close()


def test_a_field_is_one_row_one_attribute_and_the_line_that_uses_it(copy: Copy) -> None:
    assert [Path(path).name for path in copy.changed] == [
        "model.py", "race.py",
        "model.py", "engine.py",
        "running.py",
    ]  # fmt: skip


def test_the_help_has_the_flag_with_its_meaning_and_default(copy: Copy) -> None:
    shown = " ".join(copy.record("--help").stdout.split())

    assert "--handover TIME How long a time trial waits after one engine before it starts the next." in shown
    assert "[default: 1s]" in shown


def test_the_schema_has_the_field_with_its_bounds_and_default(copy: Copy) -> None:
    schema = json.loads((copy.root / "schemas" / "race.schema.json").read_text())
    field = schema["$defs"]["race"]["properties"]["handover"]

    assert field["oneOf"][0] == {"type": "number", "minimum": 0, "maximum": 600}
    assert (field["default"], field["description"][:10]) == ("1s", "How long a")


def test_the_table_in_the_docs_has_a_row(copy: Copy) -> None:
    page = (copy.root / "docs" / "race-yaml.md").read_text()

    assert (
        "| `handover` | How long a time trial waits after one engine before it starts the next. | `1s` |\n"
        in page
    )


def test_a_dry_run_tells_it_to_people_and_to_programs(copy: Copy) -> None:
    asked = (*ENGINE, "--handover", "2m", "--dry-run")

    assert "not as usual: handover: 120s\n" in copy.record(*asked).stdout
    assert json.loads(copy.record(*asked, "--json").stdout)["plan"]["handover_s"] == 120.0


def test_a_plan_that_does_not_name_it_has_the_default(copy: Copy) -> None:
    told = json.loads(copy.record(*ENGINE, "--dry-run", "--json").stdout)

    assert told["plan"]["handover_s"] == 1.0


def test_the_log_of_a_race_has_it(copy: Copy, engine: str, tmp_path: Path) -> None:
    log = tmp_path / "race.rlog"
    quiet = ("--requests", "1", "--no-preflight", "--no-calibrate", "--countdown", "0", "--no-ui")
    done = copy.record("--engine", f"a={engine},model=m", "--handover", "5", *quiet, "-o", str(log))

    assert done.returncode == 0, done.stderr
    (facts,) = open_log(log).of(RaceFacts)
    assert facts.plan["handover_s"] == 5.0


def test_an_engine_s_field_is_in_the_schema_the_docs_the_flag_and_the_public_plan(copy: Copy) -> None:
    schema = json.loads((copy.root / "schemas" / "race.schema.json").read_text())
    page = (copy.root / "docs" / "race-yaml.md").read_text()
    told = json.loads(
        copy.record(*ENGINE[:-1], f"{ENGINE[-1]},region=eu-west-1", "--dry-run", "--json").stdout
    )

    assert schema["$defs"]["engine"]["properties"]["region"]["maxLength"] == 64
    assert (
        "| `region` | Where the engine runs, such as `eu-west-1`; kept in the log, never sent. | none |\n"
        in page
    )
    assert told["plan"]["engines"][0]["region"] == "eu-west-1"


def test_a_wrong_value_in_a_file_is_named_with_file_line_field_and_value(copy: Copy, tmp_path: Path) -> None:
    plan = tmp_path / "race.yaml"
    plan.write_text("engines: [{name: a, url: 'http://h/v1'}]\nhandover: soon\n")
    done = copy.record(str(plan), "--dry-run")

    assert done.returncode == 2
    assert done.stderr == (
        f"racelog: {plan}:2: handover: 'soon' is not a span of time; give seconds or text such as '30s' or '2m', from 0 up to 10m\n"
    )


def test_a_wrong_value_of_the_flag_is_named_with_flag_and_value(copy: Copy) -> None:
    done = copy.record(*ENGINE, "--handover", "soon", "--dry-run")

    assert (done.returncode, done.stderr.split(";")[0]) == (
        2,
        "racelog: --handover: 'soon' is not a span of time",
    )


def test_a_name_close_to_it_is_taken_for_a_slip(copy: Copy, tmp_path: Path) -> None:
    plan = tmp_path / "race.yaml"
    plan.write_text("engines: [{name: a, url: 'http://h/v1'}]\nhandovr: 1s\n")

    assert "did you mean 'handover'?" in copy.record(str(plan), "--dry-run").stderr


@pytest.mark.parametrize("folder", ["recorder", "docs", "schemas"])
def test_the_sources_themselves_do_not_have_it(folder: str) -> None:
    found = [
        path
        for path in (ROOT / folder).rglob("*.*")
        if path.is_file()
        and path != PAGE
        and "__pycache__" not in path.parts
        and b"handover_s" in path.read_bytes()
    ]

    assert found == []
