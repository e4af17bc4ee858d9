"""The conformance vectors of log format 1: small logs built byte by byte, each of which shows one thing.

`VECTORS` maps a name to what the log shows and to its bytes. Names never change and entries never go away.
"""

import zlib
from collections.abc import Callable

import msgspec
import zstandard

from racelog.log.format.codec import decode_events, time_span
from racelog.log.format.units import (
    MAX_PAYLOAD_BYTES,
    TRAILER_BYTES,
    Trailer,
    UnitKind,
    encode_unit,
)

Build = Callable[[], bytes]
VECTORS: dict[str, tuple[str, Build]] = {}

LINE = b'{"k":"mark","t":%d,"label":"%s"}\n'
BATCH = b'{"k":"tok","t":%d,"lane":0,"r":[0,0,1],"d":[0,1000000,0],"x":["Hel","lo","\xc3\xa9"]}\n'
BIG = (1 << 63) - 1
HOSTILE = '\x1b]52;c;aGk=\x07\x1b[2J\u202egnp.exe\x00\x7f\u2028\r\n\ufeff👩\u200d🚀é"\\'


def vector(name: str, shows: str) -> Callable[[Build], Build]:
    """Register a vector."""

    def register(build: Build) -> Build:
        assert name not in VECTORS, name
        VECTORS[name] = (shows, build)
        return build

    return register


def unit(
    payload: bytes, seq: int, kind: int = UnitKind.DATA, writer: int = 1, level: int = 3, **trailer: int
) -> bytes:
    """Return one unit around ``payload``; the trailer says what is true, unless told otherwise."""
    try:
        events = decode_events(payload)
    except Exception:  # noqa: BLE001 - a vector that is wrong on purpose
        events = []
    t_min, t_max = time_span(events) if events else (0, 0)
    true = {"t_min": t_min, "t_max": t_max, "n_events": payload.count(b"\n")}
    return encode_unit(payload, Trailer(kind, writer, seq, **{**true, **trailer}), level=level)


def forged(frame: bytes, seq: int, *, promised: int, **trailer: int) -> bytes:
    """Return a unit whose checksums hold over any ``frame`` at all."""
    said = {"frame_bytes": len(frame), "payload_bytes": promised, "frame_crc": zlib.crc32(frame), **trailer}
    return frame + Trailer(UnitKind.DATA, 1, seq, 0, 0, 1, **said).pack()


def head(writer: int = 1, role: str = "conductor", more: bytes = b"") -> bytes:
    """Return a head unit."""
    line = b'{"k":"head","t":0,"race_id":"20261121-013000-0a1b2c3d","writer":"%016x","role":"%s","mono_origin_ns":5000000000%s}\n'
    return unit(line % (writer, role.encode(), more), 0, UnitKind.HEAD, writer)


def mark(seq: int, label: str = "", writer: int = 1, t: int | None = None) -> bytes:
    """Return a data unit with one mark and one batch of chunks."""
    at = 10_000_000 * seq if t is None else t
    return unit(LINE % (at, (label or f"unit {seq}").encode()) + BATCH % at, seq, writer=writer)


def fin(seq: int, writer: int = 1, events: int = 7) -> bytes:
    """Return a finish unit."""
    line = b'{"k":"fin","t":90000000,"events":%d,"reason":"closed"}\n' % events
    return unit(line, seq, UnitKind.FINISH, writer)


def around(*middle: bytes) -> bytes:
    """Return a head, a good unit, what a vector is about, a good unit and the end."""
    return head() + mark(1) + b"".join(middle) + mark(8) + fin(9)


def lines(*texts: str | bytes) -> bytes:
    """Return the middle of a log: one unit of these lines."""
    return around(unit(b"".join((t.encode() if isinstance(t, str) else t) + b"\n" for t in texts), 2))


def plain() -> list[bytes]:
    """Return a whole small log, unit by unit."""
    return [head(), mark(1), mark(2), mark(3), fin(4, events=7)]


def whole() -> bytes:
    """Return a whole small log."""
    return b"".join(plain())


def changed(data: bytes, at: int, flip: int = 0x10) -> bytes:
    """Return ``data`` with one bit flipped at ``at``."""
    return data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]


def start(number: int) -> int:
    """Return where unit ``number`` of the plain log begins."""
    return sum(map(len, plain()[:number]))


def frame(payload: bytes, **parameters: int | bool) -> bytes:
    """Return a zstd frame made as told."""
    options = {"write_checksum": True, "write_content_size": True, **parameters}
    made = zstandard.ZstdCompressionParameters.from_level(3, **options)
    return zstandard.ZstdCompressor(compression_params=made).compress(payload)


# --- whole logs -------------------------------------------------------------------------------------------------

vector("whole", "a head, three data units and an end")(whole)
vector("no-head", "units without a head are read all the same")(lambda: mark(1) + mark(2))
vector("no-end", "a log without an end is unfinished, not damaged")(lambda: head() + mark(1) + mark(2))
vector("head-only", "a recorder that was killed at once")(head)
vector("many-events", "two hundred events in one unit")(
    lambda: lines(*[LINE[:-1] % (n, b"n") for n in range(200)])
)
vector("empty-payload", "a unit without a single event")(lambda: around(unit(b"", 2)))
vector("level-19", "a frame of the highest usual level")(
    lambda: around(unit((LINE % (5, b"x")) * 50, 2, level=19))
)
vector("raw-blocks", "a frame that zstd could not compress")(
    lambda: around(unit(LINE % (5, bytes(range(48, 92)).replace(b"\\", b"-")), 2, level=1))
)
vector("flags-set", "flags are ignored")(lambda: around(unit(LINE % (5, b"x"), 2, flags=0xFF)))
vector("unknown-unit-kind", "a unit of a kind from the future is read like any other")(
    lambda: around(unit(LINE % (5, b"x"), 2, ord("K")))
)
vector("wrong-counts", "n_events, t_min and t_max are hints; the events count")(
    lambda: around(unit(LINE % (5, b"x"), 2, n_events=99, t_min=-7, t_max=7))
)
vector("sequence-gap", "units that are missing from the sequence leave the others as they are")(
    lambda: head() + mark(1) + mark(7) + fin(9, events=12)
)
vector("largest-writer", "writer and seq are unsigned 64 bits")(
    lambda: head((1 << 64) - 1) + unit(LINE % (5, b"x"), (1 << 64) - 1, writer=(1 << 64) - 1)
)

# --- order and repetition ---------------------------------------------------------------------------------------

vector("same-instant", "equal times are ordered by writer, then seq, then position")(
    lambda: b"".join(
        unit(b"".join(LINE % (5, f"w{w} s{s} p{p}".encode()) for p in (0, 1)), s, writer=w)
        for w, s in ((2, 0), (1, 1), (1, 0))
    )
)
vector("time-runs-back", "events of one unit need not be in order of time")(
    lambda: lines(*[LINE[:-1] % (t, b"x") for t in (9, -3, 5)])
)
vector("swapped-units", "units in any order read the same")(lambda: b"".join(reversed(plain())))
vector("duplicate-unit", "a unit that is there twice is read once and counted")(
    lambda: head() + mark(1) + mark(1) + fin(2, events=3)
)
vector("same-log-twice", "cat a a is a")(lambda: whole() * 2)
vector("duplicate-that-differs", "the first unit of a (writer, seq) counts")(
    lambda: head() + mark(1, "first") + mark(1, "second")
)
vector("damaged-then-good", "a unit that was damaged is read where a good copy follows")(
    lambda: head() + changed(mark(1), 20) + mark(2) + mark(1)
)
vector("two-writers", "two writers' units take turns in one file")(
    lambda: (
        head(1)
        + head(2, "lane")
        + mark(1, writer=1)
        + mark(1, writer=2, t=5)
        + mark(2, writer=2)
        + mark(2, writer=1, t=6)
        + fin(3, 1, 4)
        + fin(3, 2, 4)
    )
)
vector("two-segments", "cat a b is both")(
    lambda: whole() + head(2, "lane") + mark(1, writer=2, t=15_000_000) + fin(2, 2, 2)
)

# --- evolution --------------------------------------------------------------------------------------------------

vector("unknown-kind", "kept byte for byte, blanks and field order too")(
    lambda: lines('{ "k":"from.the.future", "t":5,  "x":[1,2.50,{"y":null}]\t}', '{"t":6,"k":""}')
)
vector("unknown-field", "a known kind with a field from the future is read without it")(
    lambda: lines(
        '{"k":"note","t":5,"text":"x","mood":["blue",{"deep":[[[]]]}]}',
        '{"new":null,"k":"lane.start","t":6,"lane":0}',
    )
)
vector("newer-event", "a greater v of a known kind is kept byte for byte and not interpreted")(
    lambda: lines(
        '{"k":"mark","v":2,"t":5,"label":{"en":"x"}}', '{"k":"mark","v":2,"t":6,"label":"fits by chance"}'
    )
)
vector("version-zero", "a v that never was is kept like one from the future")(
    lambda: lines('{"k":"mark","v":0,"t":5,"label":"x"}', '{"k":"mark","v":-1,"t":6,"label":"x"}')
)
vector("explicit-defaults", "a default may be written out; v 1 too")(
    lambda: lines(
        '{"k":"mark","v":1,"t":5,"label":"x","by":"auto"}',
        '{"k":"end","t":6,"lane":0,"req":0,"status":"ok","error":""}',
    )
)
vector("any-field-order", "fields stand in any order, k last, with blanks between")(
    lambda: lines('{"label":"x","t":5,"k":"mark"}', ' {"t" : 6 , "label"\t:"y","k":"mark"}\r')
)
vector("escaped-names", "a kind and a field written with JSON escapes are what they spell")(
    lambda: lines(r'{"\u006b":"m\u0061rk","t":5,"label":"\ud83d\ude00\/"}')
)
vector("newer-framing", "refused, with the advice to update")(
    lambda: around(unit(LINE % (5, b"x"), 2, version=2))
)
vector("newer-framing-damaged", "a version under a frame that is damaged refuses nothing")(
    lambda: around(changed(unit(LINE % (5, b"x"), 2, version=2), 20))
)
vector("nested-values", "what is inside a plan, a prompt or parameters is kept, whatever it is")(
    lambda: lines(
        '{"k":"req","t":5,"lane":0,"req":0,"prompt":0,"params":{"stop":["\\n"],"seed":18446744073709551615,"deep":{"a":[{"b":1e-7}]}}}',
        '{"k":"prompt","t":6,"prompt":0,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}',
    )
)

# --- values -----------------------------------------------------------------------------------------------------

vector("largest-integers", "instants fill 64 bits, and no digit is lost")(
    lambda: lines(
        f'{{"k":"mark","t":{BIG},"label":"last"}}',
        f'{{"k":"mark","t":{-BIG - 1},"label":"first"}}',
        f'{{"k":"gap","t":5,"reason":"x","bytes":{BIG}}}',
        '{"k":"clock","t":9007199254740993,"mono_ns":9007199254740993,"wall_ns":1795224600000000001}',
        f'{{"k":"tok","t":{BIG - 9},"lane":0,"r":[0,0],"d":[0,9],"x":["a","b"]}}',
    )
)
vector("hostile-text", "text may hold anything that JSON can spell")(
    lambda: lines(
        msgspec.json.encode({"k": "note", "t": 5, "text": HOSTILE}),
        msgspec.json.encode({"k": "tok", "t": 6, "lane": 0, "r": [0], "d": [0], "x": [HOSTILE * 9]}),
    )
)
vector("role-chunks", "a lane of opening roles alone, without a token")(
    lambda: lines('{"k":"tok","t":5,"lane":0,"r":[0,1],"d":[0,7],"x":["",""],"c":"oo"}')
)
vector("every-letter", "every kind and stamp of a chunk")(
    lambda: lines(
        '{"k":"tok","t":5,"lane":0,"r":[0,0,0,0,0],"d":[0,0,1,2,3],"x":["a","b","c","","" ],"c":"crtom","n":[1,2,null,0,0],"s":"kKuUk"}'
    )
)
vector("unknown-letters", "letters from the future are kept; the rows stay")(
    lambda: lines('{"k":"tok","t":5,"lane":0,"r":[0,0],"d":[0,1],"x":["a","b"],"c":"cz","s":"?k"}')
)
vector("null-columns", "readings that failed are null, never 0")(
    lambda: lines(
        '{"k":"gpu","t":5,"source":"nvml","device":0,"d":[0,9],"util_pct":[null,null],"power_w":[null,0.5]}',
        '{"k":"host","t":6,"process":"host","d":[0],"cpu_pct":[null],"rss_mib":[null]}',
        '{"k":"usage","t":7,"lane":0,"req":0,"output_tokens":null}',
    )
)
vector("empty-columns", "columns without a row")(
    lambda: lines(
        '{"k":"tok","t":5,"lane":0,"r":[],"d":[],"x":[]}',
        '{"k":"gpu","t":6,"source":"nvml","device":0,"d":[]}',
    )
)
vector("floats", "numbers of every spelling where a number is meant")(
    lambda: lines(
        '{"k":"host","t":5,"process":"lane-0","d":[0,1,2,3],"cpu_pct":[1,1.0,1e2,-0.5],"rss_mib":[0.1,1E-3,12345678.125,0]}'
    )
)
vector("no-last-newline", "the last line's newline may be missing")(
    lambda: around(unit((LINE % (5, b"x") * 2)[:-1], 2))
)

# --- damage: cut ------------------------------------------------------------------------------------------------

vector("cut-at-a-boundary", "a file that ends between units is a shorter log")(lambda: whole()[: start(3)])
vector("cut-in-the-frame", "the rest of a unit is not committed")(lambda: whole()[: start(3) + 20])
vector("cut-in-the-prefix", "five bytes of a trailer")(lambda: whole()[: start(4) - TRAILER_BYTES + 5])
vector("cut-in-the-trailer", "thirty bytes of a trailer")(lambda: whole()[: start(4) - TRAILER_BYTES + 30])
vector("cut-before-the-last-byte", "a trailer but for one byte commits nothing")(lambda: whole()[:-1])
vector("cut-then-written-on", "units after a torn tail are read")(
    lambda: whole()[: start(3) + 20] + mark(5) + fin(6)
)
vector("start-missing", "a file whose first bytes are gone")(lambda: whole()[40:])

# --- damage: changed bytes --------------------------------------------------------------------------------------

vector("flip-in-the-head", "the first unit is lost, the others are read")(lambda: changed(whole(), 30))
vector("flip-in-the-frame", "one unit is lost")(lambda: changed(whole(), start(2) + 15))
vector("flip-in-the-prefix", "a trailer that is not found: its unit is lost, the next is read")(
    lambda: changed(whole(), start(3) - TRAILER_BYTES + 2)
)
vector("flip-in-the-trailer", "a trailer that does not hold")(
    lambda: changed(whole(), start(3) - TRAILER_BYTES + 34)
)
vector("flip-in-a-checksum", "a checksum that is wrong itself")(lambda: changed(whole(), start(3) - 1))
vector("byte-missing", "a byte is gone from a frame")(
    lambda: whole()[: start(2) + 15] + whole()[start(2) + 16 :]
)
vector("byte-added", "a byte too many in a frame")(
    lambda: whole()[: start(2) + 15] + b"\xff" + whole()[start(2) + 15 :]
)
vector("zero-hole", "a page of zeros over a unit and a half")(
    lambda: whole()[: start(2)] + bytes(start(3) - start(2) + 30) + whole()[start(3) + 30 :]
)
vector("zero-tail", "what a power cut leaves")(lambda: whole() + bytes(4096))
vector("newline-tail", "an editor added a newline: a tail of one byte")(lambda: whole() + b"\n")
vector("garbage-between", "damage between two units costs neither")(lambda: around(b"not a unit at all"))
vector("garbage-before", "a log after bytes that are none")(lambda: b"\x7fELF garbage " * 9 + whole())
vector("false-trailer", "the twelve bytes of the search, twice, with no trailer behind them")(
    lambda: around(bytes.fromhex("5c2a4d183c000000524c4731") * 2 + b"and garbage")
)
vector("foreign-trailer", "a frame under another unit's trailer is damage")(
    lambda: around(mark(2)[:-TRAILER_BYTES] + unit(LINE % (5, b"another"), 3)[-TRAILER_BYTES:])
)
vector("trailer-alone", "a trailer whose frame is not there")(lambda: around(mark(2)[-TRAILER_BYTES:]))
vector("foreign-skippable", "another program's skippable frame is damage, and costs nothing else")(
    lambda: around(bytes.fromhex("502a4d1804000000") + b"them")
)

# --- damage: content --------------------------------------------------------------------------------------------

vector("zlen-huge", "a trailer that claims a frame of 4 GiB is passed over")(
    lambda: around(forged(b"", 2, promised=10, frame_bytes=0xFFFF_FFFF))
)
vector("zlen-too-long", "a frame that would begin in the unit before is none")(
    lambda: around(forged(b"abc", 2, promised=3, frame_bytes=200))
)
vector("ulen-huge", "a promise of more than 64 MiB is refused without decompressing")(
    lambda: around(
        forged(
            bytes.fromhex("28b52ffda0") + (MAX_PAYLOAD_BYTES + 1).to_bytes(4, "little"),
            2,
            promised=MAX_PAYLOAD_BYTES + 1,
        )
    )
)
vector("ulen-wrong", "a frame that is not as long as its trailer says")(
    lambda: around(forged(frame(LINE % (5, b"x")), 2, promised=10))
)
vector("bomb", "a megabyte under a promise of ten bytes")(
    lambda: around(forged(frame(bytes(1 << 20)), 2, promised=10))
)
vector("hidden-size", "a frame without its content size")(
    lambda: around(
        forged(frame(LINE % (5, b"x"), write_content_size=False), 2, promised=len(LINE % (5, b"x")))
    )
)
vector("two-frames", "two frames under one trailer")(
    lambda: around(forged(frame(LINE % (5, b"x")) * 2, 2, promised=len(LINE % (5, b"x"))))
)
vector("content-checksum", "zstd's own checksum does not hold, though the trailer's does")(
    lambda: around(
        forged(
            changed(frame(LINE % (5, b"x")), -1 + len(frame(LINE % (5, b"x")))),
            2,
            promised=len(LINE % (5, b"x")),
        )
    )
)
vector("not-zstd", "a frame that is plain text")(lambda: around(forged(LINE % (5, b"x"), 2, promised=31)))
vector("bad-utf-8", "a byte that is no UTF-8 in a text")(lambda: lines(b'{"k":"mark","t":5,"label":"\xff"}'))
vector("bad-utf-8-unread", "nor in a field that the reader does not know")(
    lambda: lines(b'{"k":"mark","t":5,"label":"x","unknown":"\xff"}')
)
vector("lone-surrogate", "an escape that spells half a character")(
    lambda: lines(r'{"k":"new","t":5,"x":"\ud800"}')
)
vector("bad-json", "one line that is no JSON makes the whole unit damage")(
    lambda: lines(LINE[:-1] % (4, b"good"), '{"k":"mark","t":5,"label":', LINE[:-1] % (6, b"good"))
)
vector("blank-line", "an empty line is no event")(
    lambda: lines(LINE[:-1] % (4, b"x"), "", LINE[:-1] % (6, b"x"))
)
vector("two-on-a-line", "two objects on one line are no event")(lambda: lines(LINE[:-1] % (4, b"x") * 2))
vector("not-an-object", "an array is no event")(lambda: lines("[1,2]"))
vector("no-time", "an event without t")(lambda: lines('{"k":"new","x":1}'))
vector("no-kind", "an event without k")(lambda: lines('{"t":5,"label":"x"}'))
vector("float-time", "an instant that is no integer")(lambda: lines('{"k":"new","t":5.0}'))
vector("instant-too-large", "an instant beyond 64 bits")(
    lambda: lines(f'{{"k":"mark","t":{BIG + 1},"label":"x"}}')
)
vector("field-missing", "a known kind without a required field")(lambda: lines('{"k":"mark","t":5}'))
vector("field-of-another-type", "a known kind with a wrong field")(
    lambda: lines('{"k":"mark","t":5,"label":7}')
)
vector("word-unknown", "a known kind with a word that is not among its words")(
    lambda: lines('{"k":"end","t":5,"lane":0,"req":0,"status":"maybe"}')
)
vector("ragged-columns", "columns of different lengths")(
    lambda: lines('{"k":"tok","t":5,"lane":0,"r":[0,0],"d":[0,1],"x":["a"]}')
)
vector("ragged-letters", "letters for some of the rows")(
    lambda: lines('{"k":"tok","t":5,"lane":0,"r":[0,0],"d":[0,1],"x":["a","b"],"c":"c"}')
)
vector("negative-delta", "a column that runs backwards")(
    lambda: lines('{"k":"tok","t":5,"lane":0,"r":[0,0],"d":[0,-1],"x":["a","b"]}')
)
vector("column-too-far", "a column whose last row lies beyond 64 bits")(
    lambda: lines(f'{{"k":"tok","t":{BIG},"lane":0,"r":[0,0],"d":[0,1],"x":["a","b"]}}')
)

# --- refused ----------------------------------------------------------------------------------------------------

vector("empty-file", "no unit: not a log")(lambda: b"")
vector("zeros-only", "no unit: not a log")(lambda: bytes(4096))
vector("not-a-log", "no unit: not a log")(lambda: LINE % (5, b"x") * 9)
vector("cut-in-the-head", "no unit is whole: not a log")(lambda: whole()[: start(1) - 1])


# --- packed columns ---------------------------------------------------------------------------------------------

PACKED = (
    b'{"k":"tok.packed","t":5,"lane":1,"q":[[7,2,9,1],[8,2]],"r":"01010","c":"crtcm","n":[1,null,2,0,1],"s":"kKuUk",'
    b'"d":["AAAAB","AAQAA","AB/+A"],"x":["a","c","e","b","d"]}'
)


def packed(name: str, shows: str, old: bytes = b"", new: bytes = b"") -> None:
    """Register a vector of packed columns, a good one with ``old`` replaced by ``new``."""
    assert old in PACKED
    vector(name, shows)(lambda: lines(PACKED.replace(old, new) if old else PACKED))


packed("packed", "packed columns read as the chunks they are")
packed("packed-all-at-once", "without a digit all chunks came at once", b'["AAAAB","AAQAA","AB/+A"]', b"[]")
packed(
    "packed-no-rows",
    "packed columns without a row",
    PACKED,
    b'{"k":"tok.packed","t":5,"lane":1,"q":[],"r":"","d":[],"x":[]}',
)
packed(
    "packed-many-tracks",
    "a track beyond U+007F",
    PACKED,
    b'{"k":"tok.packed","t":5,"lane":1,"q":['
    + b"[]," * 200
    + b'[3,1]],"r":"\xc3\xb8","d":["C"],"x":["far"]}',
)
packed("packed-no-digit", "a gap that is no digit", b"AB/+A", b"AB/-A")
packed("packed-padded", "a gap that ends in padding", b"AB/+A", b"AB/+=")
packed(
    "packed-nine-places",
    "a gap of nine digits",
    b'["AAAAB"',
    b'["AAAAA","AAAAA","AAAAA","AAAAA","AAAAA","AAAAA","AAAAB"',
)
packed("packed-ragged-digits", "places of different length", b"AAQAA", b"AAQA")
packed("packed-ragged-texts", "a text too few", b'"e",', b"")
packed("packed-no-track", "a chunk on a track that is not there", b"01010", b"01012")
packed("packed-track-too-short", "more chunks on a track than it says", b"01010", b"01011")
packed("packed-count-too-large", "a count that no row is there for", b"[7,2,9,1]", b"[7,2,9,999999999999]")
packed("packed-count-negative", "a negative count", b"[7,2,9,1],[8,2]", b"[7,4,9,-1],[8,2]")
packed("packed-track-of-three", "a request without a count", b"[7,2,9,1]", b"[7,2,9,1,5]")
packed("packed-ragged-letters", "kinds for some of the chunks", b"crtcm", b"crt")
packed(
    "packed-newer", "packed columns of a version to come are kept and not read", b'"t":5,', b'"v":2,"t":5,'
)
