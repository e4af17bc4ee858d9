"""Failures by kind: how many, and what the first of each said. A fold's result, laid out for every view."""

import json
import re
from collections.abc import Iterable

from msgspec import Struct

from racelog.display.text import shortened
from racelog.replay.request import RequestState

LONGEST = 400
"""Characters of a server's words that a view shows at most: PyTorch's longest, of a full GPU, are about this long."""

_SEARCHED = 8_192
_KEYS = ("message", "detail", "msg", "error_description", "error")
"""Where servers put the words of an error, the clearest first: OpenAI, vLLM and SGLang, FastAPI, pydantic, OAuth, Ollama."""

_VALUES = {key: re.compile(rf'"{key}"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)', re.DOTALL) for key in _KEYS}
_TITLE = re.compile(r"<(?:title|h1)[^<>]*>([^<>]+)", re.IGNORECASE)
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$")


def said(message: str) -> str:
    """Return a failure's message with the server's words alone: of a JSON body its message, of a page its title.

    ``HTTP 503: {"error": {"message": "CUDA out of memory", ...`` becomes ``HTTP 503: CUDA out of memory``. A body may
    be cut anywhere. What holds no such words stays as it is; more than 400 characters end in an ellipsis.
    """
    searched = message[:_SEARCHED]
    words = _of_json(searched) or _of_page(searched) or searched
    return shortened(words, LONGEST)


def _of_json(message: str) -> str:
    """Return the words before a JSON object and those in it; empty where there are none in it."""
    before, brace, body = message.partition("{")
    found = next(
        (found for key in _KEYS if brace and (found := _VALUES[key].search(body)) and found[1].strip()), None
    )
    return before.rstrip("[ ") + " " * bool(before.strip("[ ")) + _plain(found[1]).strip() if found else ""


def _of_page(message: str) -> str:
    """Return the words before an HTML page and its title; empty where there is none."""
    before, mark, body = message.partition("<")
    found = _TITLE.search(mark + body) if mark else None
    return before + found[1].strip() if found else ""


def _plain(quoted: str) -> str:
    """Return the text that stood quoted in JSON, perhaps cut in the middle of an escape."""
    whole = _HALF_ESCAPE.sub("", quoted)
    try:
        return str(json.loads(f'"{whole}"', strict=False))
    except ValueError:
        return whole


class FaultCount(Struct, frozen=True, kw_only=True):
    """Failures of one kind on one lane; a bad HTTP status makes a kind each. ``message`` is the first one's."""

    kind: str
    http_status: int | None
    count: int
    message: str

    @property
    def label(self) -> str:
        """The kind as it is shown: ``http 503``, ``stalled``."""
        return f"{self.kind or 'unnamed'} {self.http_status}" if self.http_status else self.kind or "unnamed"

    @property
    def told(self) -> str:
        """The kind and what the first failure said, the kind once: ``HTTP 503: CUDA out of memory``, ``stalled: nothing ...``."""
        if not self.message or self.message.lower().startswith(self.label):
            return self.message or self.label
        return f"{self.label}: {self.message}"


def fault_counts(requests: Iterable[RequestState]) -> list[FaultCount]:
    """Return the failed ones of ``requests`` by kind, the most frequent first."""
    failed = [request for request in requests if request.status == "failed"]
    failed.sort(key=lambda request: (request.t_end or 0, request.req))
    groups: dict[tuple[str, int | None], list[RequestState]] = {}
    for request in failed:
        status = request.http_status if request.error == "http" else None
        groups.setdefault((request.error, status), []).append(request)
    counts = [
        FaultCount(kind=kind, http_status=status, count=len(members), message=said(members[0].message))
        for (kind, status), members in groups.items()
    ]
    return sorted(counts, key=lambda fault: (-fault.count, fault.label))
