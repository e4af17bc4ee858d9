"""On PYTHONPATH: this interpreter and its children get no receive stamps, as on a kernel that has none."""

import errno
import socket
from typing import Any

SO_TIMESTAMPNS = 35
_setsockopt = socket.socket.setsockopt


def _refusing(self: socket.socket, level: int, option: int, *value: Any) -> None:
    if (level, option) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
        raise OSError(errno.ENOPROTOOPT, "Protocol not available")
    _setsockopt(self, level, option, *value)


socket.socket.setsockopt = _refusing  # type: ignore[method-assign,assignment]  # the point of this file
