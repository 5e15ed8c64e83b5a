"""The lists of cameras and models, and downloads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QProgressBar, QWidget
from pytestqt.qtbot import QtBot

from app.core.settings import CaptureSettings
from app.core.types import SourceInfo
from app.gui.panels.camera import FILE
from app.gui.state import services
from app.matting.base.interface import EngineInfo
from app.runtime.status import PipelineStatus
from models.faults import WeightsFault
from models.weights import DownloadError
from tests.gui.conftest import CAMERAS, MODELS
from tests.gui.controls import Controls
from tests.gui.widgets import box, bring_up, button, find, pick


def test_connected_and_disconnected_cameras_update_the_list(controls: Controls, qtbot: QtBot) -> None:
    cameras = box(controls, "cameraCombo")
    qtbot.waitUntil(lambda: cameras.findText("Desk camera") > 0)
    pick(cameras, cameras.findText("Desk camera"))
    assert controls.store.current.capture.source == "camera:usb-2"
    controls.window.panel.camera.show_cameras(CAMERAS[:1])
    assert cameras.findText("Desk camera") < 0
    assert cameras.currentText() == "A camera that is not connected", "the choice is kept"
    assert controls.store.current.capture.source == "camera:usb-2"


def test_the_demonstration_has_one_name(controls: Controls) -> None:
    camera = controls.window.panel.camera
    camera.show_status(PipelineStatus(source=SourceInfo("demo", "Demo", "demo", 1280, 720, 30.0, "")))
    choice = box(controls, "cameraCombo")
    shown = [label.text() for label in camera.findChildren(QLabel)]
    assert f"{choice.itemText(choice.findData('demo'))}: 1280 × 720, 30 fps" in shown


def test_settings_of_a_camera_are_restored_with_it(controls: Controls, qtbot: QtBot) -> None:
    page = controls.window.panel.camera
    page.choose_source("camera:usb-1")
    sizes = box(controls, "sizeCombo")
    pick(sizes, sizes.findText("640 × 480"))
    page.choose_source("camera:usb-2")
    controls.store.edit("capture", width=1920, height=1080)
    page.choose_source("camera:usb-1")
    assert controls.store.current.capture == CaptureSettings(source="camera:usb-1", width=640, height=480)


def test_video_file_as_source(controls: Controls, qtbot: QtBot, tmp_path: Path) -> None:
    controls.window.panel.camera.choose_source(FILE)
    dialogs = [child for child in controls.window.findChildren(QWidget) if child.inherits("QFileDialog")]
    dialogs[-1].fileSelected.emit(str(tmp_path / "film.mp4"))  # type: ignore[attr-defined]
    dialogs[-1].close()
    assert controls.store.current.capture.source == str(tmp_path / "film.mp4")
    assert box(controls, "cameraCombo").currentText() == "film.mp4"


def choose_model(controls: Controls, qtbot: QtBot, name: str) -> None:
    """Choose a model in the list, as a user does."""
    bring_up(controls, controls.window.panel.quality)
    models = box(controls, "modelCombo")
    qtbot.waitUntil(lambda: models.findData(name) >= 0)
    pick(models, models.findData(name))


def test_installed_models_come_first(controls: Controls, qtbot: QtBot) -> None:
    models = box(controls, "modelCombo")
    qtbot.waitUntil(lambda: models.count() > 2)
    assert [models.itemData(row) for row in range(models.count())] == ["auto", "mattecam", "rvm-mobilenetv3"]
    assert models.itemText(2).endswith(" – download 15 MB")


def test_a_model_that_is_not_installed_is_used_only_after_its_download(
    controls: Controls, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected, resume = threading.Event(), threading.Event()

    def download(name: str, progress: Callable[[int, int | None], None]) -> Path:
        connected.wait(60)
        progress(5_000_000, 10_000_000)
        resume.wait(60)
        monkeypatch.setattr(services, "models", lambda: (services.ModelChoice(name, True, None, "", True),))
        return Path(name)

    monkeypatch.setattr(services, "download", download)
    choose_model(controls, qtbot, "rvm-mobilenetv3")
    assert controls.store.current.matting.model == controls.store.saved.matting.model == "auto"
    get = button(controls, "downloadButton")
    assert get.isVisible()
    assert get.text() == "Download (15 MB)"
    qtbot.mouseClick(get, Qt.MouseButton.LeftButton)
    bar = find(controls.window, QProgressBar, "downloadProgress")
    assert not bar.isVisible(), "no progress before data arrives"
    assert not get.isVisible()
    connected.set()
    qtbot.waitUntil(lambda: bar.isVisible() and bar.value() == 5000)
    assert controls.store.saved.matting.model == "auto"
    resume.set()
    qtbot.waitUntil(lambda: not bar.isVisible())
    assert controls.store.saved.matting.model == "rvm-mobilenetv3"
    assert not get.isVisible(), "it is installed now"


def test_a_download_can_be_cancelled_and_may_fail(
    controls: Controls, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(name: str, progress: Callable[[int, int | None], None]) -> Path:
        while True:
            progress(1, 100)

    monkeypatch.setattr(services, "download", endless)
    choose_model(controls, qtbot, "rvm-mobilenetv3")
    get = button(controls, "downloadButton")
    get.click()
    qtbot.mouseClick(button(controls, "downloadCancel"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(get.isVisible)
    assert not controls.window.error_bar.text, "a cancelled download is not an error"

    def broken(name: str, progress: Callable[[int, int | None], None]) -> Path:
        raise DownloadError(WeightsFault.NO_CONNECTION, model="rvm-mobilenetv3", url="https://example.org")

    monkeypatch.setattr(services, "download", broken)
    get.click()
    qtbot.waitUntil(lambda: "could not be downloaded" in controls.window.error_bar.text)
    assert controls.store.saved.matting.model == "auto"


def test_only_plate_models_offer_a_plate(controls: Controls, qtbot: QtBot) -> None:
    bring_up(controls, controls.window.panel.quality)
    plate = button(controls, "plateButton")
    assert not plate.isVisible()
    controls.store.edit("matting", model="bgmv2-resnet50")
    assert plate.isVisible()
    assert MODELS[0].name not in plate.text()


def test_no_row_appears_when_the_network_is_known(controls: Controls) -> None:
    """The row of the network in use vanished with the first status and came back with the engine: the page jumped."""
    network = controls.window.panel.quality.network
    used = EngineInfo("mattecam", "openvino", "int8", "cpu", 0.25, (320, 180))
    rows = []
    for status in (PipelineStatus(), PipelineStatus(engine=used)):
        network.show_status(status)
        rows.append([label for label in network.findChildren(QLabel) if not label.isHidden()])
    assert rows[0] == rows[1]
    assert any(label.text().startswith("In use: ") for label in rows[1])
