"""What spoiled the first hour with the window: presses beside a target, words that do not follow, errors that stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QStyle,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.errors import Stage
from app.core.text import t
from app.gui.dialogs.questions import ask_before_loss
from app.gui.preview import overlay
from app.gui.shell import notices
from app.gui.shell.application import Session
from app.gui.shell.notices import ProgramNotices
from app.gui.widgets.notices import NoticeArea
from app.gui.widgets.status_line import summarize
from app.gui.widgets.value_slider import ValueSlider, percent
from app.runtime.status import Lowered, Phase, PipelineStatus, Problem
from tests.gui.conftest import StartWindow, activate
from tests.gui.widgets import at, button, existing, find, made_store, ready, said


def test_a_title_opens_its_group_over_the_whole_width(controls: Session, qtbot: QtBot) -> None:
    """It took presses as far as its text reached."""
    controls.store.set("window.all_settings", True)
    page = controls.window.panel.page
    qtbot.waitUntil(lambda: find(page, QToolButton, "zonesGroup").isVisible())
    QApplication.processEvents()
    for group in controls.window.panel.groups:
        title, before = group.toggle, group.toggle.isChecked()
        assert title.width() > 0.8 * existing(page.viewport()).width()
        qtbot.mouseClick(title, Qt.MouseButton.LeftButton, pos=QPoint(title.width() - 6, title.height() // 2))
        assert title.isChecked() is not before


def test_a_slider_goes_where_it_is_pressed_at_any_height_and_is_dragged_on(qtbot: QtBot) -> None:
    """Presses beside the thin track did nothing, those on it moved the handle by a tenth."""
    whole = ValueSlider(0, 100, percent, "Zoom", "Zooms")
    qtbot.addWidget(whole)
    whole.resize(300, 60)
    whole.show()
    slider, values = whole.slider, list[int]()
    whole.value_changed.connect(values.append)
    for y in (1, slider.height() // 2, slider.height() - 2):
        for x, low, high in ((slider.width() // 4, 20, 30), (3 * slider.width() // 4, 70, 80), (0, 0, 0)):
            qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
            assert low <= slider.value() <= high, (x, y)
    assert slider.value() == values[-1]
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() // 2, 2))
    assert slider.isSliderDown()
    qtbot.mouseMove(slider, QPoint(3 * slider.width() // 4, 2))
    assert 70 <= slider.value() <= 80
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(3 * slider.width() // 4, 2))
    slider.setValue(50)
    qtbot.mouseClick(slider, Qt.MouseButton.RightButton, pos=QPoint(5, 2))
    assert slider.value() == 50
    held = slider.rect().center() + QPoint(3, 0)
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=held)
    assert slider.value() == 50, "a press on the handle moves nothing"


def test_buttons_and_entries_say_what_they_will_do(controls: Session) -> None:
    """The output was frozen, and the button that ends it said "Freeze"."""
    actions = [each for each in controls.window.findChildren(QAction) if not each.shortcut().isEmpty()]
    for setting, name, caption, other in (
        ("frozen", "freezeButton", "Freeze", "Unfreeze"),
        ("paused", "pauseButton", "Pause", "Resume"),
    ):
        made, (entry,) = button(controls, name), [each for each in actions if each.text() == caption]
        for on, text in ((True, other), (False, caption), (True, other)):
            controls.store.set(setting, on)
            assert (made.text(), made.accessibleName(), entry.text()) == (text, text, text)
    (record,) = [each for each in actions if each.text() == "Record"]
    controls.store.edit("output", record=Path("a.mkv"))
    assert record.text() == "Stop recording"


def test_a_disabled_link_does_not_look_like_a_hint(controls: Session, qtbot: QtBot) -> None:
    """Both were grey letters; a link is underlined."""
    reset = button(controls, "framingReset")
    assert not reset.isEnabled()
    reset.ensurePolished()
    image = reset.grab().toImage()
    rows = [
        sum(image.pixelColor(x, y) != image.pixelColor(0, 0) for x in range(image.width()))
        for y in range(image.height())
    ]
    text = reset.fontMetrics().horizontalAdvance(reset.text()) * image.devicePixelRatio()
    assert max(rows) >= 0.9 * text, "a line below the whole text"


def test_the_note_about_the_mirror_leaves_the_body_and_returns_with_the_pointer(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert overlay.NOTE_MS > 5000, "as the tests set it"
    monkeypatch.setattr(overlay, "NOTE_MS", 300)
    session = start_window()
    ready(session, qtbot)
    qtbot.waitUntil(lambda: said(session, "viewNote") != "")
    qtbot.waitUntil(lambda: said(session, "viewNote") == "")
    qtbot.mouseMove(session.window.preview, at(session, 0.2, 0.3))
    qtbot.mouseMove(session.window.preview, at(session, 0.3, 0.3))
    assert said(session, "viewNote") != ""
    qtbot.waitUntil(lambda: said(session, "viewNote") == "")
    session.store.set("window.mirror_preview", False)
    qtbot.waitUntil(lambda: said(session, "viewNote") != "")
    qtbot.waitUntil(lambda: said(session, "viewNote") == "")


def test_the_frame_rate_is_said_once(session: Session, qtbot: QtBot) -> None:
    """The preview, the status line and the line below the camera said it."""
    ready(session, qtbot)
    window = session.window
    for on_preview in (True, False):
        session.store.set("window.show_readout", on_preview)
        qtbot.waitUntil(lambda on_preview=on_preview: find(window, QLabel, "figures").isVisible() is on_preview)  # type: ignore[misc]
        qtbot.waitUntil(lambda on_preview=on_preview: ("per second" in window.status_line.text()) is not on_preview)  # type: ignore[misc]
        shown = [each.text() for each in window.findChildren(QLabel) if each.isVisible()] + [window.status_line.text()]
        assert sum("fps" in text or "per second" in text for text in shown) == 1, shown
    status = replace(session.bridge.status, phase=Phase.RUNNING)
    for lowered in (None, Lowered(30.0, None, False, 15.0)):
        slow = replace(status, lowered=lowered, busy="")
        assert "per second" in summarize(slow) and "per second" not in summarize(slow, rate=False)
    assert summarize(slow, rate=False).endswith("This computer is busy")


def test_the_error_of_a_file_leaves_by_itself_and_others_stay(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """A red message about a broken picture stayed until another background was chosen."""
    monkeypatch.setattr(notices, "EVENT_MS", 200)
    area = NoticeArea()
    qtbot.addWidget(area)
    bar = ProgramNotices(area, made_store(), lambda: None, area)
    area.show()
    broken = Problem(
        Stage.BACKGROUND,
        t("The image {file} is damaged; save it again or choose another one.", file=Path("beach.png")),
        0.0,
    )
    gone = Problem(
        Stage.RECORDING, t("The recording {file} cannot be started: {reason}.", file=Path("a.mkv"), reason="x"), 0.0
    )
    status = PipelineStatus(phase=Phase.RUNNING, problems=(broken,))
    bar.show_status(status)
    assert "beach.png" in area.error
    qtbot.waitUntil(lambda: area.error == "")
    bar.show_status(status)
    assert area.error == "", "it does not come back while it lasts"
    bar.show_status(PipelineStatus(phase=Phase.RUNNING))
    bar.show_status(status)
    assert "beach.png" in area.error, "but when it happens again"
    qtbot.waitUntil(lambda: area.error == "")
    for lasting in (PipelineStatus(Phase.RUNNING, problems=(gone,)), PipelineStatus(Phase.WAITING, problems=(broken,))):
        bar.show_status(PipelineStatus(phase=Phase.RUNNING))
        bar.show_status(lasting)
        qtbot.wait(400)
        assert area.error != "", "others do not see what they should"


def test_every_dialog_ends_in_the_filled_button_that_goes_on_without_icons(controls: Session, qtbot: QtBot) -> None:
    """Some had icons and "OK" before "Cancel", others the reverse."""
    window = controls.window
    activate(controls, qtbot)

    def opened(act: object) -> QDialog:
        before = set(window.findChildren(QDialog))
        assert callable(act)
        act()
        (dialog,) = set(window.findChildren(QDialog)) - before
        return dialog

    for act in (
        window.scenes.ask_for_name, window.windows.open_about, lambda: window.strip.choose_number(0),
        lambda: ask_before_loss(window, "a", "b", "Delete for good", lambda: None),
        window.strip.choose_colour,
    ):  # fmt: skip
        dialog = opened(act)
        box = find(dialog, QDialogButtonBox)
        assert not existing(box.style()).styleHint(QStyle.StyleHint.SH_DialogButtonBox_ButtonsHaveIcons, None, box)
        buttons = sorted(box.findChildren(QPushButton), key=lambda each: each.x())
        assert [each for each in buttons if each.isDefault()] == [buttons[-1]], dialog.objectName()
        filled(buttons[-1])
        dialog.close()
    plate = opened(window.windows.open_plate_dialog)
    start = find(plate, QPushButton, "plateStart")
    assert start.x() > find(plate, QPushButton, "plateClose").x()
    filled(start)
    plate.close()


def filled(button_: QWidget) -> None:
    """Check that a button has the accent as its ground."""
    image = button_.grab().toImage()
    ground = image.pixelColor(image.width() // 2, round(5 * image.devicePixelRatio()))
    assert ground.name() == button_.palette().accent().color().name()
