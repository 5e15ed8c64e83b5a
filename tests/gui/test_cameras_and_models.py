"""The lists of cameras and models, and downloads."""
# mypy: disallow-untyped-calls=False
# (pytest-qt gives the events no types)

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QProgressBar, QWidget
from pytestqt.qtbot import QtBot

from app.core.settings import CaptureSettings
from app.gui.panels.camera import FILE
from app.gui.shell.application import Session
from app.gui.state import services
from app.matting.base.interface import EngineInfo
from app.runtime.status import PipelineStatus
from models.faults import WeightsFault
from models.weights import DownloadError
from tests.gui.conftest import CAMERAS, MODELS
from tests.gui.widgets import box, bring_up, button


def test_connected_and_disconnected_cameras_update_the_list(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    cameras = box(session, "cameraCombo")
    qtbot.waitUntil(lambda: cameras.findText("Desk camera") > 0)
    cameras.setCurrentIndex(cameras.findText("Desk camera"))
    cameras.activated.emit(cameras.currentIndex())
    assert session.pipeline.settings.capture.source == "camera:usb-2"
    monkeypatch.setattr(services, "cameras", lambda: CAMERAS[:1])
    session.window.devices.check()
    qtbot.waitUntil(lambda: cameras.findText("Desk camera") < 0)
    assert cameras.currentText() == "A camera that is not connected", "the choice is kept"
    assert session.pipeline.settings.capture.source == "camera:usb-2"


def test_settings_of_a_camera_are_restored_with_it(session: Session, qtbot: QtBot) -> None:
    page = session.window.panel.camera
    page.choose_source("camera:usb-1")
    sizes = box(session, "sizeCombo")
    sizes.setCurrentIndex(sizes.findText("640 × 480"))
    sizes.activated.emit(sizes.currentIndex())
    page.choose_source("camera:usb-2")
    session.store.edit("capture", width=1920, height=1080)
    page.choose_source("camera:usb-1")
    assert session.pipeline.settings.capture == CaptureSettings(source="camera:usb-1", width=640, height=480)


def test_video_file_as_source(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    session.window.panel.camera.choose_source(FILE)
    dialogs = [child for child in session.window.findChildren(QWidget) if child.inherits("QFileDialog")]
    dialogs[-1].fileSelected.emit(str(tmp_path / "film.mp4"))  # type: ignore[attr-defined]
    dialogs[-1].close()
    assert session.pipeline.settings.capture.source == str(tmp_path / "film.mp4")
    assert box(session, "cameraCombo").currentText() == "film.mp4"


def choose_model(session: Session, qtbot: QtBot, name: str) -> None:
    """Choose a model in the list, as a user does."""
    bring_up(session, session.window.panel.quality)
    models = box(session, "modelCombo")
    qtbot.waitUntil(lambda: models.findData(name) >= 0)
    models.setCurrentIndex(models.findData(name))
    models.activated.emit(models.currentIndex())


def test_installed_models_come_first(session: Session, qtbot: QtBot) -> None:
    models = box(session, "modelCombo")
    qtbot.waitUntil(lambda: models.count() > 2)
    assert [models.itemData(row) for row in range(models.count())] == ["auto", "student", "rvm-mobilenetv3"]
    assert models.itemText(2).endswith(" – download 15 MB")


def test_a_model_that_is_not_installed_is_used_only_after_its_download(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected, resume = threading.Event(), threading.Event()

    def download(name: str, progress: Callable[[int, int | None], None]) -> Path:
        connected.wait(5)
        progress(5_000_000, 10_000_000)
        resume.wait(5)
        monkeypatch.setattr(services, "models", lambda: (services.ModelChoice(name, True, None, "", True),))
        return Path(name)

    monkeypatch.setattr(services, "download", download)
    choose_model(session, qtbot, "rvm-mobilenetv3")
    assert session.store.current.matting.model == session.store.saved.matting.model == "auto"
    get = button(session, "downloadButton")
    assert get.isVisible()
    assert get.text() == "Download (15 MB)"
    qtbot.mouseClick(get, Qt.MouseButton.LeftButton)
    bar = session.window.findChild(QProgressBar, "downloadProgress")
    assert bar is not None
    assert not bar.isVisible(), "no progress before data arrives"
    assert not get.isVisible()
    connected.set()
    qtbot.waitUntil(lambda: bar.isVisible() and bar.value() == 5000)
    assert session.store.saved.matting.model == "auto"
    resume.set()
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert session.store.saved.matting.model == "rvm-mobilenetv3"
    assert not get.isVisible(), "it is installed now"


def test_a_download_can_be_cancelled_and_may_fail(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(name: str, progress: Callable[[int, int | None], None]) -> Path:
        while True:
            progress(1, 100)

    monkeypatch.setattr(services, "download", endless)
    choose_model(session, qtbot, "rvm-mobilenetv3")
    get = button(session, "downloadButton")
    get.click()
    qtbot.mouseClick(button(session, "downloadCancel"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(get.isVisible)
    assert not session.window.error_bar.text, "a cancelled download is not an error"

    def broken(name: str, progress: Callable[[int, int | None], None]) -> Path:
        raise DownloadError(WeightsFault.NO_CONNECTION, model="rvm-mobilenetv3", url="https://example.org")

    monkeypatch.setattr(services, "download", broken)
    get.click()
    qtbot.waitUntil(lambda: "could not be downloaded" in session.window.error_bar.text)
    assert session.store.saved.matting.model == "auto"


def test_only_plate_models_offer_a_plate(session: Session, qtbot: QtBot) -> None:
    bring_up(session, session.window.panel.quality)
    plate = button(session, "plateButton")
    assert not plate.isVisible()
    session.store.edit("matting", model="bgmv2-resnet50")
    assert plate.isVisible()
    assert MODELS[0].name not in plate.text()


def test_no_row_appears_when_the_network_is_known(session: Session) -> None:
    """The row of the network in use vanished with the first status and came back with the engine: the page jumped."""
    network = session.window.panel.quality.network
    used = EngineInfo("student", "openvino", "int8", "cpu", 0.25, (320, 180))
    rows = []
    for status in (PipelineStatus(), PipelineStatus(engine=used)):
        network.show_status(status)
        rows.append([label for label in network.findChildren(QLabel) if not label.isHidden()])
    assert rows[0] == rows[1]
    assert any(label.text().startswith("In use: ") for label in rows[1])
