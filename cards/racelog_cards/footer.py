"""The small print: where the numbers come from, so that a card can be trusted without its log. Pure."""

import re
from collections import Counter
from collections.abc import Mapping

from racelog.display.figures import number, percent
from racelog.display.text import counted
from racelog.views.evidence.health import health_line
from racelog.views.summary import RaceSummary
from racelog_cards.numbers import MIB_PER_GIB
from racelog_cards.wording import Draws, model_shown, shown

FEW_REQUESTS = 100
FAILURES_NAMED = 3
FAULT_NAME = re.compile(r"[a-z][a-z0-9_ -]{0,23}")
"""Failure kinds are short words; anything else might be a message, and a message may hold a secret."""

_BASES = {"chunks": "one per text chunk", "server": "by the server's count per chunk", "usage": "by the server's usage"}  # fmt: skip
_MARKS = re.compile(r"\((?:R|TM|C)\)|[®™©]", re.IGNORECASE)


MOST_TOLD = 2
"""Lanes that did not finish whose reasons a footer has room for."""


def footer_of(
    summary: RaceSummary, draws: Draws, *, hidden_lanes: int = 0, numbered: bool = False
) -> tuple[str, ...]:
    """Return the footer's items in order of weight, none of them empty."""
    version = shown(summary.racelog_version, draws)
    race_id = shown(summary.race_id, draws)
    verdict, limited = shown(health_line(summary.health), draws), summary.health.client_limited
    items = (
        *_not_finished(summary, draws),
        shown(f"but {summary.caveat}", draws) if summary.caveat else "",
        verdict if limited else "",
        f"+ {counted(hidden_lanes, 'more lane')}" if hidden_lanes else "",
        "[4E00]: the Unicode number of a letter that no font here draws" if numbered else "",
        _models(summary, draws),
        hardware(summary.host, draws),
        _basis(summary),
        _failures(summary),
        _few(summary),
        _stamps(summary),
        "" if limited else verdict,
        f"recorded by racelog {version}".strip(),
        f"race {race_id}" if race_id else "",
    )
    return tuple(item for item in items if item)


def _not_finished(summary: RaceSummary, draws: Draws) -> list[str]:
    """Return why lanes did not finish, where they are few enough to be told one by one."""
    told = [shown(f"{lane.engine} DNF: {lane.dnf}", draws) for lane in summary.lanes if lane.dnf]
    return told if len(told) <= MOST_TOLD else []


def hardware(host: Mapping[str, object], draws: Draws) -> str:
    """Return the recording machine in a line; what is absent or makes no sense is left out."""
    cpu, cores, memory, system = (host.get(key) for key in ("cpu", "cores", "memory_mib", "os"))
    parts = [
        *_gpus(host.get("gpu")),
        _MARKS.sub("", cpu) if isinstance(cpu, str) else "",
        counted(cores, "core") if isinstance(cores, int) and cores > 0 else "",
        f"{number(memory / MIB_PER_GIB)} GiB" if isinstance(memory, int | float) and memory > 0 else "",
        system if isinstance(system, str) else "",
    ]
    said = [text for text in (shown(part, draws) for part in parts) if text]
    return f"on {', '.join(said)}" if said else ""


def _gpus(gpu: object) -> list[str]:
    """Return GPU names, equal ones counted; a name, a mapping with a name, or a list of either."""
    found = gpu if isinstance(gpu, list | tuple) else [gpu]
    names = [one.get("name") if isinstance(one, Mapping) else one for one in found]
    counts = Counter(_MARKS.sub("", name) for name in names if isinstance(name, str) and name)
    return [name if count == 1 else f"{count} x {name}" for name, count in counts.items()]


def _models(summary: RaceSummary, draws: Draws) -> str:
    names = [model_shown(lane.model, draws) for lane in summary.lanes]
    distinct = list(dict.fromkeys(name for name in names if name))
    if len(distinct) > 3:  # noqa: PLR2004 - more names than a line of small print holds
        return f"{len(distinct)} models"
    return ", ".join(distinct)


def _basis(summary: RaceSummary) -> str:
    bases = sorted({basis for lane in summary.lanes if lane.ok for basis in lane.token_basis} - {"usage"})
    said = [_BASES.get(basis, "by an unknown basis") for basis in bases]
    return f"* tokens counted {' or '.join(dict.fromkeys(said))}" if said else ""


def _failures(summary: RaceSummary) -> str:
    """Return what the numbers leave out: failures by kind, the most frequent first; nothing when there are no numbers."""
    kinds: Counter[str] = Counter()
    for lane in summary.lanes:
        kinds.update({kind: count for kind, count in lane.errors.items() if FAULT_NAME.fullmatch(kind)})
    failed = sum(lane.failed for lane in summary.lanes)
    if not failed or not any(lane.ok for lane in summary.lanes):
        return ""
    named = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common(FAILURES_NAMED))
    return f"not counted: {failed:,} failed{f' ({named})' if named else ''}"


def _few(summary: RaceSummary) -> str:
    least = min((lane.ttft_ms.n for lane in summary.lanes if lane.ttft_ms), default=FEW_REQUESTS)
    return f"p99 of {counted(least, 'request')} is close to the slowest" if least < FEW_REQUESTS else ""


def _stamps(summary: RaceSummary) -> str:
    total: Counter[str] = Counter()
    for lane in summary.lanes:
        total.update(lane.stamps)
    chunks = sum(total.values())
    if not chunks:
        return ""
    stamped = [who for who in ("kernel", "user") if total[who]]
    said = [who if total[who] == chunks else f"{percent(total[who] / chunks)} {who}" for who in stamped]
    return f"token times: {', '.join(said)}" if said else ""
