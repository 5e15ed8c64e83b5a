"""The engine of Background Matting V2 in every executor: its mattes, the light, a moved camera and another room."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from app.core.edits import MatteEdit
from app.core.errors import PlateError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import BgrImage, BlurredBackground
from app.matting import build_engine, choose_model
from app.matting.base.interface import MattingEngine
from app.matting.build import sample_pixels
from app.matting.choice import choice, hardware
from app.matting.choice.hardware import CudaCards
from app.matting.plate.engine import PlateEngine
from models.bgmv2 import MattingRefine
from tests.golden.fill import fill
from tests.matting.choice.simulated_cuda import SimulatedCuda
from tests.matting.networks import BuildEngine, frames, without_collection
from tests.matting.stubs import Fixed
from tests.published import install

OFF = EdgeSettings(strict="off")
TREATED = EdgeSettings(feather_px=3, grow_px=1, temporal_smoothing=0.5, despill=1)
LIT = np.array([1.3, 1.2, 1, 0, 0, 0], np.float32).repeat(12).reshape(6, 3, 4)
"""Executors clip the person's colours before or after they are relit, which only a darker or flatter light shows."""
pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("_nobody_in_the_plate")]


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bgmv2") / "bgmv2.pth"
    torch.save(fill(MattingRefine("mobilenetv2").state_dict()), path)
    return path


@pytest.fixture
def _nobody_in_the_plate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the detection of persons: the plates of these tests are noise."""
    monkeypatch.setattr("app.matting.plate.picture.PersonFinder.finds_someone", lambda people, plate: False)


@pytest.fixture(params=["eager", "openvino"])
def settings(request: pytest.FixtureRequest, weights_file: Path, tmp_path: Path) -> MattingSettings:
    """Return settings with a plate and weights, for each executor."""
    cv2.imwrite(str(tmp_path / "plate.png"), frames(160, 96, 1)[0])
    return MattingSettings(
        model="bgmv2-mobilenetv2",
        weights=weights_file,
        plate=tmp_path / "plate.png",
        device="cpu",
        precision="float32",
        executor=request.param,
    )


def visit(width: int, height: int) -> BgrImage:
    """Return a frame with a small, distant person before the plate of `settings`."""
    picture = frames(width, height, 1)[0]
    cv2.ellipse(picture, (width // 2, height), (width // 16, height // 3), 0, 0, 360, (40, 60, 230), -1)
    return picture


def write_plate(settings: MattingSettings, width: int, height: int) -> None:
    """Replace the plate of the settings by one of another size."""
    cv2.imwrite(str(settings.plate), frames(width, height, 1)[0])


LIT_EDIT = Fixed(MatteEdit(lights=(LIT,)))


@pytest.mark.parametrize("settings", ["eager"], indirect=True)
@pytest.mark.parametrize(("width", "height", "ratio"), [(160, 96, 0.5), (133, 97, 0.5), (160, 96, 0.3)])
def test_executors_agree(
    settings: MattingSettings, engines: BuildEngine, width: int, height: int, ratio: float
) -> None:
    write_plate(settings, width, height)
    settings = settings.replace(downsample_ratio=ratio)
    reference, other = (engines(settings.replace(executor=name), width, height) for name in ("eager", "openvino"))
    assert reference.info == replace(other.info, executor="eager")
    small = int(other.info.downsample_ratio * width), int(other.info.downsample_ratio * height)
    assert other.info.executor == "openvino" and other.info.downsample_ratio == ratio and other.info.small_size == small
    picture, blur = frames(width, height, 1, seed=4)[0], BlurredBackground(50)
    for edges, behind, edit in ((TREATED, picture, None), (OFF, picture, LIT_EDIT), (OFF, blur, None)):
        for engine in (reference, other):
            engine.reset()
        for frame in (visit(width, height), frames(width, height, 1)[0]):
            want, have = (each.step(frame, behind, edges, edit, want_foreground=True) for each in (reference, other))
            assert have.alpha.shape == frame.shape[:2] and have.composite.shape == frame.shape
            assert np.abs(have.alpha.astype(int) - want.alpha).max() <= 2
            assert have.foreground is not None and want.foreground is not None
            assert np.abs(have.foreground.astype(int) - want.foreground).max() <= 3
            if behind is picture:  # the blurred room comes from the small frame, whose size depends on the executor
                assert np.abs(have.composite.astype(int) - want.composite).max() <= 3
                np.testing.assert_array_equal(have.composite[have.alpha == 0], picture[have.alpha == 0])


def test_a_closed_engine_leaves_its_memory_at_once(settings: MattingSettings) -> None:
    with without_collection():
        engine = build_engine(settings, 160, 96)
        engine.step(visit(160, 96), BlurredBackground(50), OFF)
        assert isinstance(engine, PlateEngine)
        parts = weakref.ref(engine), weakref.ref(engine.engine)
        engine.close()
        del engine
        assert [part() for part in parts] == [None, None]


@pytest.mark.parametrize("settings", ["openvino"], indirect=True)
def test_in_half_precision_the_matte_stays_the_same(settings: MattingSettings, engines: BuildEngine) -> None:
    write_plate(settings, 320, 192)
    exact, half = (engines(settings.replace(precision=name), 320, 192) for name in ("float32", "bfloat16"))
    one, other = (
        engine.step(visit(320, 192), BlurredBackground(50), OFF).alpha.astype(int) for engine in (exact, half)
    )
    assert np.abs(one - other).mean() <= 1
    assert np.percentile(np.abs(one - other), 99) <= 5


def test_the_networks_own_output_is_what_comes_out(settings: MattingSettings, engines: BuildEngine) -> None:
    frame = visit(160, 96)
    engine = engines(settings.replace(downsample_ratio=0.25), 160, 96)
    assert isinstance(engine, PlateEngine)
    network = MattingRefine("mobilenetv2", 0.25, sample_pixels=sample_pixels(160, 96)).eval()
    network.load_state_dict(fill(network.state_dict()))
    with torch.inference_mode():
        images = [
            torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
            for image in (frame, frames(160, 96, 1)[0])
        ]
        alpha = network(*images)[0][0, 0].numpy()

    matte = engine.engine.step(frame, BlurredBackground(50), OFF)  # in the plate's own light

    assert np.abs(matte.alpha / 255 - alpha).max() <= 1.01 / 255


def test_choices(
    settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch, weights_file: Path
) -> None:
    monkeypatch.setattr(hardware, "cuda_cards", lambda: CudaCards(None))
    with pytest.raises(PlateError, match=r"empty room.*run\.py ctl plate take"):
        engines(settings.replace(plate=None), 160, 96)
    for model in ("bgmv2-mobilenetv2", "bgmv2-resnet50"):
        install(weights_file, model, monkeypatch)
    auto = settings.replace(model="auto", weights=None, device="auto", executor="auto")
    assert choose_model(auto) == "bgmv2-mobilenetv2"
    assert (choice.choose(auto).executor, choice.choose(auto).precision) == ("openvino", "float32")
    assert choose_model(auto.replace(plate=None)) == "mattecam"
    monkeypatch.setattr(hardware, "cuda_cards", lambda: SimulatedCuda("").cards())
    assert choose_model(auto) == "bgmv2-resnet50"
    assert choice.choose(auto).executor == "eager"


def test_the_share_of_refined_pixels_is_the_papers_at_every_size() -> None:
    assert sample_pixels(1920, 1080) == 80_000
    assert sample_pixels(3840, 2160) == 320_000
    assert sample_pixels(1280, 720) == pytest.approx(80_000 * 4 / 9, abs=8)


def test_light_reaches_the_network(settings: MattingSettings, engines: BuildEngine, tmp_path: Path) -> None:
    """In another light, the adapted plate gives the result of a plate captured in this light, from the first frame."""
    evening = np.array([0.7, 0.8, 0.9])
    frame = (visit(160, 96) * evening).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "evening.png"), (frames(160, 96, 1)[0] * evening).astype(np.uint8))

    def alpha(engine: MattingEngine) -> NDArray[np.int64]:
        return engine.step(frame, BlurredBackground(50), OFF).alpha.astype(int)

    wanted = alpha(engines(settings.replace(plate=tmp_path / "evening.png"), 160, 96))
    adapted, other = engines(settings, 160, 96), engines(settings, 160, 96)
    assert isinstance(other, PlateEngine)
    error = float(np.abs(alpha(adapted) - wanted).mean())
    assert error < 0.5
    assert float(np.abs(alpha(other.engine) - wanted).mean()) > 2 * error


def test_a_stream_that_changes_is_compared_with_the_plate_before_a_picture_leaves(
    settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engines(settings, 160, 96)
    # At the first frame and at each cut a network was built to find the people, and the picture stood still.
    monkeypatch.setattr("app.matting.openvino.openvino_backend.OpenVinoBackend", None)
    room = np.ascontiguousarray(frames(160, 96, 1, seed=3)[0][::-1])
    pushed = np.ascontiguousarray(np.roll(visit(160, 96), 160 // 3, axis=1))
    changes = {"from the start": room, "another camera": room, "a cut": room, "a bump": pushed}
    for change, other in changes.items():
        if change == "another camera":
            engine.reset()
        for _ in range(2):
            with pytest.raises(PlateError, match="take it again"):
                engine.step(other, BlurredBackground(50), OFF)
        if change != "another camera":
            engine.reset()
        for _ in range(2):
            assert engine.step(visit(160, 96), BlurredBackground(50), OFF).alpha.shape == (96, 160)


def test_another_size_scales_the_plate_or_refuses(settings: MattingSettings, engines: BuildEngine) -> None:
    engine = engines(settings, 160, 96)
    engine.step(frames(160, 96, 1)[0], BlurredBackground(50), OFF)
    assert engine.step(frames(320, 192, 1)[0], BlurredBackground(50), OFF).alpha.shape == (192, 320)
    with pytest.raises(PlateError, match="take it again"):
        engine.step(frames(128, 96, 1)[0], BlurredBackground(50), OFF)
