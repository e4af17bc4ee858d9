"""Files of the cache that are whole or as if they were not there: a digest, then what it is of."""

import hashlib
from pathlib import Path

from racelog.log.write.atomic import replaced

_DIGEST_BYTES = 16


def read_checked(file: Path) -> bytes | None:
    """Return what was written, None if it is not whole.

    Raises:
        OSError: the file cannot be read.
    """
    kept = file.read_bytes()
    body = kept[_DIGEST_BYTES:]
    return body if kept[:_DIGEST_BYTES] == digest(body) else None


def write_checked(file: Path, body: bytes) -> None:
    """Put ``body`` into its place whole: it is written beside it and renamed.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    with replaced(file, durable=False) as partial:
        partial.write_bytes(digest(body) + body)


def digest(data: bytes) -> bytes:
    """Return the 16 bytes that tell ``data`` from any other."""
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
