"""Who has a device open; a plain file stands for the device: the kernel treats both alike."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from app.output import readers
from app.output.readers import ReaderWatch, holders

pytestmark = pytest.mark.skipif(not readers.LINUX, reason="only Linux tells who has a device open")


@contextmanager
def program(device: Path, how: str) -> Iterator[int]:
    """Another program that has the device open; gives its process id."""
    code = f"import os, sys; os.open(sys.argv[1], os.{how}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(device)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        yield process.pid
        process.stdin.close()
        process.wait(10)


@pytest.fixture
def device(tmp_path: Path) -> Path:
    """Something to open."""
    (tmp_path / "video10").touch()
    return tmp_path / "video10"


def test_holders_are_found_by_what_they_may_do(device: Path) -> None:
    assert holders(str(device)) == ()
    with program(device, "O_RDWR") as reader, program(device, "O_WRONLY") as producer, device.open():
        found = {one.pid: one for one in holders(str(device)) or ()}
    assert set(found) == {reader, producer, os.getpid()}
    assert found[producer].only_writes and not found[reader].only_writes
    assert found[reader].name.startswith("python")


def test_a_link_to_the_device_is_followed(device: Path) -> None:
    link = device.with_name("by-id")
    link.symlink_to(device)
    with program(device, "O_RDWR") as reader:
        assert [one.pid for one in holders(str(link)) or ()] == [reader]


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

    def search(path: str) -> tuple[readers.Holder, ...]:
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
    with closing(ReaderWatch(str(device))) as watch:
        assert watch.readers() is None


def test_a_search_is_quick(device: Path) -> None:
    start = time.process_time()
    for _ in range(5):
        holders(str(device))
    processes = sum(entry.name.isdecimal() for entry in os.scandir("/proc"))
    assert (time.process_time() - start) / 5 < 0.02 + 0.001 * processes
