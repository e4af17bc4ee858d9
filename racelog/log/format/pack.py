"""Chunk columns as a sealed file stores them: requests on tracks, gaps in base-64 digits, texts by request.

Each saves what the plain columns waste on real streams (docs/decisions/0009-packed-columns.md): a track's letter is
shorter than a request's number, decimal digits take half a byte a token more than the noise in them, and texts of one
request side by side compress as the text they are. Reading is a few calls over whole columns: no loop over rows.
"""

import binascii
import sys
from array import array
from collections import Counter
from heapq import heappop, heappush
from itertools import chain, repeat

from racelog.errors import LogError
from racelog.events import PackedTokens, Tokens

PLACES = 8
"""Digits of the longest gap that is packed: 48 bits, 78 hours."""

FIRST_TRACK = 0x30
MOST_TRACKS = 0xD800 - FIRST_TRACK
"""Letters below the surrogates, which are no characters."""

_ROW_BYTES = PLACES * 6 // 8
_ZERO = "A"


def pack(batch: Tokens) -> Tokens | PackedTokens:
    """Return the batch packed, or as it is where a gap or the number of open requests is beyond all measure."""
    letters, tracks = _on_tracks(batch.r)
    if len(tracks) > MOST_TRACKS or any(delta >> (6 * PLACES) for delta in batch.d):
        return batch
    rows: dict[int, list[int]] = {}
    for row, request in enumerate(batch.r):
        rows.setdefault(request, []).append(row)
    texts = [batch.x[row] for track in tracks for request in track[::2] for row in rows[request]]
    return PackedTokens(
        t=batch.t, lane=batch.lane, q=tracks, r=letters, c=batch.c, n=batch.n, s=batch.s,
        d=_digits(batch.d), x=texts,
    )  # fmt: skip


def unpack(packed: PackedTokens) -> Tokens:
    """Return the batch that was packed. Cost: no more than decoding its JSON.

    Raises:
        LogError: the columns do not fit one another.
    """
    rows = len(packed.r)
    counts = [count for track in packed.q for count in track[1::2]]
    if any(len(track) % 2 for track in packed.q):
        raise _wrong(packed, "a track ends with a request that has no count")
    if len(packed.x) != rows or sum(counts) != rows or min(counts, default=0) < 0:
        raise _wrong(packed, f"{len(packed.x)} texts and {sum(counts)} chunks on tracks for {rows} rows")
    requests, texts = {}, {}
    start = 0
    for number, track in enumerate(packed.q):
        stop = start + sum(track[1::2])
        requests[chr(FIRST_TRACK + number)] = chain.from_iterable(map(repeat, track[::2], track[1::2]))
        texts[chr(FIRST_TRACK + number)] = iter(packed.x[start:stop])
        start = stop
    try:
        r = list(map(next, map(requests.__getitem__, packed.r)))
        x = list(map(next, map(texts.__getitem__, packed.r)))
    except KeyError as error:
        raise _wrong(packed, f"no track {error}") from error
    if len(r) != rows:
        raise _wrong(packed, "a track has more chunks than it says")
    return Tokens(
        t=packed.t, lane=packed.lane, r=r, d=_gaps(packed, rows), x=x, c=packed.c, n=packed.n, s=packed.s
    )


def _on_tracks(requests: list[int]) -> tuple[str, list[list[int]]]:
    """Return the track of each chunk as a letter, and each track's requests with their counts.

    A request takes the lowest track that is free from its first chunk to its last.
    """
    counts = Counter(requests)
    left = dict(counts)
    tracks: list[list[int]] = []
    free: list[int] = []
    track_of: dict[int, int] = {}
    letters = []
    for request in requests:
        if request not in track_of:
            if not free:
                heappush(free, len(tracks))
                tracks.append([])
            track_of[request] = heappop(free)
            tracks[track_of[request]] += [request, counts[request]]
        track = track_of[request]
        letters.append(chr(FIRST_TRACK + min(track, MOST_TRACKS)))
        left[request] -= 1
        if not left[request]:
            heappush(free, track)
    return "".join(letters), tracks


def _digits(gaps: list[int]) -> list[str]:
    """Return the digits of ``gaps``, a string for each place, without leading places that are all zero."""
    raw = b"".join(gap.to_bytes(_ROW_BYTES, "big") for gap in gaps)
    digits = binascii.b2a_base64(raw, newline=False).decode("ascii")
    places = [digits[place::PLACES] for place in range(PLACES)]
    while places and not places[0].strip(_ZERO):
        del places[0]
    return places


def _gaps(packed: PackedTokens, rows: int) -> list[int]:
    """Return the numbers whose digits ``d`` holds."""
    if len(packed.d) > PLACES or any(len(digits) != rows for digits in packed.d):
        raise _wrong(packed, f"gaps are at most {PLACES} strings of {rows} digits")
    digits = bytearray(_ZERO.encode() * PLACES * rows)
    try:
        for place, column in enumerate(packed.d, PLACES - len(packed.d)):
            digits[place::PLACES] = column.encode("ascii")
        raw = binascii.a2b_base64(digits, strict_mode=True)
    except ValueError as error:
        raise _wrong(packed, str(error)) from error
    if len(raw) != _ROW_BYTES * rows:
        raise _wrong(packed, "gaps are base-64 digits alone")
    return _numbers(raw, rows)


def _numbers(raw: bytes, rows: int) -> list[int]:
    """Return ``rows`` big-endian numbers of `_ROW_BYTES` each."""
    wide = bytearray(8 * rows)
    for byte in range(_ROW_BYTES):
        wide[8 - _ROW_BYTES + byte :: 8] = raw[byte::_ROW_BYTES]
    numbers = array("Q", bytes(wide))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tolist()


def _wrong(packed: PackedTokens, why: str) -> LogError:
    return LogError(f"packed chunks at t={packed.t}: {why}")
