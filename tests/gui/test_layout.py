"""Nothing is cut off: windows, dialogs and lists at small sizes, at every scale and in every language."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QLocale, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QColor, QIcon, QImage, QPalette, QScreen
from PyQt6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QLabel, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import SinkOpenError
from app.core.settings import Theme, WindowSettings
from app.gui.application import Session
from app.gui.assistant import Assistant
from app.gui.backgrounds.strip import BackgroundStrip
from app.gui.bars import ActionBar, StatusLine
from app.gui.doctor import DoctorDialog
from app.gui.main_window import MainWindow
from app.gui.notices import Notice, NoticeArea
from app.gui.preview.rendering import from_qimage
from app.gui.preview.view import ViewNote
from app.gui.tasks import Tasks
from app.gui.widgets import theme
from app.gui.widgets.controls import ElidedComboBox, ValueSlider, button, combo, fill_combo, percent
from app.gui.widgets.page import Page
from app.gui.widgets.qt import FRAME
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import ON_DEVICE, StartWindow, activate
from tests.gui.widgets import bring_up, cut_off, existing, far_captions, find, hidden_entries, letters, translate
from tools.window_shots import ALL, DOCUMENTS


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [("en", 1.0, "dark"), ("de", 1.0, "light"), ("de", 2.0, "light"), ("es", 2.0, "dark")],
)
def test_no_text_is_cut_off(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, language: str, size: float, theme: Theme
) -> None:
    with letters(qapp, size), translate(qapp, QLocale(language)):
        session = start_window(window=WindowSettings(first_run_done=True, theme=theme))
        window = session.window
        window.resize(round(window.minimumSizeHint().width()), 900)
        qtbot.waitUntil(lambda: session.bridge.status.engine is not None)
        session.store.edit("matting", model="rvm-mobilenetv3")
        nothing_is_cut_off(window, qtbot)
        session.store.edit("background", kind="image", path=Path("gone.png"))
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


@pytest.mark.usefixtures("each_language")
def test_the_window_fits_800_by_600_pixels(start_window: StartWindow, qtbot: QtBot, world: FakeWorld) -> None:
    world.faults.put("open_virtual_camera", SinkOpenError(5 * f"{MODPROBE}; "))
    session = start_window(ON_DEVICE)
    window = session.window
    qtbot.waitUntil(lambda: "v4l2loopback" in window.notices.error)
    screen = existing(window.screen())
    assert window.width() <= screen.availableSize().width(), "the first size is limited to the screen"
    for kind in ("none", "image", "blur"):
        session.store.edit("background", kind=kind)
        assert window.minimumSizeHint().width() <= 800
    window.resize(800, 600)
    for everything in (False, True):
        if everything:
            open_all_settings(session)
        nothing_is_cut_off(window, qtbot)
    for key in ("one", "two", "three"):
        window.notices.show_notice(Notice(key, f"{key}: a sentence about what has happened", (("Undo", list),)))
    qtbot.wait(300)
    qtbot.waitUntil(lambda: find(window.notices, QWidget, window.notices.shown).isVisible())
    assert window.height() == 600 and window.minimumSizeHint().height() <= 600


SCREENS = QSize(1366, 768), QSize(1024, 700), QSize(800, 500), QSize(683, 384), QSize(512, 350)
"""Of 1366x768 and 1024x700 pixels, also at scale 2, and of 1600x1000 pixels at scale 2."""


@pytest.mark.parametrize("language", ["de", "es"])
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


@pytest.mark.usefixtures("each_language")
def test_every_dialog_fits_on_a_screen_of_800_by_500_pixels(
    start_window: StartWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A screen of 1600x1000 pixels at scale 2: the buttons of assistant, doctor and help were below its edge."""
    screen = QRect(QPoint(), QSize(800, 500))
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: screen)
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


def contrast(one: QColor, other: QColor) -> float:
    """The ratio that WCAG defines; 4.5 is its least for text."""

    def luminance(colour: QColor) -> float:
        parts = colour.getRgbF()[:3]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_every_text_has_enough_contrast(dark: bool) -> None:
    roles, colour = QPalette.ColorRole, theme.palette_of(dark).color
    texts = (roles.Text, roles.PlaceholderText, roles.BrightText, roles.Accent)
    pairs = [(text, ground) for text in texts for ground in (roles.Window, roles.AlternateBase, roles.Base)]
    pairs += [(roles.Text, roles.Button), (roles.HighlightedText, roles.Accent)]
    assert [pair for pair in pairs if contrast(*map(colour, pair)) < 4.5] == []
    assert contrast(QColor("white"), QColor(theme.ALARM)) >= 4.5


def brightness(window: QWidget) -> int:
    return window.grab().toImage().pixelColor(2, window.height() // 2).lightness()


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_a_new_theme_reaches_every_widget(session: Session, qtbot: QtBot, qapp: QApplication, chosen: Theme) -> None:
    def pictures() -> list[QImage]:
        """Grab the strip and the side panel after layout, without the text about the camera, which changes."""
        taken: list[list[QImage]] = [[]]

        def same_again() -> bool:
            panel = session.window.panel
            panel.camera.hide()
            shown = [part.grab().toImage() for part in (session.window.strip, panel, *panel.groups)]
            taken.append(shown)
            return taken[-2] == taken[-1]

        qtbot.waitUntil(same_again)
        return taken[-1]

    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING)
    session.bridge.poll()  # afterwards, no row appears or goes by itself
    session.store.edit("window", theme="dark" if chosen == "light" else "light")
    before, other = pictures(), brightness(session.window)
    session.store.edit("window", theme=chosen)
    turned = pictures()
    assert (brightness(session.window) - other > 100) is (chosen == "light")
    theme.apply(qapp, chosen == "dark")  # as at the start of the program
    assert turned == pictures()
    assert not any(one == other for one, other in zip(before, turned, strict=True))


def test_a_disabled_link_is_grey_and_underlined(controls: Session) -> None:
    """It looked like one that acts, then like a hint."""
    link = find(controls.window, QPushButton, "framingReset")
    assert not link.isEnabled()
    link.ensurePolished()

    def pixels() -> NDArray[np.int_]:
        return from_qimage(link.grab().toImage())[..., :3].astype(int)

    grey = pixels()
    text = link.fontMetrics().horizontalAdvance(link.text()) * link.devicePixelRatioF()
    assert (grey != grey[0, 0]).any(axis=2).sum(axis=1).max() >= 0.9 * text, "a line below the whole text"
    link.setEnabled(True)
    assert np.ptp(pixels(), axis=2).max() > 2 * np.ptp(grey, axis=2).max(), "the accent is a colour, grey is none"


@pytest.mark.parametrize("make", [partial(button, "", link=True), StatusLine], ids=["link", "status"])
def test_no_focus_mark_touches_the_text(controls: Session, qtbot: QtBot, make: Callable[[], QPushButton]) -> None:
    """A frame crossed the first and the last letter."""
    activate(controls, qtbot)
    made = make()
    made.setText("Jumping over zoom")
    made.setParent(controls.window)
    made.show()
    made.resize(made.sizeHint())

    def picture(focused: bool) -> NDArray[np.int_]:
        (made.setFocus if focused else made.clearFocus)()
        qtbot.waitUntil(lambda: made.hasFocus() is focused)
        return from_qimage(made.grab().toImage()).astype(int)

    plain = picture(focused=False)
    text = (plain != plain[0, 0]).any(axis=2)
    mark = (picture(focused=True) != plain).any(axis=2)
    assert text.any()
    assert mark.any()
    assert not (cv2.dilate(mark.astype(np.uint8), np.ones((3, 3), np.uint8)) * text).any()


def test_a_link_is_as_wide_as_its_text(controls: Session) -> None:
    """The line that marks its focus crossed the panel, like a separator; beside the text it could be pressed."""
    bring_up(controls, find(controls.window, QPushButton, "framingReset"))
    links = [link for link in controls.window.panel.findChildren(QPushButton) if link.property("link")]
    shown = [link for link in links if link.isVisible()]
    assert shown
    assert all(link.width() == link.sizeHint().width() for link in shown)


def test_what_stands_in_one_row_has_one_height(controls: Session) -> None:
    """Buttons with an icon and lists were 4 px higher than buttons without an icon beside them."""
    shown = [*controls.window.findChildren(QPushButton), *controls.window.findChildren(QComboBox)]
    heights = {
        each.objectName(): each.sizeHint().height()
        for each in shown
        if not (each.property("link") or each.objectName() == "statusLabel")
    }
    assert len(heights) > 20
    assert len(set(heights.values())) == 1, heights


def test_a_scale_with_two_directions_is_not_filled_from_one_end(controls: Session) -> None:
    """0 % looked like half of the scale."""
    accent = controls.window.palette().color(QPalette.ColorRole.Accent)
    for low, is_filled in ((-100, False), (0, True)):
        scale = ValueSlider(low, 100, percent, "Scale", "Scale")
        scale.setParent(controls.window)
        scale.show_value((low + 100) // 2)
        scale.resize(300, scale.sizeHint().height())
        image = scale.slider.grab().toImage()
        filled = image.pixelColor(scale.slider.width() // 4, scale.slider.height() // 2) == accent
        assert filled is is_filled


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_the_icon_of_a_running_recording_is_white_on_red(qapp: QApplication, dark: bool) -> None:
    """In the dark theme its disc was red on red, and its ring black."""
    theme.apply(qapp, dark)
    pixmap = theme.icon("record").pixmap(QSize(24, 24), QIcon.Mode.Normal, QIcon.State.On)
    assert pixmap.toImage().pixelColor(12, 12) == QColor("white")


def test_each_state_that_a_screenshot_shows_can_be_shown(session: Session) -> None:
    """Screenshots of the assistant named a setting that was removed."""
    for shot in (*DOCUMENTS, *ALL):
        widget = shot.prepare(session)
        assert widget.isVisible(), shot.name
        if widget is not session.window:
            widget.close()
