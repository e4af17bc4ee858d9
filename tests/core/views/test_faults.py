"""What a server said of an error, told alone: without its JSON, without its HTML, cut only with a sign."""

import pytest

from racelog.views.faults import LONGEST, FaultCount, said

SHAPES = {
    "OpenAI": ('HTTP 503: {"error": {"message": "CUDA out of memory", "code": 503}}', "CUDA out of memory"),
    "vLLM": ('HTTP 400: {"object":"error","message":"too long","type":"BadRequestError"}', "too long"),
    "FastAPI": ('HTTP 404: {"detail":"Not Found"}', "Not Found"),
    "pydantic": ('HTTP 422: {"detail":[{"loc":["body"],"msg":"field required"}]}', "field required"),
    "Ollama": ('HTTP 404: {"error":"model \\"q\\" not found"}', 'model "q" not found'),
    "a list": ('HTTP 429: [{"error": {"code": 429, "message": "Quota exceeded"}}]', "Quota exceeded"),
    "nginx": ("HTTP 502: <html>\n<head><title>Bad Gateway</title></head>", "Bad Gateway"),
    "text": ("HTTP 500: Internal Server Error", "Internal Server Error"),
    "other letters": ('HTTP 500: {"message":"\\u663e\\u5b58\\u4e0d\\u8db3"}', "显存不足"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bodys_message_stands_alone_behind_its_status(shape: str) -> None:
    message, words = SHAPES[shape]

    assert said(message) == f"{message[:10]}{words}"


@pytest.mark.parametrize("cut", range(len('{"error": {"message": "CUDA'), len(SHAPES["OpenAI"][0]) - 10))
def test_a_body_that_was_cut_anywhere_still_gives_its_words(cut: int) -> None:
    body = SHAPES["OpenAI"][0][10:]

    assert said(f"HTTP 503: {body[:cut]}") == f"HTTP 503: {'CUDA out of memory'[: max(0, cut - 23)]}".rstrip()


@pytest.mark.parametrize(
    "message",
    ["refused", '{"choices": [{"message": {"content": "hi"}}]}', '{"error": {"message": ""}}', "{", "<"],
)
def test_what_holds_no_words_stays_as_it_is(message: str) -> None:
    assert said(message) == message


def test_words_are_cut_only_with_a_sign() -> None:
    assert said("x" * (LONGEST + 1)) == "x" * (LONGEST - 1) + "…"


def test_an_escape_that_was_cut_is_left_out() -> None:
    assert said('HTTP 500: {"message": "so \\u00e4 and \\u00') == "HTTP 500: so ä and"


@pytest.mark.parametrize(
    ("kind", "status", "message", "told"),
    [
        ("http", 503, "HTTP 503: out of memory", "HTTP 503: out of memory"),
        ("stalled", None, "nothing for 30 s", "stalled: nothing for 30 s"),
        ("refused", None, "", "refused"),
    ],
)
def test_a_kind_of_failure_is_told_once(kind: str, status: int | None, message: str, told: str) -> None:
    assert FaultCount(kind=kind, http_status=status, count=1, message=message).told == told
