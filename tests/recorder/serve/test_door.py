"""Who is let in: loopback and bound names, whatever a web page makes its own name point at."""

import json

import httpx2
import pytest
import trio

from racelog_recorder.serve.door import Door, host_of, is_json

HOSTS = [
    ("localhost:8000", True),
    ("LOCALHOST.", True),
    ("app.localhost", True),
    ("127.0.0.1:1", True),
    ("127.9.9.9", True),
    ("[::1]:80", True),
    ("[::ffff:127.0.0.1]", True),
    ("", True),
    ("evil.example", False),
    ("evil.example:8000", False),
    ("localhost.evil.example", False),
    ("127.0.0.1.evil.example", False),
    ("10.0.0.9", False),
    ("0.0.0.0", False),
]


@pytest.mark.parametrize(("host", "expected"), HOSTS)
def test_a_server_on_loopback_answers_to_loopback_alone(host: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert Door("127.0.0.1").lets_in(host, "127.0.0.1") is expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("10.0.0.9:8000", True), ("10.0.0.8", False), ("gpu1", True), ("gpu2", False), ("GPU1.:80", True)],
)
def test_a_server_on_every_address_answers_to_the_one_that_was_reached_and_to_names_it_was_told(
    host: str, expected: bool  # noqa: FBT001 - a case
) -> None:  # fmt: skip
    assert Door("0.0.0.0", ["gpu1"]).lets_in(host, "10.0.0.9") is expected


@pytest.mark.parametrize(
    ("header", "expected"), [("a:1", "a"), ("[fe80::1%eth0]:1", "fe80::1"), ("::1", "::1"), (" A. ", "a"), ("[", "")]
)  # fmt: skip
def test_the_host_of_a_header(header: str, expected: str) -> None:
    assert host_of(header) == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/plain", False),
        ("", False),
    ],
)
def test_what_says_that_it_is_json(content_type: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert is_json(content_type) is expected


def asked(serving, quick_log, method: str, path: str, **options) -> httpx2.Response:
    """Return one lane's answer to one request."""
    found: list[httpx2.Response] = []

    async def main() -> None:
        async with serving(quick_log) as (left, _right):
            found.append(await left.request(method, path, **options))

    trio.run(main)
    return found[0]


@pytest.mark.parametrize("path", ["/models", "/chat/completions", "/nothing"])
def test_another_name_is_refused_with_the_next_step(serving, quick_log, path: str) -> None:
    said = asked(serving, quick_log, "GET", path, headers={"Host": "evil.example:80"})

    assert said.status_code == 403
    assert said.json()["error"]["message"].startswith(
        "this server does not answer to the name evil.example: a web page could have given it to this machine."
    )
    assert said.json()["error"]["message"].endswith("--allow-host evil.example")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_a_page_could_post_blindly_is_refused(serving, quick_log, kind: str) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]})
    said = asked(
        serving, quick_log, "POST", "/chat/completions", content=body, headers={"Content-Type": kind} if kind else {}
    )  # fmt: skip

    assert (said.status_code, said.json()["error"]["message"]) == (
        415, "the body must say what it is: Content-Type: application/json"
    )  # fmt: skip
