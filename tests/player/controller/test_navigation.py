"""Among the pages: one answer in full, a commentary that is scrolled back, lessons that are remembered."""

import re
from pathlib import Path
from typing import Any

import pytest

from racelog.events import AnyEvent, Prompt
from racelog.replay.playhead import Playhead
from racelog.replay.race import RaceTracks
from racelog.views.inspector import content_text
from racelog.views.story.achievements import LESSONS
from racelog_player.controller.player import Player
from racelog_player.film.snapshot import text_of
from racelog_player.model.scene import Page
from racelog_player.panes.pages.explain import EXPLAINERS
from racelog_player.panes.pages.table import PAGES
from racelog_player.panes.screen import screen, scrolled_within
from racelog_player.settings.keys import Do
from racelog_player.settings.profile import FILE, Profile, keep_profile, load_profile
from racelog_player.terminal.style import Look
from tests.player.theatre import SECOND, Still, theatre

LONG = "word " * 2_000


def player(*keys: str, events: list[AnyEvent] | None = None, seconds: float = 17.4) -> Player:
    made = Player(
        Still(RaceTracks(theatre() if events is None else events)),
        Playhead(round(seconds * SECOND), 0, paused=True),
    )
    made.scene(0)
    for key in keys:
        made.press(key, 0)
    return made


def text(looking: Player, columns: int = 80, rows: int = 24) -> str:
    return text_of(screen(looking.scene(0), Look(), columns, rows))


def wordy() -> list[AnyEvent]:
    """Return the race with prompts of two long messages."""
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"{LONG}the end"}]
    return [
        Prompt(t=0, prompt=event.prompt, messages=messages) if isinstance(event, Prompt) else event
        for event in theatre()
    ]


def test_enter_opens_the_chosen_lanes_answers_and_then_the_chosen_one() -> None:
    looking = player("c-i", "c-m", "j", "c-m")
    request = looking.scene(0).content.request  # type: ignore[attr-defined]  # a ReadingView
    on_top = player("c-i", "i").scene(0).content.requests[1]  # type: ignore[attr-defined]  # an InspectorView
    assert (looking.scene(0).page, request) == (Page.READING, on_top)


def test_one_answer_has_every_message_of_its_prompt_in_full() -> None:
    looking = player("i", "c-m", events=wordy())
    top = text(looking, 120, 40)
    for _ in range(500):
        looking.press("j", 0)
    end = text(looking, 120, 40)
    assert ["system" in top, "Be brief." in top, "more rows, j scrolls" in top] == [True] * 3
    assert ["the end" in end, "answer" in end, "more rows" in end] == [True, True, False]


def test_the_request_that_is_read_stays_while_time_passes_and_is_gone_before_it_was_asked() -> None:
    looking = player("i", "c-m")
    before = looking.scene(0).content.request.req  # type: ignore[attr-defined]  # a ReadingView
    looking.press("right", 0)
    later = looking.scene(0).content.request  # type: ignore[attr-defined]  # a ReadingView
    looking.press("home", 0)
    assert (later.req, later.status) == (before, "ok")
    assert "nothing to show yet" in text(looking)


@pytest.mark.parametrize(
    ("keys", "page"),
    [(("escape",), Page.INSPECTOR), (("escape", "escape"), Page.RACE), (("c-i",), Page.INSPECTOR)],
)
def test_the_way_back_leads_over_all_answers(keys: tuple[str, ...], page: Page) -> None:
    assert player("i", "c-m", *keys).scene(0).page is page


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("words", "words"),
        (None, ""),
        ([{"type": "text", "text": "a"}, {"type": "image_url"}, "b"], "a\n[image_url]\nb"),
        (3, "3"),
    ],
)
def test_a_message_of_parts_is_text_and_the_names_of_the_rest(content: object, expected: str) -> None:
    assert content_text(content) == expected


def test_what_is_scrolled_beyond_the_end_is_taken_back() -> None:
    looking = player("i", "c-m", events=wordy())
    looking.navigation.scroll = 300
    kept = scrolled_within(looking.scene(0), Look(), 120, 40)
    looking.navigation.scroll = kept
    end = text(looking, 120, 40)
    looking.navigation.scroll = kept - 1
    assert ("the end" in end, end == text(looking, 120, 40)) == (True, False)


def test_a_commentary_that_is_scrolled_back_stays_and_follows_again_at_its_end() -> None:
    looking = player("k", "k", seconds=12)
    back = looking.scene(0)
    looking.press("right", 0)
    later = looking.scene(0)
    for _ in range(later.newer):
        looking.press("j", 0)
    assert (back.newer, later.comments[-1]) == (2, back.comments[-1])
    assert (later.newer > 2, looking.scene(0).newer) == (True, 0)


def test_a_commentary_scrolls_to_its_first_line_and_no_further() -> None:
    looking = player(*["k"] * 60)
    first = looking.scene(0)
    looking.press("j", 0)
    assert (len(first.comments), looking.scene(0).newer) == (1, first.newer - 1)


def test_going_back_in_time_lets_go_of_a_line_that_was_not_said_yet() -> None:
    looking = player("k", "home")
    assert looking.scene(0).newer == 0


def test_lessons_are_kept_and_a_broken_profile_is_an_empty_one(home: Path) -> None:
    keep_profile(home, Profile(explanations=frozenset({"TTFT"})))
    kept = load_profile(home)
    (home / FILE).write_text("[")
    assert (kept, load_profile(home)) == (Profile(explanations=frozenset({"TTFT"})), Profile())


def test_a_quick_learner_learns_over_several_evenings(terminal: Any, log: Path, home: Path) -> None:
    keep_profile(home, Profile(explanations=frozenset({"TTFT", "RPS"})))
    screen = terminal("play", str(log), "--paused")
    screen.until(lambda text: "STANDINGS" in text)
    screen.press("ejj")
    screen.until(lambda text: "every single gap" in text.lower() or "throughput" in text)
    screen.press("q")
    assert (screen.exit_code(), load_profile(home)) == (
        0,
        Profile(explanations=frozenset({"TTFT", "TPOT", "ITL", "RPS"})),
    )


def learned(*keys: str) -> float:
    """Return how far the Quick Learner has come after these keys."""
    rows = player(*keys, "a").scene(0).content
    assert isinstance(rows, list)
    return float(next(row.progress for row in rows if row.key == "quick-learner"))


def test_the_same_explanation_seen_again_teaches_nothing_new() -> None:
    assert learned(*"eeeeeeeeee", "e") == learned("e")


def test_a_quick_learner_has_seen_every_explanation_there_is() -> None:
    assert learned("e", *"jjjjj") == 1


def test_the_lesson_goal_is_the_number_of_explanations() -> None:
    assert len(EXPLAINERS) == LESSONS


def test_the_chosen_request_has_a_sign_and_moves_with_j() -> None:
    heads = [
        [row for row in text(player("i", *"j" * down), 80, 40).split("\n") if "▸" in row] for down in (0, 1)
    ]
    shown = player("i").scene(0).content.requests  # type: ignore[attr-defined]  # an InspectorView

    assert [[f"#{shown[down].req} " in row for row in rows] for down, rows in enumerate(heads)] == [
        [True],
        [True],
    ]


def test_answers_open_on_an_engine_with_requests_in_flight() -> None:
    """At 17.4 s the first two engines are through and the third still answers."""
    looking = player("i").scene(0)

    assert (looking.race.lanes[0].active, looking.race.lanes[looking.focus].active > 0) == (0, True)


def test_answers_stay_on_the_engine_that_was_chosen() -> None:
    looking = player("c-i", "c-i", "c-i", "i").scene(0)

    assert (looking.focus, looking.race.lanes[0].active) == (0, 0)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (120, 36), (200, 60)])
def test_an_expert_sees_more_requests_than_a_novice(columns: int, rows: int) -> None:
    def requests(mode_key: str) -> int:
        return len(re.findall(r"#\d+", text(player(mode_key, seconds=15.0), columns, rows)))

    assert requests("f2") > requests("f1")


@pytest.mark.parametrize(
    ("mode_key", "shown"), [("f1", []), ("f2", ["in flight", "req/s", "tokens", "slow"])]
)
def test_an_expert_has_more_columns_in_the_standings(mode_key: str, shown: list[str]) -> None:
    (head,) = [row for row in text(player(mode_key), 200, 60).split("\n") if "STANDINGS" in row]

    assert [word for word in ("in flight", "req/s", "tokens", "slow") if word in head] == shown


def test_every_page_but_the_race_has_its_row_in_the_table() -> None:
    assert set(PAGES) == set(Page) - {Page.RACE}


def test_every_wish_does_something_but_the_answers_to_a_question() -> None:
    assert set(Do) - set(player()._acts) == {Do.YES, Do.NO}
