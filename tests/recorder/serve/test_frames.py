"""Answers as stream events: the recording's shape, whatever engine it came from."""

import json

import pytest

from racelog.testing.races import Plan
from racelog_recorder.dialects.message import Message
from racelog_recorder.dialects.openai import parse_message
from racelog_recorder.serve.answers import recorded_lanes
from racelog_recorder.serve.frames import DONE, Envelope, completion, stream_frames

ENVELOPE = Envelope("id-1", "m", 1)


@pytest.fixture
def answer(race_log, reshaped):
    def make(kinds, *, usage=True):
        plan = Plan("a", ttft_ms=10, gap_ms=10, requests=1, tokens=len(kinds))
        return recorded_lanes(race_log(plan, edit=reshaped(kinds, usage=usage)))[0].answers[0]

    return make


def parsed(payload):
    message = parse_message(payload)
    assert isinstance(message, Message)
    return message


def shape(answer, *, include_usage=True):
    """Return what a client sees: (ms, kind, finish reason, has usage) of each event but the last."""
    *frames, (_, done) = stream_frames(answer, ENVELOPE, include_usage=include_usage)
    assert done == DONE
    seen = []
    for delay_ns, event in frames:
        message = parsed(event.removeprefix(b"data: "))
        seen.append((delay_ns // 1_000_000, message.code, message.finish_reason, message.usage is not None))
    return seen


def test_llama_cpp_sends_the_finish_and_usage_in_frames_of_their_own(answer):
    assert shape(answer("occmm")) == [
        (10, "o", "", False),
        (20, "c", "", False),
        (30, "c", "", False),
        (40, "m", "stop", False),
        (50, "m", "", True),
    ]


def test_vllm_finishes_on_the_last_text_and_then_sends_usage(answer):
    assert shape(answer("occm")) == [
        (10, "o", "", False),
        (20, "c", "", False),
        (30, "c", "stop", False),
        (40, "m", "", True),
    ]


def test_an_engine_that_never_sent_usage_sends_none(answer):
    assert shape(answer("ccm", usage=False)) == [
        (10, "c", "", False),
        (20, "c", "", False),
        (30, "m", "stop", False),
    ]


def test_usage_is_not_sent_unless_asked_for(answer):
    assert [event[3] for event in shape(answer("occmm"), include_usage=False)] == [False] * 4


def test_an_empty_answer_still_says_why_it_ended(answer):
    assert shape(answer("o", usage=False)) == [(10, "o", "", False), (10, "m", "stop", False)]


@pytest.mark.parametrize("kinds", ["ccc", "orcc", "ttcm", "omcmrm", "cccmmm"])
def test_recording_a_served_answer_gives_the_same_chunks(answer, kinds):
    recorded = answer(kinds)

    messages = [
        parsed(event.removeprefix(b"data: "))
        for _, event in stream_frames(recorded, ENVELOPE, include_usage=bool(kinds.endswith("m")))
        if event != DONE
    ]

    assert [(message.code, message.text) for message in messages] == list(
        zip(recorded.kinds, recorded.texts, strict=True)
    )


def test_the_first_text_opens_the_turn_when_no_frame_did(answer):
    first, second, *_ = stream_frames(answer("cc"), ENVELOPE, include_usage=False)

    deltas = [json.loads(event[6:])["choices"][0]["delta"] for _, event in (first, second)]

    assert deltas == [{"role": "assistant", "content": " w0"}, {"content": " w1"}]


def test_the_whole_answer_keeps_reasoning_and_text_apart(answer):
    body = completion(answer("orcc"), ENVELOPE)

    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": " w2 w3",
        "reasoning_content": " w1",
    }
    assert body["usage"] == {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
