"""The overlay in the running program: on composites, not on the stand-by card, and after the check of composites."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from app.core.settings import BackgroundSettings, OverlaySettings
from app.core.stage import Stage
from app.core.types import Picture, PictureKind
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, running
from tests.waiting import eventually

RED = (0, 0, 255)


def red_corner(tmp_path: Path) -> Path:
    path = tmp_path / "corner.png"
    cv2.imwrite(str(path), np.full((200, 200, 4), (*RED, 255), np.uint8))
    return path


def has_corner(picture: Picture) -> bool:
    height, width = picture.image.shape[:2]
    return bool((picture.image[height // 10, width - width // 10] == RED).all())


def composites(world: FakeWorld) -> list[Picture]:
    return [picture for picture in world.pictures() if picture.kind is PictureKind.COMPOSITE]


def test_the_overlay_is_on_composites_and_not_on_the_card(tmp_path: Path, world: FakeWorld) -> None:
    with running(world) as pipeline:
        eventually(lambda: bool(composites(world)))
        assert not any(has_corner(picture) for picture in composites(world))
        pipeline.change(lambda s: s.replace(overlay=OverlaySettings(file=red_corner(tmp_path))))
        eventually(lambda: has_corner(composites(world)[-1]))
        assert not pipeline.status().problems
        pipeline.change(lambda s: s.replace(paused=True))
        eventually(lambda: world.newest().kind is PictureKind.STANDBY)
        assert not has_corner(world.newest())
        pipeline.change(lambda s: s.replace(paused=False, overlay=OverlaySettings()))
        eventually(lambda: world.newest().kind is PictureKind.COMPOSITE and not has_corner(world.newest()))


def test_a_missing_file_is_reported_and_the_picture_stays(tmp_path: Path, world: FakeWorld) -> None:
    with running(world, BASE.replace(overlay=OverlaySettings(file=tmp_path / "gone.png"))) as pipeline:
        eventually(lambda: any(problem.stage is Stage.OVERLAY for problem in pipeline.status().problems))
        (problem,) = pipeline.status().problems
        assert "gone.png does not exist" in problem.message
        eventually(lambda: bool(composites(world)))
        pipeline.change(lambda s: s.replace(overlay=OverlaySettings()))
        eventually(lambda: not pipeline.status().problems)


def test_an_unmatted_frame_of_the_source_is_not_written_to(tmp_path: Path, world: FakeWorld) -> None:
    settings = BASE.replace(
        background=BackgroundSettings(kind="none"), overlay=OverlaySettings(file=red_corner(tmp_path))
    )
    with running(world, settings):
        eventually(lambda: has_corner(world.newest()))
        picture = world.newest()
        assert picture.kind is PictureKind.UNMATTED and picture.frame is not None
        assert not has_corner(Picture(picture.frame.image, PictureKind.UNMATTED))
