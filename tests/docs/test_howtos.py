"""The diffs of three how-tos work: applied to a copy of the sources they do what the page says."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patching import apply

ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "docs" / "howto"
DEMO = Path("recorder", "racelog_recorder", "demo", "demo.rlog")


class Copy:
    """A copy of the sources with a page's diff in it."""

    def __init__(self, root: Path, page: str) -> None:
        self.root = root
        for folder in ("racelog", "recorder", "player", "docs", "schemas"):
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        apply((HOWTO / page).read_text(encoding="utf-8"), root)

    def python(self, *arguments: str) -> str:
        """Return what the copy's Python prints."""
        path = os.pathsep.join(str(self.root / folder) for folder in (".", "recorder", "player"))
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True, text=True, check=False, cwd=self.root, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("view"), "view-with-sql-column.md")


@pytest.fixture(scope="module")
def pane(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("pane"), "pane.md")


@pytest.fixture(scope="module")
def event(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("event"), "event-kind-and-upcaster.md")


def test_a_view_s_new_number_is_in_info(view: Copy) -> None:
    told = json.loads(view.python("-m", "racelog", "info", str(DEMO), "--json"))

    assert all(lane["decode_ms"]["n"] > 0 for lane in told["race"]["lanes"])


def test_a_view_s_new_number_is_the_same_in_sql(view: Copy) -> None:
    told = json.loads(view.python("-m", "racelog", "info", str(DEMO), "--json"))
    query = "select median(decode_ms) as p50 from requests where phase = 'race' and status = 'ok' group by lane_id order by lane_id"
    rows = json.loads(view.python("-m", "racelog", "sql", "-f", "json", query, str(DEMO)))

    assert [lane["decode_ms"]["p50"] for lane in told["race"]["lanes"]] == [
        pytest.approx(row["p50"], rel=1e-12) for row in rows
    ]


def test_a_new_page_opens_by_its_key_and_shows_its_rows(pane: Copy) -> None:
    shown = pane.python(
        "-c",
        """
import sys
from racelog.replay.playhead import Playhead
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import text_of
from racelog_player.panes.screen import screen
from racelog_player.playback.source import PastRace
from racelog_player.terminal.style import Look
from pathlib import Path

player = Player(PastRace(Path(sys.argv[1])), Playhead(20_000_000_000, 0, paused=True))
player.scene(0)
player.press("M", 0)
print(text_of(screen(player.scene(0), Look(), 100, 30)))
""",
        str(DEMO),
    )

    assert re.search(r"MOMENTS +\d+ so far", shown)
    assert "first-token" in shown


def test_a_new_kind_is_written_read_and_in_the_schema(event: Copy) -> None:
    shown = event.python(
        "-c",
        """
import json
from racelog.events import EngineRestart
from racelog.log.format.codec import decode_events, encode_events
from racelog.schema import events_schema

restart = EngineRestart(t=5, lane=1, uptime_ns=9)
assert [restart] == list(decode_events(encode_events([restart])))
print(json.dumps(events_schema()["$defs"]["EngineRestart"]["required"]))
""",
    )

    assert json.loads(shown) == ["k", "t", "lane"]


def test_a_mark_of_version_1_is_read_as_the_new_one_and_written_with_its_version(event: Copy) -> None:
    shown = event.python(
        "-c",
        """
from racelog.events import Mark
from racelog.log.format.codec import decode_event, encode_events

assert decode_event(b'{"k":"mark","t":1,"label":"a"}') == Mark(t=1, label="a", by="racelog")
assert decode_event(b'{"k":"mark","t":1,"label":"a","by":"user"}') == Mark(t=1, label="a", by="user")
print(encode_events([Mark(t=1, label="a")]).decode(), end="")
""",
    )

    assert json.loads(shown) == {"k": "mark", "t": 1, "label": "a", "v": 2}


def test_every_old_golden_log_is_read_by_the_changed_sources(event: Copy) -> None:
    golden = ROOT / "tests" / "golden" / "v1"
    shown = event.python(
        "-c",
        """
import sys
from racelog.events import Mark
from racelog.log.read.reader import open_log

print([mark.by for name in sys.argv[1:] for mark in open_log(name).of(Mark)])
""",
        *(str(golden / name) for name in ("full.rlog", "race-live.rlog", "race-sealed.rlog")),
    )

    assert shown.strip() == "['user']"
