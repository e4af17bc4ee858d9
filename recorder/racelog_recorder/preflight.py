"""Before the countdown: is every engine there, and which model does it serve?"""

from dataclasses import dataclass

import httpx2
import msgspec
import trio
from msgspec import Struct

from racelog.errors import EngineError
from racelog_recorder.openai import endpoint
from racelog_recorder.plan import EnginePlan
from racelog_recorder.plan_secrets import public_url, scrubbed

TIMEOUT_S = 10.0
FORBIDDEN = (401, 403)
NOT_FOUND = 404


class _Model(Struct):
    id: str


class _Models(Struct):
    data: list[_Model] = []


@dataclass(frozen=True, slots=True)
class Checked:
    """An engine that answered: the model to ask for, and a remark worth recording (or none)."""

    model: str
    remark: str = ""


async def check_engines(engines: tuple[EnginePlan, ...], keys: dict[str, str]) -> list[Checked]:
    """Return every engine's model, asked for all at once.

    Raises:
        EngineError: one or more engines cannot be raced; the message has a line for each, with the next step.
    """
    found: dict[int, Checked] = {}
    problems: dict[int, str] = {}

    async def check(position: int, engine: EnginePlan) -> None:
        try:
            found[position] = await check_engine(engine, keys.get(engine.name, ""))
        except EngineError as error:
            problems[position] = str(error)

    async with trio.open_nursery() as nursery:
        for position, engine in enumerate(engines):
            nursery.start_soon(check, position, engine)
    if problems:
        raise EngineError(
            "\n  ".join(["not every engine is ready:", *(problems[i] for i in sorted(problems))])
        )
    return [found[position] for position in range(len(engines))]


async def check_engine(engine: EnginePlan, key: str) -> Checked:
    """Return the model to race ``engine`` with: the plan's, else the first the server lists.

    Raises:
        EngineError: nothing answers, the key is refused, or no model is known.
    """
    url = endpoint(engine.url, "models")
    shown_url = public_url(engine.url)
    headers = dict(engine.headers) | ({"authorization": f"Bearer {key}"} if key else {})
    try:
        async with httpx2.AsyncClient(timeout=TIMEOUT_S, headers=headers, trust_env=False) as client:
            response = await client.get(url)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        reason = scrubbed(str(error) or type(error).__name__, (key, *engine.headers.values()))
        raise EngineError(
            f"{engine.name}: nothing answers at {shown_url} ({reason}); is the server running?"
        ) from error
    if response.status_code in FORBIDDEN:
        raise EngineError(
            f"{engine.name}: {shown_url} refuses the key (HTTP {response.status_code}); name the environment "
            f"variable that holds it with api_key_env"
        )
    return _choose(engine, _listed(response), response.status_code)


def _listed(response: httpx2.Response) -> list[str]:
    """Return the model names in a response, none if it holds no such list."""
    try:
        return [model.id for model in msgspec.json.decode(response.content, type=_Models).data]
    except msgspec.DecodeError:
        return []


def _choose(engine: EnginePlan, listed: list[str], status: int) -> Checked:
    if status == NOT_FOUND and not engine.model:
        raise EngineError(
            f"{engine.name}: {public_url(engine.url)} has no /models (HTTP 404); is the base URL right? It usually "
            f"ends in /v1. If the server has no model list, say which model with model="
        )
    if not engine.model and not listed:
        raise EngineError(
            f"{engine.name}: {public_url(engine.url)} names no model (HTTP {status}); say which with model="
        )
    if engine.model and listed and engine.model not in listed:
        return Checked(
            engine.model, f"{engine.name} does not list model {engine.model!r}, only {', '.join(listed[:5])}"
        )
    return Checked(engine.model or listed[0])
