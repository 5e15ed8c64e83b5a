"""Fixtures of the tests of cameras."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import pytest

from app.capture import camera
from app.core.types import BgrImage
from tests.capture.played_camera import WEBCAM, FakeCapture, picture


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeCapture]]:
    class Driver(FakeCapture):
        shows: dict[str, BgrImage | None] = {"MJPG": picture(), "YUYV": picture()}  # noqa: RUF012
        made: list[FakeCapture] = []  # noqa: RUF012
        undecoded: list[bytes] = []  # noqa: RUF012

    monkeypatch.setattr(cv2, "VideoCapture", Driver)
    monkeypatch.setattr(camera, "find_camera", lambda wanted: WEBCAM)
    yield Driver
    assert all(capture.released for capture in Driver.made)
