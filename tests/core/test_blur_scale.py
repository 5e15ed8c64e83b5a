"""The scale of the blur strength at each level of strict mode."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from app.core.matting_settings import HIDES_TEXT, StrictLevel, full_strength, hides_text
from app.core.settings import EdgeSettings, MattingSettings, Settings
from app.core.types import Backdrop, BgrImage, BlurredBackground
from app.matting.base.interface import StepGeometry
from app.matting.engine.frame_engine import FrameEngine
from tests.matting.stubs import StubCpu

LEVELS: tuple[StrictLevel, ...] = ("off", "balanced", "strict")


@pytest.mark.parametrize("level", LEVELS)
def test_every_step_of_the_scale_changes_the_blur(level: StrictLevel) -> None:
    shown = [full_strength(strength, level) for strength in range(101)]
    assert all(after > before for before, after in pairwise(shown))
    assert shown[-1] == 100
    assert shown[0] == (0 if level == "off" else HIDES_TEXT)


@pytest.mark.parametrize("level", LEVELS)
def test_only_without_strict_mode_a_blur_may_show_text(level: StrictLevel) -> None:
    assert [hides_text(strength, level) for strength in (0, 69, 70, 100)] == [level != "off"] * 2 + [True] * 2


def test_an_engine_blurs_at_least_as_its_level_says() -> None:
    engine = FrameEngine("bundled", lambda geometry: StubCpu(geometry), lambda *_: StepGeometry(96, 64, 0.5), 96, 64)
    frame: BgrImage = np.zeros((64, 96, 3), np.uint8)

    def given(strength: float, level: StrictLevel) -> Backdrop:
        return engine.prepare(frame, BlurredBackground(strength), EdgeSettings(strict=level))[1]

    assert given(40, "off") == BlurredBackground(40)
    for level in ("balanced", "strict"):
        assert given(0, level) == BlurredBackground(HIDES_TEXT)
        assert given(50, level) == BlurredBackground(85)
    engine.close()


@pytest.mark.parametrize(
    ("before", "strength", "after", "expected"),
    [
        ("balanced", 50, "off", 85),
        ("off", 85, "strict", 50),
        ("off", 20, "balanced", 0),
        ("balanced", 33, "strict", 33),
        ("off", 33, "off", 33),
    ],
)
def test_the_blur_looks_the_same_at_another_level(
    before: StrictLevel, strength: float, after: StrictLevel, expected: float
) -> None:
    settings = Settings(matting=MattingSettings(edges=EdgeSettings(strict=before)))
    settings = settings.replace(background=settings.background.replace(blur_strength=strength)).with_strict(after)
    assert settings.matting.edges.strict == after
    assert settings.background.blur_strength == expected
