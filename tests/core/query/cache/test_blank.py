"""The catalogue without a row is kept beside the cached rows, and made anew whenever it is not whole."""

import subprocess
import sys

import pytest

from racelog.query.cache import blank
from racelog.query.cache.blank import SUFFIX, blank_catalog
from racelog.query.connection.connect import connect
from racelog.testing.races import Plan, ScriptedRace
from tests.core.query.recorded import store


@pytest.fixture
def making(monkeypatch):
    """Return a list that gets an entry for each catalogue that is made."""
    made, really = [], blank._made

    def counted():
        made.append(1)
        return really()

    monkeypatch.setattr(blank, "_made", counted)
    return made


def test_it_is_made_once_for_a_folder(tmp_path, making):
    assert blank_catalog(tmp_path) == blank_catalog(tmp_path)

    assert len(making) == 1


@pytest.mark.parametrize("damage", [b"", b"x" * 40], ids=["empty", "other bytes"])
def test_one_that_is_not_whole_is_made_anew(damage, tmp_path, making):
    blank_catalog(tmp_path)
    (file,) = tmp_path.glob(f"*{SUFFIX}")
    whole = file.read_bytes()
    file.write_bytes(damage)

    assert whole.endswith(blank_catalog(tmp_path))
    assert file.read_bytes() == whole
    assert len(making) == 2


def test_one_of_another_version_makes_way(tmp_path, monkeypatch):
    blank_catalog(tmp_path)
    (old,) = tmp_path.glob(f"*{SUFFIX}")
    monkeypatch.setattr("duckdb.__version__", "another")

    blank_catalog(tmp_path)
    (new,) = tmp_path.iterdir()

    assert new != old


@pytest.mark.parametrize("folder", ["nowhere", "file"])
def test_where_there_is_no_folder_nothing_is_kept(folder, tmp_path):
    (tmp_path / "file").write_bytes(b"")

    assert blank_catalog(tmp_path / folder)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_what_is_kept_has_the_comments_and_the_macros(home):
    store(home, ScriptedRace([Plan("a")]))
    connect()
    connect()  # makes it: the first found no folder yet
    connection = connect()

    assert list(home.glob(f"cache/*/*{SUFFIX}"))
    comments = "select bool_and(comment is not null) from duckdb_columns() where table_name = 'requests'"
    assert connection.execute(comments).fetchone() == (True,)
    assert connection.execute("select count(*) from vllm_bench('latest')").fetchone() == (4,)


def test_a_question_over_cached_races_loads_no_numpy_and_no_fold(home):
    store(home, ScriptedRace([Plan("a")]))
    connect()
    asking = (
        "import sys; from racelog.cli import run; run(['sql', 'select count(*) from requests']); "
        "print([m for m in ('numpy', 'racelog.query.project.project', 'racelog.views') if m in sys.modules])"
    )

    answer = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True)

    assert answer.stdout.splitlines()[-1] == "[]"
