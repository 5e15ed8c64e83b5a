"""The engine of Background Matting V2, in every executor that runs it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app.core.errors import PlateError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import Backdrop, BlurredBackground
from app.matting import choose_model
from app.matting.plate.plate import PlateWatch
from app.matting.selection import choice, hardware
from app.matting.selection.hardware import CudaCards
from app.matting.selection.registry import sample_pixels
from models.bgmv2.network import MattingRefine
from tests.golden.fill import fill
from tests.matting.networks import BuildEngine, assert_nothing_shared, frames
from tests.matting.plate.visits import OFF, keep_the_plates_light, visit
from tests.matting.selection.simulated_cuda import SimulatedCuda
from tests.published import install

TREATED = EdgeSettings(feather_px=3, grow_px=1, temporal_smoothing=0.5, despill=1)
LIT = OFF.replace(light_match=100, portrait_light=100)
pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("nobody_in_the_plate")]


@pytest.mark.parametrize(("width", "height"), [(160, 96), (320, 192), (80, 48)])
def test_matte_and_info(settings: MattingSettings, engines: BuildEngine, width: int, height: int) -> None:
    engine = engines(settings, width, height)
    frame, backdrop = visit(width, height), frames(width, height, 1, seed=4)[0]

    matte = engine.step(frame, backdrop, EdgeSettings(contrast=0.9), want_foreground=True).result()

    assert matte.alpha.shape == (height, width)
    assert np.ptp(matte.alpha) > 0
    nothing = matte.alpha == 0
    np.testing.assert_array_equal(matte.composite[nothing], backdrop[nothing])
    assert matte.foreground is not None
    assert engine.info.executor == settings.executor
    assert engine.info.downsample_ratio == 0.5
    assert engine.info.small_size == (width // 2, height // 2)


@pytest.mark.parametrize(
    ("edges", "backdrop"),
    [(TREATED, "picture"), (LIT, "picture"), (OFF, "blur")],
    ids=["on-picture", "lit-picture", "off-blur"],
)
@pytest.mark.parametrize(("width", "height", "ratio"), [(160, 96, 0.5), (133, 97, 0.5), (160, 96, 0.3)])
def test_executors_agree(
    weights_file: Path,
    engines: BuildEngine,
    tmp_path: Path,
    edges: EdgeSettings,
    backdrop: str,
    width: int,
    height: int,
    ratio: float,
) -> None:
    cv2.imwrite(str(tmp_path / "plate.png"), frames(width, height, 1)[0])
    settings = MattingSettings(
        model="bgmv2-mobilenetv2",
        weights=weights_file,
        plate=tmp_path / "plate.png",
        device="cpu",
        precision="float32",
        downsample_ratio=ratio,
    )
    reference, other = (engines(settings.replace(executor=name), width, height) for name in ("eager", "openvino"))
    behind: Backdrop = frames(width, height, 1, seed=4)[0] if backdrop == "picture" else BlurredBackground(50)
    for frame in (visit(width, height), frames(width, height, 1)[0]):
        want, have = (engine.step(frame, behind, edges, want_foreground=True).result() for engine in (reference, other))
        assert have.alpha.shape == frame.shape[:2] and have.composite.shape == frame.shape
        assert np.abs(have.alpha.astype(int) - want.alpha).max() <= 2
        assert have.foreground is not None
        assert want.foreground is not None
        assert np.abs(have.foreground.astype(int) - want.foreground).max() <= 3
        if backdrop == "picture":  # the blurred room comes from the small frame, whose size depends on the executor
            assert np.abs(have.composite.astype(int) - want.composite).max() <= 3


def test_in_half_precision_the_matte_stays_the_same(weights_file: Path, engines: BuildEngine, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "plate.png"), frames(320, 192, 1)[0])
    settings = MattingSettings(model="bgmv2-mobilenetv2", weights=weights_file, plate=tmp_path / "plate.png")
    settings = settings.replace(device="cpu", executor="openvino")
    exact, half = (engines(settings.replace(precision=name), 320, 192) for name in ("float32", "bfloat16"))
    one, other = (
        engine.step(visit(320, 192), BlurredBackground(50), OFF).result().alpha.astype(int) for engine in (exact, half)
    )
    assert np.abs(one - other).mean() <= 1
    assert np.percentile(np.abs(one - other), 99) <= 5


def test_the_networks_own_output_is_what_comes_out(
    settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = visit(160, 96)
    monkeypatch.setattr(PlateWatch, "look", keep_the_plates_light)
    engine = engines(settings.replace(downsample_ratio=0.25), 160, 96)
    network = MattingRefine("mobilenetv2", 0.25, sample_pixels(160, 96)).eval()
    network.load_state_dict(fill(network.state_dict()))
    with torch.inference_mode():
        images = [
            torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
            for image in (frame, frames(160, 96, 1)[0])
        ]
        alpha = network(*images)[0][0, 0].numpy()

    matte = engine.step(frame, BlurredBackground(50), OFF).result()

    assert np.abs(matte.alpha / 255 - alpha).max() <= 1.01 / 255


def test_nothing_is_shared_or_written_to(settings: MattingSettings, engines: BuildEngine) -> None:
    engine = engines(settings, 160, 96)
    given = [visit(160, 96), frames(160, 96, 1)[0], frames(160, 96, 1, seed=4)[0]]
    kept = [image.copy() for image in given]
    for image in given:
        image.flags.writeable = False
    mattes = [engine.step(frame, given[2], OFF, want_foreground=True).result() for frame in given[:2]]
    first = mattes[0].composite.copy()
    engine.step(given[1], given[2], TREATED, want_foreground=True).result()
    assert_nothing_shared(mattes, given)
    for image, copy in zip(given, kept, strict=True):
        np.testing.assert_array_equal(image, copy)
    np.testing.assert_array_equal(mattes[0].composite, first)


def test_choices(
    settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch, weights_file: Path
) -> None:
    monkeypatch.setattr(hardware, "cuda_cards", lambda: CudaCards(None))
    with pytest.raises(PlateError, match=r"empty room.*run\.py plate"):
        engines(settings.replace(plate=None), 160, 96)
    for model in ("bgmv2-mobilenetv2", "bgmv2-resnet50"):
        install(weights_file, model, monkeypatch)
    auto = settings.replace(model="auto", weights=None, device="auto", executor="auto")
    assert choose_model(auto) == "bgmv2-mobilenetv2"
    assert (choice.choose(auto).executor, choice.choose(auto).precision) == ("openvino", "float32")
    assert choose_model(auto.replace(plate=None)) == "mattecam"
    monkeypatch.setattr(hardware, "cuda_cards", lambda: SimulatedCuda((8, 6)).cards())
    assert choose_model(auto) == "bgmv2-resnet50"
    assert choice.choose(auto).executor == "eager"


def test_the_share_of_refined_pixels_is_the_papers_at_every_size() -> None:
    assert sample_pixels(1920, 1080) == 80_000
    assert sample_pixels(3840, 2160) == 320_000
    assert sample_pixels(1280, 720) == pytest.approx(80_000 * 4 / 9, abs=8)
