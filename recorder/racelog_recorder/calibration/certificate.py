"""A certificate for this machine's own loopback, made on the spot: the calibration's server needs one to speak TLS.

Python can use certificates and not make them, and neither an `openssl` command nor a package for it is on every
machine. So this writes the one kind that is needed: a self-signed P-256 key for 127.0.0.1 (RFC 5280, RFC 5915, FIPS
186-5). It keeps no secret worth having: it lives for a calibration of two seconds, towards ourselves, and is trusted
by that one connection alone. Plain arithmetic takes time that depends on the key; for anything else use a library.
"""

import base64
import hashlib
import secrets
import time

_Point = tuple[int, int]

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G: _Point = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
"""The curve P-256: its field, the order of its group and the group's generator (SP 800-186, 3.2.1.3)."""

_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_PRIME256V1 = bytes.fromhex("06082a8648ce3d030107")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_COMMON_NAME = bytes.fromhex("0603550403")
_ALTERNATIVE_NAME = bytes.fromhex("0603551d11")
"""Object identifiers in DER, one of them in the sequence that names an algorithm."""

_INTEGER, _BITS, _OCTETS, _UTF8, _UTC_TIME, _SEQUENCE, _SET = 0x02, 0x03, 0x04, 0x0C, 0x17, 0x30, 0x31
_IP_ADDRESS = 0x87
_LOOPBACK = bytes((127, 0, 0, 1))
_COORDINATE_BYTES = 32
_DAY_S = 86_400
_LONG = 0x80


def loopback_certificate() -> str:
    """Return a fresh key and its certificate for 127.0.0.1, in PEM, good from yesterday to tomorrow. Cost: 20 ms."""
    key = 1 + secrets.randbelow(_N - 1)
    public = b"\0\x04" + b"".join(part.to_bytes(_COORDINATE_BYTES, "big") for part in _times(key, _G))
    unsigned = _unsigned(public)
    signed = _der(_SEQUENCE, unsigned, _ECDSA_SHA256, _der(_BITS, b"\0", _signature(key, unsigned)))
    secret = _der(
        _SEQUENCE, _integer(1), _der(_OCTETS, key.to_bytes(_COORDINATE_BYTES, "big")), _der(0xA0, _PRIME256V1)
    )
    return _pem("EC PRIVATE KEY", secret) + _pem("CERTIFICATE", signed)


def _unsigned(public: bytes) -> bytes:
    """Return what is signed of a certificate (RFC 5280, 4.1.2)."""
    name = _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _COMMON_NAME, _der(_UTF8, b"racelog calibration"))))
    now_s = time.time()
    validity = _der(_SEQUENCE, _utc_time(now_s - _DAY_S), _utc_time(now_s + _DAY_S))
    key = _der(_SEQUENCE, _der(_SEQUENCE, _EC_PUBLIC_KEY, _PRIME256V1), _der(_BITS, public))
    names = _der(_SEQUENCE, _der(_IP_ADDRESS, _LOOPBACK))
    extensions = _der(_SEQUENCE, _der(_SEQUENCE, _ALTERNATIVE_NAME, _der(_OCTETS, names)))
    version, serial = _der(0xA0, _integer(2)), _integer(secrets.randbits(64) + 1)
    return _der(_SEQUENCE, version, serial, _ECDSA_SHA256, name, validity, name, key, _der(0xA3, extensions))


def _signature(key: int, data: bytes) -> bytes:
    """Return the ECDSA signature of ``data`` (FIPS 186-5, 6.4.1)."""
    once = 1 + secrets.randbelow(_N - 1)
    r = _times(once, _G)[0] % _N
    digest = int.from_bytes(hashlib.sha256(data).digest(), "big")
    return _der(_SEQUENCE, _integer(r), _integer(pow(once, -1, _N) * (digest + r * key) % _N))


def _times(factor: int, point: _Point) -> _Point:
    """Return ``factor`` times ``point``, for a factor from 1 up to the group's order less one."""
    total: _Point | None = None
    while factor:
        if factor & 1:
            total = point if total is None else _plus(total, point)
        point, factor = _plus(point, point), factor >> 1
    assert total is not None
    return total


def _plus(one: _Point, other: _Point) -> _Point:
    """Return the sum of two points that are not each other's opposites."""
    (x1, y1), (x2, y2) = one, other
    # The slope of the tangent, for the curve's a = -3, or of the line through both.
    rise, run = (3 * x1 * x1 - 3, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = rise * pow(run, -1, _P) % _P
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _der(tag: int, *parts: bytes) -> bytes:
    """Return one element of DER: tag, length, content (X.690)."""
    content = b"".join(parts)
    size = len(content)
    if size < _LONG:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG | len(length))) + length + content


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _utc_time(at_s: float) -> bytes:
    return _der(_UTC_TIME, time.strftime("%y%m%d%H%M%SZ", time.gmtime(at_s)).encode("ascii"))


def _pem(label: str, content: bytes) -> str:
    text = base64.b64encode(content).decode("ascii")
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
