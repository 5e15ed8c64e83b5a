"""The published network on real clips: what the executors may differ by."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from app.matting import hardware
from app.settings import MattingSettings
from app.types import BgrImage, BlurredRoom
from tests.matting.conftest import BuildEngine
from tests.paths import shared

WARM_UP = 3
"""Frames without a memory are the network's least certain ones; they are not held against the tight limit."""


def clip(path: Path, count: int) -> list[BgrImage]:
    """The first frames of a video."""
    with av.open(str(path)) as container:
        decoded = itertools.islice(container.decode(video=0), count)
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in decoded]


@pytest.mark.parametrize("name", ["asl_book.mkv", "asl_walk.mkv"])
def test_executors_agree_on_real_clips(name: str, engines: BuildEngine) -> None:
    pictures = clip(shared(f"clips/{name}"), 10)
    height, width = pictures[0].shape[:2]
    settings = MattingSettings(
        model="rvm-mobilenetv3",
        weights=shared("weights/rvm_mobilenetv3.pth"),
        downsample_ratio=0.375,
        device="cpu",
        executor="eager",
        precision="float32",
    )
    reference = engines(settings, width, height)
    exact = engines(settings.replace(executor="openvino"), width, height)
    fast = engines(settings.replace(executor="openvino", precision="bfloat16"), width, height)
    for turn, frame in enumerate(pictures):
        expected = reference.step(frame, BlurredRoom(50), settings.edges).alpha.astype(np.float32) / 255
        same = exact.step(frame, BlurredRoom(50), settings.edges).alpha / 255
        assert np.abs(same - expected).max() <= 1.01 / 255
        if not hardware.cpu_has_bfloat16():
            continue
        error = np.abs(fast.step(frame, BlurredRoom(50), settings.edges).alpha / 255 - expected)
        assert error.mean() <= 5e-4
        if turn >= WARM_UP:
            assert np.percentile(error, 99.9) <= 2e-2
            assert error.max() <= 0.05
