"""Every page at three sizes, compared with files that a person has looked at; and nothing hostile gets through.

To renew them after a wanted change: ``RACELOG_GOLDEN=write pytest tests/player/panes/pages/test_pages.py``, then look.
"""

import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
import pytest

from racelog.display.signs import to_ascii
from racelog.events import AnyEvent, RequestEnd, RequestSent
from racelog.faults import KINDS
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.testing.races import Plan, ScriptedRace
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import text_of
from racelog_player.model.scene import Mode
from racelog_player.panes.screen import screen
from racelog_player.terminal.canvas import Canvas, Depth, Line
from racelog_player.terminal.cells import width
from racelog_player.terminal.style import Look
from racelog_player.terminal.themes import BUILT_IN
from tests.player.theatre import SECOND, Still, theatre

GOLDEN = Path(__file__).parents[2] / "golden" / "pages"
PAGES: dict[str, Iterable[str]] = {
    "race": "", "answers": "i", "timeline": "t", "charts": "c", "details": "d", "explain": "e",
    "achievements": "a", "insights": "n", "health": "H", "help": "?", "settings": "o", "reading": ("i", "c-m"),
}  # fmt: skip
SIZES = [(80, 24), (120, 40), (200, 60)]
AT_S = 17.4


def player(
    keys: Iterable[str], events: list[AnyEvent] | None = None, seconds: float = AT_S, mode: Mode = "novice"
) -> Player:
    playhead = Playhead(round(seconds * SECOND), 0, paused=True)
    made = Player(Still(RaceTracks(theatre() if events is None else events)), playhead, mode=mode)
    made.scene(0)
    for key in keys:
        made.press(key, 0)
    return made


@pytest.mark.parametrize(("columns", "rows"), SIZES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_drawn_as_it_was_approved(page: str, columns: int, rows: int) -> None:
    text = text_of(screen(player(PAGES[page]).scene(0), Look(), columns, rows))
    path = GOLDEN / f"{page}-{columns}x{rows}.txt"
    if os.environ.get("RACELOG_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("seconds", [0, 5, 99])
@pytest.mark.parametrize("columns", [60, 100, 151])
@pytest.mark.parametrize("rows", [15, 41])
def test_every_size_of_every_page_at_every_time_is_filled_exactly(
    page: str, seconds: float, columns: int, rows: int
) -> None:
    lines = screen(player(PAGES[page], seconds=seconds).scene(0), Look(), columns, rows)
    assert len(lines) == rows
    assert max(sum(width(span.text) for span in line) for line in lines) <= columns


EVIL = "\x1b]52;c;cHduZWQ=\x07\x1b[2J\x9b31m\u202eevil\u0301\ud800日本\r\n\x00"


@pytest.mark.parametrize("page", PAGES)
def test_hostile_text_is_drawn_inert_on_every_page(page: str) -> None:
    race = ScriptedRace([Plan(EVIL, color=EVIL, emoji=EVIL, fail=(1,)), Plan("b")], name=EVIL, prompts=[EVIL])
    events = [
        msgspec.structs.replace(event, message=EVIL, error=EVIL)
        if isinstance(event, RequestEnd) and event.status == "failed"
        else event
        for event in race.events()
    ]
    lines = screen(player(PAGES[page], events, 0.6).scene(0), Look(), 100, 30)
    written = Canvas(Depth.NONE).frame(lines, 100, 30)
    rest = re.sub(r"\x1b\[(\d+;\d+H|\d+G|\?2026[hl]|K|[\d;]+m)", "", written)
    assert [sign for sign in rest if not sign.isprintable()] == []
    assert max(sum(width(span.text) for span in line) for line in lines) <= 100


def names_in(event: AnyEvent) -> str:
    return str(getattr(event, "engine", "")) + str(getattr(event, "process", ""))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_an_ascii_form(page: str) -> None:
    plain = [event for event in theatre() if "日本" not in names_in(event)]
    lines = screen(player(PAGES[page], plain).scene(0), Look(Depth.NONE, ascii_only=True), 80, 24)
    ours = text_of(lines)
    asked = ours.count("?")
    assert to_ascii(ours).count("?") == asked


@cache
def every_page(depth: Depth) -> list[list[Line]]:
    return [screen(player(keys).scene(0), Look(depth), 80, 24) for keys in PAGES.values()]


@pytest.mark.parametrize("theme", BUILT_IN.values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("depth", Depth)
def test_every_theme_draws_every_page_at_every_depth(theme: object, depth: Depth) -> None:
    for lines in every_page(depth):
        assert Canvas(depth, theme=theme).frame(lines, 80, 24)  # type: ignore[arg-type]  # a Theme


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (80, "● streaming  400 ms   connected in 3.00 ms: DNS 1.00, TCP 0.50, TLS 1.50"),
        (60, "● streaming  400 ms   connected in 3.00 ms"),
    ],
)
def test_an_answer_says_what_connecting_took_where_there_is_room(columns: int, told: str) -> None:
    events = [
        msgspec.structs.replace(event, connect_ns=3_000_000, dns_ns=1_000_000, tcp_ns=500_000, tls_ns=1_500_000)
        if isinstance(event, RequestSent)
        else event
        for event in ScriptedRace([Plan("vLLM", tokens=50)]).events()
    ]  # fmt: skip
    lines = text_of(screen(player("i", events, 0.4).scene(0), Look(), columns, 24)).splitlines()

    assert next(line for line in lines if "#0" in line) == f"▸▎ #0  {told}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ["vLLM", "an-engine-of-many-letters"])
def test_the_least_wide_screen_names_every_kind_of_failure_whole(kind: str, engine: str) -> None:
    events = [
        msgspec.structs.replace(event, error=kind)
        if isinstance(event, RequestEnd) and event.status == "failed"
        else event
        for event in ScriptedRace([Plan(engine, requests=900, fail=(1, 2))]).events()
    ]
    lines = text_of(screen(player("", events, 60.0).scene(0), Look(), 80, 24)).splitlines()

    assert next(line for line in lines if " done" in line).endswith(f" {kind}")


def test_a_page_closes_with_its_own_key_and_with_escape() -> None:
    opened = player("i")
    opened.press("i", 0)
    closed = opened.scene(0).page.name
    opened.press("c", 0)
    opened.press("escape", 0)
    assert (closed, opened.scene(0).page.name) == ("RACE", "RACE")


def test_tab_goes_on_to_the_next_engine() -> None:
    looking = player("i")
    seen = []
    for _ in range(4):
        view = looking.scene(0).content
        seen.append(view.engine)  # type: ignore[attr-defined]  # an InspectorView
        looking.press("c-i", 0)
    assert seen == ["SGLang-日本", "vLLM", "llama.cpp", "SGLang-日本"]


def test_an_expert_gets_no_commentary_and_a_teacher_asks() -> None:
    def text(mode: Mode, keys: str) -> str:
        return text_of(screen(player(keys, mode=mode).scene(0), Look(), 120, 40))

    assert ["COMMENTARY" in text("expert", ""), "COMMENTARY" in text("novice", "")] == [False, True]
    assert ["quiz" in text("teacher", "e"), "quiz" in text("novice", "e")] == [True, False]
