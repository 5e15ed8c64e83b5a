"""The plate engine beside its plate: the light, a moved camera, and another room."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.errors import PlateError
from app.core.settings import MattingSettings
from app.core.types import BgrImage, BlurredBackground
from app.matting.base.interface import MattingEngine
from app.matting.plate.plate import PATIENCE, PlateWatch
from tests.matting.networks import BuildEngine, frames
from tests.matting.plate.visits import OFF, keep_the_plates_light, visit

pytestmark = pytest.mark.usefixtures("nobody_in_the_plate")


def test_light_reaches_the_network(
    settings: MattingSettings, engines: BuildEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a change of light, the adapted plate gives the result of a plate captured in this light."""
    evening = np.array([0.7, 0.8, 0.9])
    frame = (visit(160, 96) * evening).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "evening.png"), (frames(160, 96, 1)[0] * evening).astype(np.uint8))
    aligned, unaligned = engines(settings, 160, 96), engines(settings, 160, 96)
    wanted = (
        engines(settings.replace(plate=tmp_path / "evening.png"), 160, 96)
        .step(frame, BlurredBackground(50), OFF)
        .result()
    )

    def error(engine: MattingEngine) -> float:
        return float(
            np.abs(engine.step(frame, BlurredBackground(50), OFF).result().alpha.astype(int) - wanted.alpha).mean()
        )

    with_alignment = error(aligned)
    monkeypatch.setattr(PlateWatch, "look", keep_the_plates_light)
    assert with_alignment < 0.5
    assert error(unaligned) > 2 * with_alignment


def test_drift_is_a_plate_error(
    settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.matting.plate.engine.LOOK_EVERY_S", 0.0)
    monkeypatch.setattr("app.matting.plate.engine.LOOK_AGAIN_S", 0.0)
    engine = engines(settings, 160, 96)
    engine.step(visit(160, 96), BlurredBackground(50), OFF).result()
    other = visit(160, 96)
    other[:, :56] = 250  # no scene cut
    for _ in range(PATIENCE - 1):
        engine.step(other, BlurredBackground(50), OFF).result()
    with pytest.raises(PlateError, match="take it again"):
        engine.step(other, BlurredBackground(50), OFF).result()


def test_of_another_room_not_one_picture_leaves(settings: MattingSettings, engines: BuildEngine) -> None:
    engine = engines(settings, 160, 96)
    for other in (np.full((96, 160, 3), 250, np.uint8), np.ascontiguousarray(frames(160, 96, 1, seed=3)[0][::-1])):
        for _ in range(2):
            with pytest.raises(PlateError, match="take it again"):
                engine.step(other, BlurredBackground(50), OFF).result()


def bumped(image: BgrImage) -> BgrImage:
    """What the camera shows after it was pushed aside."""
    return np.ascontiguousarray(np.roll(image, image.shape[1] // 3, axis=1))


@pytest.mark.parametrize("how", ["another camera", "a cut", "a bump of the camera"])
def test_a_stream_that_changes_is_compared_with_the_plate_before_a_picture_leaves(
    settings: MattingSettings, engines: BuildEngine, how: str
) -> None:
    """The other room was shown for up to 1.7 s, until the next looks at the plate had found it."""
    engine = engines(settings, 160, 96)
    for _ in range(2):
        engine.step(visit(160, 96), BlurredBackground(50), OFF).result()
    if how == "another camera":
        engine.reset()
    room = np.ascontiguousarray(frames(160, 96, 1, seed=3)[0][::-1])
    other = bumped(visit(160, 96)) if how == "a bump of the camera" else room
    for _ in range(2):
        with pytest.raises(PlateError, match="take it again"):
            engine.step(other, BlurredBackground(50), OFF).result()
    if how != "another camera":
        engine.reset()
    assert engine.step(visit(160, 96), BlurredBackground(50), OFF).result().alpha.shape == (96, 160)


def test_another_size_scales_the_plate_or_refuses(settings: MattingSettings, engines: BuildEngine) -> None:
    engine = engines(settings, 160, 96)
    engine.step(frames(160, 96, 1)[0], BlurredBackground(50), OFF).result()
    assert engine.step(frames(320, 192, 1)[0], BlurredBackground(50), OFF).result().alpha.shape == (192, 320)
    with pytest.raises(PlateError, match="take it again"):
        engine.step(frames(128, 96, 1)[0], BlurredBackground(50), OFF).result()
