"""Every kind of failure that a request may have in a log: its one word, what happened, what to look at.

The words stand in the ``error`` field of ``end`` events, in the column ``error_kind``, in every view and in
`docs/errors.md`; they are never renamed and never given another meaning.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of failure; ``deadline`` names the plan's key that raised it, if one did."""

    kind: str
    happened: str
    look_at: str
    deadline: str = ""


FAULTS: tuple[Fault, ...] = (
    Fault("dns", "the host's name does not resolve", "the URL's host, the resolver"),
    Fault(
        "client_limit",
        "this machine had no port, open file or memory left for another connection",
        "no fault of the engine: fewer connections at once; ulimit -n, net.ipv4.ip_local_port_range",
    ),
    Fault("refused", "nothing listens there", "is the server running, on that port and address?"),
    Fault("connect", "no way to the host (no route, network down)", "network, firewall, address"),
    Fault(
        "connect_timeout",
        "no connection in time (DNS, TCP and TLS together)",
        "a full accept queue, a firewall that drops, the network",
        "connect",
    ),
    Fault("tls", "no trusted TLS connection", "certificate, host name, CA; https towards a plain http port"),
    Fault("reset", "the connection was reset", "a server process that crashed or was killed, a proxy"),
    Fault("http", "a status other than 2xx", "the engine's own log; 429 is a rate limit: send fewer at a time"),
    Fault("headers_timeout", "no status line in time", "the server's queue; prompts too long for it", "headers"),
    Fault(
        "first_token_timeout",
        "a status line, but no token in time",
        "queue and prefill: lower the concurrency or allow more time",
        "first_token",
    ),
    Fault("stalled", "tokens, and then none for too long", "preemption, a hung worker, a proxy that buffers", "between_tokens"),
    Fault("timeout", "no end in time, though tokens may have come", "long answers: max_tokens, or allow more time", "total"),
    Fault("malformed", "the answer is not what the dialect allows", "URL, dialect and stream of the engine; the message has the text"),
    Fault("error_event", "the engine reported an error inside a good stream", "the engine's own log; the message has its words"),
    Fault(
        "empty",
        "the answer ended well, without any text",
        "the model's own end of text; max_tokens, if hidden reasoning took them all; a field for text that racelog does not know",
    ),
    Fault(
        "truncated",
        "the answer ended without a finish reason, or was cut short",
        "a server that crashed, a proxy's time limit, a stream that gave way to another",
    ),
)  # fmt: skip
"""In the order in which a request can meet them."""

KINDS = {fault.kind: fault for fault in FAULTS}


def advice(kind: str) -> str:
    """Return what to look at after a failure of that kind, empty for a kind this racelog does not know."""
    fault = KINDS.get(kind)
    return fault.look_at if fault else ""
