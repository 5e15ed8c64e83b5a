"""The plate: files, light, drift, and the engine around it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.errors import ModelError, PlateError
from app.matting import choose_model, hardware
from app.matting.plate import PATIENCE, PlateWatch, median_plate, read_plate
from app.matting.plate_core import sample_pixels
from app.settings import EdgeSettings, MattingSettings
from app.types import AlphaImage, BgrImage, BlurredRoom
from app.video_reader import VideoReader
from models.bgmv2 import MattingRefine
from tests.golden.fill import fill
from tests.matting.conftest import BuildEngine, frames
from tests.paths import shared

OFF = EdgeSettings()


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Filled weights of bgmv2-mobilenetv2."""
    path = tmp_path_factory.mktemp("bgmv2") / "bgmv2.pth"
    torch.save(fill(MattingRefine("mobilenetv2").state_dict()), path)
    return path


@pytest.fixture
def settings(weights_file: Path, tmp_path: Path) -> MattingSettings:
    """A plate and weights."""
    cv2.imwrite(str(tmp_path / "plate.png"), frames(160, 96, 1)[0])
    return MattingSettings(
        model="bgmv2-mobilenetv2", weights=weights_file, plate=tmp_path / "plate.png", device="cpu", precision="float32"
    )


def room(width: int = 320, height: int = 180) -> BgrImage:
    """A detailed empty room, neither dark nor clipped."""
    noise = np.random.default_rng(1).integers(60, 180, (height // 4, width // 4, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def with_person(picture: BgrImage) -> tuple[BgrImage, AlphaImage]:
    """Someone in the middle."""
    height, width = picture.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    cv2.ellipse(alpha, (width // 2, height), (width // 4, height * 3 // 4), 0, 0, 360, 255, -1)
    shown = picture.copy()
    shown[alpha > 0] = (40, 60, 230)
    return shown, alpha


def visit(width: int, height: int) -> BgrImage:
    """Someone far away before the plate of `settings`."""
    picture = frames(width, height, 1)[0]
    cv2.ellipse(picture, (width // 2, height), (width // 16, height // 3), 0, 0, 360, (40, 60, 230), -1)
    return picture


class TestFile:
    """Reading the file."""

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
        with pytest.raises(PlateError, match="320x180, but the camera gives 320x240"):
            read_plate(tmp_path / "p.png", 320, 240)
        with pytest.raises(PlateError, match=r"absent\.png cannot be read"):
            read_plate(tmp_path / "absent.png", 320, 240)
        for name in ("broken.png", "empty.png"):
            with pytest.raises(PlateError, match="no picture"):
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


class TestWatch:
    """Light and drift."""

    def test_light_is_followed_whoever_stands_there(self) -> None:
        watch = PlateWatch(room())
        brighter = np.clip(room() * np.array([1.2, 1.1, 0.9]), 0, 255).astype(np.uint8)
        shown, alpha = with_person(brighter)
        for _ in range(6):
            verdict = watch.look(shown, alpha)
        np.testing.assert_allclose(verdict.gain, [1.2, 1.1, 0.9], atol=0.02)
        assert not verdict.drifted

    def test_a_person_is_no_drift(self) -> None:
        watch = PlateWatch(room())
        shown, alpha = with_person(room())
        assert not any(watch.look(shown, alpha).drifted for _ in range(2 * PATIENCE))

    @pytest.mark.parametrize(
        "change",
        [
            lambda picture: np.roll(picture, 25, 1),
            lambda picture: np.flip(picture, 0).copy(),
            lambda picture: (picture * 0.3).astype(np.uint8),
        ],
        ids=["camera moved", "another room", "light off"],
    )
    def test_a_changed_room_is_drift_after_a_while(self, change: object) -> None:
        assert callable(change)
        watch = PlateWatch(room())
        shown, alpha = with_person(change(room()))
        assert [watch.look(shown, alpha).drifted for _ in range(PATIENCE)] == [False] * (PATIENCE - 1) + [True]

    def test_everything_taken_for_the_person_is_drift_too(self) -> None:
        watch = PlateWatch(room())
        moved = np.full_like(room(), 250)
        verdicts = [watch.look(moved, np.full(moved.shape[:2], 255, np.uint8)) for _ in range(PATIENCE)]
        assert verdicts[-1].drifted

    def test_a_room_taken_for_the_person_is_drift(self) -> None:
        watch = PlateWatch(room())
        half = room()
        half[:, :160] = 250
        everyone = np.full(half.shape[:2], 255, np.uint8)
        assert watch.look(half, everyone, at_once=True).drifted
        assert not PlateWatch(room()).look(room(), everyone, at_once=True).drifted

    def test_furniture_taken_for_persons_is_drift(self) -> None:
        """To this network the edges of a moved room are persons; small ones are not believed."""
        watch = PlateWatch(room())
        shown, alpha = with_person(np.roll(room(), 25, 1))
        changed = np.abs(shown.astype(int) - room()).max(2) > 30
        cells = np.indices(alpha.shape).sum(0) // 8 % 2 == 0
        alpha[changed & cells] = 255
        alpha[:, ::16] = alpha[::16] = 0
        assert watch.look(shown, alpha, at_once=True).drifted

    @pytest.mark.parametrize("clip", ["asl_book", "asl_walk"])
    def test_a_real_room(self, clip: str) -> None:
        images = [image for _, image in VideoReader(shared(f"clips/{clip}.mkv")).frames()]
        images = images[:: max(1, len(images) // 20)]
        plate, frame = median_plate(images), images[7]
        height, width = frame.shape[:2]
        alpha = np.zeros((height, width), np.uint8)
        alpha[height // 8 :, width // 4 : 3 * width // 4] = 255
        for light in (0.7, 1.0, 1.25):
            lit = np.clip(frame * light, 0, 255).astype(np.uint8)
            assert not PlateWatch(plate).look(lit, alpha, at_once=True).drifted
        lamp = frame.copy()
        lamp[:, : width // 3] //= 2
        for changed in (np.roll(frame, width // 50, 1), np.roll(frame, height // 30, 0), lamp):
            assert PlateWatch(plate).look(changed, alpha, at_once=True).drifted

    def test_a_passing_change_is_forgiven(self) -> None:
        watch = PlateWatch(room())
        shown, alpha = with_person(room())
        moved = np.roll(shown, 25, 1)
        for _ in range(4):
            assert not watch.look(moved, alpha).drifted
            assert not watch.look(shown, alpha).drifted


class TestEngine:
    """The engine."""

    @pytest.mark.parametrize(("width", "height"), [(160, 96), (320, 192), (80, 48)])
    def test_matte_and_info(self, settings: MattingSettings, engines: BuildEngine, width: int, height: int) -> None:
        engine = engines(settings, width, height)
        frame, backdrop = visit(width, height), frames(width, height, 1, seed=4)[0]

        matte = engine.step(frame, backdrop, EdgeSettings(contrast=0.9), want_foreground=True)

        assert matte.alpha.shape == (height, width)
        assert np.ptp(matte.alpha) > 0
        nothing = matte.alpha == 0
        np.testing.assert_array_equal(matte.composite[nothing], backdrop[nothing])
        assert matte.foreground is not None
        assert engine.info.downsample_ratio == 0.5
        assert engine.info.small_size == (width // 2, height // 2)

    def test_odd_sizes_and_blur(self, settings: MattingSettings, engines: BuildEngine, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "plate.png"), frames(133, 97, 1)[0])
        engine = engines(settings, 133, 97)
        matte = engine.step(visit(133, 97), BlurredRoom(50), OFF)
        assert matte.composite.shape == (97, 133, 3)

    def test_the_networks_own_output_is_what_comes_out(self, settings: MattingSettings, engines: BuildEngine) -> None:
        frame = visit(160, 96)
        engine = engines(settings.replace(downsample_ratio=0.25), 160, 96)
        engine._look_at_s = float("inf")  # type: ignore[attr-defined]  # no alignment of the light
        network = MattingRefine("mobilenetv2", 0.25, "sampling", sample_pixels(160, 96)).eval()
        network.load_state_dict(fill(network.state_dict()))
        with torch.inference_mode():
            images = [
                torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
                for image in (frame, frames(160, 96, 1)[0])
            ]
            alpha = network(*images)[0][0, 0].numpy()

        matte = engine.step(frame, BlurredRoom(50), OFF)

        assert np.abs(matte.alpha / 255 - alpha).max() <= 1.01 / 255

    def test_light_reaches_the_network(self, settings: MattingSettings, engines: BuildEngine) -> None:
        engine = engines(settings, 160, 96)
        darker = (frames(160, 96, 1)[0] * 0.7).astype(np.uint8)
        engine.step(darker, BlurredRoom(50), OFF)
        gain = engine._core.gain.flatten().tolist()  # type: ignore[attr-defined]
        assert gain == pytest.approx([0.7] * 3, abs=0.03)

    def test_drift_is_a_plate_error(
        self, settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.matting.plate_engine.LOOK_EVERY_S", 0.0)
        monkeypatch.setattr("app.matting.plate_engine.LOOK_AGAIN_S", 0.0)
        engine = engines(settings, 160, 96)
        engine.step(visit(160, 96), BlurredRoom(50), OFF)
        other = np.full((96, 160, 3), 250, np.uint8)
        for _ in range(PATIENCE - 1):
            engine.step(other, BlurredRoom(50), OFF)
        with pytest.raises(PlateError, match="take the plate again"):
            engine.step(other, BlurredRoom(50), OFF)

    def test_of_another_room_not_one_picture_leaves(self, settings: MattingSettings, engines: BuildEngine) -> None:
        engine = engines(settings, 160, 96)
        for other in (np.full((96, 160, 3), 250, np.uint8), np.ascontiguousarray(frames(160, 96, 1, seed=3)[0][::-1])):
            for _ in range(2):
                with pytest.raises(PlateError, match="take the plate again"):
                    engine.step(other, BlurredRoom(50), OFF)

    def test_another_size_scales_the_plate_or_refuses(self, settings: MattingSettings, engines: BuildEngine) -> None:
        engine = engines(settings, 160, 96)
        engine.step(frames(160, 96, 1)[0], BlurredRoom(50), OFF)
        assert engine.step(frames(320, 192, 1)[0], BlurredRoom(50), OFF).alpha.shape == (192, 320)
        with pytest.raises(PlateError, match="take the plate again"):
            engine.step(frames(128, 96, 1)[0], BlurredRoom(50), OFF)

    def test_choices(
        self, settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch, weights_file: Path
    ) -> None:
        monkeypatch.setattr(hardware, "cuda_usable", lambda: False)
        with pytest.raises(PlateError, match="empty room"):
            engines(settings.replace(plate=None), 160, 96)
        with pytest.raises(ModelError, match="openvino"):
            engines(settings.replace(executor="openvino"), 160, 96)
        folder = weights_file.parent
        (folder / "torchscript_mobilenetv2_fp32.pth").write_bytes(weights_file.read_bytes())
        monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(folder))
        assert choose_model(settings.replace(model="auto", weights=None)) == "bgmv2-mobilenetv2"
        assert choose_model(settings.replace(model="auto", weights=None, plate=None)) == "student"
