"""Who reads a device; a plain file stands for the device: the kernel treats both alike."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from app.output import readers
from app.output.readers import ReaderWatch
from app.system import device_holders as holders_module
from app.system.device_holders import Holder
from tests.holding import program

pytestmark = pytest.mark.skipif(not holders_module.LINUX, reason="only Linux tells who has a device open")


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """Something to open."""
    (tmp_path / "video10").touch()
    return tmp_path / "video10"


def test_a_reader_is_seen_when_it_comes_and_goes(device: Path) -> None:
    with closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() == ()
        with program(device, "O_RDWR") as reader:
            assert [one.pid for one in watch.readers() or ()] == [reader]
        assert watch.readers() == ()


def test_producers_this_program_and_its_probes_are_no_readers(device: Path) -> None:
    with program(device, "O_RDWR") as probe, program(device, "O_WRONLY"), device.open():
        with closing(ReaderWatch(str(device), frozenset({probe}))) as watch:
            assert watch.readers() == ()
        with closing(ReaderWatch(str(device))) as watch:
            assert [one.pid for one in watch.readers() or ()] == [probe]


def test_nothing_is_searched_while_nothing_happens(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searches: list[str] = []
    now_s = [50.0]

    def search(path: str) -> tuple[Holder, ...]:
        searches.append(path)
        return ()

    monkeypatch.setattr(readers, "holders", search)
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


def test_a_device_that_went_away_has_no_readers(tmp_path: Path) -> None:
    with closing(ReaderWatch(str(tmp_path / "gone"))) as watch:
        assert watch.readers() == ()
    watch.close()


def test_where_the_system_does_not_tell_it_says_so(device: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "LINUX", False)
    monkeypatch.setattr(holders_module, "LINUX", False)
    with closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() is None
