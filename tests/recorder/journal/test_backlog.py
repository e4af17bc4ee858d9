"""What waits for the disk has a bound in batches and in text, and what does not fit is counted."""

import pytest

from racelog.events import Gap, Tokens
from racelog_recorder.journal import backlog
from racelog_recorder.journal.backlog import Backlog


def said(text: str) -> list[Tokens]:
    return [Tokens(t=1, lane=0, r=[0], d=[0], x=[text])]


def test_text_that_waits_has_a_bound_however_few_the_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_CHARACTERS", 10)
    waiting = Backlog(limit=256)
    full = []
    for _ in range(2):
        waiting.put([*said("x" * 8)])
        full.append(waiting.overfull)
    waiting.take()

    assert (full, waiting.overfull) == ([False, True], False)


def test_one_batch_alone_is_never_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_CHARACTERS", 10)
    waiting = Backlog()
    waiting.put([*said("x" * 100)])

    assert not waiting.overfull


def test_what_is_dropped_for_its_text_is_counted_with_what_was_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backlog, "MOST_CHARACTERS", 10)
    waiting = Backlog(lane=3)
    waiting.put([*said("x" * 8)])
    waiting.drop(waiting.put([*said("x" * 8)]))

    (gap, _) = waiting.take()
    assert gap == Gap(t=1, lane=3, chunks=1, reason="the disk stalled and 1 batch was waiting for it already")
