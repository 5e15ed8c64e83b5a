"""Processes that have a device open. A regular file replaces the device: /proc lists both in the same way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.core.process import LINUX, holders
from tests.fresh_python import program

pytestmark = pytest.mark.skipif(not LINUX, reason="only Linux tells who has a device open")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """Return a file that replaces the device."""
    (tmp_path / "video10").touch()
    return tmp_path / "video10"


def test_holders_are_found_by_what_they_may_do(device: Path) -> None:
    assert holders(str(device)) == ()
    link = device.with_name("by-id")
    link.symlink_to(device)
    with program(device, "O_RDWR") as reader, program(device, "O_WRONLY") as producer, device.open():
        found = {one.pid: one for one in holders(str(device))}
        assert holders(str(link)) == tuple(found.values())
    assert set(found) == {reader, producer, os.getpid()}
    assert found[producer].only_writes and not found[reader].only_writes
    assert found[reader].name.startswith("python")


def test_what_the_kernel_keeps_to_itself_is_left_open(tmp_path: Path) -> None:
    """A process with unreadable name and flags is a holder, but does not count as a producer."""
    (tmp_path / "12/fd").mkdir(parents=True)
    (tmp_path / "12/fd/3").symlink_to("/dev/video97")
    (tmp_path / "9/fd").mkdir(parents=True)
    assert [str(one) for one in holders("/dev/video97", tmp_path)] == ["a program (process 12)"]
    assert [one.only_writes for one in holders("/dev/video97", tmp_path)] == [False]
