"""Which tool wrote a file, told by the names in its JSON; and of those that hold too little, what to do instead."""

from pathlib import Path

import msgspec

from racelog.errors import InputError
from racelog_recorder.imports.reading import BOM, MOST_LINE_BYTES, document, objects, opened, parsed

TELLING = {
    "aiperf-raw": {"metadata", "responses"},
    "aiperf-records": {"metadata", "metrics"},
    "guidellm": {"benchmarks"},
    "vllm-bench": {"ttfts", "itls"},
}
"""What a file is, and the names that tell it from the others."""

_SGLANG = frozenset({"total_output_tokens_retokenized"})

TOO_LITTLE = {
    _SGLANG: (
        "this is SGLang's bench_serving, which does not keep when its requests began, with --output-details neither; "
        "record the server itself: racelog record --engine sglang=URL; or run vllm bench serve against it with --save-result "
        "--save-detailed"
    ),
    frozenset({"aiperf_version"}): (
        "this is aiperf's summary, which has no times of requests; import profile_export_raw.jsonl beside it "
        "(aiperf profile --export-level raw) or profile_export.jsonl"
    ),
    frozenset({"mean_ttft_ms"}): (
        "this is vllm bench's summary, which has no times of requests; run vllm bench serve with "
        "--save-result --save-detailed"
    ),
    frozenset({"service_kind", "experiments"}): (
        "this is genai-perf's, which racelog does not import; aiperf, which follows it, measures the same: "
        "aiperf profile --export-level raw"
    ),
}
"""Names that tell a file in which there is no race, and what to say of it; the first that fits counts."""

WANTED = (
    "aiperf's profile_export_raw.jsonl or profile_export.jsonl, the JSON of vllm bench serve --save-result --save-detailed, "
    "or guidellm's JSON"
)

_names = msgspec.json.Decoder(dict[str, msgspec.Raw])


def kind_of(path: Path) -> str:
    """Return what a file is: ``aiperf-raw``, ``aiperf-records``, ``vllm-bench`` or ``guidellm``.

    Raises:
        InputError: it is none of them, or holds a summary only; the message says what to import instead.
    """
    with opened(path) as file:
        first = b"\n"
        while first and not first.removeprefix(BOM).strip():
            first = file.readline(MOST_LINE_BYTES + 1)
    if len(first) <= MOST_LINE_BYTES and (found := kind_by(_names_in(first.removeprefix(BOM)))):
        return found
    content = document(path)
    there = [_names_in(one) for one in objects(content)]
    for names in there:
        if found := kind_by(names):
            return found
    for names in there:
        if too_little := why_not(names):
            raise InputError(too_little)
    raise InputError(f"{path} is not a file that racelog imports{_flaw(content)}; those are {WANTED}")


def kind_by(names: frozenset[str]) -> str:
    """Return the kind of file whose object has these names; empty if they tell none, or one without a race in it."""
    if names >= _SGLANG:  # its details have vllm bench's names
        return ""
    return next((kind for kind, telling in TELLING.items() if telling <= names), "")


def why_not(names: frozenset[str]) -> str:
    """Return why there is no race in an object with these names; empty where they tell nothing."""
    return next((reason for telling, reason in TOO_LITTLE.items() if telling <= names), "")


def _names_in(content: bytes) -> frozenset[str]:
    """Return the names in a JSON object; none if it is no such thing."""
    try:
        found: dict[str, msgspec.Raw] = parsed(_names, content, "")
    except InputError:
        return frozenset()
    return frozenset(found)


def _flaw(content: bytes) -> str:
    """Return what is wrong with a JSON object that nobody can read, such as that it is cut off; lines are no one object."""
    if not content.lstrip().startswith(b"{"):
        return ""
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except RecursionError:
        return " (it is nested too deep)"
    except msgspec.DecodeError as error:
        return "" if "trailing" in str(error) else f" ({error})"
    return ""
