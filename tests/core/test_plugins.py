"""What other packages add: found by name without an import, checked when loaded, named and left out when broken."""

import subprocess
import sys
from pathlib import Path

import pytest

from racelog import plugins
from racelog.errors import PluginError
from racelog.plugins import Group, hold_what_is_told, releases
from tests.installing import Install


def numbers(name: str, found: object) -> int:
    """Check that a plug-in is a number."""
    if not isinstance(found, int):
        raise TypeError(f"{name} is no number")
    return found


GROUP = Group("racelog.test_numbers", numbers)


def test_a_group_is_listed_without_an_import(install: Install) -> None:
    install("acme", "ONE = 1", "[racelog.test_numbers]\none = acme_module:ONE\nabsent = acme_module:TWO\n")

    assert list(GROUP.installed()) == ["absent", "one"]
    assert "acme_module" not in sys.modules


def test_a_plugin_is_loaded_by_its_name(install: Install) -> None:
    install("acme", "ONE = 1", "[racelog.test_numbers]\none = acme_module:ONE\n")

    assert GROUP.load("one") == 1


BROKEN = [
    ("import no_such_thing", "loaded: No module named 'no_such_thing'"),
    ("1 / 0", "loaded: ZeroDivisionError: division by zero"),
    ("raise SystemExit(3)", "loaded: SystemExit: 3"),
    ("raise Exception", "loaded: Exception"),
    ("raise ValueError('two\\nlines')", "loaded: ValueError: two lines"),
    ("ONES = 1", "loaded: AttributeError: module 'acme_module' has no attribute 'ONE'"),
    ("ONE = 'a text'", "used: one is no number"),
]


@pytest.mark.parametrize(("code", "why"), BROKEN)
def test_a_broken_plugin_is_named_once_and_left_out(
    install: Install, capsys: pytest.CaptureFixture[str], code: str, why: str
) -> None:
    install("acme", code, "[racelog.test_numbers]\none = acme_module:ONE\n", "2.3")
    install("good", "TWO = 2", "[racelog.test_numbers]\ntwo = good_module:TWO\n")

    assert [GROUP.load_all(), GROUP.load_all()] == [{"two": 2}, {"two": 2}]
    assert capsys.readouterr() == (
        "",
        f"racelog: 'one' of acme 2.3 (racelog.test_numbers, acme_module:ONE) cannot be {why}; it is left out\n",
    )


def test_a_broken_plugin_that_is_asked_for_by_name_is_an_error(install: Install) -> None:
    install("acme", "ONE = 'a text'", "[racelog.test_numbers]\none = acme_module:ONE\n")

    with pytest.raises(PluginError, match=r"^'one' of acme 1.0 .* cannot be used: one is no number$"):
        GROUP.load("one")


def test_of_two_plugins_of_one_name_the_other_is_told(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("zeta", "ONE = 26", "[racelog.test_numbers]\none = zeta_module:ONE\n")
    install("acme", "ONE = 1", "[racelog.test_numbers]\none = acme_module:ONE\n")

    assert GROUP.load_all() == {"one": 1}
    assert capsys.readouterr().err == (
        "racelog: 'one' of zeta 1.0 (racelog.test_numbers, zeta_module:ONE) is left out: acme has that name\n"
    )


def test_a_package_cannot_take_the_name_of_an_entry_point_of_racelog(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("acme", "play = 1", "[racelog.commands]\nplay = acme_module:play\n")

    assert plugins.installed("racelog.commands")["play"].is_ours
    assert "'play' of acme 1.0 (racelog.commands, acme_module:play) is left out" in capsys.readouterr().err


def test_a_package_cannot_take_a_reserved_name(install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("acme", "ONE = 1", "[racelog.test_numbers]\none = acme_module:ONE\n")

    assert Group("racelog.test_numbers", numbers, frozenset({"one"})).load_all() == {}
    assert capsys.readouterr().err.endswith("is left out: racelog has that name\n")


def test_the_releases_of_a_group_change_with_a_package_s_version(install: Install) -> None:
    install("acme", "", "[racelog.test_numbers]\none = acme_module:ONE\n", "1.1")

    assert releases("racelog.test_numbers") == ["one acme 1.1"]


BROKEN_LISTS = [
    (b"[racelog.test_numbers]\nno equals sign\n", 1),
    (b"\xff[racelog.test_numbers]\n", 1),
    (b"[somebody.else]\nno equals sign\n", 0),
]


@pytest.mark.parametrize(("listed", "told"), BROKEN_LISTS)
def test_a_package_whose_list_cannot_be_read_hides_no_other(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str], listed: bytes, told: int
) -> None:
    install("acme", "", "")
    (tmp_path / "acme-1.0.dist-info" / "entry_points.txt").write_bytes(listed)
    install("good", "TWO = 2", "[racelog.test_numbers]\ntwo = good_module:TWO\n")

    assert GROUP.load_all() == {"two": 2}
    said = capsys.readouterr().err
    assert said.count("racelog: the entry points of acme 1.0 cannot be read: ") == told
    assert len(said.splitlines()) == told


@pytest.mark.parametrize("metadata", ["", "Name\n", None])
@pytest.mark.filterwarnings("ignore:Implicit None:DeprecationWarning")
def test_a_package_without_whole_metadata_takes_nothing_down(
    install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str], metadata: str | None
) -> None:
    install("acme", "1 / 0", "[racelog.test_numbers]\none = acme_module:ONE\n")
    file = tmp_path / "acme-1.0.dist-info" / "METADATA"
    if metadata is None:
        file.unlink()
    else:
        file.write_text(metadata)

    assert GROUP.load_all() == {}
    assert capsys.readouterr().err.startswith("racelog: 'one' of an unknown package (racelog.test_numbers, ")


def test_what_is_told_holds_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    plugins.forget()

    plugins.tell("\x1b[2J of http://me:hidden@host/")

    said = capsys.readouterr().err
    assert said.startswith("racelog: ␛[2J of http://")
    assert "hidden" not in said


def test_what_is_told_under_a_full_screen_is_told_when_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    plugins.forget()

    with hold_what_is_told():
        plugins.tell("a word")
        assert capsys.readouterr().err == ""
    assert capsys.readouterr().err == "racelog: a word\n"


def test_who_has_no_standard_error_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins.forget()
    monkeypatch.setattr(sys, "stderr", None)

    assert plugins.tell("nobody hears") is None


def test_a_command_that_needs_no_plugin_imports_none(install: Install, tmp_path: Path) -> None:
    groups = ("exports", "rules", "card_templates", "samplers", "dialects", "plotters")
    install(
        "acme",
        "raise SystemExit('imported')",
        "".join(f"[racelog.{group}]\nacme = acme_module:X\n" for group in groups),
    )
    done = subprocess.run(
        [sys.executable, "-m", "racelog", "ls", "--home", str(tmp_path)],
        env={"PYTHONPATH": str(tmp_path), "PATH": "", "PYTHONUTF8": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, "acme" in done.stderr) == (0, False)
