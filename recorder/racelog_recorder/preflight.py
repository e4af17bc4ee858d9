"""Before the countdown: is every engine there, has it the model, does it stream, does it tell its token counts?

Every problem is one line that names the engine, what it said, and the next step; an engine is asked for its models and
then for one short answer (`racelog_recorder.probe`).
"""

import difflib
from dataclasses import dataclass

import httpx2
import trio

from racelog.errors import EngineError
from racelog.text import printable
from racelog_recorder.deadlines import Deadlines
from racelog_recorder.dialects import DIALECTS, Dialect
from racelog_recorder.openai import endpoint
from racelog_recorder.outcome import classify
from racelog_recorder.plain import plain_transport
from racelog_recorder.plan import EnginePlan, RacePlan, deadlines_of
from racelog_recorder.plan_secrets import public_url, scrubbed, secrets_of
from racelog_recorder.probe import Probed, Target, probe_engine

TIMEOUT_S = 10.0
FORBIDDEN = (401, 403)
NOT_FOUND = 404
LISTED = 8
SAID_CHARACTERS = 300

ANYWAY = "--no-preflight races it all the same"


@dataclass(frozen=True, slots=True)
class Checked:
    """An engine that answered: the model to ask for, a remark worth recording (or none), whether it counts tokens."""

    model: str
    remark: str = ""
    ask_usage: bool = True


async def check_engines(plan: RacePlan, keys: dict[str, str], *, probe: bool = True) -> list[Checked]:
    """Return every engine's model and ways, asked for all at once; without ``probe`` no answer is asked for.

    Raises:
        EngineError: one or more engines cannot be raced; the message has a line for each, with the next step.
    """
    found: dict[int, Checked] = {}
    problems: dict[int, str] = {}

    async def check(position: int, engine: EnginePlan) -> None:
        flight = _Preflight(plan, engine, keys.get(engine.name, ""))
        try:
            found[position] = await flight.run(probe=probe)
        except EngineError as error:
            problems[position] = str(error)

    async with trio.open_nursery() as nursery:
        for position, engine in enumerate(plan.engines):
            nursery.start_soon(check, position, engine)
    if problems:
        raise EngineError(
            "\n  ".join(["not every engine is ready:", *(problems[i] for i in sorted(problems))])
        )
    return [found[position] for position in range(len(plan.engines))]


class _Preflight:
    """One engine's checks."""

    def __init__(self, plan: RacePlan, engine: EnginePlan, key: str) -> None:
        self._engine = engine
        self._key = key
        self._params = {**plan.params, **engine.params}
        self._deadlines: Deadlines = deadlines_of(plan, engine)
        self._dialect: Dialect = DIALECTS[engine.dialect]
        self._secrets = secrets_of(engine.url, key, engine.headers, self._params)
        self._shown_url = public_url(engine.url)

    async def run(self, *, probe: bool) -> Checked:
        """Return what was found.

        Raises:
            EngineError: the engine cannot be raced.
        """
        headers = {"accept-encoding": "identity", **self._engine.headers}
        if self._key:
            headers.setdefault("authorization", f"Bearer {self._key}")
        try:
            transport = plain_transport(self._engine.url, self._engine.reach)
            async with httpx2.AsyncClient(transport=transport, timeout=TIMEOUT_S, headers=headers) as client:
                response = await client.get(endpoint(self._engine.url, self._dialect.models_path))
                listed = self._dialect.listed(response.content)
                model = self._choose(listed, response.status_code)
                return await self._probe(client, model, listed) if probe else Checked(model)
        except httpx2.HTTPError as error:
            raise self._problem(self._unreachable(error)) from error
        except (httpx2.InvalidURL, ValueError) as error:
            raise self._problem(f"{self._shown_url} cannot be asked ({error})") from error

    def _unreachable(self, error: httpx2.HTTPError) -> str:
        kind, text = classify(error)
        wrong_scheme = "is the server running, and is the URL's http or https right?"
        trust = "is it https, and its certificate trusted here?"
        if "certificate required" in text:
            trust = "it asks for a certificate of yours; give tls: {cert: FILE, key: FILE}"
        step = {
            "dns": "check the host's name",
            "tls": trust,
            "reset": wrong_scheme,
            "truncated": wrong_scheme,
            "connect_timeout": wrong_scheme,
        }.get(kind, "is the server running?")
        where = printable(self._engine.reach.unix_socket) or self._shown_url
        return f"nothing answers at {where} ({kind}: {text}); {step}"

    def _choose(self, listed: list[str], status: int) -> str:
        """Return the model to ask for: the plan's, else the first that is listed."""
        if status in FORBIDDEN:
            raise self._problem(self._forbidden(status))
        if self._engine.model or listed:
            return self._engine.model or listed[0]
        if status == NOT_FOUND:
            raise self._problem(
                f"{self._shown_url} has no /{self._dialect.models_path} (HTTP 404); is the base URL right? It "
                f"{self._dialect.base_url}. If the server has no model list, say which model with model=; if it speaks another "
                f"dialect ({', '.join(DIALECTS)}), say which with dialect="
            )
        raise self._problem(f"{self._shown_url} names no model (HTTP {status}); say which with model=")

    async def _probe(self, client: httpx2.AsyncClient, model: str, listed: list[str]) -> Checked:
        """Ask for one short answer; say what is missing, or what a reader of the log should know."""
        client.timeout = httpx2.Timeout(self._deadlines.total_s, connect=self._deadlines.connect_s)
        url = endpoint(self._engine.url, self._dialect.path)
        found = await probe_engine(client, Target(self._dialect, url, model, self._params, self._deadlines))
        if found.failure:
            raise self._problem(self._why(found, model, listed))
        return Checked(model, "; ".join(self._remarks(found, model, listed)), found.ask_usage)

    def _why(self, found: Probed, model: str, listed: list[str]) -> str:
        """Return why a probe failed and what to do about it."""
        assert found.failure is not None
        kind, said = found.failure
        if found.status in FORBIDDEN:
            return self._forbidden(found.status)
        if kind == "http" and not _lists(listed, model) and listed:
            return f"it has no model {model!r} ({said}); {_models(model, listed)}"
        if found.status == NOT_FOUND:
            return (
                f"nothing at {public_url(endpoint(self._engine.url, self._dialect.path))} ({said}); is the base URL right? "
                f"It {self._dialect.base_url}. Does the engine speak another dialect ({', '.join(DIALECTS)})?"
            )
        if kind == "malformed":
            return f"its answer is no stream of the dialect {self._dialect.name} ({said}); {ANYWAY}"
        return f"a first request to model {model!r} failed: {kind}: {said}; {ANYWAY}"

    def _remarks(self, found: Probed, model: str, listed: list[str]) -> list[str]:
        name = self._engine.name
        remarks = []
        if listed and not _lists(listed, model):
            remarks.append(
                f"{name} does not list model {model!r}, only {', '.join(listed[:LISTED])}, but answers to it"
            )
        if not found.ask_usage:
            remarks.append(
                f"{name} refuses stream_options; it is raced without, and tokens are counted in chunks"
            )
        elif found.usage is False:
            remarks.append(f"{name} sends no usage; tokens are counted in chunks")
        return remarks

    def _forbidden(self, status: int) -> str:
        variable = self._engine.api_key_env
        if variable:
            return f"{self._shown_url} refuses the key in {variable} (HTTP {status}); is it this server's, and still valid?"
        return (
            f"{self._shown_url} asks for a key (HTTP {status}); name the environment variable that holds it with "
            f"api_key_env, as in --engine {self._engine.name}=URL,api_key_env=VARIABLE"
        )

    def _problem(self, text: str) -> EngineError:
        """Return a problem as an error; servers' words in it are inert, short and without secrets."""
        clean = printable(scrubbed(text, self._secrets))
        cut = clean if len(clean) <= SAID_CHARACTERS * 2 else clean[: SAID_CHARACTERS * 2] + "…"
        return EngineError(f"{printable(self._engine.name)}: {cut}")


def _lists(listed: list[str], model: str) -> bool:
    """Return True if the model is listed, Ollama's default tag or not."""
    return model in listed or f"{model}:latest" in listed


def _models(model: str, listed: list[str]) -> str:
    """Return the models there are, and the one that was meant."""
    close = difflib.get_close_matches(model, listed, n=1, cutoff=0.4)
    meant = f"did you mean {close[0]!r}? " if close else ""
    more = f" and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
    return f"{meant}It has {', '.join(listed[:LISTED])}{more}"
