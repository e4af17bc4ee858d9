"""The fields of an engine: one row each, in the order in which people read of them."""

from racelog_recorder.dialects.dialect import NAME_PATTERN
from racelog_recorder.dialects.registry import BUILTIN
from racelog_recorder.plan.fields import engine_checks, reach_checks
from racelog_recorder.plan.fields.checks import MAX_NAME
from racelog_recorder.plan.fields.engine_checks import COLORS, MAX_EMOJI, MAX_MODEL, MAX_URL
from racelog_recorder.plan.fields.kinds import CPUS, DEADLINES, PARAMS, YES_OR_NO, entries, line
from racelog_recorder.plan.fields.row import NONE, REQUIRED, Field, Kind, table
from racelog_recorder.plan.model import deadlines_under
from racelog_recorder.redaction import public_headers, public_params, public_url
from racelog_recorder.transports.reach import NO_PROXY, public_proxy, public_tls

_TLS = {
    "type": "object",
    "properties": {
        "ca": {
            "type": "string",
            "description": "PEM file of the authorities to trust instead of the system's.",
        },
        "cert": {"type": "string", "description": "PEM file of the certificate to present."},
        "key": {"type": "string", "description": "PEM file of its key, unencrypted; may be in cert's file."},
        "verify": {
            "type": "boolean",
            "default": True,
            "description": "false accepts any certificate: for test servers alone.",
        },
    },
    "additionalProperties": False,
    "dependentRequired": {"key": ["cert"]},
}

ENGINE_FIELDS = table(
    Field(
        name="name",
        kind=line(MAX_NAME, empty=False),
        help="What the engine is called; unique in the race.",
        otherwise=REQUIRED,
    ),
    Field(
        name="url",
        kind=Kind(
            check=engine_checks.url, schema={"type": "string", "pattern": "^https?://", "maxLength": MAX_URL}
        ),
        help="The base URL as OpenAI clients take it, such as `http://localhost:8000/v1`; no key or password in it.",
        more="For `dialect: ollama` without a path.",
        otherwise=REQUIRED,
        public=lambda url, _plan: public_url(url),
        also=("base_url", "endpoint", "host"),
    ),
    Field(
        name="model",
        kind=line(MAX_MODEL),
        help="The model to ask for.",
        otherwise="the first that `/models` lists",
        option=True,
    ),
    Field(
        name="api_key_env",
        kind=Kind(
            check=engine_checks.api_key_env,
            schema={"anyOf": [{"type": "string", "pattern": engine_checks.ENV_PATTERN}, {"const": ""}]},
        ),
        help="The NAME of the environment variable that holds the API key; never the key.",
        more="Keys never stand in the file, and never reach the log.",
        otherwise=NONE,
        option=True,
    ),
    Field(
        name="dialect",
        kind=Kind(
            check=engine_checks.dialect,
            schema={
                "anyOf": [
                    {"enum": list(BUILTIN)},
                    {"type": "string", "pattern": f"^{NAME_PATTERN}$"},
                ]
            },
        ),
        help="How the engine is spoken to: OpenAI chat or completions, or Ollama's own `/api/chat`.",
        more="`openai-completions` sends `/completions` the messages' text as prompt; for `ollama`, `max_tokens` becomes "
        "`num_predict` and other parameters stand under `options`. Other packages can add dialects ([plugins.md](plugins.md)).",
        option=True,
    ),
    Field(
        name="pin",
        kind=CPUS,
        help="CPUs that this engine's lane may run on.",
        otherwise="the race's `pin`",
    ),
    Field(
        name="headers",
        kind=entries(
            engine_checks.header,
            {
                "propertyNames": {"pattern": engine_checks.HEADER_PATTERN},
                "additionalProperties": {"type": "string"},
            },
        ),
        help="Headers added to every request; the log has their names, never their values.",
        more="What else is kept out of it: [recording.md](recording.md).",
        otherwise=NONE,
        public=lambda headers, _plan: public_headers(headers),
    ),
    Field(
        name="deadlines",
        kind=DEADLINES,
        help="As the race's `deadlines`, which these win over.",
        otherwise="the race's",
        public=lambda own, plan: deadlines_under(plan, own),
    ),
    Field(
        name="params",
        kind=PARAMS,
        help="As the race's `params`, which these win over.",
        otherwise="the race's",
        public=lambda params, _plan: public_params(params),
    ),
    Field(
        name="tls",
        attribute="reach.tls",
        kind=Kind(check=reach_checks.tls, schema=_TLS),
        help="For `https://`: `ca` is a PEM file to trust instead of the system's, `cert` and `key` prove who you are, "
        "`verify: false` trusts any server, for tests alone. Files are looked for beside the plan.",
        otherwise="the system's trust",
        public=lambda tls, _plan: public_tls(tls),
    ),
    Field(
        name="unix_socket",
        attribute="reach.unix_socket",
        kind=Kind(
            check=reach_checks.unix_socket,
            schema={"type": "string", "minLength": 1, "maxLength": reach_checks.MAX_SOCKET_PATH},
        ),
        help="Connect to this unix socket instead of the URL's host, as `curl --unix-socket` does.",
        more="Keep an `http://localhost/v1` URL. The kernel stamps no unix sockets: these rows say `user`.",
        otherwise=NONE,
        option=True,
    ),
    Field(
        name="proxy",
        attribute="reach.proxy",
        kind=Kind(
            check=reach_checks.proxy,
            schema={"anyOf": [{"type": "string", "pattern": "^https?://"}, {"const": NO_PROXY}]},
        ),
        help=f"The HTTP proxy to go through, such as `http://host:port`; `{NO_PROXY}` goes straight.",
        more="The environment's are never used towards this machine itself.",
        otherwise="`HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of the environment",
        public=lambda proxy, _plan: public_proxy(proxy),
        option=True,
    ),
    Field(
        name="http2",
        attribute="reach.http2",
        kind=Kind(check=reach_checks.http2, schema=YES_OR_NO.schema),
        help="`true` speaks HTTP/2, for servers that speak nothing else.",
        more="It needs `pip install 'racelog[http2]'`.",
    ),
    Field(
        name="emoji",
        kind=Kind(check=engine_checks.emoji, schema={"type": "string", "maxLength": MAX_EMOJI}),
        help="One emoji for the lane.",
        otherwise=NONE,
        option=True,
        also=("icon",),
    ),
    Field(
        name="color",
        kind=Kind(
            check=engine_checks.color,
            schema={
                "anyOf": [
                    {"type": "string", "pattern": engine_checks.COLOR_PATTERN},
                    {"enum": ["", *sorted(COLORS)]},
                ]
            },
        ),
        help="The lane's colour: `#rrggbb` or a CSS name.",
        more="In quotes: to YAML a bare `#` begins a comment.",
        otherwise="one of the theme's",
        option=True,
        also=("colour",),
    ),
)
