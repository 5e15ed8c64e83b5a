"""The empty-background plate: capture dialog and panel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.core.errors import PlateError
from app.core.settings import CaptureSettings
from app.core.types import BgrImage, Frame
from app.gui.dialogs import plate_dialog
from app.gui.dialogs.plate_dialog import PlateDialog
from app.gui.shell.application import Session
from app.gui.state import services
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.matting.plate import capture as plate_capture
from app.matting.plate.capture import plate_path, save_plate
from tests.gui.widgets import existing, find, made_store
from tests.sources import open_source

SIZE = 160, 96


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[BgrImage]:
    """Shorten the countdown and skip the person check; return the list of stored plates."""
    kept: list[BgrImage] = []

    def keep(plate: BgrImage, camera: str, *, wanted: Callable[[], bool]) -> Path:
        kept.append(plate)
        path = plate_path(camera, *SIZE)
        save_plate(path, plate, camera)
        return path

    monkeypatch.setattr(plate_dialog, "COUNTDOWN_S", 0.15)
    monkeypatch.setattr(plate_dialog, "COLLECT_S", 0.2)
    monkeypatch.setattr(services, "keep_plate", keep)
    return kept


@pytest.fixture
def store(qtbot: QtBot) -> SettingsStore:
    return made_store()


@pytest.fixture
def held() -> list[bool]:
    """What the dialog asked for: whether the exposure is held."""
    return []


@pytest.fixture
def dialog(qtbot: QtBot, tasks: Tasks, store: SettingsStore, held: list[bool]) -> Iterator[PlateDialog]:
    """A dialog over the demo source, which is empty at first."""
    source = open_source(CaptureSettings(source="demo:empty", width=SIZE[0], height=SIZE[1], fps=30))
    info = replace(source.info, id="demo")

    def newest() -> Frame | None:
        frame = source.read()
        return None if frame is None else replace(frame, source=info)

    made = PlateDialog(store, tasks, newest, held.append)
    made.show()
    yield made
    made.close()
    source.close()


def test_plate_is_captured_shown_and_used(
    dialog: PlateDialog, store: SettingsStore, held: list[bool], qtbot: QtBot, quick: list[BgrImage]
) -> None:
    seen: list[str] = []
    observer = QTimer(dialog)
    observer.timeout.connect(lambda: seen.append(dialog.number.text()))
    assert dialog.number.text().isdigit(), "no empty space before the countdown"
    observer.start(10)
    with qtbot.waitSignal(dialog.taken):
        qtbot.mouseClick(dialog.start_button, Qt.MouseButton.LeftButton)
        assert not dialog.start_button.isEnabled()
    assert "1" in seen
    assert "●" in seen
    assert store.current.matting.plate == plate_path("demo", *SIZE)
    assert held == [True]
    assert not dialog.number.pixmap().isNull()
    assert dialog.start_button.isEnabled()
    (plate,) = quick
    assert plate.shape == (SIZE[1], SIZE[0], 3)
    dialog.hide()
    assert held == [True, False], "the pipeline holds the exposure while it uses the plate"


def test_a_plate_whose_dialog_is_closed_during_the_check_is_not_stored(
    dialog: PlateDialog, qtbot: QtBot, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking, closed = threading.Event(), threading.Event()

    def empty_in_the_end(_plate: BgrImage) -> bool:
        checking.set()
        assert closed.wait(60)
        return False

    monkeypatch.setattr(plate_dialog, "COUNTDOWN_S", 0.15)
    monkeypatch.setattr(plate_dialog, "COLLECT_S", 0.2)
    monkeypatch.setattr(plate_capture, "shows_someone", empty_in_the_end)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    dialog.begin()
    qtbot.waitUntil(checking.is_set)
    dialog.close()
    closed.set()
    tasks.close()
    assert not plate_path("demo", *SIZE).exists()


def test_enter_starts_the_capture_and_closes_only_when_it_is_done(
    dialog: PlateDialog, qtbot: QtBot, quick: list[BgrImage]
) -> None:
    def press_enter() -> None:
        qtbot.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Return)

    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    assert dialog.start_button.isDefault()
    with qtbot.waitSignal(dialog.taken):
        press_enter()
        assert not dialog.start_button.isEnabled()
        press_enter()
        assert dialog.isVisible(), "the countdown goes on"
    press_enter()
    assert not dialog.isVisible()
    assert len(quick) == 1


@pytest.mark.parametrize(("fault", "said"), [
    ("person", "Someone is still in the picture"), ("silence", "The camera delivers no frames"), ("pause", "paused"),
])  # fmt: skip
def test_a_capture_that_fails_is_reported_and_can_be_repeated(
    dialog: PlateDialog, store: SettingsStore, qtbot: QtBot, quick: list[BgrImage], fault: str, said: str
) -> None:
    def refuse(plate: BgrImage, camera: str, *, wanted: Callable[[], bool]) -> Path:
        raise PlateError("Someone is still in the picture; step out of it and take the plate again.")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plate_capture, "START_LIMIT_S", 0.1)
        if fault == "person":
            patched.setattr(services, "keep_plate", refuse)
        elif fault == "silence":
            patched.setattr(dialog, "_newest", lambda: None)
        dialog.begin()
        store.set("paused", fault == "pause")
        qtbot.waitUntil(lambda: said in dialog.text.text())
        assert dialog.start_button.isEnabled() and not quick
        assert store.current.matting.plate is None
    store.set("paused", False)
    with qtbot.waitSignal(dialog.taken):
        qtbot.mouseClick(dialog.start_button, Qt.MouseButton.LeftButton)


def test_a_plate_is_taken_while_the_picture_is_frozen(session: Session, qtbot: QtBot, quick: list[BgrImage]) -> None:
    session.store.set("frozen", True)
    session.window.windows.open_plate_dialog()
    (dialog,) = session.window.findChildren(PlateDialog)
    with qtbot.waitSignal(dialog.taken):
        dialog.begin()
    assert len(quick) == 1
    dialog.close()


def test_the_panel_shows_and_removes_the_plate_and_opens_the_dialog(session: Session, qtbot: QtBot) -> None:
    controls = session.window.panel.quality.network.plate
    assert controls.isHidden()
    session.store.edit("matting", model="bgmv2-mobilenetv2")
    assert not controls.isHidden() and controls.thumbnail.isHidden() and controls.age.isHidden(), "no empty lines"
    path = plate_path("another", *SIZE)
    save_plate(path, np.full((SIZE[1], SIZE[0], 3), 90, np.uint8), "another")
    session.store.edit("matting", model="bgmv2-mobilenetv2", plate=path)
    assert not controls.isHidden()
    qtbot.waitUntil(lambda: not controls.thumbnail.pixmap().isNull())
    assert controls.age.text() and not controls.age.isHidden() and not controls.thumbnail.isHidden()
    qtbot.waitUntil(lambda: not controls.warning.isHidden())
    source = existing(session.bridge.status.source)
    own = plate_path(source.id, source.width, source.height)
    save_plate(own, np.full((source.height, source.width, 3), 90, np.uint8), source.id)
    controls.reload()
    qtbot.waitUntil(lambda: session.store.current.matting.plate == own)
    qtbot.waitUntil(controls.warning.isHidden)
    qtbot.waitUntil(controls.unused.isHidden)
    find(controls, QPushButton, "plateTake").click()
    (dialog,) = session.window.findChildren(PlateDialog)
    assert dialog.isVisible()
    dialog.close()
    session.store.edit("matting", model="auto")
    assert not controls.isHidden(), "a model that is chosen automatically may use the plate"
    qtbot.waitUntil(lambda: not controls.unused.isHidden())
    find(controls, QPushButton, "matting.plate removal").click()
    assert session.store.current.matting.plate is None
    assert controls.isHidden() and own.is_file()
