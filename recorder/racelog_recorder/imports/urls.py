"""What a foreign file says of URLs and parameters, without the secrets that may stand in them."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from racelog_recorder.redaction import sounds_secret

_NOT_PARAMETERS = frozenset({"messages", "prompt", "model", "stream", "stream_options", "input"})


def harmless_url(url: str) -> str:
    """Return ``url`` without user, password, query and fragment; empty if it is none."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, host + port, parts.path, "", "")) if host else ""


def harmless_values(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the plain parameters of a request's body: numbers, flags and words whose name tells of no secret."""
    return {
        name: value
        for name, value in payload.items()
        if name not in _NOT_PARAMETERS
        and isinstance(value, bool | int | float | str)
        and not sounds_secret(name)
    }
