"""A compressed body -> its bytes, as it arrives and in bounded steps. Pure.

Requests ask for ``identity``: a server that compresses holds tokens back to fill its blocks. One that does so all the
same is read, its stamps being those of the reads; an encoding we did not ask for and cannot undo is a named error.
"""

import zlib
from collections.abc import Iterator

STEP_BYTES = 64 << 10
"""No step gives more at once, whatever a few bytes claim to unfold into."""

FREE_BYTES = 16 << 20
MAX_RATIO = 250
"""Beyond `FREE_BYTES` a body that unfolds by more is no text but a bomb (deflate can reach 1,032; JSON events that
repeat themselves stay below 100)."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


NO_ENCODING = frozenset({"", "identity", "none", "utf-8", "utf8", "binary", "8bit"})
"""What changes no byte of a body. Only the first two are right; gateways send ``none`` to keep proxies from compressing, and
frameworks the character set."""


class EncodingFault(ValueError):  # noqa: N818 - reads as the fact it is
    """A body's encoding is unknown, broken, or unfolds without end."""


class Inflater:
    """Undoes gzip (several members too) and deflate, with the zlib header that is right or without it."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._taken_bytes = 0
        self._given_bytes = 0
        self._began = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` unfolds into, in pieces of at most `STEP_BYTES`.

        Raises:
            EncodingFault: it is neither gzip nor deflate, damaged, or a bomb.
        """
        self._taken_bytes += len(data)
        while data:
            piece = self._step(data)
            while piece:
                self._given_bytes += len(piece)
                if self._given_bytes > max(FREE_BYTES, MAX_RATIO * self._taken_bytes):
                    raise EncodingFault(
                        f"the compressed body unfolds to more than {MAX_RATIO} times its size"
                    )
                yield piece
                # A full step may leave more inside zlib than in its input.
                more = len(piece) == STEP_BYTES and not self._zlib.eof
                piece = self._step(self._zlib.unconsumed_tail) if more else b""
            if not self._zlib.eof:
                return
            data = self._zlib.unused_data
            self._zlib, self._began = zlib.decompressobj(_GZIP_OR_ZLIB), False

    @property
    def whole(self) -> bool:
        """True when the body may end here: nothing came, or the last member is complete."""
        return not self._began

    def _step(self, data: bytes) -> bytes:
        try:
            piece = self._zlib.decompress(data, STEP_BYTES)
        except zlib.error as error:
            if self._given_bytes or self._began:
                raise EncodingFault(f"the compressed body is damaged: {error}") from None
            piece = self._raw(data, error)
        self._began = True
        return piece

    def _raw(self, data: bytes, error: zlib.error) -> bytes:
        """Try ``data`` as deflate without a header, which many servers send under that name."""
        self._zlib = zlib.decompressobj(_RAW)
        try:
            return self._zlib.decompress(data, STEP_BYTES)
        except zlib.error:
            raise EncodingFault(f"the compressed body is damaged: {error}") from None


def decoder_for(encoding: str) -> Inflater | None:
    """Return what undoes a Content-Encoding, None where nothing must be undone.

    Raises:
        EncodingFault: it is none that can be undone here.
    """
    names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in NO_ENCODING]
    if not names:
        return None
    if len(names) > 1 or names[0] not in ("gzip", "x-gzip", "deflate"):
        raise EncodingFault(
            f"the answer is in content-encoding {', '.join(names)!r}, which was not asked for"
            " (the request says identity) and is not decoded here"
        )
    return Inflater()
