"""Selection and construction of engines from settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import ModelError, WeightsMissingError
from app.core.settings import MattingSettings
from app.core.types import AlphaImage
from app.matting import choose_model
from app.matting.base.interface import auto_ratio
from app.matting.choice import choice, hardware
from app.matting.choice.hardware import CudaCards
from models import weights as registered
from models.weights import SHIPPED_SHA256, find_int8
from tests.matting.networks import BuildEngine, frames
from tests.published import install


@pytest.fixture(autouse=True)
def _cpu_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "cuda_cards", lambda: CudaCards(None))


def test_auto_takes_the_best_on_hand(weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_model(MattingSettings()) == "mattecam"
    install(weights["rvm-mobilenetv3"], "rvm-mobilenetv3", monkeypatch)
    assert choose_model(MattingSettings()) == "rvm-mobilenetv3"
    assert choose_model(MattingSettings(model="mattecam")) == "mattecam"


def test_damaged_weights_are_refused_and_not_chosen(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = install(weights["rvm-mobilenetv3"], "rvm-mobilenetv3", monkeypatch)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

    assert choice.choose(MattingSettings()).model == "mattecam"
    assert "rvm_mobilenetv3.pth is damaged or not the published one" in caplog.text
    with pytest.raises(WeightsMissingError, match=r"rvm_mobilenetv3\.pth is damaged.*weights download rvm-mobilenetv3"):
        choice.choose(MattingSettings(model="rvm-mobilenetv3"))
    assert choice.choose(MattingSettings(model="rvm-mobilenetv3", weights=file)).weights == file, "named by the user"


def test_other_weights_in_the_folder_that_the_user_named_are_theirs(
    weights: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / registered.spec_of("rvm-mobilenetv3").file
    file.write_bytes(weights["rvm-mobilenetv3"].read_bytes())
    monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(tmp_path))
    assert [choice.choose(MattingSettings()).weights for _ in range(2)] == [file] * 2
    (record,) = caplog.records
    said = record.getMessage()
    assert str(file) in said
    assert "differ from the published ones of rvm-mobilenetv3 and are used as your own" in said
    assert "run.py weights download rvm-mobilenetv3" in said
    registered.hash_record(file).write_text("0" * 64)
    assert choice.choose(MattingSettings()).model == "mattecam", "a recorded SHA-256 counts"


def test_damaged_weights_of_the_program_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_int8(registered.find("mattecam")) is not None, "intact, and remembered as such"
    monkeypatch.setitem(SHIPPED_SHA256, "mattecam/student-int8.safetensors", "0" * 64)
    assert find_int8(registered.find("mattecam")) is None
    monkeypatch.setitem(SHIPPED_SHA256, "mattecam/student.safetensors", "0" * 64)
    with pytest.raises(WeightsMissingError, match=r"student\.safetensors, which is part of the program, is damaged"):
        choice.choose(MattingSettings())


@pytest.mark.parametrize(
    ("size", "small"), [((1280, 720), (480, 270)), ((1920, 1080), (480, 270)), ((240, 180), (240, 180))]
)
def test_auto_ratio_aims_at_270_pixels(size: tuple[int, int], small: tuple[int, int]) -> None:
    geometry = choice.geometry_for(MattingSettings(), "rvm-mobilenetv3", *size)
    assert (geometry.small_width, geometry.small_height) == small
    assert auto_ratio(720, 1280) == auto_ratio(1280, 720)


def test_the_given_ratio_counts_and_a_tiny_one_is_refused(weights: dict[str, Path], engines: BuildEngine) -> None:
    settings = MattingSettings(model="mattecam", weights=weights["mattecam"], executor="eager")
    assert engines(settings.replace(downsample_ratio=0.4), 320, 200).info.downsample_ratio == 0.4
    with pytest.raises(ModelError, match="more detail"):
        engines(settings.replace(downsample_ratio=0.05), 320, 200)


@pytest.mark.parametrize("executor", ["eager", "openvino"])
def test_weights_of_something_else_are_refused(
    weights: dict[str, Path], tmp_path: Path, engines: BuildEngine, executor: str
) -> None:
    broken = tmp_path / "broken.pth"
    broken.write_bytes(weights["mattecam"].read_bytes()[:5000])
    for file in (weights["mattecam"], broken):
        with pytest.raises(ModelError, match=str(file.name)):
            engines(MattingSettings(model="rvm-mobilenetv3", weights=file, executor=executor), 160, 96)


@pytest.mark.torch
def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="NVIDIA"):
        choice.choose_device(MattingSettings(device="cuda"))


def test_refiner_follows_the_weights_or_the_user(weights: dict[str, Path], engines: BuildEngine) -> None:
    settings = MattingSettings(
        model="rvm-mobilenetv3", weights=weights["rvm-mobilenetv3"], executor="eager", downsample_ratio=0.5
    )
    frame, backdrop = frames(160, 96, 2)

    def alpha(refiner: str) -> AlphaImage:
        engine = engines(settings.replace(refiner=refiner), 160, 96)
        return engine.step(frame, backdrop, settings.edges.replace(strict="off")).alpha

    deep, same, fast = map(alpha, ("auto", "deep-guided-filter", "fast-guided-filter"))
    assert (deep == same).all()
    assert (deep != fast).any()


def test_ratio_one_is_the_network_without_a_filter(weights: dict[str, Path], engines: BuildEngine) -> None:
    """At ratio 1 the network processes the full frame; both executors return its alpha unfiltered."""
    import torch

    from app.matting.torch.networks import load_core

    path = weights["rvm-mobilenetv3"]
    settings = MattingSettings(model="rvm-mobilenetv3", weights=path, downsample_ratio=1, precision="float32")
    frame, backdrop = frames(96, 64, 2)
    core = load_core("rvm-mobilenetv3", path, "auto", 0.5, "cpu", "float32")
    with torch.inference_mode():
        source = torch.from_numpy(frame[..., ::-1].copy()).permute(2, 0, 1)[None].float() / 255
        alpha = core.network(source)[1][0, 0].numpy()

    for executor in ("eager", "openvino"):
        engine = engines(settings.replace(executor=executor), 96, 64)
        matte = engine.step(frame, backdrop, settings.edges.replace(strict="off"))
        assert abs(matte.alpha / 255 - alpha).max() <= 1.01 / 255
