"""What to do about a disk that says no: the system's own words, and the next step that fits them."""

import errno
import os
import re

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS})
"""What is the disk's fault, and not that of who asked."""

_RETRY = "then try again"

_NEXT_STEPS = {
    errno.ENOSPC: f"free some space, {_RETRY}",
    errno.EDQUOT: f"your quota is used up: free some space or raise it, {_RETRY}",
    errno.EIO: "the device failed: look at the kernel's log (dmesg), and use another disk",
    errno.EROFS: "the file system is read-only: choose another folder",
    errno.EFBIG: "the file system or a limit (ulimit -f) allows no larger file: choose another folder or raise it",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.ENOENT: "make the folder first, or choose another",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "the whole machine has too many open files",
    errno.ESTALE: f"the network disk lost the file: mount it anew, {_RETRY}",
    errno.ETIMEDOUT: f"the network disk does not answer: see that it is there, {_RETRY}",
}
"""By errno; what is not here speaks for itself."""


def refusal(error: OSError) -> str:
    """Return why the system refused, and what to do about it where that is known."""
    words = error.strerror or str(error)
    step = _NEXT_STEPS.get(error.errno or 0)
    return f"{words}; {step}" if step else words


_ERRNO = re.compile(r'"errno":"(\d+)"')


def refusal_in(words: str) -> OSError | None:
    """Return the system's refusal that another library tells in its own words, by number or text; None if there is none."""
    if found := _ERRNO.search(words):
        return OSError(int(found[1]), os.strerror(int(found[1])))
    known = (number for number in _NEXT_STEPS if os.strerror(number) in words)
    return next((OSError(number, os.strerror(number)) for number in known), None)
