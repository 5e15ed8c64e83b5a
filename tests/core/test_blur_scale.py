"""One number says how strongly a room is blurred; strict mode shows at least what hides text."""

from __future__ import annotations

import numpy as np
import pytest

from app.core.settings import (
    HIDES_TEXT,
    BackgroundSettings,
    EdgeSettings,
    MattingSettings,
    Settings,
    StrictLevel,
    shown_strength,
)
from app.core.types import Backdrop, BgrImage, BlurredBackground
from app.matting.base.interface import StepGeometry
from app.matting.engine import FrameEngine
from tests.matting.stubs import StubCpu

LEVELS: tuple[StrictLevel, ...] = ("off", "balanced")


def blurred(strength: float, level: StrictLevel) -> Settings:
    return Settings(
        matting=MattingSettings(edges=EdgeSettings(strict=level)),
        background=BackgroundSettings(kind="blur", blur_strength=strength),
    )


@pytest.mark.parametrize("level", LEVELS)
def test_only_without_strict_mode_a_blur_may_show_text(level: StrictLevel) -> None:
    strengths = (0, 69, 70, 85, 100)
    assert [shown_strength(strength, level) for strength in strengths] == (
        list(strengths) if level == "off" else [70, 70, 70, 85, 100]
    )
    readable = [blurred(strength, level).text_is_readable for strength in strengths]
    assert readable == [level == "off"] * 2 + [False] * 3


def test_the_default_hides_text_at_every_level() -> None:
    for level in LEVELS:
        strength = BackgroundSettings().blur_strength
        assert shown_strength(strength, level) == strength == 85


def test_an_engine_blurs_at_least_as_its_level_says() -> None:
    engine = FrameEngine("bundled", lambda geometry: StubCpu(geometry), lambda *_: StepGeometry(96, 64, 0.5), 96, 64)
    frame: BgrImage = np.zeros((64, 96, 3), np.uint8)

    def given(strength: float, level: StrictLevel) -> Backdrop:
        return engine.prepare(frame, BlurredBackground(strength), EdgeSettings(strict=level))[1]

    assert given(40, "off") == BlurredBackground(40)
    assert given(0, "balanced") == BlurredBackground(HIDES_TEXT)
    assert given(85, "balanced") == BlurredBackground(85)
    engine.close()
