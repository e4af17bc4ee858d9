"""Prompts from files: one a line in ``.txt``, one JSON object a line in ``.jsonl``. Bounded, errors with lines."""

from pathlib import Path
from typing import Any

import msgspec

from racelog.errors import PlanError
from racelog_recorder.plan.fields.checks import MAX_PROMPTS, FieldError, require_utf8
from racelog_recorder.plan.model import Messages
from racelog_recorder.redaction import not_text, shown

MAX_FILE_BYTES = 16 << 20
"""100,000 prompts of 160 characters; every lane holds them all in memory."""

MAX_MESSAGES = 1_000

ROLES = ("system", "developer", "user", "assistant", "tool")
_MESSAGE_FIELDS = frozenset({"role", "content", "name"})


def load_prompts(path: str | Path) -> tuple[Messages, ...]:
    """Return the prompts in a ``.txt`` or ``.jsonl`` file, in its order.

    In ``.txt`` blank lines and lines that start with ``#`` are skipped; in ``.jsonl`` a line is
    ``{"prompt": "..."}`` or ``{"messages": [...]}``, and blank lines are skipped.

    Raises:
        PlanError: the file cannot be read, is too large or holds a line that is no prompt; names file and line.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".txt", ".jsonl"):
        raise PlanError(
            f"{shown(str(path))} is not a file of prompts; give a .txt or .jsonl file, or 'builtin'"
        )
    text = read_text(path, MAX_FILE_BYTES)
    parse = _jsonl_line if suffix == ".jsonl" else _text_line
    prompts: list[Messages] = []
    # Not splitlines(): U+2028 and the like belong to a prompt's text.
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            prompt = parse(line.strip())
        except FieldError as error:
            raise PlanError(f"{path}:{number}: {error}") from None
        if prompt is not None:
            prompts.append(prompt)
        if len(prompts) > MAX_PROMPTS:
            raise PlanError(f"{path}:{number}: more than {MAX_PROMPTS:,} prompts; split the file")
    if not prompts:
        raise PlanError(f"{path} holds no prompt; write one a line")
    return tuple(prompts)


def read_text(path: Path, limit_bytes: int) -> str:
    """Return a UTF-8 file's text, at most ``limit_bytes`` of it.

    Raises:
        PlanError: it is no regular file, cannot be read, is larger, or is not UTF-8.
    """
    try:
        if path.exists() and not path.is_file():
            raise PlanError(f"{path} is not a file")
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except OSError as error:
        raise PlanError(f"cannot read {shown(str(path))}: {error.strerror}") from None
    except ValueError:
        raise PlanError(f"{shown(str(path))} is not a path") from None
    if len(data) > limit_bytes:
        raise PlanError(f"{path} is larger than {limit_bytes >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PlanError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8") from None


def to_messages(prompt: Any) -> Messages:
    """Return the messages of one prompt: text, a list of messages, or ``{"prompt": ...}`` / ``{"messages": ...}``.

    Raises:
        FieldError: it is none of these; says what is wrong, not where.
    """
    if isinstance(prompt, dict):
        if len(prompt) != 1 or not prompt.keys() <= {"prompt", "messages"}:
            raise FieldError("a prompt is text, a list of messages, or has one field, 'prompt' or 'messages'")
        if "prompt" in prompt:
            return [{"role": "user", "content": _content(prompt["prompt"])}]
        prompt = prompt["messages"]
        if not isinstance(prompt, list):
            raise FieldError(f"messages: {shown(prompt)} is not a list of messages")
    if not isinstance(prompt, list):
        return [{"role": "user", "content": _content(prompt)}]
    if not 1 <= len(prompt) <= MAX_MESSAGES:
        raise FieldError(f"a prompt has 1 to {MAX_MESSAGES:,} messages, not {len(prompt):,}")
    return [_message(message) for message in prompt]


def _message(message: Any) -> dict[str, Any]:
    """Return one message of a prompt as it is sent.

    Raises:
        FieldError: it has other fields, an unknown role, or no text.
    """
    if not isinstance(message, dict) or not {"role", "content"} <= message.keys() <= _MESSAGE_FIELDS:
        raise FieldError("a message has the fields 'role' and 'content' (and may have 'name'), and no others")
    if message["role"] not in ROLES:
        raise FieldError(f"role: {shown(message['role'])} is not one of {', '.join(ROLES)}")
    if not isinstance(message.get("name", ""), str):
        raise FieldError(f"name: {not_text(message['name'])}")
    require_utf8(message.get("name", ""))
    return {**message, "content": _content(message["content"])}


def _content(content: Any) -> str:
    """Return the text of a message.

    Raises:
        FieldError: it is a list of parts, no text, or empty.
    """
    if isinstance(content, list) and content and all(isinstance(part, dict) for part in content):
        raise FieldError("the content is a list of parts; racelog sends text alone: give their text as one")
    if not isinstance(content, str):
        raise FieldError(not_text(content))
    if not content.strip():
        raise FieldError("a prompt must not be empty")
    require_utf8(content)
    return content


def _text_line(line: str) -> Messages | None:
    return None if not line or line.startswith("#") else to_messages(line)


def _jsonl_line(line: str) -> Messages | None:
    """Return the prompt of one line, None for an empty one.

    Raises:
        FieldError: it is no JSON object, or no prompt.
    """
    if not line:
        return None
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FieldError(f"not a JSON object: {error}") from None
    if not isinstance(value, dict):
        raise FieldError(
            f'{shown(value)} is not a JSON object; write {{"prompt": "..."}} or {{"messages": [...]}}'
        )
    return to_messages(value)
