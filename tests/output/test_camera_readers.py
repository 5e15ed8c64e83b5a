"""Who reads a virtual camera, as the kernel tells it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.core.process import Holder, holders
from app.output import camera_list
from app.output.camera_list import ReaderWatch
from mattecam.testing import FakeClock
from tests.fresh_python import program

pytestmark = pytest.mark.linux("app.output.camera_list")


def test_opening_and_closing_readers_are_noticed_but_no_producers_and_own_handles(
    device: Path,
) -> None:
    with program(device, "O_WRONLY"), device.open(), closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() == ()
        with program(device, "O_RDWR") as reader:
            assert [one.pid for one in watch.readers() or ()] == [reader]
        assert watch.readers() == ()


def test_processes_are_not_scanned_without_an_event(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = Mock(return_value=())
    clock = FakeClock(50.0)
    monkeypatch.setattr(camera_list, "holders", search)
    with closing(ReaderWatch(str(device), clock)) as watch:
        for _ in range(100):
            watch.readers()
        assert search.call_count == 1
        with device.open():
            watch.readers()
        watch.readers()
        assert 2 <= search.call_count <= 3, "opening and closing are one search each at most"
        clock.now_s += 6
        watch.readers()
        assert search.call_count >= 3, "from time to time it looks without being told"


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Processes whose files cannot be listed, as those of another user."""
    pids: set[int] = set()

    def visible_holders(path: str) -> tuple[Holder, ...]:
        return tuple(one for one in holders(path) if one.pid not in pids)

    monkeypatch.setattr(camera_list, "holders", visible_holders)
    return pids


def test_a_reader_that_cannot_be_seen_is_unknown_until_it_closes_the_device(
    device: Path, hidden: set[int]
) -> None:
    """A container of root, or a daemon, counted as nobody: the camera rested, and it saw the
    card for ever.
    """
    with device.open("wb"), closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() == ()

        with program(device, "O_RDWR") as reader:
            hidden.add(reader)
            assert watch.readers() is None
            assert watch.readers() is None, "nothing has changed since"

        assert watch.readers() == ()


def test_a_reader_that_cannot_be_seen_stays_unknown_after_one_that_can(
    device: Path, hidden: set[int]
) -> None:
    with (
        closing(ReaderWatch(str(device))) as watch,
        device.open("wb") as sent,
        program(device, "O_RDWR") as unseen,
    ):
        hidden.add(unseen)
        sent.write(b"a frame")
        sent.flush()
        with program(device, "O_RDWR") as seen:
            assert [one.pid for one in watch.readers() or ()] == [seen]

        assert watch.readers() is None


def test_what_opens_the_device_for_a_moment_is_no_unknown_reader(device: Path) -> None:
    """Browsers and PipeWire look at all cameras again and again, as this program does."""
    with closing(ReaderWatch(str(device))) as watch:
        for _ in range(5):
            device.read_bytes()
        with device.open(), device.open():
            pass

        assert watch.readers() == ()


def test_a_killed_reader_with_several_handles_leaves_nobody(device: Path) -> None:
    """The kernel reports its closed handles as one event."""
    code = "import sys; files = [open(sys.argv[1], 'r+b') for _ in range(3)]; print('open', flush=True); input()"
    with closing(ReaderWatch(str(device))) as watch:
        command = [sys.executable, "-c", code, str(device)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
            assert reader.stdout is not None
            reader.stdout.readline()
            assert [one.pid for one in watch.readers() or ()] == [reader.pid]
            reader.kill()

        assert watch.readers() == ()


def test_readers_of_a_removed_device_and_of_other_systems(
    device: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(ReaderWatch(f"{device}-gone")) as watch:
        assert watch.readers() == ()
    watch.close()
    monkeypatch.setattr(camera_list, "LINUX", False)
    with closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() is None
