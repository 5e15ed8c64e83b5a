"""The published network on real clips: largest differences between executors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.core.settings import MattingSettings
from app.core.types import BlurredBackground
from app.matting.choice import hardware
from app.media.video_reader import VideoReader
from tests.matting.networks import BuildEngine
from tests.paths import shared

MOST, MEAN = 4e-2, 2e-3
"""Maximum and mean alpha error allowed for a lower precision; the decision stage steepens alpha near its threshold."""


@pytest.mark.long
@pytest.mark.parametrize(
    ("model", "ratio", "name"),
    [
        ("rvm-mobilenetv3", 0.375, "asl_book"),
        ("rvm-mobilenetv3", 0.375, "asl_walk"),
        ("rvm-mobilenetv3", 0.375, "asl_yes"),
        ("mattecam", 0.3, "asl_please"),
        ("mattecam", 0.3, "asl_yes"),
    ],
)
def test_executors_agree_on_real_clips(model: str, ratio: float, name: str, engines: BuildEngine) -> None:
    pictures = [image for _, image in itertools.islice(VideoReader(shared(f"clips/{name}.mkv")).frames(), 16)]
    height, width = pictures[0].shape[:2]
    settings = MattingSettings(
        model=model,
        weights=shared("weights/rvm_mobilenetv3.pth") if model == "rvm-mobilenetv3" else None,
        downsample_ratio=ratio,
        device="cpu",
        executor="eager",
        precision="float32",
    )
    reference = engines(settings, width, height)
    exact = engines(settings.replace(executor="openvino"), width, height)
    fast = engines(settings.replace(executor="openvino", precision="bfloat16"), width, height)
    for frame in pictures:
        expected, same, rough = (
            engine.step(frame, BlurredBackground(50), settings.edges.replace(strict="off")).alpha / 255
            for engine in (reference, exact, fast)
        )
        assert np.abs(same - expected).max() <= 1.01 / 255
        if hardware.cpu_has_bfloat16():
            error = np.abs(rough - expected)
            assert error.max() <= MOST
            assert error.mean() <= MEAN
