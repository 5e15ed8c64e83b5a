"""Cameras, models, their download and what they cost on this computer, and the picture of the empty room."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast
from unittest.mock import Mock, call

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QCheckBox, QFileDialog, QLabel, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from app.capture.demo import DemoSource
from app.capture.devices import CameraDevice
from app.core.errors import PlateError
from app.core.settings import MattingSettings
from app.core.threads import usable_cores
from app.core.types import UNTURNED, BgrImage, Frame, SourceInfo
from app.gui.application import Session
from app.gui.panels import plate
from app.gui.panels.devices import FILE
from app.gui.panels.models import Models
from app.gui.panels.plate import PlateDialog
from app.gui.panels.quality import QualityChoice
from app.gui.state import SettingsStore, Tasks
from app.matting.choice import choice, hardware
from app.matting.choice.choice import fine_quality
from app.matting.choice.governor import LIGHTER_WORK
from app.matting.choice.trials import Trial, save_trials
from app.matting.plate import picture as plate_capture
from app.matting.plate.picture import plate_path, save_plate
from app.runtime.status import PipelineStatus
from models.table import BUNDLED, NETWORKS
from models.weights import user_folder
from tests.fakes.world import Hold
from tests.gui.conftest import CAMERAS, MODELS, STANDARD, Downloads, activate
from tests.gui.widgets import (
    box,
    bring_up,
    button,
    existing,
    find,
    has_entry,
    has_text,
    made_store,
    model_saved,
    pick,
    said,
    settle,
    texts,
    until,
    until_is,
    until_not,
)
from tests.stand_ins import always


def choose(session: Session, file: Path) -> None:
    """Answer the newest question for a file."""
    dialog = session.window.findChildren(QFileDialog)[-1]
    dialog.filesSelected.emit([str(file)])
    dialog.close()


def progress(session: Session) -> tuple[int, int] | None:
    return session.window.models.progress


def has_ended(downloads: Downloads) -> bool:
    return bool(downloads.ended)


def plate_in_use(session: Session) -> Path | None:
    return session.store.current.matting.plate


def test_two_cameras_of_one_name_are_told_apart_in_the_list(controls: Session) -> None:
    twins = (
        CameraDevice("usb-Twin#pci-1", "Webcam", "/dev/video2", 2),
        CameraDevice("usb-Twin#pci-2", "Webcam", "/dev/video4", 4),
    )
    cameras = box(controls, "cameraCombo")

    controls.window.panel.camera.show_cameras(twins)
    pick(cameras, cameras.findText("Webcam (/dev/video4)"))

    assert cameras.findText("Webcam (/dev/video2)") >= 0
    assert controls.store.current.capture.source == "camera:usb-Twin#pci-2"


def test_settings_of_a_camera_move_with_it_to_another_port(controls: Session) -> None:
    page = controls.window.panel.camera
    cameras = box(controls, "cameraCombo")
    sizes = box(controls, "sizeCombo")
    page.show_cameras((CameraDevice("usb-Desk", "Desk", "/dev/video2", 2, port="pci-usb-0:1"),))
    pick(cameras, cameras.findText("Desk"))
    pick(sizes, sizes.findText("640 × 480"))
    pick(cameras, cameras.findData("demo"))
    controls.store.edit("capture", width=1920, height=1080)

    page.show_cameras((CameraDevice("usb-Desk", "Desk", "/dev/video4", 4, port="pci-usb-0:7"),))
    pick(cameras, cameras.findText("Desk"))

    capture = controls.store.current.capture
    assert (capture.source, capture.width) == ("camera:usb-Desk@pci-usb-0:7", 640)


def test_cameras_are_listed_and_remember_their_settings(controls: Session, tmp_path: Path) -> None:
    """How each hangs too: one that is new, or a film, is not turned. PipeWire may offer one alone."""
    page = controls.window.panel.camera
    cameras = box(controls, "cameraCombo")
    sizes = box(controls, "sizeCombo")
    rotation = box(controls, "capture.rotate")
    inside = CameraDevice("portal:inside", "Built-in camera", "", -1)
    page.show_cameras((*CAMERAS, inside))
    pick(cameras, cameras.findText("Front camera"))
    pick(sizes, sizes.findText("640 × 480"))
    pick(rotation, rotation.findText("90° to the left"))
    find(controls.window, QCheckBox, "capture.flip").click()
    front = controls.store.current.capture
    assert (front.width, front.rotate, front.flip) == (640, 270, True)
    pick(cameras, cameras.findText("Built-in camera"))
    controls.store.edit("capture", width=1920, height=1080)
    assert (controls.store.current.capture.source, rotation.currentText()) == (
        "portal:inside",
        "Not turned",
    )
    page.show_cameras(CAMERAS)
    assert cameras.findText("Built-in camera") < 0
    shown = cameras.currentText(), controls.store.current.capture.source
    assert shown == ("A camera that is not connected", "portal:inside"), "the choice is kept"
    pick(cameras, cameras.findText("Front camera"))
    assert controls.store.current.capture == front
    pick(cameras, cameras.findData(FILE))
    choose(controls, tmp_path / "film.mp4")
    film = controls.store.current.capture
    assert (film.source, film.orientation, cameras.currentText()) == (
        str(tmp_path / "film.mp4"),
        UNTURNED,
        "film.mp4",
    )
    page.show_status(PipelineStatus(source=SourceInfo("demo", "Demo", "demo", 1280, 720, 30.0, "")))
    assert f"{cameras.itemText(cameras.findData('demo'))}: 1280 × 720" in texts(page), (
        "it has one name"
    )
    for source in ("camera:0", "0", "camera:Front camera"):
        controls.store.edit("capture", source=source)
        assert cameras.currentText() == "Front camera", (
            "it was called not connected where it is named otherwise"
        )
        assert sizes.findText("640 × 480") >= 0 and sizes.findText("1920 × 1080") < 0
        pick(cameras, cameras.findText("Front camera"))
        assert controls.store.current.capture.source == source


def test_a_model_is_used_only_after_its_download(
    controls: Session, qtbot: QtBot, downloads: Downloads
) -> None:
    """A new model was loaded from the weights file of the last one, as if it were its own."""
    controls.store.edit("matting", weights=Path("own.pth"))
    bring_up(controls, controls.window.panel.quality)
    models = box(controls, "modelCombo")
    until(qtbot, has_entry, models, "mattecam")
    assert [models.itemData(row) for row in range(models.count())] == [
        "auto",
        "mattecam",
        "rvm-mobilenetv3",
    ]
    assert models.itemText(2).endswith(" – download 15 MB")
    pick(models, models.findData("mattecam"))
    assert (controls.store.current.matting.model, controls.store.current.matting.weights) == (
        "mattecam",
        None,
    )
    downloads.connected.clear()
    pick(models, models.findData("rvm-mobilenetv3"))
    assert controls.store.current.matting.model == controls.store.saved.matting.model == "mattecam"
    get = button(controls, "downloadButton")
    bar = find(controls.window, QProgressBar, "downloadProgress")
    assert get.isVisible() and get.text() == "Download (15 MB)"
    qtbot.mouseClick(get, Qt.MouseButton.LeftButton)
    assert (get.isVisible(), bar.isVisible()) == (False, False), "no progress before data arrives"
    downloads.connected.set()
    until(qtbot, bar.isVisible)
    until_is(qtbot, 5000, bar.value)
    button(controls, "downloadCancel").click()
    qtbot.waitUntil(get.isVisible)
    assert not said(controls, "downloadFailure"), "a cancelled download is not an error"
    downloads.may_end.set()
    get.click()
    until_is(qtbot, "rvm-mobilenetv3", model_saved, controls)
    assert not bar.isVisible() and not get.isVisible(), "it is installed now"


def test_cancel_acts_at_once_on_a_dead_line(
    controls: Session, qtbot: QtBot, downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button did nothing until the time limit, and no other model could be fetched meanwhile."""
    bring_up(controls, controls.window.panel.quality)
    models = box(controls, "modelCombo")
    until(qtbot, has_entry, models, "mattecam")
    downloads.connected.clear()
    pick(models, models.findData("rvm-mobilenetv3"))
    get = button(controls, "downloadButton")
    get.click()
    qtbot.waitUntil(downloads.began.is_set)

    button(controls, "downloadCancel").click()

    assert get.isVisible(), "at once: the line is still dead"

    other = Downloads(monkeypatch)
    monkeypatch.setattr("models.download.download", other.run)
    get.click()
    until_is(qtbot, (5000, 10_000), progress, controls)
    downloads.connected.set()  # the server of the first answers at last
    downloads.may_end.set()
    until(qtbot, has_ended, downloads)
    assert controls.window.models.running, "the outcome of what was cancelled changes nothing"
    assert controls.store.saved.matting.model != "rvm-mobilenetv3"
    other.may_end.set()
    until_is(qtbot, "rvm-mobilenetv3", model_saved, controls)


def test_own_weights_can_always_be_chosen_and_taken_back(
    controls: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    """The button was there only after a download had failed."""
    bring_up(controls, controls.window.panel.quality)
    removal = button(controls, "matting.weights removal")
    for model in ("auto", "mattecam"):
        controls.store.set("matting.model", model)
        assert (
            button(controls, "downloadFile").isVisible()
            and not button(controls, "downloadAddress").isVisible()
        )
        choose_file(controls, tmp_path / "own.safetensors", "downloadFile")
        saved = controls.store.saved.matting
        assert (saved.model, saved.weights) == (model, tmp_path / "own.safetensors")
        assert "own.safetensors" in said(controls, "ownWeights")
        removal.click()
        assert controls.store.saved.matting.weights is None and not said(controls, "ownWeights")


SIZE = 160, 96


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the countdown; nobody is seen in the plate."""
    monkeypatch.setattr(plate, "COUNTDOWN_S", 0.15)
    monkeypatch.setattr(plate, "COLLECT_S", 0.2)
    monkeypatch.setattr(plate_capture, "shows_someone", always(False))


@pytest.fixture
def store(qtbot: QtBot) -> SettingsStore:
    return made_store()


@pytest.fixture
def dialog(tasks: Tasks, store: SettingsStore) -> Iterator[PlateDialog]:
    """A dialog over the demo source, which is empty at first."""
    source = DemoSource(*SIZE, 30, empty_scene_s=5.0, motion=0)

    def newest() -> Frame:
        return replace(existing(source.read()), source=source.info)

    made = PlateDialog(store, tasks, newest, Mock())
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    made.show()
    yield made
    made.close()
    source.close()


@pytest.mark.usefixtures("quick")
def test_plate_is_captured_shown_and_used(
    dialog: PlateDialog, store: SettingsStore, qtbot: QtBot
) -> None:
    """Enter starts, and closes when all is done."""

    def press_enter() -> None:
        qtbot.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Return)

    demand = cast("Mock", dialog._demand)  # noqa: SLF001
    assert dialog.number.text().isdigit(), "no empty space before the countdown"
    with qtbot.waitSignal(dialog.taken):
        press_enter()
        assert not dialog.start_button.isEnabled()
        press_enter()
        assert dialog.isVisible(), "the countdown goes on"
    assert (
        store.current.matting.plate == plate_path("demo", *SIZE)
        and plate_path("demo", *SIZE).is_file()
    )
    assert demand.mock_calls == [call.begin_plate("the window")]
    assert dialog.start_button.isEnabled() and not dialog.number.pixmap().isNull()
    press_enter()
    assert not dialog.isVisible()
    demand.end_plate.assert_called_with(
        "the window"
    )  # the pipeline holds the exposure while it uses the plate


def test_a_plate_whose_dialog_is_closed_during_the_check_is_not_stored(
    quick: object, dialog: PlateDialog, qtbot: QtBot, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Hold()

    def in_the_end_nobody(_plate: BgrImage) -> bool:
        check()
        return False

    monkeypatch.setattr(plate_capture, "shows_someone", in_the_end_nobody)
    dialog.begin()
    qtbot.waitUntil(check.entered.is_set)
    dialog.close()
    check.go_on.set()
    tasks.close()
    assert not plate_path("demo", *SIZE).exists()


@pytest.mark.parametrize(("fault", "said"), [
    ("person", "Someone is still in the picture"), ("silence", "The camera delivers no frames"), ("pause", "paused"),
])  # fmt: skip
def test_a_capture_that_fails_is_reported_and_can_be_repeated(
    dialog: PlateDialog, store: SettingsStore, qtbot: QtBot, quick: object, fault: str, said: str
) -> None:
    refuse = Mock(
        side_effect=PlateError(
            "Someone is still in the picture; step out of it and take the plate again."
        )
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plate_capture, "START_LIMIT_S", 0.1)
        if fault == "person":
            patched.setattr(plate, "store_plate", refuse)
        elif fault == "silence":
            patched.setattr(dialog, "_newest", always(None))
        dialog.begin()
        store.set("paused", fault == "pause")
        until(qtbot, has_text, dialog.text, said)
        assert dialog.start_button.isEnabled() and not plate_path("demo", *SIZE).exists()
        assert store.current.matting.plate is None
    store.set("paused", False)
    with qtbot.waitSignal(dialog.taken):
        qtbot.mouseClick(dialog.start_button, Qt.MouseButton.LeftButton)


def test_a_plate_is_taken_while_the_picture_is_frozen(
    session: Session, qtbot: QtBot, quick: object
) -> None:
    session.store.set("frozen", True)
    session.window.open_plate_dialog()
    (dialog,) = session.window.findChildren(PlateDialog)
    with qtbot.waitSignal(dialog.taken):
        dialog.begin()
    dialog.close()


def test_the_panel_shows_and_removes_the_plate_and_opens_the_dialog(
    session: Session, qtbot: QtBot
) -> None:
    controls = session.window.panel.quality.plate
    assert controls.isHidden()
    session.store.edit("matting", model="bgmv2-mobilenetv2")
    assert not controls.isHidden() and controls.thumbnail.isHidden() and controls.age.isHidden(), (
        "no empty lines"
    )
    path = plate_path("another", *SIZE)
    save_plate(path, np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), "another")
    session.store.edit("matting", plate=path)
    until_not(qtbot, controls.thumbnail.isHidden)
    until_not(qtbot, controls.warning.isHidden)
    assert (
        controls.age.text()
        and not controls.age.isHidden()
        and not controls.thumbnail.pixmap().isNull()
    )
    source = existing(session.bridge.status.source)
    own = plate_path(source.id, source.width, source.height)
    save_plate(own, np.full((source.height, source.width, 3), 90, np.uint8), source.id)
    controls.reload()
    until_is(qtbot, own, plate_in_use, session)
    until(qtbot, controls.warning.isHidden)
    until(qtbot, controls.unused.isHidden)
    with qtbot.waitSignal(controls.chosen_again):  # the file may be edited
        choose_file(session, own, "plateButton")
    find(controls, QPushButton, "plateTake").click()
    (dialog,) = session.window.findChildren(PlateDialog)
    assert dialog.isVisible()
    dialog.close()
    session.store.edit("matting", model="auto")
    assert not controls.isHidden(), "a model that is chosen automatically may use the plate"
    until_not(qtbot, controls.unused.isHidden)
    find(controls, QPushButton, "matting.plate removal").click()
    assert session.store.current.matting.plate is None and controls.isHidden() and own.is_file()


FINE = "rvm-mobilenetv3"


def pressed(session: Session) -> list[str]:
    """Return which of the buttons are pressed."""
    return [
        name
        for name in ("Automatic", "Standard", "Fine")
        if button(session, f"quality{name}").isChecked()
    ]


def about(session: Session) -> str:
    return find(session.window, QLabel, "qualityAbout").text()


def opened(session: Session, qtbot: QtBot) -> None:
    bring_up(session, session.window.panel.quality_choice)
    until(qtbot, about, session)


def choose_file(session: Session, file: Path, name: str = "fineDownloadFile") -> None:
    button(session, name).click()
    choose(session, file)


def test_fine_is_used_once_downloaded(
    controls: Session, downloads: Downloads, qtbot: QtBot, tmp_path: Path
) -> None:
    opened(controls, qtbot)
    get = button(controls, "fineDownloadButton")
    choose = button(controls, "fineDownloadFile")
    failure = find(controls.window, QLabel, "fineDownloadFailure")
    assert pressed(controls) == ["Automatic"] and not get.isVisible()
    own = controls.store.current.matting.replace(model="mattecam", weights=tmp_path / "own.pth")
    controls.store.edit("matting", model=own.model, weights=own.weights)
    button(controls, "qualityFine").click()
    assert about(controls).endswith("Fine is used once it is downloaded.")
    assert pressed(controls) == ["Fine"] and get.isVisible() and get.text() == "Download (15 MB)"
    downloads.fails = True
    downloads.may_end.set()
    get.click()
    until(qtbot, has_text, failure, "No internet?")
    until(qtbot, choose.isVisible)
    assert failure.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse, (
        "it names an address"
    )
    button(controls, "fineDownloadAddress").click()
    assert existing(QGuiApplication.clipboard()).text().startswith("https://")
    assert controls.store.saved.matting == own, (
        "the model that could not be downloaded is not saved"
    )
    choose_file(controls, tmp_path / "model.pth")
    until_is(qtbot, FINE, model_saved, controls)
    assert controls.store.saved.matting.weights is None
    assert pressed(controls) == ["Fine"] and not failure.isVisible() and not choose.isVisible()


def test_a_failed_download_is_in_sight_and_leaves_the_focus(
    controls: Session, downloads: Downloads, qtbot: QtBot
) -> None:
    """The sentence was below the end of the page, and the focus went to another control."""
    downloads.fails = True
    controls.window.resize(1000, 420)
    opened(controls, qtbot)
    activate(controls, qtbot)
    button(controls, "qualityFine").click()
    get = button(controls, "fineDownloadButton")
    failure = find(controls.window, QLabel, "fineDownloadFailure")
    get.setFocus()

    get.click()
    assert button(controls, "fineDownloadCancel").hasFocus()
    downloads.may_end.set()

    qtbot.waitUntil(failure.isVisible)
    assert get.hasFocus()
    page = controls.window.panel.page

    def is_in_sight() -> bool:
        corner = failure.mapTo(page.viewport(), failure.rect().bottomLeft())
        return existing(page.viewport()).rect().contains(corner)

    until(qtbot, is_in_sight)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_choice_meanwhile_is_kept(
    controls: Session, downloads: Downloads, qtbot: QtBot, elsewhere: bool
) -> None:
    opened(controls, qtbot)
    button(controls, "qualityFine").click()
    button(controls, "fineDownloadButton").click()
    qtbot.waitUntil(downloads.began.is_set)
    if elsewhere:
        controls.store.set("matting.model", "u2net")
        downloads.may_end.set()
    else:
        button(controls, "qualityStandard").click()
    assert pressed(controls) == ([] if elsewhere else ["Standard"])
    settle(controls.window.tasks, qtbot)
    assert downloads.ended is elsewhere
    assert controls.store.saved.matting.model == ("u2net" if elsewhere else "mattecam")


COST = "Fine uses about 60 % of this computer."


@pytest.mark.parametrize(("model", "automatic", "shown", "said"), [
    ("auto", "mattecam", ["Automatic"], f"In use: Standard. {COST}"),
    ("auto", FINE, ["Automatic"], f"In use: Fine (Robust Video Matting). {COST}"),  # the package has it inside
    ("mattecam", FINE, ["Standard"], COST),
    ("u2net", "mattecam", [], "In use: Objects"),
])  # fmt: skip
def test_the_buttons_follow_the_model_in_the_settings(
    controls: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    model: str, automatic: str, shown: list[str], said: str,
) -> None:  # fmt: skip
    installed = tuple(replace(each, path=tmp_path) for each in MODELS)
    monkeypatch.setattr(choice, "fine_quality", always(replace(STANDARD, automatic=automatic)))
    monkeypatch.setattr("models.weights.describe", always(installed))
    opened(controls, qtbot)
    controls.window.models.reload()
    settle(controls.window.tasks, qtbot)
    controls.store.edit("matting", model=model, weights=None)
    assert pressed(controls) == shown
    assert about(controls) == said
    button(controls, "qualityFine").click()
    assert controls.store.current.matting.model == FINE and pressed(controls) == ["Fine"]
    controls.store.edit("matting", weights=tmp_path / "own.pth")
    button(controls, "qualityStandard").click()
    assert (controls.store.current.matting.model, controls.store.current.matting.weights) == (
        "mattecam",
        None,
    )
    button(controls, "qualityAutomatic").click()
    assert controls.store.current.matting.model == "auto"


@pytest.mark.parametrize(("share", "holds_rate", "said"), [
    (None, False, "not measured yet"), (0.0, True, "Recommended: Fine uses about 5 %"), (0.4, False, "too slow"),
    (0.33, True, "Recommended: Fine uses about 35 %"), (0.5, True, "Fine uses about 50 %"), (1.7, True, "100 %"),
])  # fmt: skip
def test_the_cost_on_this_computer_is_said_in_words(
    qtbot: QtBot,
    tasks: Tasks,
    monkeypatch: pytest.MonkeyPatch,
    share: float | None,
    holds_rate: bool,
    said: str,
) -> None:
    found = replace(STANDARD, share=share, holds_rate=holds_rate)
    monkeypatch.setattr(choice, "fine_quality", always(found))
    models = Models(made_store(), tasks)
    made = QualityChoice(models)
    qtbot.addWidget(made)
    models.reload()
    text = find(made, QLabel, "qualityAbout")
    until(qtbot, has_text, text, said)

    assert ("Recommended" in text.text()) is found.recommended


def test_the_cost_is_predicted_until_it_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(hardware, "cuda_cards", always(hardware.CudaCards(None)))
    settings = MattingSettings()
    assert fine_quality(settings).share is None
    save_trials("mattecam", BUNDLED, [Trial("int8", None, 5.0, 8.0), Trial("int8", 1, 9.0, 7.0)])
    found = fine_quality(settings)
    assert found.holds_rate, "one thread would not, as fast as it is for the standard network"
    assert found.share == pytest.approx(8.0 / LIGHTER_WORK * 0.03 / usable_cores())
    weights = user_folder() / NETWORKS[FINE].weights.file
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_bytes(b"weights")
    save_trials(FINE, weights, [Trial("float32", None, 90.0, 90.0)])
    found = fine_quality(settings)
    assert not found.holds_rate and found.share == pytest.approx(90.0 * 0.03 / usable_cores())
