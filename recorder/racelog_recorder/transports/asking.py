"""How an engine is asked anything: over which transport, with which headers, and how much of what it says is listened to.

A race, the preflight and the metrics all ask through here, so that what the preflight finds is what the race will meet. Of
a stream every byte is taken, within the race's deadlines; of anything else a beginning: a model list, a page of metrics, an
error. A server that never ends its answer costs its deadline and `MOST_BYTES`, packed or not.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpx2
import trio

from racelog_recorder.transports.pump.drain import Pump
from racelog_recorder.transports.pump.encoding import EncodingFault, decoder_for
from racelog_recorder.transports.pump.transport import BUFFERED, PumpTransport
from racelog_recorder.transports.reach import Reach

MOST_BYTES = 2 << 20
"""Of an answer that is no stream: a list of 10,000 models has 1.5 MiB, vLLM's page of metrics 0.1."""

ERROR_BYTES = 4096
"""As much of an error's body as a message could show."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered a question; not ``whole`` where its body went on beyond what was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


def transport_to(
    url: str, reach: Reach, pump: Pump, connect_s: float, kind: str
) -> httpx2.AsyncBaseTransport:
    """Return the transport of the ``kind`` that `racelog_recorder.transports.reach.transport_of` names; ``pump`` must run.

    Raises:
        OSError: a TLS file cannot be used.
    """
    if kind != "pump":
        from racelog_recorder.transports.httpx_transport import plain_transport  # noqa: PLC0415 - loads HTTP/2

        return plain_transport(url, reach)
    return PumpTransport(
        pump,
        connect_timeout_s=connect_s,
        quiet_timeout_s=None,  # who asks has stricter deadlines
        tls=reach.tls,
        unix_socket=reach.unix_socket,
    )


def asking_headers(accept: str, auth: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of every question: the user's win over ours and over those that carry the key."""
    given = {name.lower() for name in headers}
    ours = {"accept": accept, "accept-encoding": "identity", **auth}
    return {**{name: value for name, value in ours.items() if name.lower() not in given}, **headers}


def authorized(request: httpx2.Request) -> httpx2.Request:
    """Return ``request`` with the user and password of its URL as a header, where there are any."""
    if not request.url.userinfo:
        return request
    return next(httpx2.BasicAuth(request.url.username, request.url.password).auth_flow(request))


async def ask(
    transport: httpx2.AsyncBaseTransport,
    request: httpx2.Request,
    *,
    within_s: float,
    most_bytes: int = MOST_BYTES,
) -> Answer:
    """Return what is answered to ``request``, all of it within ``within_s``, its body to ``most_bytes``.

    Raises:
        httpx2.HTTPError: there is no answer, or it is no HTTP, or not in time.
    """
    try:
        with trio.fail_after(within_s):
            response = await transport.handle_async_request(authorized(request))
            body = bytearray()
            try:
                whole = await beginning(response, body, most_bytes)
            finally:
                await let_go(response)
    except trio.TooSlowError as error:
        raise httpx2.ReadTimeout(f"no whole answer within {within_s:g} s") from error
    return Answer(response.status_code, response.headers, bytes(body), whole)


async def rest(response: httpx2.Response, said: bytearray | None = None) -> bytes:
    """Wait for the end of a response; return how its body begins, unless it is a success's, which goes to the sink.

    With ``said`` that beginning is there too, should the waiting be ended.
    """
    if not response.is_success:
        said = bytearray() if said is None else said
        with suppress(httpx2.DecodingError):  # its status says enough
            await beginning(response, said, ERROR_BYTES)
        return bytes(said)
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    async for _ in response.stream:
        pass
    return b""


async def beginning(response: httpx2.Response, body: bytearray, most_bytes: int) -> bool:
    """Read into ``body`` what a response says, unpacked, up to ``most_bytes``; return True if that was all.

    What was read stays there however the reading ends. Waits for no more than it needs: the deadline is the caller's.

    Raises:
        httpx2.HTTPError: the connection broke, or the body is not what its headers say.
    """
    buffered: list[bytes] = response.extensions.get(BUFFERED, [])
    faults: list[EncodingFault] = []
    try:
        with trio.CancelScope() as enough:
            await _into(body, response, most_bytes, faults, enough)
    except trio.Cancelled:
        if not body:
            body += b"".join(buffered)[:most_bytes]
        raise
    whole = len(body) <= most_bytes
    del body[most_bytes:]
    if faults:
        raise httpx2.DecodingError(str(faults[0])) from faults[0]
    return whole


async def _into(
    body: bytearray,
    response: httpx2.Response,
    most_bytes: int,
    faults: list[EncodingFault],
    enough: trio.CancelScope,
) -> None:
    """Read into ``body``; ended by ``enough``, which takes effect inside the next read, which so closes what it has open."""
    assert isinstance(response.stream, httpx2.AsyncByteStream)
    try:
        inflater = decoder_for(response.headers.get("content-encoding", ""))
    except EncodingFault as error:
        faults.append(error)
        return
    async for data in response.stream:
        if (
            enough.cancel_called
        ):  # what comes until it takes effect; the inflater stopped in the middle of a read
            continue
        try:
            for piece in inflater.feed(data) if inflater else (data,):
                if faults or len(body) > most_bytes:
                    break
                body += piece
        except EncodingFault as error:
            faults.append(error)
        if faults or len(body) > most_bytes:
            enough.cancel()


async def let_go(response: httpx2.Response) -> None:
    """Give a response's connection back, even while cancelled."""
    with trio.CancelScope(shield=True):
        await response.aclose()
