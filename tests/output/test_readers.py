"""Readers of a device; a regular file replaces the device, because the kernel reports both alike."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from app.output import camera_list
from app.output.camera_list import ReaderWatch
from app.system.device_holders import LINUX, Holder
from tests.holding import program

pytestmark = pytest.mark.skipif(not LINUX, reason="only Linux tells who has a device open")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """Something to open."""
    (tmp_path / "video10").touch()
    return tmp_path / "video10"


def test_opening_and_closing_readers_are_noticed(device: Path) -> None:
    with closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() == ()
        with program(device, "O_RDWR") as reader:
            assert [one.pid for one in watch.readers() or ()] == [reader]
        assert watch.readers() == ()


def test_producers_and_own_handles_are_not_readers(device: Path) -> None:
    with program(device, "O_WRONLY"), device.open(), closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() == ()


def test_processes_are_not_scanned_without_an_event(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[str] = []
    now_s = [50.0]

    def search(path: str) -> tuple[Holder, ...]:
        searches.append(path)
        return ()

    monkeypatch.setattr(camera_list, "holders", search)
    with closing(ReaderWatch(str(device), clock=lambda: now_s[0])) as watch:
        for _ in range(100):
            watch.readers()
        assert len(searches) == 1
        with device.open():
            watch.readers()
        watch.readers()
        assert 2 <= len(searches) <= 3, "opening and closing are one search each at most"
        now_s[0] += 6
        watch.readers()
        assert len(searches) >= 3, "from time to time it looks without being told"


def test_a_removed_device_has_no_readers(tmp_path: Path) -> None:
    with closing(ReaderWatch(str(tmp_path / "gone"))) as watch:
        assert watch.readers() == ()
    watch.close()


def test_unsupported_systems_report_unknown(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_list, "LINUX", False)
    with closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() is None
