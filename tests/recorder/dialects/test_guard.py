"""A dialect of another package: what it may be, and what becomes of it when it breaks its promises."""

from dataclasses import replace
from typing import Any

import pytest

from racelog.errors import EngineError
from racelog_recorder.dialects.dialect import Dialect, key_header
from racelog_recorder.dialects.guard import checked
from racelog_recorder.dialects.message import Done, Failed, MalformedMessage, Message
from racelog_recorder.dialects.openai import CHAT
from racelog_recorder.dialects.registry import BUILTIN, DIALECTS

OTHER = replace(CHAT, name="other")


def fails(*_: Any, **__: Any) -> Any:
    raise KeyError("gone")


@pytest.mark.parametrize("name", BUILTIN)
def test_each_of_ours_is_found_under_its_name_and_would_pass_as_another_s(name: str) -> None:
    assert DIALECTS[name].name == name
    assert checked(name, DIALECTS[name]).name == name


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("name", "Other", "its name is 'Other'; give the entry point and the dialect one name"),
        ("path", "/chat", "path begins with '/'"),
        ("models_path", "/models", "models_path begins with '/'"),
        ("path", "", "path is empty"),
        ("stream_type", "Text/Event-Stream", "give it in small letters, without parameters"),
        ("stream_type", "text/event-stream; charset=utf-8", "give it in small letters, without parameters"),
    ],
)
def test_a_field_that_cannot_be_used_is_refused(field: str, value: str, why: str) -> None:
    fields: dict[str, Any] = {field: value}

    with pytest.raises(ValueError, match=why):
        checked("other", replace(OTHER, **fields))


@pytest.mark.parametrize("name", ["Other", "a b", "a,b", "", "x" * 65])
def test_a_name_is_one_word_of_small_letters(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        checked(name, replace(OTHER, name=name))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (None, "parse returns NoneType, not Message, Failed or Done"),
        ("text", "parse returns str"),
        (Message("x", "a"), "the code 'x'"),
        (Message("c", b"a"), "a text of bytes"),  # type: ignore[arg-type]  # what is not checked before
        (Message("c", "a", timings={"a": {1}}), "set is not JSON serializable"),
    ],
)
def test_what_is_no_message_is_malformed(said: Any, why: str) -> None:
    dialect = checked("other", replace(OTHER, parse=lambda _: said))

    with pytest.raises(MalformedMessage, match=f"the dialect other fails on a message: .*{why}"):
        dialect.parse(b"{}")


def test_whatever_parse_raises_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="the dialect other fails on a message: KeyError: 'gone'"):
        checked("other", replace(OTHER, parse=fails)).parse(b"{}")


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        (Message("c", "a"), Message("c", "a")),
        (Message("c", "a", choice=1), Message("c", "a", choice=1, odd=True)),
        (Message("c", "a", more=(("r", "b"),)), Message("c", "a", more=(("r", "b"),), odd=True)),
        (
            Message("c", "\ud83d"),
            Message("c", "\ufffd", halves=(("c", "\ud83d"),), odd=True),
        ),
        (Failed("half \ud83d"), Failed("half \ufffd")),
        (Done(), Done()),
    ],
)
def test_what_it_says_can_be_written_and_is_known_for_odd(said: Any, taken: Any) -> None:
    assert checked("other", replace(OTHER, parse=lambda _: said)).parse(b"{}") == taken


def test_a_list_that_cannot_be_read_names_no_models() -> None:
    assert checked("other", replace(OTHER, listed=fails)).listed(b"") == []


def test_a_body_and_a_key_s_headers_that_cannot_be_made_are_the_engine_s_problem_without_the_key() -> None:
    dialect = checked("other", replace(OTHER, body=fails, auth=lambda key: {"x-key": key + "\n"}))

    with pytest.raises(EngineError, match=r"^the dialect other cannot make a request \(KeyError\)$"):
        dialect.body("m", [], {})
    with pytest.raises(
        EngineError, match=r"^the dialect other cannot make the headers of a key \(ValueError\)$"
    ):
        dialect.secrets("sk-planted")


@pytest.mark.parametrize(
    ("auth", "headers", "secrets"),
    [
        (CHAT.auth, {"authorization": "Bearer K1"}, ("K1",)),
        (key_header("x-api-key"), {"x-api-key": "K1"}, ("K1",)),
        (lambda key: {"x": f"Signed {key[::-1]}"}, {"x": "Signed 1K"}, ("K1", "1K")),
    ],
    ids=["bearer", "header", "signed"],
)
def test_a_key_is_sent_and_hidden_as_the_dialect_makes_it(
    auth: Any, headers: dict[str, str], secrets: tuple[str, ...]
) -> None:
    dialect: Dialect = replace(CHAT, auth=auth)

    assert (dialect.auth_headers("K1"), dialect.secrets("K1")) == (headers, secrets)
    assert (dialect.auth_headers(""), dialect.secrets("")) == ({}, ())
