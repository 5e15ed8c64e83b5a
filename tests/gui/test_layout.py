"""Nothing is cut off: windows, dialogs and lists at small sizes, at every scale and in every language."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest
from PyQt6.QtCore import QEvent, QLocale, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QScreen
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QLabel, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import SinkOpenError
from app.core.settings import Theme, WindowSettings
from app.core.text import t
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.dialogs.assistant import Assistant
from app.gui.dialogs.doctor_dialog import DoctorDialog
from app.gui.preview.overlay import ViewNote
from app.gui.shell.application import Session
from app.gui.shell.main_window import MainWindow
from app.gui.state.tasks import Tasks
from app.gui.widgets.action_bar import ActionBar
from app.gui.widgets.controls import ElidedComboBox, combo, fill_combo
from app.gui.widgets.notices import Notice, NoticeArea
from app.gui.widgets.page import Page
from app.gui.widgets.qt import FRAME
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.fitting import cut_off, far_captions, hidden_entries
from tests.gui.widgets import existing, find, letters, translate
from tools.make_translations import LANGUAGES


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
@pytest.mark.parametrize(("size", "theme"), [(1.0, "dark"), (2.0, "light")])
def test_no_text_is_cut_off(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, language: str, size: float, theme: Theme
) -> None:
    with letters(qapp, size), translate(qapp, QLocale(language)):
        session = start_window(window=WindowSettings(first_run_done=True, theme=theme))
        look_at_every_page(session, qtbot)


def look_at_every_page(session: Session, qtbot: QtBot) -> None:
    window = session.window
    window.resize(round(window.minimumSizeHint().width()), 900)
    qtbot.waitUntil(lambda: session.bridge.status.engine is not None)
    session.store.edit("matting", model="rvm-mobilenetv3")
    nothing_is_cut_off(window, qtbot)
    open_all_settings(session)
    nothing_is_cut_off(window, qtbot)
    open_every_list(window, qtbot)
    for dialog in every_dialog(window):
        if isinstance(dialog, DoctorDialog):
            qtbot.waitUntil(dialog.prove_button.isEnabled)
        nothing_is_cut_off(dialog, qtbot)
        open_every_list(dialog, qtbot)


def open_every_list(window: QWidget, qtbot: QtBot) -> None:
    """Open every list with a click, and close it without a choice."""
    for listed in window.findChildren(QComboBox):
        if listed.isVisible() and listed.isEnabled():
            panel = window.findChild(Page)
            if panel is not None and panel.isAncestorOf(listed):
                panel.scroll_to(listed)
            before, view = listed.currentIndex(), existing(listed.view())
            qtbot.mouseClick(listed, Qt.MouseButton.LeftButton)
            qtbot.waitUntil(lambda listed=listed: hidden_entries(listed) == [])  # type: ignore[misc]
            qtbot.keyClick(view, Qt.Key.Key_Escape)
            qtbot.waitUntil(lambda view=view: not view.isVisible())  # type: ignore[misc]
            assert listed.currentIndex() == before


def every_dialog(window: MainWindow) -> Iterator[QDialog]:
    """Open each dialog, yield it and close it."""
    windows = window.windows
    for opened in (
        windows.open_assistant, windows.open_doctor, windows.open_shortcuts, windows.open_virtual_camera_help,
        windows.open_preferences, windows.open_about, windows.open_plate_dialog, window.scenes.ask_for_name,
        windows.open_log, windows.open_help,
    ):  # fmt: skip
        opened()
        (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
        yield dialog
        dialog.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


MODPROBE = 'sudo modprobe v4l2loopback devices=1 video_nr=10 exclusive_caps=1 card_label="Mattecam"'


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_window_fits_into_800_by_600_pixels_also_with_plot_and_messages(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, world: FakeWorld, language: str
) -> None:
    error = t(
        "There is no virtual camera: install v4l2loopback (package v4l2loopback-dkms), then run `{command}`⟦, or let "
        "`python3 run.py doctor --fix` do it⟧.",
        command=MODPROBE,
    )
    world.faults.put("open_virtual_camera", SinkOpenError(error))
    with translate(qapp, QLocale(language)):
        session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="auto")))
        window = session.window
        qtbot.waitUntil(lambda: bool(window.notices.texts))
        screen = existing(window.screen())
        assert window.width() <= screen.availableSize().width(), "the first size is limited to the screen"
        for kind in ("none", "image", "blur"):
            session.store.edit("background", kind=kind)
            assert window.minimumSizeHint().width() <= 800
        session.store.edit("output", virtual_camera="/dev/video9")
        qtbot.waitUntil(lambda: "v4l2loopback" in window.notices.error)
        window.resize(800, 600)
        for everything in (False, True):
            if everything:
                open_all_settings(session)
            nothing_is_cut_off(window, qtbot)
            qtbot.waitUntil(partial(fits_its_panel, window.panel.page))
        for key in ("one", "two", "three"):
            window.notices.show_notice(
                Notice(key, f"{key}: a sentence about something that has happened", (("Undo", list),))
            )
        qtbot.wait(300)
        qtbot.waitUntil(lambda: find(window.notices, QWidget, window.notices.shown).isVisible())
        assert window.height() == 600 and window.minimumSizeHint().height() <= 600


SCREENS = QSize(1366, 768), QSize(1024, 700), QSize(800, 500), QSize(683, 384), QSize(512, 350)
"""Of 1366x768 and 1024x700 pixels, also at scale 2, and of 1600x1000 pixels at scale 2."""


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size.width()}x{size.height()}")
def test_the_first_start_fits_the_screen_with_its_frame(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, language: str,
    size: QSize,
) -> None:  # fmt: skip
    """The window was as high as the screen without its title bar, and never lower than 420 pixels."""
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: QRect(QPoint(), size))
    room = size - FRAME
    with translate(qapp, QLocale(language)):
        session = start_window(window=WindowSettings())
        window, assistant = session.window, find(session.window, Assistant)
        for each in (window, assistant):
            assert each.size().boundedTo(room) == each.size(), each.objectName()
        for _step in range(2):
            for control in ("assistantBack", "assistantNext"):
                made = find(assistant, QPushButton, control)
                assert assistant.rect().contains(made.geometry()), control
            find(assistant, QPushButton, "assistantNext").click()
            page = next(each for each in assistant.findChildren(QScrollArea, "assistantPage") if each.isVisible())
            assert existing(page.verticalScrollBar()).value() == 0, "the title is seen first"
        assistant.accept()
        for key in ("one", "two"):
            window.notices.show_notice(Notice(key, f"{key}: a sentence about something", (("Undo", list),)))
        QApplication.processEvents()
        qtbot.waitUntil(lambda: find(window.notices, QWidget, window.notices.shown).isVisible())
        qtbot.waitUntil(lambda: window.minimumSizeHint().boundedTo(room) == window.minimumSizeHint())
        assert window.size().boundedTo(room) == window.size()
        for shown in (window.preview, window.action_bar, window.strip, window.status_line):
            assert shown.isVisible() and not shown.visibleRegion().isEmpty()
        if size.width() < 600:
            assert not window.panel.isVisible(), "there is room for one of both"
            session.store.set("window.show_panel", False)
            session.store.set("window.show_panel", True)
            qtbot.waitUntil(lambda: window.panel.isVisible() and not window.preview.isVisible())
            session.store.set("window.show_panel", False)
            qtbot.waitUntil(lambda: window.preview.isVisible() and not window.panel.isVisible())
        else:
            assert window.panel.isVisible()


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_every_dialog_fits_on_a_screen_of_800_by_500_pixels(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """A screen of 1600x1000 pixels at scale 2: the buttons of assistant, doctor and help were below its edge."""
    screen = QRect(QPoint(), QSize(800, 500))
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: screen)
    with translate(qapp, QLocale(language)):
        window = start_window(window=WindowSettings(first_run_done=True)).window
        for dialog in every_dialog(window):
            for following in dialog.findChildren(QPushButton, "assistantNext") * 3:  # every step of the assistant
                qtbot.mouseClick(following, Qt.MouseButton.LeftButton)
            assert dialog.height() <= screen.height() - FRAME.height(), dialog.objectName()
            assert dialog.width() <= screen.width(), dialog.objectName()


def open_all_settings(session: Session) -> None:
    """Open every group of the side panel."""
    session.store.edit("window", all_settings=True)
    for group in session.window.panel.groups:
        group.toggle.setChecked(True)


def fits_its_panel(page: Page) -> bool:
    """Whether the side panel needs no horizontal scrolling."""
    content, viewport = existing(page.widget()), existing(page.viewport())
    return content.width() <= viewport.width()


@pytest.mark.parametrize("count", [16, 20])
def test_a_list_in_the_middle_of_the_screen_shows_every_entry(qtbot: QtBot, count: int) -> None:
    """Neither above nor below the box is there room for them."""
    made = combo("Model", "The network", "modelCombo")
    qtbot.addWidget(made)
    fill_combo(made, [(f"Entry {number}", number) for number in range(count)], 3)
    screen = existing(made.screen())
    made.show()
    made.move(screen.availableGeometry().center())
    made.showPopup()
    view = existing(made.view())
    qtbot.waitUntil(lambda: view.isVisible() and hidden_entries(made) == [])
    assert not existing(view.verticalScrollBar()).isVisible()
    assert screen.availableGeometry().contains(existing(view.window()).geometry())
    made.hidePopup()


def test_a_list_that_is_too_narrow_shows_an_ellipsis(qtbot: QtBot) -> None:
    made = combo("Output", "Where it goes", "outputCombo")
    assert isinstance(made, ElidedComboBox)
    qtbot.addWidget(made)
    fill_combo(made, [("Beside the person in the virtual camera", 1)], 1)
    made.resize(120, made.sizeHint().height())
    cut, drawn = made.shown_text(), made.grab().toImage()
    assert cut.endswith("…")
    fill_combo(made, [(cut, 1)], 1)
    assert made.shown_text() == cut and made.grab().toImage() == drawn


def test_what_a_size_leaves_out_is_left_out_after_the_layout(session: Session, qtbot: QtBot) -> None:
    """Within it, the new size hints were not always laid out: "Blur strength" was cut off although there was room."""
    holder = QWidget()
    qtbot.addWidget(holder)
    notices = NoticeArea()
    notices.show_notice(Notice("one", "a sentence about something that has happened", (("Undo", list),)))
    with closing(Tasks()) as tasks:
        for widget in (
            BackgroundStrip(session.store, tasks),
            ActionBar(session.store),
            ViewNote(session.window.preview, session.store, session.bridge),
            notices,
        ):
            widget.setParent(holder)
            widget.resize(1000, 40)
            holder.show()
            widget.show()
            qtbot.wait(1)
            whole = texts(widget)
            widget.resize(150, 40)
            assert texts(widget) == whole
            qtbot.waitUntil(lambda widget=widget, whole=whole: texts(widget) != whole)  # type: ignore[misc]


def texts(widget: QWidget) -> list[str]:
    """Return the texts in a widget that are not hidden."""
    parts = [widget, *widget.findChildren(QWidget)]
    return [part.text() for part in parts if isinstance(part, QLabel | QAbstractButton) and not part.isHidden()]


def test_every_list_has_a_visible_caption(session: Session) -> None:
    content = session.window.panel
    captions = {label.buddy() for label in content.findChildren(QLabel) if label.buddy() is not None}
    assert not [found.objectName() for found in content.findChildren(QComboBox) if found not in captions]


def nothing_is_cut_off(widget: QWidget, qtbot: QtBot) -> None:
    def check() -> None:
        assert cut_off(widget) == []
        assert far_captions(widget) == []

    qtbot.waitUntil(check)
