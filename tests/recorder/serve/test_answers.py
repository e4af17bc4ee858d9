"""A recorded race as answers: what was said, when, and which answer is whose."""

import msgspec
import pytest

from racelog.errors import InputError
from racelog.events import RaceFacts, RequestEnd, RequestScheduled, ResponseHeaders
from racelog.testing.races import Plan
from racelog_recorder.serve.answers import AnswerBook, recorded_lanes

MS = 1_000_000


def user(text):
    return [{"role": "user", "content": text}]


def numbers(book, *texts):
    return [book.next(user(text)).request for text in texts]


def test_times_are_since_the_request_was_sent(race_log):
    (lane,) = recorded_lanes(race_log(Plan("a", ttft_ms=100, gap_ms=20, requests=2, tokens=3)))

    assert [answer.delays_ns.tolist() for answer in lane.answers] == [[100 * MS, 120 * MS, 140 * MS]] * 2
    assert {(answer.headers_ns, answer.end_ns) for answer in lane.answers} == {(100 * MS, 140 * MS)}


def test_an_answer_has_its_prompt_text_and_counts(race_log):
    (lane,) = recorded_lanes(race_log(Plan("a", requests=2, tokens=3)))

    second = lane.answers[1]

    assert (second.messages, second.texts, second.kinds) == (
        user("Name a bird."),
        [" w0", " w1", " w2"],
        "ccc",
    )
    assert second.finish_reason == "stop"
    assert [answer.usage.output_tokens for answer in lane.answers if answer.usage] == [3, 3]


def test_an_http_error_is_refused_and_a_broken_stream_is_cut(race_log):
    def break_second(event):
        if isinstance(event, RequestEnd) and event.req == 1:
            return [msgspec.structs.replace(event, status="failed", error="disconnect")]
        return [event]

    (lane,) = recorded_lanes(race_log(Plan("a", requests=3, fail=(0,)), edit=break_second))

    assert [(answer.outcome, answer.status) for answer in lane.answers] == [
        ("refused", 500),
        ("cut", 200),
        ("ok", 200),
    ]


def test_what_the_client_cancelled_is_left_out(race_log):
    def cancel_first(event):
        if isinstance(event, RequestEnd) and event.req == 0:
            return [msgspec.structs.replace(event, status="cancelled")]
        return [event]

    (lane,) = recorded_lanes(race_log(Plan("a", requests=3), edit=cancel_first))

    assert [answer.request for answer in lane.answers] == [1, 2]


def test_warm_up_answers_are_left_out_while_there_are_others(race_log):
    def warm_first(event):
        if isinstance(event, RequestScheduled) and event.req == 0:
            return [msgspec.structs.replace(event, phase="warmup")]
        return [event]

    (lane,) = recorded_lanes(race_log(Plan("a", requests=3), edit=warm_first))

    assert [answer.request for answer in lane.answers] == [1, 2]


def test_a_request_that_never_got_headers_has_none(race_log):
    log = race_log(
        Plan("a", requests=1, fail=(0,)),
        edit=lambda event: [] if isinstance(event, ResponseHeaders) else [event],
    )

    (lane,) = recorded_lanes(log)

    assert (lane.answers[0].headers_ns, lane.answers[0].outcome) == (None, "cut")


def test_a_repeated_conversation_gets_its_answers_in_order_and_again(race_log):
    (lane,) = recorded_lanes(race_log(Plan("a", requests=5)))

    assert numbers(AnswerBook(lane.answers), *["Name a bird."] * 3) == [1, 4, 1]


def test_a_conversation_never_recorded_gets_the_next_answer_in_turn(race_log):
    (lane,) = recorded_lanes(race_log(Plan("a", requests=2)))

    assert numbers(AnswerBook(lane.answers), "?", "Name a bird.", "??", "???") == [0, 1, 1, 0]


def test_text_in_one_part_is_the_same_as_text(race_log):
    (lane,) = recorded_lanes(race_log(Plan("a", requests=2)))
    parts = [{"content": [{"type": "text", "text": "Name a bird."}], "role": "user"}]

    assert AnswerBook(lane.answers).next(parts) is lane.answers[1]


def test_a_lane_without_answers_has_none_to_give():
    assert AnswerBook(()).next(user("x")) is None


def test_lanes_can_be_chosen_by_name(race_log):
    log = race_log(Plan("left"), Plan("right"))

    assert [lane.facts.engine for lane in recorded_lanes(log, ["right"])] == ["right"]


def test_a_lane_that_is_not_there_names_the_one_that_was_meant(race_log):
    with pytest.raises(InputError) as caught:
        recorded_lanes(race_log(Plan("left"), Plan("right")), ["rihgt"])

    assert str(caught.value) == "no lane 'rihgt' in this race; there is right"


def test_a_log_without_lanes_cannot_be_served(race_log):
    with pytest.raises(InputError, match="holds no lane, so there is nothing to serve"):
        recorded_lanes(
            race_log(Plan("a"), edit=lambda event: [event] if isinstance(event, RaceFacts) else [])
        )
