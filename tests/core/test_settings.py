"""Settings are immutable, and a value that is not possible never gets into them."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.settings import (
    MAX_RATIO,
    MIN_RATIO,
    BackgroundSettings,
    CaptureSettings,
    EdgeSettings,
    MattingSettings,
    Model,
    OutputSettings,
    Settings,
)


def test_the_defaults_are_possible_and_private() -> None:
    settings = Settings()
    assert settings.background.kind != "none"
    assert Settings.model_validate(settings.model_dump()) == settings


def test_replace_makes_a_validated_copy() -> None:
    settings = Settings()
    changed = settings.replace(capture=settings.capture.replace(width=640))
    assert (settings.capture.width, changed.capture.width) == (1280, 640)
    assert changed.matting is settings.matting
    with pytest.raises(ValidationError):
        settings.capture.replace(width=1)
    with pytest.raises(ValidationError):
        settings.replace(no_such_field=1)


@pytest.mark.parametrize("model", [Settings(), CaptureSettings(), MattingSettings(), OutputSettings(), EdgeSettings()])
def test_nothing_can_be_assigned(model: Model) -> None:
    for name in type(model).model_fields:
        with pytest.raises(ValidationError):
            setattr(model, name, getattr(model, name))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (CaptureSettings, {"width": 15}),
        (CaptureSettings, {"height": 4321}),
        (CaptureSettings, {"fps": 0}),
        (CaptureSettings, {"fps": math.nan}),
        (MattingSettings, {"model": "mona-lisa"}),
        (MattingSettings, {"device": "tpu"}),
        (MattingSettings, {"device": "cuda:"}),
        (MattingSettings, {"executor": "magic"}),
        (MattingSettings, {"precision": "float8"}),
        (MattingSettings, {"downsample_ratio": math.nan}),
        (EdgeSettings, {"threshold": 1.01}),
        (EdgeSettings, {"feather_px": -1}),
        (BackgroundSettings, {"kind": "beach"}),
        (BackgroundSettings, {"colour": "#12345"}),
        (BackgroundSettings, {"colour": "green"}),
        (BackgroundSettings, {"blur_strength": 101}),
        (OutputSettings, {"standby_text": "x" * 201}),
        (Settings, {"paused": "perhaps"}),
    ],
)
def test_impossible_values_are_refused(kind: type[Model], values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        kind(**values)
    assert [error["loc"] for error in caught.value.errors()] == [(name,) for name in values]


@given(st.floats())
def test_the_ratio_is_in_its_range_or_refused(ratio: float) -> None:
    try:
        assert MattingSettings(downsample_ratio=ratio).downsample_ratio == ratio
        assert MIN_RATIO <= ratio <= MAX_RATIO
    except ValidationError:
        assert not MIN_RATIO <= ratio <= MAX_RATIO


def test_devices() -> None:
    for device in ("auto", "cpu", "cuda", "cuda:0", "cuda:12", "mps"):
        assert MattingSettings(device=device).device == device


def test_edge_settings_of_version_0_1_are_read() -> None:
    assert EdgeSettings.model_validate({"steadiness": 0.4}).temporal_smoothing == 0.4
