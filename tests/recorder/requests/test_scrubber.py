"""Secrets in a stream of texts: any split gives what the whole would, every chunk keeps its place, and nothing stays held."""

import json
import socket
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from racelog.events import RequestEnd, Tokens, Usage
from racelog.log.read.reader import RaceLog
from racelog_recorder.journal.chunks import ChunkColumns, Held
from racelog_recorder.redaction import REMOVED, Hidden, hidden_of, public_timings
from racelog_recorder.requests.scrubber import ScrubbedColumns, Scrubber, Secrets
from tests.recorder.requesting import recorded
from tests.recorder.scripted import DONE, FINISH, HEAD, chunked, event, read_request

KEY = "sk-test/ab-cd-ef-0123456789"
SECRETS = Secrets([Hidden(KEY, 8), Hidden("aaab", 4), Hidden("aaba-aaba", 9), Hidden("p%41\\q", 4)])

PIECES = st.sampled_from(
    [
        KEY, KEY[:12], KEY[:7], KEY[8:], quote(KEY, safe=""), json.dumps(KEY).replace("-", r"\u002d")[1:-1],
        KEY.replace("/", r"\/"), KEY.replace("-", r"\x2d"), "aaab", "aaba-aaba", "p%41\\q", "a", "b", "-", "s", "\\", "%", "u00", "é", "hello ",
    ]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=8).map("".join)


def in_pieces(pieces: list[str], secrets: Secrets = SECRETS) -> list[str]:
    """Return every piece as a stream of them leaves it."""
    scrubber = Scrubber(secrets)
    said = [scrubber.scrub("c", piece) for piece in pieces]
    scrubber.release()
    assert not any(isinstance(piece, Held) and piece.open for piece in said)
    return [piece.known if isinstance(piece, Held) else piece for piece in said]


@given(TEXTS, st.lists(st.integers(0, 200), max_size=6))
@example("sk-test/ab-cd-ef-0123456789", [1, 2, 3])
@example("aaaaaba-aabaaab", [4, 5])
@example(r"sk\u002dtest/ab\u002dcd\u002def\u002d0123456789", [3])
def test_any_split_gives_the_same_text_as_the_whole(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[a:b] for a, b in pairwise(edges)] or [text]

    assert "".join(in_pieces(pieces)) == "".join(in_pieces([text]))


@given(TEXTS)
def test_no_secret_is_left_in_any_form(text: str) -> None:
    said = "".join(in_pieces(list(text)))

    assert [form for form in (KEY, quote(KEY, safe=""), "aaab", "aaba-aaba") if form in said] == []


@given(st.lists(st.text("xyz \n", max_size=9), max_size=9))
def test_texts_without_secrets_are_left_as_they_are(pieces: list[str]) -> None:
    assert in_pieces(pieces) == pieces


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["a key: ", KEY[:10], KEY[10:], " there"], ["a key: ", REMOVED, "", " there"]),
        (["x" + KEY[:3], "nothing"], ["x" + KEY[:3], "nothing"]),
        (["ends in s"], ["ends in s"]),
        (["100%", " sure\\"], ["100%", " sure\\"]),
        ([KEY[:9]], [REMOVED]),
        ([f"{KEY} and {KEY}"], [f"{REMOVED} and {REMOVED}"]),
    ],
    ids=["over a border", "no more than a beginning", "held to the end", "escapes of nothing", "cut short", "twice"],
)  # fmt: skip
def test_every_chunk_keeps_what_is_its_own(pieces: list[str], expected: list[str]) -> None:
    assert in_pieces(pieces) == expected


def test_kinds_of_text_are_streams_of_their_own() -> None:
    scrubber = Scrubber(SECRETS)
    first, aside = scrubber.scrub("c", KEY[:9]), scrubber.scrub("t", "thinking")
    second = scrubber.scrub("c", KEY[9:])

    assert isinstance(first, Held)
    assert (first.known, aside, second) == (REMOVED, "thinking", "")


def test_a_text_of_beginnings_alone_is_read_once() -> None:
    text = "sk-test" * 200_000

    assert SECRETS.found(text, whole=True) == ([], len(text))


def test_a_held_chunk_is_taken_with_its_own_time_once_it_is_known() -> None:
    lane = ChunkColumns(0)
    stream = ScrubbedColumns(lane, SECRETS)
    stream.add(10, 1, "hello", "c", None, "k")
    stream.add(20, 1, "s", "c", None, "k")
    first = lane.take()
    stream.add(30, 1, "o", "c", None, "k")
    second = lane.take()

    assert first is not None
    assert second is not None
    assert [list(zip(accumulate(b.d[1:], initial=b.t), b.x, strict=False)) for b in (first, second)] == [
        [(10, "hello")],
        [(20, "s"), (30, "o")],
    ]


def test_when_all_is_held_there_is_no_batch_and_released_there_is() -> None:
    lane = ChunkColumns(0)
    stream = ScrubbedColumns(lane, SECRETS)
    stream.add(20, 1, "s", "c", None, "k")
    held = lane.take()
    stream.release()

    assert held is None
    assert lane.take() == Tokens(t=20, lane=0, r=[1], d=[0], x=["s"])


SECRET_HEADERS = {
    "X-Api-Key": "planted-api-key-value",
    "Cookie": "theme=dark; session=planted-cookie-crumb",
    "X-Team": "planted team of nine",
}
PASSWORD = "planted-pass-word"
KEYED = "planted-main-key-0123"
PLANTED = [KEYED, PASSWORD, "planted-api-key-value", "planted-cookie-crumb", "planted team of nine"]


def bytes_of(log: RaceLog) -> str:
    """Return all that a log says, each request's texts joined, as anyone could read it."""
    said = json.dumps([str(event) for event in log.events])
    texts = [text for batch in log.of(Tokens) for text in batch.x]
    return said + "".join(texts)


@pytest.mark.parametrize(
    "where",
    ["content", "reasoning_content", "tool", "finish_reason", "error", "timings", "header", "names"],
)
def test_a_server_that_says_what_it_was_sent_leaves_no_trace_of_it(
    tmp_path: Path, scripted: Any, where: str
) -> None:
    def frames(secret: str) -> list[bytes]:
        halves = [secret[:5], secret[5:9], secret[9:]]
        escaped = json.dumps(json.dumps(secret)[1:-1].replace("-", r"\u002d"))
        match where:
            case "content" | "reasoning_content":
                return [event(json.dumps({"choices": [{"delta": {where: half}}]})) for half in halves]
            case "tool":
                call = '{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":%s}}]}}]}'
                return [event(call % escaped)]
            case "finish_reason":
                return [
                    event(json.dumps({"choices": [{"delta": {"content": "a"}, "finish_reason": secret}]}))
                ]
            case "error":
                return [event(json.dumps({"error": {"message": f"refused: {secret}"}}))]
            case "timings":
                return [
                    event(
                        json.dumps(
                            {"choices": [], "timings": {"prompt_n": 1, secret: secret, "deep": [secret]}}
                        )
                    )
                ]
            case _:
                return [event(json.dumps({"id": secret, "model": secret, "choices": [{"delta": {"role": secret, "content": "a"}}]}))]  # fmt: skip

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            head = HEAD
            if where == "header":
                head = HEAD.replace(
                    b"\r\n\r\n", f"\r\nX-Request-Id: {KEYED}\r\nVia: {PASSWORD}\r\n\r\n".encode()
                )
            told = [] if where == "error" else [FINISH, DONE]
            connection.sendall(
                head + chunked(*(frame for secret in PLANTED for frame in frames(secret)), *told)
            )

    url = scripted(script).url.replace("http://", f"http://user:{PASSWORD}@")
    log = recorded(tmp_path, url, api_key=KEYED, headers=SECRET_HEADERS)
    said = bytes_of(log)

    assert [secret for secret in PLANTED if secret in said or secret[:12] in said] == []
    assert len(list(log.of(RequestEnd))) == 1


def test_timings_keep_numbers_and_lose_what_no_timing_is() -> None:
    timings = {
        "prompt_ms": 1.5,
        "prompt_n": 3,
        "deep": {"a": 1},
        "many": [1] * 9,
        "word": "x" * 999,
        "none": None,
    }

    assert public_timings(timings, ()) == {"prompt_ms": 1.5, "prompt_n": 3, "word": "x" * 200, "none": None}


def test_a_log_holds_no_more_of_a_servers_timings_than_a_reader_could_want(
    tmp_path: Path, scripted: Any
) -> None:
    sent = {f"name {number}": number for number in range(100_000)}

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        frame = event(json.dumps({"choices": [], "timings": sent}))
        connection.sendall(HEAD + chunked(frame, FINISH, DONE))

    (usage,) = recorded(tmp_path, scripted(script).url).of(Usage)

    assert len(usage.server["timings"]) == 64


def test_what_is_hidden_of_an_engine() -> None:
    hidden = hidden_of(
        "http://us:pa%20ss@h/v1?sig=abcdef", ["sk-key"], {"X-Team": "blue team", "Cookie": "a=crumb1; b=crumb2"}, {"n": 1}
    )  # fmt: skip
    values = {one.value for one in hidden}

    assert values == {
        "sk-key", "pa%20ss", "dXM6cGEgc3M=", "abcdef", "blue team", "a=crumb1; b=crumb2", "b=crumb2", "crumb1",
        "crumb2",
    }  # fmt: skip
    assert {one.value for one in hidden if one.telling == len(one.value) > 4} >= {"blue team"}


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("http://admin:pw-secret@h/v1", False),
        ("http://admin-token@h/v1", True),
        ("http://long-user-name:pw@h/v1", True),
    ],
)
def test_a_short_user_beside_a_password_is_a_word_that_an_answer_may_say(url: str, hidden: bool) -> None:  # noqa: FBT001 - a case
    user = url.removeprefix("http://").partition("@")[0].partition(":")[0]

    assert (user in {one.value for one in hidden_of(url, (), {}, {})}) is hidden
