"""Weights, plate and settings of the plate engine."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from app.core.settings import MattingSettings
from tests.golden.fill import fill
from tests.matting.networks import frames

EXECUTORS = ("eager", "openvino")


@pytest.fixture(scope="module")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    from models.bgmv2.network import MattingRefine

    path = tmp_path_factory.mktemp("bgmv2") / "bgmv2.pth"
    torch.save(fill(MattingRefine("mobilenetv2").state_dict()), path)
    return path


@pytest.fixture
def nobody_in_the_plate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the detection of persons: the plates of these tests are noise."""
    monkeypatch.setattr("app.matting.selection.registry.shows_someone", lambda plate: False)


@pytest.fixture(params=EXECUTORS)
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
