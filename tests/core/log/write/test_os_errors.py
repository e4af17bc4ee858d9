"""A disk that refuses is told in its own words, with a next step that fits them."""

import errno
from pathlib import Path

import pytest

from racelog.errors import StorageError
from racelog.log.rewrite.seal import seal
from racelog.testing.disks import FaultyDisk, Operation, fail_with
from racelog.testing.races import Plan, ScriptedRace


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "No space left on device; free some space"),
        (errno.EDQUOT, "quota exceeded; your quota is used up"),
        (errno.EIO, "Input/output error; the device failed"),
        (errno.EROFS, "Read-only file system; the file system is read-only: choose another folder"),
        (errno.EFBIG, "File too large; the file system or a limit"),
    ],
    ids=lambda value: errno.errorcode.get(value) if isinstance(value, int) else None,
)
@pytest.mark.parametrize("operation", ["open", "write", "fsync", "rename"])
def test_the_next_step_fits_what_the_disk_said(
    tmp_path: Path, operation: Operation, number: int, advice: str
) -> None:
    live = ScriptedRace([Plan("a", requests=1)]).write_segments(tmp_path / "race.live")
    disk = FaultyDisk(tmp_path, kind=operation, at=1, action=fail_with(number))

    with disk.installed(), pytest.raises(StorageError) as caught:
        seal(live, tmp_path / "race.rlog")

    assert advice in str(caught.value)


def test_an_error_without_advice_speaks_for_itself(tmp_path: Path) -> None:
    live = ScriptedRace([Plan("a", requests=1)]).write_segments(tmp_path / "race.live")
    disk = FaultyDisk(tmp_path, kind="write", at=2, action=fail_with(errno.ENXIO))

    with disk.installed(), pytest.raises(StorageError, match=r"No such device or address$"):
        seal(live, tmp_path / "race.rlog")
