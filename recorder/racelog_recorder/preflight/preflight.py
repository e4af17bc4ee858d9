"""Before the countdown: is every engine there, has it the model, does it stream, does it tell its token counts?

Every problem is one line that names the engine, what it said, and the next step; an engine is asked for its models and
then for one short answer (`racelog_recorder.preflight.probe`).
"""

import difflib
from dataclasses import dataclass

import httpx2
import trio

from racelog.display.text import printable
from racelog.errors import EngineError
from racelog.views.faults import said as plain
from racelog_recorder.dialects.dialect import Dialect
from racelog_recorder.dialects.registry import DIALECTS
from racelog_recorder.plan.api_keys import engine_secrets
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.plan.model import EnginePlan, RacePlan, deadlines_of
from racelog_recorder.preflight.probe import Probed, Target, ask_again_while_busy, probe_engine
from racelog_recorder.redaction import public_url, scrubbed
from racelog_recorder.requests.outcome import classify
from racelog_recorder.transports.asking import MOST_BYTES, asking_headers, transport_to
from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.reach import transport_of

TIMEOUT_S = 10.0
"""The question for the models, whole: whoever cannot list them by then is asked to answer all the same, if one is named."""

NOBODY_THERE = frozenset({"dns", "refused", "connect", "connect_timeout", "tls", "client_limit"})
"""The kinds of failure after which nobody can be asked anything."""

FORBIDDEN = (401, 403)
NOT_FOUND = 404
LISTED = 8
SAID_CHARACTERS = 300
READ_CHARACTERS = 32 * SAID_CHARACTERS

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

    pump = Pump()

    async def check(position: int, engine: EnginePlan) -> None:
        try:
            flight = _Preflight(plan, engine, keys.get(engine.name, ""), pump)
            found[position] = await flight.run(probe=probe)
        except EngineError as error:
            problems[position] = str(error)

    async with trio.open_nursery() as beside:
        beside.start_soon(pump.run)
        async with trio.open_nursery() as nursery:
            for position, engine in enumerate(plan.engines):
                nursery.start_soon(check, position, engine)
        beside.cancel_scope.cancel()
    if problems:
        raise EngineError(
            "\n  ".join(["not every engine is ready:", *(problems[i] for i in sorted(problems))])
        )
    return [found[position] for position in range(len(plan.engines))]


@dataclass(frozen=True, slots=True)
class _Listed:
    """The models that a server lists, its status (0 where none came), and what was wrong with the list, if anything."""

    models: list[str]
    status: int
    told: str


class _Preflight:
    """One engine's checks."""

    def __init__(self, plan: RacePlan, engine: EnginePlan, key: str, pump: Pump) -> None:
        self._engine = engine
        self._pump = pump
        self._params = {**plan.params, **engine.params}
        self._deadlines: Deadlines = deadlines_of(plan, engine)
        self._dialect: Dialect = DIALECTS[engine.dialect]
        self._auth = self._dialect.auth_headers(key)
        self._secrets = engine_secrets(plan, engine, key)
        self._shown_url = public_url(engine.url)

    async def run(self, *, probe: bool) -> Checked:
        """Return what was found.

        Raises:
            EngineError: the engine cannot be raced.
        """
        engine = self._engine
        try:
            transport = transport_to(
                engine.url,
                engine.reach,
                self._pump,
                self._deadlines.connect_s,
                transport_of(engine.url, engine.reach),
            )
            client = httpx2.AsyncClient(
                transport=transport,
                headers=asking_headers(self._dialect.stream_type, self._auth, engine.headers),
                timeout=httpx2.Timeout(self._deadlines.total_s, connect=self._deadlines.connect_s),
                trust_env=False,
            )
            async with client:
                listed = await self._listed(client, transport)
                model = self._choose(listed)
                return await self._probe(client, transport, model, listed.models) if probe else Checked(model)
        except httpx2.HTTPError as error:
            raise self._problem(self._unreachable(error)) from error
        except (httpx2.InvalidURL, ValueError) as error:
            raise self._problem(f"{self._shown_url} cannot be asked ({error})") from error

    async def _listed(self, client: httpx2.AsyncClient, transport: httpx2.AsyncBaseTransport) -> _Listed:
        """Return the models that the server lists; where the plan names one, a list is no condition.

        Raises:
            httpx2.HTTPError: there is no server; or no list, which is needed.
        """
        url = self._dialect.models_url(self._engine.url)
        if not url:
            return _Listed([], 0, f"the dialect {self._dialect.name} has no list of models")
        request = client.build_request("GET", url)
        until_s = trio.current_time() + TIMEOUT_S
        try:
            answer = await ask_again_while_busy(transport, request, until_s)
        except httpx2.HTTPError as error:
            kind, said = classify(error)
            if not self._engine.model or kind in NOBODY_THERE:
                raise
            return _Listed([], 0, f"{kind}: {said}")
        if not answer.whole:
            return _Listed([], answer.status, f"longer than {MOST_BYTES >> 20} MiB")
        told = "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"  # noqa: PLR2004 - a success
        return _Listed(self._dialect.listed(answer.body), answer.status, told)

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

    def _choose(self, listed: _Listed) -> str:
        """Return the model to ask for: the plan's, else the first that is listed."""
        status = listed.status
        if self._engine.model:
            return self._engine.model
        if status in FORBIDDEN:
            raise self._problem(self._forbidden(status))
        if listed.models:
            return listed.models[0]
        if status == NOT_FOUND:
            raise self._problem(
                f"{self._shown_url} has no /{self._dialect.models_path} (HTTP 404); is the base URL right? It "
                f"{self._dialect.base_hint}. If the server has no model list, say which model with model=; if it speaks another "
                f"dialect ({', '.join(DIALECTS)}), say which with dialect="
            )
        told = listed.told or f"HTTP {status}"
        raise self._problem(f"{self._shown_url} names no model ({told}); say which with model=")

    async def _probe(
        self, client: httpx2.AsyncClient, transport: httpx2.AsyncBaseTransport, model: str, listed: list[str]
    ) -> Checked:
        """Ask for one short answer; say what is missing, or what a reader of the log should know."""
        url = self._dialect.answers_url(self._engine.url)
        target = Target(self._dialect, url, model, self._params, self._deadlines)
        found = await probe_engine(client, transport, target)
        if found.failure:
            raise self._problem(self._why(found, model, listed))
        remarks = "; ".join(self._remarks_of(found, model, listed))
        return Checked(model, self._clean(remarks), found.ask_usage)

    def _why(self, found: Probed, model: str, listed: list[str]) -> str:
        """Return why a probe failed and what to do about it."""
        assert found.failure is not None
        kind, message = found.failure
        said = plain(message)
        if found.status in FORBIDDEN:
            return self._forbidden(found.status)
        if kind == "http" and not _lists(listed, model) and listed:
            return f"it has no model {model!r} ({said}); {_models(model, listed)}"
        if found.status == NOT_FOUND:
            return (
                f"nothing at {public_url(self._dialect.answers_url(self._engine.url))} ({said}); is the base URL right? "
                f"It {self._dialect.base_hint}. Does the engine speak another dialect ({', '.join(DIALECTS)})?"
            )
        if kind == "malformed":
            return f"its answer is not a stream of the dialect {self._dialect.name} ({said}); {ANYWAY}"
        return f"a first request to model {model!r} failed: {f'{kind}: ' if kind != 'http' else ''}{said}; {ANYWAY}"

    def _remarks_of(self, found: Probed, model: str, listed: list[str]) -> list[str]:
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
        if found.busy:
            remarks.append(
                f"{name} answered HTTP {found.busy} at first, and had to be asked again; in the race each such answer is a failed request"
            )
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
        return EngineError(f"{printable(self._engine.name)}: {self._clean(text)}")

    def _clean(self, text: str) -> str:
        clean = printable(scrubbed(text[:READ_CHARACTERS], self._secrets))
        return clean if len(clean) <= SAID_CHARACTERS * 2 else clean[: SAID_CHARACTERS * 2] + "…"


def _lists(listed: list[str], model: str) -> bool:
    """Return True if the model is listed, Ollama's default tag or not."""
    return model in listed or f"{model}:latest" in listed


def _models(model: str, listed: list[str]) -> str:
    """Return the models there are, and the one that was meant."""
    close = difflib.get_close_matches(model, listed, n=1, cutoff=0.4)
    meant = f"did you mean {close[0]!r}? " if close else ""
    more = f" and {len(listed) - LISTED} more" if len(listed) > LISTED else ""
    return f"{meant}It has {', '.join(listed[:LISTED])}{more}"
