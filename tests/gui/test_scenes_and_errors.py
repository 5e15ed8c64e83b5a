"""Scenes and the error bar."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QGuiApplication
from PyQt6.QtWidgets import QInputDialog, QLabel, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app.config.scenes import SceneStore
from app.core.errors import SinkOpenError, SourceLostError
from app.core.files import paths
from app.core.messages.doctor import LoopbackFinding
from app.core.placement import in_corner
from app.core.settings import Zone
from app.doctor.finding import CommandLine, Finding, State
from app.gui.dialogs.doctor_dialog import FindingsDialog
from app.gui.shell.application import Session
from app.gui.state import services
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow, activate
from tests.gui.controls import Controls
from tests.gui.widgets import box, error_action, existing, fail, find


def test_scenes_are_saved_applied_renamed_and_removed(session: Session, qtbot: QtBot) -> None:
    scenes = session.window.scenes
    session.store.edit("background", kind="colour", colour="#112233")
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    dialog = find(session.window, QInputDialog)
    dialog.setTextValue("Work")
    dialog.accept()
    qtbot.waitUntil(lambda: scenes.names == ("Work",))
    session.store.edit("background", kind="blur")
    session.store.edit("matting", downsample_ratio=0.5)
    session.store.set_paused(True)
    activate(session, qtbot)
    qtbot.keyClick(session.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: session.pipeline.settings.background.kind == "colour")
    assert session.pipeline.settings.matting.downsample_ratio is None
    assert session.pipeline.settings.paused, "a scene does not end a pause"
    scenes.ask_for_new_name("Work")
    dialog = session.window.findChildren(QInputDialog)[-1]
    dialog.setTextValue("Office")
    dialog.accept()
    qtbot.waitUntil(lambda: scenes.names == ("Office",))
    scenes.remove("Office")
    qtbot.waitUntil(lambda: scenes.names == ())
    scenes.apply("Office")
    qtbot.waitUntil(lambda: "There is no scene “Office”" in session.window.error_bar.text)


KEPT: dict[str, dict[str, object]] = {
    "framing": {"zoom": 2.5, "pan_x": -0.5, "pan_y": 0.25},
    "people": {"auto_framing": "close", "zones": (Zone(kind="drop", points=((0.5, 0.5),)),)},
    "placement": dict(in_corner("top-right")),
}


@pytest.mark.parametrize("section", KEPT)
def test_a_scene_keeps_what_the_preview_and_the_panel_change(controls: Controls, qtbot: QtBot, section: str) -> None:
    scenes, store = controls.window.scenes, controls.store
    before = getattr(store.current, section)
    store.edit(section, **KEPT[section])
    saved = getattr(store.current, section)
    scenes.save("Kept")
    qtbot.waitUntil(lambda: scenes.names == ("Kept",))
    store.edit(section, **dict(before))
    scenes.apply("Kept")
    qtbot.waitUntil(lambda: getattr(store.current, section) == saved)


def test_a_scene_without_a_background_asks_first(controls: Controls, qtbot: QtBot) -> None:
    scenes, store = controls.window.scenes, controls.store

    def question() -> QMessageBox | None:
        return controls.window.findChild(QMessageBox, "unmattedQuestion")

    store.edit("background", kind="none")
    scenes.save("room")
    qtbot.waitUntil(lambda: scenes.names == ("room",))
    store.edit("background", kind="blur")
    for text, kind in (("Keep it hidden", "blur"), ("Show it", "none")):
        scenes.apply("room")
        qtbot.waitUntil(lambda: question() is not None)
        box = existing(question())
        assert store.current.background.kind == "blur"
        next(each for each in box.buttons() if each.text() == text).click()
        assert store.current.background.kind == kind
        qtbot.waitUntil(lambda: question() is None)


def test_a_scene_with_keep_zones_asks_first(controls: Controls, qtbot: QtBot) -> None:
    """It was applied at once, and showed a part of the room."""
    scenes, store = controls.window.scenes, controls.store
    zone = Zone(kind="keep", points=((0.5, 0.5),))
    store.edit("people", zones=(zone,))
    scenes.save("chair")
    qtbot.waitUntil(lambda: scenes.names == ("chair",))
    store.edit("people", zones=())
    scenes.apply("chair")
    qtbot.waitUntil(lambda: controls.window.findChild(QMessageBox, "unmattedQuestion") is not None)
    box = find(controls.window, QMessageBox, "unmattedQuestion")
    assert "“Always show”" in box.informativeText()
    assert not store.current.people.zones
    next(each for each in box.buttons() if each.text() == "Show it").click()
    assert store.current.people.zones == (zone,)


def test_a_scene_changes_the_camera_only_if_it_was_saved_with_it(controls: Controls, qtbot: QtBot) -> None:
    scenes, store = controls.window.scenes, controls.store
    store.edit("capture", source="camera:usb-1")
    scenes.save("look")
    qtbot.waitUntil(lambda: scenes.names == ("look",))
    scenes.save("desk", with_devices=True)
    qtbot.waitUntil(lambda: scenes.names == ("look", "desk"))
    store.edit("capture", source="camera:usb-2")
    store.edit("background", kind="colour")
    scenes.apply("look")
    qtbot.waitUntil(lambda: store.current.background.kind == "blur")
    assert store.current.capture.source == "camera:usb-2"
    scenes.apply("desk")
    qtbot.waitUntil(lambda: store.current.capture.source == "camera:usb-1")


def entry(controls: Controls, name: str) -> QAction:
    """Open the Scenes menu and return the entry of a scene."""
    menu = controls.window.scenes_menu
    menu.aboutToShow.emit()
    return next(action for action in menu.actions() if action.text() == name)


def test_the_scene_in_use_is_marked(controls: Controls, qtbot: QtBot) -> None:
    scenes, store = controls.window.scenes, controls.store
    scenes.save("Blurred")
    store.edit("background", kind="colour")
    scenes.save("Coloured & more")
    qtbot.waitUntil(lambda: len(scenes.names) == 2)
    assert not entry(controls, "Blurred").isChecked()
    assert entry(controls, "Coloured && more").isChecked()
    entry(controls, "Blurred").trigger()
    qtbot.waitUntil(lambda: store.current.background.kind == "blur")
    assert entry(controls, "Blurred").isChecked()
    store.edit("background", blur_strength=97)
    assert not entry(controls, "Blurred").isChecked(), "another look than the saved one"


def test_saving_says_so_and_asks_before_it_replaces_a_scene(session: Session, qtbot: QtBot) -> None:
    scenes, store = session.window.scenes, session.store

    def save_as(name: str) -> None:
        scenes.ask_for_name()
        dialog = session.window.findChildren(QInputDialog)[-1]
        dialog.setTextValue(name)
        dialog.accept()

    save_as("Work")
    qtbot.waitUntil(lambda: "Saved the scene “Work”. Ctrl+1 applies it." in session.window.notices.texts)
    store.edit("background", kind="colour", colour="#112233")
    file = SceneStore(paths.config_dir() / "scenes.json")
    for answer in ("Keep", "Replace"):
        assert file.get("Work").settings.background.kind == "blur"
        save_as(" Work ")
        question = session.window.findChildren(QMessageBox)[-1]
        assert question.text() == "There is a scene “Work” already. Replace it?"
        next(choice for choice in question.buttons() if choice.text() == answer).click()
    qtbot.waitUntil(lambda: file.get("Work").settings.background.kind == "colour")
    assert scenes.names == ("Work",)


def test_removing_a_scene_asks_first(controls: Controls, qtbot: QtBot) -> None:
    scenes = controls.window.scenes
    scenes.save("Work")
    qtbot.waitUntil(lambda: scenes.names == ("Work",))
    scenes.ask_before_removal("Work")
    question = controls.window.findChildren(QMessageBox)[-1]
    assert "Work" in question.text()
    next(choice for choice in question.buttons() if choice.text() == "Remove").click()
    qtbot.waitUntil(lambda: scenes.names == ())


def test_lost_camera_is_reported_with_a_button_to_choose_another(
    session: Session, qtbot: QtBot, world: FakeWorld
) -> None:
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING)
    world.faults.put("read", fail(SourceLostError("The camera went away; plug it in.")))
    bar = session.window.error_bar
    qtbot.waitUntil(lambda: bool(bar.text))
    assert bar.text == "The camera went away; plug it in."
    action = error_action(session)
    assert action.text() == "Choose another camera"
    session.preferences.change(show_panel=False)
    qtbot.mouseClick(action, Qt.MouseButton.LeftButton)
    assert session.window.panel.camera.isVisible()
    box(session, "cameraCombo").hidePopup()
    world.faults.heal()
    qtbot.waitUntil(lambda: not bar.text)


def test_missing_virtual_camera_offers_setup(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = (CommandLine("sudo x"),)
    finding = Finding("virtual camera", State.PROBLEM, LoopbackFinding.NO_DEVICE(), LoopbackFinding.WHY_NEEDED(), steps)
    monkeypatch.setattr(services, "virtual_camera_findings", lambda: (finding,))
    world.faults.put("open_virtual_camera", fail(SinkOpenError("There is no such camera.")))
    session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="/dev/video99")))
    qtbot.waitUntil(lambda: session.window.error_bar.text == "There is no such camera.")
    error_action(session).click()
    dialog = find(session.window, FindingsDialog)
    summary = find(dialog, QLabel, "findingsSummary")
    qtbot.waitUntil(lambda: "cannot receive" in summary.text())
    copy = next(found for found in dialog.findChildren(QPushButton) if found.text() == "Copy")
    copy.click()
    assert existing(QGuiApplication.clipboard()).text() == "sudo x"
    dialog.close()
