"""A file that was changed is read again when it is named again or retried."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.files.names import version_of
from app.core.settings import BackgroundSettings
from app.testing.parts import HEIGHT, WIDTH
from tests.fakes.world import BASE, FakeWorld, running
from tests.waiting import eventually


def write(path: Path, grey: int) -> Path:
    cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), grey, np.uint8))
    return path


def over(path: Path, grey: int) -> None:
    """Write the file over."""
    write(path, grey)


def in_its_place(path: Path, grey: int) -> None:
    """Move another file to the name, with the time and size of the first."""
    stat = path.stat()
    other = write(path.with_name(f"other{path.suffix}"), grey)
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("edit", [over, in_its_place])
def test_a_retry_shows_the_edited_file(edit: Callable[[Path, int], None], tmp_path: Path, world: FakeWorld) -> None:
    path = write(tmp_path / "a.bmp", 200)
    settings = BASE.replace(background=BackgroundSettings(kind="image", path=path))
    with running(world, settings) as pipeline:
        eventually(lambda: world.newest().image[0, 0, 0] == 200)
        edit(path, 80)
        pipeline.retry()
        eventually(lambda: world.newest().image[0, 0, 0] == 80)


def test_a_file_that_is_unchanged_is_not_opened_again(tmp_path: Path, world: FakeWorld) -> None:
    settings = BASE.replace(background=BackgroundSettings(kind="image", path=write(tmp_path / "a.png", 200)))
    opened = list[bool]()
    with running(world, settings) as pipeline:
        eventually(lambda: world.newest().image[0, 0, 0] == 200)
        world.faults.put("open_background", lambda: opened.append(True))
        pipeline.retry()
        before = len(world.pictures())
        eventually(lambda: len(world.pictures()) > before + 10)
    assert not opened


def test_the_versions_of_a_file_differ(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bmp", 1)
    first = version_of(path)
    assert first == version_of(path)
    in_its_place(path, 2)
    assert version_of(path) != first
    assert version_of(tmp_path / "absent") is None and version_of(Path("a\0b")) is None
