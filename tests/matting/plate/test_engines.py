"""Engines that see the empty room, in every executor: their mattes, the light, a moved camera and another room."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.errors import PlateError
from app.core.settings import EdgeSettings, MattingSettings, StrictLevel
from app.core.types import BgrImage, BlurredBackground, MatteEdit
from app.matting import build_engine, choose_model
from app.matting.build import sample_pixels
from app.matting.choice import choice, hardware
from app.matting.choice.hardware import CudaCards
from app.matting.interface import MattingEngine, StepRequest
from app.matting.openvino.openvino_backend import RecurrentNetwork
from app.matting.plate.engine import PlateEngine
from models.table import auto_order
from tests.clips import demo
from tests.golden.fill import fill
from tests.matting.stubs import (
    EDGES,
    BuildEngine,
    Fixed,
    assert_closing_frees,
    frames,
    simulated_cards,
)
from tests.published import install
from tests.stand_ins import always

BGMV2 = "bgmv2-mobilenetv2"
TREATED = EdgeSettings(feather_px=3, grow_px=1, temporal_smoothing=0.5, despill=1)
LIT = Fixed(
    MatteEdit(lights=(np.array([1.3, 1.2, 1, 0, 0, 0], np.float32).repeat(12).reshape(6, 3, 4),))
)
"""Executors clip the person's colours before or after they are relit, which only a darker or flatter light shows."""
BLUR = BlurredBackground(50)
ROOM, STILL_ROOM, PERSON = demo(640, 360, (0, 7, 31), empty_scene_s=1.0, motion=0)
"""From a tripod, (360, 640, 3): twice the empty room, and with a person."""


@pytest.fixture(autouse=True)
def _nobody_in_the_plate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the detection of persons: plates are noise, and in this cut the demo's flag resembles a person."""
    monkeypatch.setattr("app.matting.plate.picture.PersonFinder.finds_someone", always(False))


@pytest.fixture(params=[pytest.param("eager", marks=pytest.mark.torch), "openvino"])
def executor(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def with_plate(file: Path, plate: BgrImage, **values: Any) -> MattingSettings:
    cv2.imwrite(str(file), plate)
    return MattingSettings(plate=file, device="cpu", precision="float32", **values)


@pytest.fixture
def settings(executor: str, weights: dict[str, Path], tmp_path: Path) -> MattingSettings:
    """Return settings of Background Matting V2 with the plate of `visit`."""
    plate = frames(160, 96, 1)[0]
    return with_plate(
        tmp_path / "plate.png", plate, model=BGMV2, weights=weights[BGMV2], executor=executor
    )


@pytest.fixture
def seen(executor: str, tmp_path: Path) -> MattingSettings:
    """Return settings of the bundled network that sees the room, with the demo's empty room as the plate."""
    return with_plate(tmp_path / "plate.png", ROOM, model="mattecam-plate", executor=executor)


def visit(width: int = 160, height: int = 96) -> BgrImage:
    """Return a frame with a small, distant person before the plate of `settings`."""
    picture = frames(width, height, 1)[0]
    cv2.ellipse(
        picture, (width // 2, height), (width // 16, height // 3), 0, 0, 360, (40, 60, 230), -1
    )
    return picture


def alpha_of(
    engine: MattingEngine, frame: BgrImage, strict: StrictLevel = "off", steps: int = 1
) -> NDArray[np.int64]:
    """Return alpha of a frame that stands still for so many steps."""
    return [
        engine.step(StepRequest(frame, BLUR, EDGES, strict)).alpha.astype(int) for _ in range(steps)
    ][-1]


@pytest.mark.parametrize("executor", ["eager"])
@pytest.mark.parametrize(
    ("width", "height", "ratio"), [(160, 96, 0.5), (133, 97, 0.5), (160, 96, 0.3)]
)
def test_executors_agree(
    settings: MattingSettings, engines: BuildEngine, width: int, height: int, ratio: float
) -> None:
    cv2.imwrite(str(settings.plate), frames(width, height, 1)[0])
    settings = settings.replace(downsample_ratio=ratio)
    reference, other = (
        engines(settings.replace(executor=name), width, height) for name in ("eager", "openvino")
    )
    small = int(other.info.downsample_ratio * width), int(other.info.downsample_ratio * height)
    assert reference.info == replace(other.info, executor="eager")
    assert (other.info.executor, other.info.downsample_ratio, other.info.small_size) == (
        "openvino",
        ratio,
        small,
    )
    picture = frames(width, height, 1, seed=4)[0]
    for edges, behind, edit in (
        (TREATED, picture, None),
        (EDGES, picture, LIT),
        (EDGES, BLUR, None),
    ):
        for engine in (reference, other):
            engine.reset()
        for frame in (visit(width, height), frames(width, height, 1)[0]):
            request = StepRequest(frame, behind, edges, "off", edit, want_foreground=True)
            want, have = (each.step(request) for each in (reference, other))
            assert have.alpha.shape == frame.shape[:2] and have.composite.shape == frame.shape
            assert np.abs(have.alpha.astype(int) - want.alpha).max() <= 2
            assert have.foreground is not None and want.foreground is not None
            assert np.abs(have.foreground.astype(int) - want.foreground).max() <= 3
            if (
                behind is picture
            ):  # the blurred room comes from the small frame, whose size depends on the executor
                assert np.abs(have.composite.astype(int) - want.composite).max() <= 3
                np.testing.assert_array_equal(
                    have.composite[have.alpha == 0], picture[have.alpha == 0]
                )


@pytest.mark.parametrize("executor", [pytest.param("eager", marks=pytest.mark.torch)])
def test_executors_agree_on_the_bundled_network(
    seen: MattingSettings, engines: BuildEngine
) -> None:
    levels: tuple[StrictLevel, ...] = ("off", "balanced")
    for strict in levels:
        here, there = (
            alpha_of(engines(seen.replace(executor=name), 640, 360), PERSON, strict, steps=3)
            for name in ("eager", "openvino")
        )
        assert np.abs(here - there).mean() < 0.3


def test_a_closed_engine_leaves_its_memory_at_once(settings: MattingSettings) -> None:
    assert_closing_frees(partial(build_engine, settings, 160, 96), "engine", [(visit(), BLUR)])


@pytest.mark.parametrize("executor", ["openvino"])
def test_in_half_precision_the_matte_stays_the_same(
    settings: MattingSettings, engines: BuildEngine
) -> None:
    cv2.imwrite(str(settings.plate), frames(320, 192, 1)[0])
    exact, half = (
        alpha_of(engines(settings.replace(precision=name), 320, 192), visit(320, 192))
        for name in ("float32", "bfloat16")
    )

    assert np.abs(exact - half).mean() <= 1
    assert np.percentile(np.abs(exact - half), 99) <= 5


def test_the_networks_own_output_is_what_comes_out(
    settings: MattingSettings, engines: BuildEngine
) -> None:
    import torch

    from models.bgmv2 import MattingRefine

    engine = engines(settings.replace(downsample_ratio=0.25), 160, 96)
    network = MattingRefine("mobilenetv2", 0.25, sample_pixels=sample_pixels(160, 96)).eval()
    network.load_state_dict(fill(network.state_dict()))
    with torch.inference_mode():
        images = [
            torch.from_numpy(image[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
            for image in (visit(), frames(160, 96, 1)[0])
        ]
        alpha = network(*images)[0][0, 0].numpy()

    assert isinstance(engine, PlateEngine)
    assert np.abs(alpha_of(engine.engine, visit()) / 255 - alpha).max() <= 1.01 / 255, (
        "in the plate's own light"
    )


@pytest.mark.parametrize("executor", ["openvino"])
def test_choices(
    settings: MattingSettings,
    engines: BuildEngine,
    monkeypatch: pytest.MonkeyPatch,
    weights: dict[str, Path],
) -> None:
    monkeypatch.setattr(hardware, "cuda_cards", always(CudaCards(None)))
    with pytest.raises(PlateError, match=r"empty room.*run\.py ctl plate take"):
        engines(settings.replace(plate=None), 160, 96)
    auto = settings.replace(model="auto", weights=None, device="auto", executor="auto")
    assert choose_model(auto) == "mattecam", (
        "exact plates make the bundled network that sees them worse"
    )
    assert not any(
        "mattecam-plate" in [spec.name for spec in auto_order(gpu=gpu, plate=True)]
        for gpu in (True, False)
    )
    for model in (BGMV2, "bgmv2-resnet50"):
        install(weights[BGMV2], model, monkeypatch)
    chosen = choice.choose(auto)
    assert (chosen.model, chosen.target.executor, chosen.target.precision) == (
        BGMV2,
        "openvino",
        "float32",
    )
    assert choose_model(auto.replace(plate=None)) == "mattecam"
    monkeypatch.setattr(hardware, "cuda_cards", partial(simulated_cards, ""))
    assert (choice.choose(auto).model, choice.choose(auto).target.executor) == (
        "bgmv2-resnet50",
        "eager",
    )


def test_the_share_of_refined_pixels_is_the_papers_at_every_size() -> None:
    sizes = (1920, 1080), (3840, 2160), (1280, 720)
    assert [sample_pixels(*size) for size in sizes] == pytest.approx(
        [80_000, 320_000, 80_000 * 4 / 9], abs=8
    )


def test_light_reaches_the_network(
    settings: MattingSettings, engines: BuildEngine, tmp_path: Path
) -> None:
    """In another light, the adapted plate gives the result of a plate captured in this light, from the first frame."""
    evening = np.array([0.7, 0.8, 0.9])
    frame = (visit() * evening).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "evening.png"), (frames(160, 96, 1)[0] * evening).astype(np.uint8))
    wanted = alpha_of(engines(settings.replace(plate=tmp_path / "evening.png"), 160, 96), frame)
    adapted = engines(settings, 160, 96)
    other = engines(settings, 160, 96)
    assert isinstance(other, PlateEngine)
    error = float(np.abs(alpha_of(adapted, frame) - wanted).mean())
    assert error < 0.5
    assert float(np.abs(alpha_of(other.engine, frame) - wanted).mean()) > 2 * error


def test_a_stream_that_changes_is_compared_with_the_plate_before_a_picture_leaves(
    settings: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engines(settings, 160, 96)
    # At the first frame and at each cut a network was built to find the people, and the picture stood still.
    monkeypatch.setattr("app.matting.openvino.openvino_backend.OpenVinoBackend", None)
    room = np.ascontiguousarray(frames(160, 96, 1, seed=3)[0][::-1])
    pushed = np.ascontiguousarray(np.roll(visit(), 160 // 3, axis=1))
    changes = {"from the start": room, "another camera": room, "a cut": room, "a bump": pushed}
    for change, other in changes.items():
        if change == "another camera":
            engine.reset()
        for _ in range(2):
            with pytest.raises(PlateError, match="take it again"):
                engine.step(StepRequest(other, BLUR, EDGES, "off"))
        if change != "another camera":
            engine.reset()
        for _ in range(2):
            assert alpha_of(engine, visit()).shape == (96, 160)


def test_another_size_scales_the_plate_or_refuses(
    settings: MattingSettings, engines: BuildEngine
) -> None:
    engine = engines(settings, 160, 96)
    for width, height in ((160, 96), (320, 192)):
        assert alpha_of(engine, frames(width, height, 1)[0]).shape == (height, width)
    with pytest.raises(PlateError, match="take it again"):
        engine.step(StepRequest(frames(128, 96, 1)[0], BLUR, EDGES, "off"))


def test_the_bundled_network_shows_the_person_and_nothing_of_the_room_in_any_light(
    seen: MattingSettings, engines: BuildEngine
) -> None:
    alpha, dark = (
        alpha_of(engines(seen, 640, 360), frame, steps=3)
        for frame in (PERSON, np.asarray(PERSON * 0.8, np.uint8))
    )
    other = (cv2.blur(np.abs(PERSON.astype(np.float32) - ROOM), (9, 9)).max(2) > 12).astype(
        np.uint8
    )
    near = cv2.dilate(other, np.ones((61, 61), np.uint8)) > 0

    assert 0.2 < near.mean() < 0.9
    assert alpha[~near].max() == 0
    assert 0.15 < (alpha > 230).mean() < 0.6
    assert np.abs(alpha - dark).mean() < 6


def test_the_first_frame_of_another_size_is_matted_in_its_own_light(
    seen: MattingSettings, engines: BuildEngine
) -> None:
    """A quarter of a darker room passed for a person, in one frame."""
    dim = np.asarray(cv2.resize(PERSON * 0.6, (320, 180), interpolation=cv2.INTER_AREA), np.uint8)
    engine = engines(seen, 640, 360)
    alpha_of(engine, PERSON, steps=2)

    first = alpha_of(engine, dim)
    second = alpha_of(engine, dim)

    assert np.abs(first - second).mean() < 3


@pytest.mark.parametrize("executor", ["openvino"])
@pytest.mark.parametrize("moved_px", [20, 60, 200])
def test_nothing_is_shown_of_a_room_whose_camera_was_moved(
    seen: MattingSettings, engines: BuildEngine, moved_px: int
) -> None:
    """A third to a half of it was: what the network took for people was not compared."""
    cv2.imwrite(str(seen.plate), np.roll(ROOM, moved_px, 1))
    with pytest.raises(PlateError, match="take it again"):
        alpha_of(engines(seen, 640, 360), STILL_ROOM, steps=3)


@pytest.mark.parametrize("executor", ["openvino"])
def test_where_the_frame_is_the_plate_nobody_is_shown_whatever_the_network_finds(
    seen: MattingSettings, engines: BuildEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        RecurrentNetwork, "infer", lambda self, steady: self.arrays["matte"].fill(1)
    )
    assert alpha_of(engines(seen, 640, 360), STILL_ROOM, steps=3).max() == 0
