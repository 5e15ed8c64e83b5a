"""No writer puts a file in place of a device or a pipe: root could take /dev/null from every program."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.core.files import move, write_private, write_shared
from app.core.unfinished import move_finished
from app.media.image_file import write_picture
from app.runtime.status import PipelineStatus, write_status

pytestmark = pytest.mark.posix("devices and pipes in folders", part="app.core.files")
KINDS = ("device", "pipe", "link to a device")


@pytest.fixture(params=KINDS)
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file such as /dev/null, in a folder of the test: where it is replaced, no other program is harmed."""
    path = tmp_path / "null.png"
    if request.param == "pipe":
        os.mkfifo(path)
        return path
    device = tmp_path / "null"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        device.open("wb").close()
    except OSError:
        pytest.skip("only root can make a device, and not in every container")
    if request.param == "device":
        device.rename(path)
    else:
        path.symlink_to(device)
    return path


def private(path: Path, made: Path) -> None:
    write_private(path, b"data")


def durable(path: Path, made: Path) -> None:
    write_private(path, b"data", durable=True, keeps_owner=True)


def kept(path: Path, made: Path) -> None:
    write_private(path, b"data", kept=path.with_name("old"))


def shared(path: Path, made: Path) -> None:
    write_shared(path, b"data")


def moved(path: Path, made: Path) -> None:
    move(made, path, overwrite=True)


def finished(path: Path, made: Path) -> None:
    move_finished(made, path, overwrite=True)


def kept_back(path: Path, made: Path) -> None:
    move_finished(made, path, overwrite=False)


WRITERS = (private, durable, kept, shared, moved, finished, kept_back)


@pytest.mark.parametrize("write", WRITERS)
def test_a_device_or_a_pipe_stays_what_it_is(
    special: Path,
    write: Callable[[Path, Path], None],
) -> None:
    made = special.with_name("made")
    made.write_bytes(b"data")
    before = special.lstat()

    with pytest.raises(OSError):
        write(special, made)

    assert special.lstat().st_ino == before.st_ino and special.lstat().st_mode == before.st_mode
    assert not special.is_file()
    assert made.read_bytes() == b"data"


def test_a_status_is_written_to_a_device_and_not_in_its_place(special: Path) -> None:
    if stat.S_ISFIFO(special.stat().st_mode):
        pytest.skip("waits for a reader")
    write_status(special, PipelineStatus())

    assert stat.S_ISCHR(special.stat().st_mode)


def test_an_image_is_not_written_in_place_of_a_device(special: Path) -> None:
    with pytest.raises(Exception, match="device or a pipe"):
        write_picture(special, np.zeros((4, 4, 3), np.uint8))
    assert not special.is_file()
