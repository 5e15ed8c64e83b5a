"""Fixtures of the tests of cameras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from app.capture import camera, devices, v4l2
from app.core.types import BgrImage
from tests.capture.played import WEBCAM, FakeCapture, picture


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


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake sysfs folder of video devices."""
    (tmp_path / "sys").mkdir()
    for folder in ("by-id", "by-path", "udev"):
        (tmp_path / folder).mkdir()
    monkeypatch.setattr(v4l2, "SYS_CLASS", tmp_path / "sys")
    monkeypatch.setattr(v4l2, "LINK_FOLDERS", (tmp_path / "by-id", tmp_path / "by-path"))
    monkeypatch.setattr(v4l2, "UDEV_DATA", tmp_path / "udev")
    monkeypatch.setattr(v4l2, "UDEV_S", 0.0)
    monkeypatch.setattr(devices, "SYSTEM", "Linux")
    return tmp_path
