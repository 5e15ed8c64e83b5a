"""Settings are immutable, and a value that is not possible never gets into them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.core.settings import (
    EdgeSettings,
    MattingSettings,
    Settings,
)


def test_replace_makes_a_validated_copy() -> None:
    settings = Settings()
    changed = settings.replace(capture=settings.capture.replace(width=640))
    assert (settings.capture.width, changed.capture.width) == (1280, 640)
    assert changed.matting is settings.matting
    with pytest.raises(ValidationError):
        settings.capture.replace(width=1)
    with pytest.raises(ValidationError):
        settings.replace(no_such_field=1)


def test_nothing_can_be_assigned() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().paused = True  # type: ignore[misc]


def test_devices() -> None:
    for device in ("auto", "cpu", "cuda", "cuda:0", "cuda:12", "mps"):
        assert MattingSettings(device=device).device == device
    for device in ("tpu", "cuda:"):
        with pytest.raises(ValidationError):
            MattingSettings(device=device)


def test_edge_settings_of_version_0_1_are_read() -> None:
    assert EdgeSettings.model_validate({"steadiness": 0.4}).temporal_smoothing == 0.4
