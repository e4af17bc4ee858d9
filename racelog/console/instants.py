"""Instants on the command line: seconds on the race's clock, written the ways people write them."""

import re
from typing import Any

import click

NS_PER_UNIT = {
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|us|ns|m|s)")
_LONGEST = 19  # digits: what 64 bits hold


class InstantType(click.ParamType):  # type: ignore[type-arg]  # generic for type checkers alone
    """An instant in nanoseconds: ``90``, ``90s``, ``1m30s``, ``1500ms`` or ``1:30.5``."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return ``value`` in nanoseconds since the race's origin."""
        if isinstance(value, int):
            return value
        text = str(value).strip()
        instant = _nanoseconds(text)
        if instant is None or len(str(instant)) > _LONGEST - 1:
            self.fail(f"{text!r} is not an instant; write seconds (12.5), 1m30s, 1500ms or 1:30", param, ctx)
        return instant


def _nanoseconds(text: str) -> int | None:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return _scaled(text, NS_PER_UNIT["s"])
    if clock := re.fullmatch(r"(?:([0-9]+):)?([0-9]+):([0-9]{1,2}(?:\.[0-9]+)?)", text):
        hours, minutes, seconds = clock.groups()
        whole = int(hours or 0) * NS_PER_UNIT["h"] + int(minutes) * NS_PER_UNIT["m"]
        return whole + _scaled(seconds, NS_PER_UNIT["s"])
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(_scaled(number, NS_PER_UNIT[unit]) for number, unit in parts)


def _scaled(number: str, scale: int) -> int:
    """Return a decimal number times ``scale``, exactly as far as nanoseconds go."""
    whole, _, fraction = number.partition(".")
    return int(whole) * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)


INSTANT = InstantType()
