"""What a server says is wrong, in the shapes servers say it in: a message of a stream -> words. Pure.

OpenAI, vLLM, SGLang and llama.cpp send ``error`` as an object of ``message``, ``type`` and ``code``; Ollama and TGI as words alone;
gateways put words and type beside ``choices``, or send what their own web framework says (``detail``).
"""

import re
from collections.abc import Mapping
from typing import Any

from racelog.display.text import REPLACEMENT
from racelog_recorder.dialects.message import MalformedMessage, as_json, mended, plain_json

WORDS = ("message", "msg", "error_message", "error_msg", "errorMessage", "error_description")
KINDS = (
    "type", "error_type", "errorType", "code", "error_code", "errorCode", "status", "statusCode", "status_code",
)  # fmt: skip
EXPLICIT = ("error_message", "error_msg", "errorMessage", "error_description", "errors")
"""Fields that are an error wherever they stand, if anything is in them."""

GOOD = frozenset({"", "0", "200", "ok", "success", "succeeded", "none", "null"})
"""What a field of `KINDS` says where nothing is wrong."""

FAILING = re.compile(
    r"error|exception|fail|abort|cancel+ed|cancelled|timeout|timed.?out|interrupt|malformed|insufficient_system",
    re.IGNORECASE,
)
"""Words of a type, a status or a finish reason that say that an answer failed."""

NO_REASON = frozenset({"", "null", "none", "nil", "undefined", "unspecified", "finish_reason_unspecified"})
"""Finish reasons that are none, in words."""


def error_text(error: Any) -> str:
    """Return what a server said was wrong: its words, type and code behind them; as JSON text where it has no words.

    OpenAI's type and code can be the same (``insufficient_quota``). Never empty.
    """
    words = error
    if isinstance(error, dict):
        words = next((error[name] for name in WORDS if _has_words(error.get(name))), None)
    if not isinstance(words, str) or not words.strip():
        return as_json(error)
    kinds = _kinds(error) if isinstance(error, dict) else ""
    return mended(f"{words} ({kinds})" if kinds else words)


def _has_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _kinds(error: Mapping[str, Any]) -> str:
    told = [error.get(name) for name in KINDS]
    return ", ".join(
        dict.fromkeys(str(kind) for kind in told if kind and isinstance(kind, str | int) and kind != "error")
    )


def is_error(error: Any, *, beside_text: bool) -> bool:
    """Return True if the value of a field ``error`` is one. Servers fill it beside ``choices`` with what means none."""
    if error is None or error is False:
        return False
    values = error.values() if isinstance(error, dict) else [error]
    return not beside_text or any(str(value).lower() not in GOOD for value in values if value)


def complaint(said: Mapping[str, Any], *, beside_choices: bool) -> str:
    """Return what a whole message complains of, in its words; an empty string where it does not.

    ``beside_choices``: it has choices, so that only what is called an error can be one.
    """
    if is_error(said.get("error"), beside_text=beside_choices):
        return error_text(said["error"])
    if any(said.get(name) for name in EXPLICIT):
        return error_text(said if not said.get("errors") else _first(said["errors"]))
    if beside_choices:
        return ""
    inner = said.get("response")
    if isinstance(inner, dict) and is_error(inner.get("error"), beside_text=False):
        return error_text(inner["error"])
    if detail := said.get("detail"):
        return _detail_text(detail)
    return error_text(said) if _sounds_wrong(said) else ""


def _sounds_wrong(said: Mapping[str, Any]) -> bool:
    """Return whether a message without choices calls itself an error, or has words and a code that is not a good one."""
    kinds = [said.get(name) for name in (*KINDS, "object", "event")]
    if any(isinstance(kind, str) and FAILING.search(kind) for kind in kinds) or said.get("success") is False:
        return True
    codes = [said.get(name) for name in KINDS if name != "type"]
    wrong = any(isinstance(code, str | int) and str(code).lower() not in GOOD for code in codes)
    return wrong and any(_has_words(said.get(name)) for name in WORDS)


def _first(errors: Any) -> Any:
    return errors[0] if isinstance(errors, list) and len(errors) == 1 else errors


def _detail_text(detail: Any) -> str:
    """Return FastAPI's ``detail`` in words: a text, or a list of what does not fit and where."""
    if (
        isinstance(detail, list)
        and detail
        and all(isinstance(part, dict) and _has_words(part.get("msg")) for part in detail)
    ):
        where = (
            "/".join(map(str, part["loc"])) if isinstance(part.get("loc"), list) else "" for part in detail
        )
        return mended(
            "; ".join(
                f"{place}: {part['msg']}" if place else part["msg"]
                for place, part in zip(where, detail, strict=True)
            )
        )
    return error_text(detail)


def named_error_text(payload: bytes) -> str:
    """Return what an event said that its name calls an error: in JSON or in plain words. Never empty."""
    try:
        said = plain_json(payload)
    except MalformedMessage:
        words = payload.decode("utf-8", "replace").replace("\x00", REPLACEMENT).strip()
        return words or "an event named error, without a word"
    inner = said.get("error") if isinstance(said, dict) else None
    return error_text(said if inner is None else inner)


def stated_complaint(text: str) -> str:
    """Return what a text complains of that is a JSON object; an empty string where it is none, or does not."""
    try:
        said = plain_json(text.encode("utf-8", "replace"))
    except MalformedMessage:
        return ""
    said = said[0] if isinstance(said, list) and said else said
    return complaint(said, beside_choices=False) if isinstance(said, dict) else ""


def finish_word(*told: Any) -> str:
    """Return the first finish reason that says anything; an empty string where none does.

    Some servers write the lack of one in words (``"null"``), some have a number or an object of a ``type``, and gateways tell the
    engine's own beside theirs.
    """
    for reason in told:
        if isinstance(reason, dict):
            reason = reason.get("type")  # noqa: PLW2901 - what it says, in the form in which the others say it
        word = str(reason).strip() if isinstance(reason, str | int) and not isinstance(reason, bool) else ""
        if word.lower() not in NO_REASON:
            return word
    return ""
