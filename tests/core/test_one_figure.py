"""One race through every view: the same number is the same text wherever it stands."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from racelog.cli import app
from racelog.display.figures import number
from racelog.replay.race import RaceTracks, Replay
from racelog.testing.races import Plan, ScriptedRace
from racelog.views.race import race_view
from racelog.views.summary import race_summary
from racelog_cards.spec import card_spec
from racelog_player.film.snapshot import text_of
from racelog_player.lines.narrator import result_table
from racelog_player.panes.result import result_pane
from racelog_recorder.cli.summary_text import summary_lines

RACE = ScriptedRace([
    Plan("odd", ttft_ms=81.256, gap_ms=11.349, requests=60, tokens=9, fail=tuple(range(17))),
    Plan("slow", ttft_ms=1234.5, gap_ms=8.005, requests=60, tokens=9),
])  # fmt: skip
SUCCESS, TTFT, SLOW_TTFT, TPOT = "71.7 %", "81.3 ms", "1.23 s", "11.3 ms"


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("race")
    path = RACE.write_file(folder / "race.rlog")
    return {
        "info": _printed("info", str(path)), "play": _printed("play", str(path), "--plain"),
        "card": str(card_spec(_summary(), lambda _: True)), "plain": "\n".join(result_table(_summary())),
        "record": "\n".join(summary_lines(_summary())), "player": text_of(_result_lines()),
        "markdown": _exported(path, folder, "md"), "html": _exported(path, folder, "html"),
    }  # fmt: skip


def _summary():
    return race_summary(Replay(RaceTracks(RACE.events())))


def _result_lines():
    replay = Replay(RaceTracks(RACE.events()))
    replay.seek_end()
    return result_pane(_summary(), race_view(replay), 160, 20)


def _printed(*arguments: str) -> str:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def _exported(path: Path, folder: Path, form: str) -> str:
    _printed("export", str(path), "-f", form, "-o", str(folder / form))
    (written,) = (folder / form).iterdir()
    text = written.read_text(encoding="utf-8")
    island = re.search(r'id="data"[^>]*>(.*?)</script', text, re.DOTALL)
    return json.dumps(json.loads(island[1])["figures"]) if island else text


EVERY = ("info", "play", "card", "plain", "record", "player", "markdown", "html")


@pytest.mark.parametrize("view", EVERY)
@pytest.mark.parametrize("figure", [TTFT, SLOW_TTFT, TPOT])
def test_a_time_is_the_same_text_in_every_view(views: dict[str, str], view: str, figure: str) -> None:
    assert re.search(rf"(?<![\d.]){re.escape(figure)}", views[view])


@pytest.mark.parametrize("view", [view for view in EVERY if view not in ("record", "markdown")])
def test_a_share_is_the_same_text_in_every_view_that_has_it(views: dict[str, str], view: str) -> None:
    assert re.search(rf"(?<![\d.]){re.escape(SUCCESS)}", views[view])


@pytest.mark.parametrize("view", EVERY)
def test_a_throughput_is_the_same_text_in_every_view(views: dict[str, str], view: str) -> None:
    rates = [number(lane.tokens_per_s or 0.0) for lane in _summary().lanes]
    assert [rate for rate in rates if not re.search(rf"(?<![\d.]){re.escape(rate)}(?!\d)", views[view])] == []
