"""The fields of a race: one row each, in the order in which people read of them."""

from typing import Any, get_args

from racelog.live import MAX_COUNTDOWN_S
from racelog_recorder.plan.arrivals import Arrival
from racelog_recorder.plan.deadlines import Deadlines
from racelog_recorder.plan.fields.checks import (
    MAX_CONCURRENCY,
    MAX_DURATION_S,
    MAX_ENGINES,
    MAX_GRACE_S,
    MAX_NAME,
    MAX_PROMPTS,
    MAX_REQUESTS,
    MAX_SEED,
    MAX_TOKENS,
    MAX_WARMUP,
    MIN_ENGINES,
    span_text,
)
from racelog_recorder.plan.fields.kinds import (
    BURSTINESS,
    DEADLINES,
    PARAMS,
    PERCENTAGE,
    PIN,
    RATE,
    YES_OR_NO,
    line,
    one_of,
    span,
    whole,
)
from racelog_recorder.plan.fields.row import NONE, REQUIRED, Field, Flag, Kind, table, unchanged
from racelog_recorder.plan.model import DEFAULT_REQUESTS, Grid, RacePlan
from racelog_recorder.redaction import public_params

_LIMITS = {
    name.removesuffix("_s"): span_text(getattr(Deadlines(), name)) for name in Deadlines.__struct_fields__
}

_ENGINES = Kind(
    check=unchanged,
    located=True,
    schema={
        "type": "array",
        "items": {"$ref": "#/$defs/engine"},
        "minItems": MIN_ENGINES,
        "maxItems": MAX_ENGINES,
    },
)
_PROMPTS = Kind(
    check=unchanged,
    located=True,
    schema={
        "oneOf": [
            {"type": "string", "minLength": 1},
            {"type": "array", "items": {"$ref": "#/$defs/prompt"}, "minItems": 1, "maxItems": MAX_PROMPTS},
        ]
    },
)


def _concurrency(value: int, plan: RacePlan) -> int | None:
    """Return the concurrency of a closed loop; an open one has none."""
    return None if plan.load else value


def _number(prompts: tuple[Any, ...], _plan: RacePlan) -> int:
    """Return how many prompts there are; the log holds their text as events of their own."""
    return len(prompts)


RACE_FIELDS = table(
    Field(
        name="name",
        kind=line(MAX_NAME),
        help="What the race is called.",
        otherwise="the engines' names",
        flag=Flag(metavar="TEXT"),
    ),
    Field(
        name="engines",
        kind=_ENGINES,
        help=f"Who races, {MIN_ENGINES} to {MAX_ENGINES}: two or more make a race, one alone is measured.",
        more="Their fields are below.",
        otherwise=REQUIRED,
        public=None,  # `public` writes each engine by its own table
        also=("endpoints", "lanes", "models"),
    ),
    Field(
        name="grid",
        kind=one_of(get_args(Grid), "a grid"),
        help="`together`: one start for all. `time-trial`: one engine after another, each with the machine to itself.",
        flag=Flag(
            option="--time-trial",
            sets="time-trial",
            help="One engine after another, each with the machine to itself.",
        ),
        also=("mode",),
    ),
    Field(
        name="requests",
        kind=whole(1, MAX_REQUESTS),
        help="Requests per engine. With `duration` too, an engine stops at whichever comes first.",
        otherwise=f"{DEFAULT_REQUESTS}, unless `duration` is given",
        flag=Flag(metavar="N"),
        also=("num_requests",),
    ),
    Field(
        name="duration",
        attribute="duration_s",
        kind=span(MAX_DURATION_S, zero=False),
        help="Send requests for this long per engine: `30s`, `2m`, `1h30m`, or seconds; what is open then may finish.",
        otherwise=NONE,
        flag=Flag(metavar="TIME"),
        also=("time", "duration_s"),
    ),
    Field(
        name="concurrency",
        kind=whole(1, MAX_CONCURRENCY),
        help="Closed loop: requests open at once per engine, the next when one has ended.",
        flag=Flag(metavar="C"),
        public=_concurrency,
        also=("users", "parallel"),
    ),
    Field(
        name="rate",
        attribute="load.rate_per_s",
        kind=RATE,
        help="Open loop: requests a second per engine, such as `50/s` or `90/min`, sent by the clock whatever is open "
        "already; every engine gets the same prompt at the same instant.",
        otherwise=NONE,
        flag=Flag(metavar="RATE"),
        also=("request_rate", "rps", "qps"),
    ),
    Field(
        name="arrival",
        attribute="load.arrival",
        kind=one_of(get_args(Arrival), "a way to space requests"),
        help="How the requests of a rate are spaced: `poisson`, `constant`, or `gamma` with `burstiness`.",
        flag=Flag(),
        needs="rate",
    ),
    Field(
        name="burstiness",
        attribute="load.burstiness",
        kind=BURSTINESS,
        help="Shape of `gamma`: 1 is Poisson, 0.25 comes in bursts, 10 is even.",
        flag=Flag(metavar="B"),
        needs="rate",
    ),
    Field(
        name="max_open",
        attribute="load.max_open",
        kind=whole(1, MAX_CONCURRENCY),
        help="Requests of a rate open at once per engine; what is due beyond that waits, and `queue_ms` says how long.",
        otherwise="no cap",
        flag=Flag(metavar="N"),
        needs="rate",
        also=("max_concurrency",),
    ),
    Field(
        name="grace",
        attribute="grace_s",
        kind=span(MAX_GRACE_S, zero=True),
        help="How long open requests may go on after the duration; after a first Ctrl+C, 5 seconds of it at most.",
        flag=Flag(metavar="TIME"),
    ),
    Field(
        name="finish",
        kind=PERCENTAGE,
        help="Share of its requests that an engine must finish, such as `95%`, or 95. An engine under it did not finish the "
        "race (DNF) and stands below all others, whatever its times. `0%` is no bound.",
        more="A number between 0 and 1 is refused, for 0.95 is not 95 %. Why there is a bound: "
        "[decision 18](decisions/0018-who-finished-and-who-won.md).",
        flag=Flag(metavar="SHARE"),
    ),
    Field(
        name="pin",
        kind=PIN,
        help="CPUs to pin the lanes' processes to, one each in turn: `1,2,3`, or `auto` for all but the first.",
        more="A list is as good: `[1, 2, 3]`.",
        otherwise="not pinned",
        flag=Flag(metavar="CPUS"),
        also=("cpus", "affinity"),
    ),
    Field(
        name="seed",
        kind=whole(0, MAX_SEED),
        help="Fixes the order of the prompts: the same for every engine and every time.",
        flag=Flag(metavar="S"),
    ),
    Field(
        name="shuffle",
        kind=YES_OR_NO,
        help="`true` draws the prompts in an order fixed by `seed`; `false` sends them as they are listed.",
    ),
    Field(
        name="warmup",
        kind=whole(0, MAX_WARMUP),
        help="Requests per engine before the start; recorded, never counted.",
        flag=Flag(metavar="N"),
    ),
    Field(
        name="calibrate",
        kind=YES_OR_NO,
        help="`true` measures before the start, for about a second, how far token times are from the truth.",
        more="How: [client.md](client.md).",
        flag=Flag(
            option="--no-calibrate",
            sets=False,
            help="Skip the clock check before the race (about one second).",
        ),
    ),
    Field(
        name="metrics",
        kind=YES_OR_NO,
        help="`true` asks every engine each second what it says of itself on its Prometheus page, `/metrics`.",
        more="The page is beside the engine's `/v1`; it tells requests running and waiting, KV cache, tokens "
        "([sql.md](sql.md), `engine_samples`).",
        flag=Flag(
            sets=True,
            help="Ask every engine each second what it says of itself on its Prometheus page, `/metrics`.",
        ),
    ),
    Field(
        name="countdown",
        attribute="countdown_s",
        kind=span(MAX_COUNTDOWN_S, zero=True),
        help="Time from ready to start, counted 3-2-1; 0 for none.",
        flag=Flag(metavar="TIME"),
        also=("countdown_s",),
    ),
    Field(
        name="deadlines",
        kind=DEADLINES,
        help=f"How long each step of a request may take: {', '.join(f'`{name}` ({limit})' for name, limit in _LIMITS.items())}.",
        more="A broken one fails the request with [its own kind](errors.md).",
        otherwise="those in brackets",
        flag=Flag(
            option="--deadline",
            metavar="NAME=TIME",
            help="How long a step of a request may take; repeat. "
            + ", ".join(
                f"{' and '.join(name for name, own in _LIMITS.items() if own == limit)} ({limit})"
                for limit in dict.fromkeys(_LIMITS.values())
            )
            + "; see docs/errors.md.",
        ),
        public=None,  # each engine tells those that hold for it
    ),
    Field(
        name="params",
        kind=PARAMS,
        help="Fields added to every request's JSON body as they are, such as `max_tokens` or `temperature`.",
        flag=Flag(
            option="--max-tokens",
            metavar="N",
            entry="max_tokens",
            kind=whole(1, MAX_TOKENS),
            help="Longest answer to ask for, in tokens.",
        ),
        public=lambda params, _plan: public_params(params),
        also=("max_tokens", "temperature"),
    ),
    Field(
        name="prompts",
        kind=_PROMPTS,
        help="A file beside the plan (`.txt` with a prompt a line, `.jsonl` with `prompt` or `messages`), or the prompts themselves.",
        otherwise="those that come with racelog (`builtin`)",
        flag=Flag(
            metavar="FILE", help="A `.txt` with a prompt a line, or `.jsonl` with `prompt` or `messages`."
        ),
        public=_number,
        also=("dataset",),
    ),
)
