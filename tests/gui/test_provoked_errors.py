"""Errors that users cause, provoked for real: each is one sentence in every language of the window."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import QLocale
from PyQt6.QtWidgets import QApplication

from app.compositing.backgrounds import open_background
from app.config import settings_file
from app.config.scenes import SceneStore
from app.core.errors import MattecamError
from app.core.settings import BackgroundSettings, CaptureSettings
from app.gui.i18n.messages import translated_error
from app.matting.plate.picture import read_plate
from app.media.video_reader import VideoReader
from app.output.recorder import Recorder
from app.output.sound.devices import FFmpegMicrophone
from models import weights
from tests.gui.widgets import translate
from tests.output.recordings import context
from tests.sources import open_source
from tools.make_translations import LANGUAGES


def background(kind: str, path: Path | None = None) -> object:
    return open_background(BackgroundSettings.model_validate({"kind": kind, "path": path}))


def source(name: str) -> object:
    return open_source(CaptureSettings(source=name))


def record(path: Path) -> object:
    return Recorder(path, 64, 48, context())


def scenes(folder: Path) -> SceneStore:
    return SceneStore(folder / "scenes.json")


FAILING: dict[str, Callable[[Path], object]] = {
    "a picture that is gone": lambda folder: background("image", folder / "x.png"),
    "a folder for a picture": lambda folder: background("image", folder),
    "no picture": lambda folder: background("image", folder / "file.txt"),
    "a video that is gone": lambda folder: background("video", folder / "x.mp4"),
    "no video": lambda folder: background("video", folder / "file.txt"),
    "no background": lambda _folder: background("image"),
    "a video source that is gone": lambda folder: VideoReader(folder / "x.mkv"),
    "a source without a name": lambda _folder: source("camera:"),
    "a camera that is gone": lambda _folder: source("camera:nobody"),
    "a plate that is gone": lambda folder: read_plate(folder / "plate.png", 64, 48),
    "no plate": lambda folder: read_plate(folder / "file.txt", 64, 48),
    "a folder that is gone": lambda folder: record(folder / "none" / "x.mp4"),
    "an unknown kind of video": lambda folder: record(folder / "x.doc"),
    "a microphone that FFmpeg lacks": lambda _folder: FFmpegMicrophone("x", "x", "no-such-format", {}),
    "a scene that is gone": lambda folder: scenes(folder).get("Office"),
    "a scene without a name": lambda folder: scenes(folder).put("", settings_file.parse({})),
    "weights that are gone": lambda folder: weights.find("mattecam", folder / "x.pth"),
    "unknown weights": lambda _folder: weights.spec_of("none"),
    "settings of tomorrow": lambda _folder: settings_file.parse({"version": 99}),
}
if sys.platform == "linux":
    FAILING["a device that is no camera"] = lambda _folder: source("camera:/dev/null")


@pytest.mark.parametrize("what", FAILING)
def test_real_failures_are_translated(qapp: QApplication, what: str, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("no picture and no video")
    with pytest.raises((MattecamError, weights.WeightsError)) as caught:
        FAILING[what](tmp_path)
    for language in LANGUAGES:
        with translate(qapp, QLocale(language)):
            words = translated_error(caught.value)
        assert words != str(caught.value)
        assert not re.search(r"\b(the|is|choose|cannot)\b|\{", words), words
