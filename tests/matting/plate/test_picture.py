"""The plate: files, adaptation to light, fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.errors import PlateError
from app.core.types import AlphaImage, BgrImage
from app.matting.plate.picture import PlateFit, median_plate, read_plate
from tests.rooms import clip_frames


def room(width: int = 320, height: int = 180) -> BgrImage:
    """Return a detailed empty room, neither dark nor clipped."""
    noise = np.random.default_rng(1).integers(60, 180, (height // 4, width // 4, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def with_person(picture: BgrImage) -> tuple[BgrImage, AlphaImage]:
    """Return `picture` with a person in the middle, and the alpha of the person."""
    height, width = picture.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    cv2.ellipse(alpha, (width // 2, height), (width // 4, height * 3 // 4), 0, 0, 360, 255, -1)
    shown = picture.copy()
    shown[alpha > 0] = (40, 60, 230)
    return shown, alpha


class TestFile:
    def test_same_size_is_taken_as_it_is(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "p.png"), room())
        np.testing.assert_array_equal(read_plate(tmp_path / "p.png", 320, 180), room())

    def test_same_shape_is_scaled_with_a_warning(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        cv2.imwrite(str(tmp_path / "p.png"), room())
        assert read_plate(tmp_path / "p.png", 640, 360).shape == (360, 640, 3)
        assert "scaled from 320x180 to 640x360" in caplog.text

    def test_what_cannot_be_used_is_named(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "p.png"), room())
        (tmp_path / "broken.png").write_bytes((tmp_path / "p.png").read_bytes()[:40])
        (tmp_path / "empty.png").touch()
        with pytest.raises(PlateError, match="320×180 pixels, but the camera delivers 320×240"):
            read_plate(tmp_path / "p.png", 320, 240)
        with pytest.raises(PlateError, match=r"absent\.png cannot be read"):
            read_plate(tmp_path / "absent.png", 320, 240)
        for name in ("broken.png", "empty.png"):
            with pytest.raises(PlateError, match="not a readable image"):
                read_plate(tmp_path / name, 320, 180)


def test_median_leaves_the_person_out() -> None:
    empty = room()
    shots = []
    for step in range(9):
        shot = empty.copy()
        shot[40:160, 20 + 30 * step : 80 + 30 * step] = 255
        shots.append(shot)
    np.testing.assert_array_equal(median_plate(shots), empty)
    with pytest.raises(PlateError):
        median_plate([])


class TestFit:
    def test_light_is_no_change_whoever_stands_there(self) -> None:
        fit = PlateFit(room())
        brighter = np.clip(room() * np.array([1.2, 1.1, 0.9]), 0, 255).astype(np.uint8)
        shown, alpha = with_person(brighter)
        fit.adapt(shown)
        np.testing.assert_allclose(fit.gain, [1.2, 1.1, 0.9], atol=0.1)
        assert fit.fits(shown, alpha)
        np.testing.assert_allclose(fit.gain, [1.2, 1.1, 0.9], atol=0.02)
        assert np.abs(fit.lit_plate.astype(int) - brighter).max() <= 4

    @pytest.mark.parametrize(
        "change",
        [
            lambda picture: np.roll(picture, 25, 1),
            lambda picture: np.flip(picture, 0).copy(),
            lambda picture: (picture * 0.3).astype(np.uint8),
        ],
        ids=["camera moved", "another room", "light off"],
    )
    def test_a_changed_room_does_not_fit(self, change: Callable[[BgrImage], BgrImage]) -> None:
        fit = PlateFit(room())
        assert fit.fits(*with_person(room()))
        assert not fit.fits(*with_person(change(room())))

    def test_everything_taken_for_the_person_does_not_fit(self) -> None:
        moved = np.full_like(room(), 250)
        assert not PlateFit(room()).fits(moved, np.full(moved.shape[:2], 255, np.uint8))

    def test_a_room_taken_for_the_person_does_not_fit(self) -> None:
        half = room()
        half[:, :160] = 250
        everyone = np.full(half.shape[:2], 255, np.uint8)
        assert not PlateFit(room()).fits(half, everyone)
        assert PlateFit(room()).fits(room(), everyone)

    def test_furniture_taken_for_persons_does_not_fit(self) -> None:
        """The network takes edges of a shifted room for persons; small detections are ignored."""
        shown, alpha = with_person(np.roll(room(), 25, 1))
        changed = np.abs(shown.astype(int) - room()).max(2) > 30
        cells = np.indices(alpha.shape).sum(0) // 8 % 2 == 0
        alpha[changed & cells] = 255
        alpha[:, ::16] = alpha[::16] = 0
        assert not PlateFit(room()).fits(shown, alpha)

    @pytest.mark.parametrize("clip", ["asl_book", "asl_walk"])
    def test_a_real_room(self, clip: str) -> None:
        images = clip_frames(clip, 20)
        plate, frame = median_plate(images), images[7]
        height, width = frame.shape[:2]
        alpha = np.zeros((height, width), np.uint8)
        alpha[height // 8 :, width // 4 : 3 * width // 4] = 255
        for light in (0.7, 1.0, 1.25):
            lit = np.clip(frame * light, 0, 255).astype(np.uint8)
            assert PlateFit(plate).fits(lit, alpha)
        lamp = frame.copy()
        lamp[:, : width // 3] //= 2
        for changed in (np.roll(frame, width // 50, 1), np.roll(frame, height // 30, 0), lamp):
            assert not PlateFit(plate).fits(changed, alpha)
