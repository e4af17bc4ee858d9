"""Where a new file may be put: links, devices, pipes and folders as ``-o`` meets them, and disks that say no."""

import errno
import os

import pytest

from racelog.errors import InputError, StorageError
from racelog.log.write.atomic import check_target, new_file, publish
from racelog.log.write.os_errors import refusal_in


def test_a_link_stands_for_the_file_that_it_leads_to(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)

    publish(link, b"new", force=True)

    assert (link.is_symlink(), real.read_bytes()) == (True, b"new")


def test_a_link_to_a_file_is_overwritten_only_when_asked(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(InputError, match="link exists already"):
        publish(tmp_path / "link", b"new")


def test_a_link_that_leads_to_nothing_yet_gets_its_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "later")

    publish(tmp_path / "link", b"new")

    assert (tmp_path / "later").read_bytes() == b"new"


def test_a_link_into_a_folder_that_is_not_there_is_refused_by_both_names(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "none" / "file")

    with pytest.raises(
        InputError, match=r"link: there is no folder .*none, to which it leads through .*file"
    ):
        publish(tmp_path / "link", b"new", force=True)


def test_a_link_to_itself_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "link")

    with pytest.raises(InputError, match="is a link that leads to itself"):
        publish(tmp_path / "link", b"new", force=True)


@pytest.mark.parametrize("force", [False, True])
def test_a_pipe_is_never_replaced(force, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InputError, match="pipe is a pipe, which a whole file cannot take the place of"):
        publish(tmp_path / "pipe", b"new", force=force)
    assert list(tmp_path.iterdir()) == [tmp_path / "pipe"]


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full"])
def test_a_device_is_never_replaced(device, tmp_path):
    (tmp_path / "device").symlink_to(device)

    for name in (device, str(tmp_path / "device")):
        with pytest.raises(InputError, match="is a device, which a whole file cannot take the place of"):
            check_target(tmp_path / name, force=True)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is a directory; name a file"):
        publish(tmp_path, b"new", force=True)


def test_a_disk_that_is_full_leaves_nothing(tmp_path):
    def fill():
        with new_file(tmp_path / "file") as partial:
            partial.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StorageError, match="No space left on device; free some space"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_not_be_written_is_told_by_the_target_s_name(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("pathlib.Path.unlink", refuse)

    with pytest.raises(
        StorageError, match=r"cannot write .*file: Read-only file system; .*choose another folder"
    ):
        publish(tmp_path / "file", b"new")


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ('Async write failed: {"exception_type":"IO","errno":"28"}', errno.ENOSPC),
        ("Could not write file: No space left on device", errno.ENOSPC),
        ('Cannot open file "x": Read-only file system', errno.EROFS),
    ],
)
def test_the_system_s_refusal_is_found_in_another_library_s_words(words, number):
    refused = refusal_in(words)

    assert refused is not None
    assert (refused.errno, refused.strerror) == (number, os.strerror(number))


def test_other_words_are_no_refusal():
    assert refusal_in("Parquet files do not support negative intervals") is None
