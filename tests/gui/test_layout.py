"""Nothing is cut off, also with large letters: windows, dialogs and lists in small sizes, all languages and themes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PyQt6.QtCore import QEvent, QLocale, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPalette, QScreen
from PyQt6.QtWidgets import QApplication, QBoxLayout, QDialog, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.core.settings import Theme, WindowSettings
from app.gui.application import Session
from app.gui.assistant import Assistant
from app.gui.doctor import DoctorDialog
from app.gui.main_window import MainWindow
from app.gui.notices import Notice
from app.gui.panels.form import Caption
from app.gui.widgets import theme
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import FRAME
from app.runtime.status import Phase, PipelineStatus
from tests.gui.conftest import StartWindow
from tests.gui.widgets import cut_off, enter, existing, find, letters, translate
from tools.window_shots import ALL, DOCUMENTS

SIZES = ((1024, 700), (1366, 768), (1600, 1000))
LEAST_PREVIEW = 0.45
"""Of the window's width."""
LEAST_PREVIEW_HEIGHT = 135
FAIR = Notice("one", "A sentence about something that has happened", (("Undo", list), ("Open the folder", list)))


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [("en", 1.0, "dark"), ("de", 1.0, "light"), ("de", 1.6, "dark"), ("es", 2.0, "light")],  # the longest words
)
def test_everything_is_reached_and_read(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, language: str, size: float, theme: Theme
) -> None:
    """The right ends of the side panel were cut off, without a scroll bar."""
    with letters(qapp, size), translate(qapp, QLocale(language)):
        session = start_window(window=WindowSettings(first_run_done=True, theme=theme))
        window = session.window
        qtbot.waitUntil(lambda: session.bridge.status.engine is not None)
        window.notices.show_notice(FAIR)
        session.store.edit("background", kind="none")
        for width, height in ((800, 600), *SIZES) if size == 1 else SIZES:
            for all_settings in (False, True):
                session.store.edit("window", all_settings=all_settings)
                for group in window.panel.groups:
                    group.toggle.setChecked(all_settings)
                window.resize(width, height)
                qtbot.waitUntil(partial(check_window, window, width, height))
        session.store.edit("matting", model="rvm-mobilenetv3")
        session.store.edit("background", kind="image", path=Path("gone.png"))
        qtbot.waitUntil(lambda: cut_off(window) == [])
        for dialog in every_dialog(window):
            if isinstance(dialog, DoctorDialog):
                qtbot.waitUntil(dialog.prove_button.isEnabled)
            qtbot.waitUntil(lambda dialog=dialog: cut_off(dialog) == [])  # type: ignore[misc]


def test_a_long_name_of_a_file_does_not_widen_the_panel(controls: Session, qtbot: QtBot, tmp_path: Path) -> None:
    """The right ends of all controls were cut off, without a scroll bar."""
    panel, long = controls.window.panel, tmp_path / f"{'a_long_name_' * 8}.png"
    controls.store.edit("window", all_settings=True, recordings_dir=tmp_path / long.stem)
    for group in panel.groups:
        group.toggle.setChecked(True)
    controls.store.edit("matting", model="mattecam-plate")
    QApplication.processEvents()  # lays the groups out
    usual = panel.minimumSizeHint().width()
    for setting in ("output.standby_image", "matting.plate"):
        controls.store.set(setting, long)
    qtbot.waitUntil(lambda: bool(panel.quality.plate.age.text()))
    controls.window.resize(controls.window.minimumSizeHint())
    panel.setFixedWidth(usual)
    viewport, content = existing(panel.page.viewport()), existing(panel.page.widget())
    qtbot.waitUntil(lambda: content.width() > 0 and panel.width() == usual)
    assert content.minimumSizeHint().width() <= viewport.width()


def check_window(window: MainWindow, width: int, height: int) -> None:
    """Fail while something of the window is cut off, or it does not have this size."""
    assert (window.width(), window.height()) == (width, height)
    assert window.minimumSizeHint().width() <= width and window.minimumSizeHint().height() <= height
    assert cut_off(window) == []
    assert window.preview.width() >= LEAST_PREVIEW * width
    assert window.preview.height() >= LEAST_PREVIEW_HEIGHT


def every_dialog(window: MainWindow) -> Iterator[QDialog]:
    """Open each dialog, yield it and close it."""
    for opened in (
        window.open_assistant, window.open_doctor, window.open_preferences, window.open_about,
        window.open_plate_dialog, window.scenes.ask_for_name, window.open_log, window.open_help,
    ):  # fmt: skip
        opened()
        (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
        yield dialog
        dialog.close()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


SCREENS = QSize(1366, 768), QSize(1024, 700), QSize(800, 500), QSize(683, 384), QSize(512, 350)
"""Of 1366x768 and 1024x700 pixels, also at scale 2, and of 1600x1000 pixels at scale 2."""
LOWEST = 500
"""Height of a screen on which every dialog fits."""


@pytest.mark.parametrize("language", ["de", "es"])
@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size.width()}x{size.height()}")
def test_the_first_start_fits_the_screen_with_its_frame(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, language: str,
    size: QSize,
) -> None:  # fmt: skip
    """The window was as high as the screen without its title bar, and buttons of dialogs were below the edge."""
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
        qtbot.waitUntil(find(window.notices, QWidget, "two").isVisible)
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
            for dialog in every_dialog(window):
                for following in dialog.findChildren(QPushButton, "assistantNext") * 3:  # every step of the assistant
                    qtbot.mouseClick(following, Qt.MouseButton.LeftButton)
                if size.height() >= LOWEST:
                    assert dialog.size().boundedTo(room) == dialog.size(), dialog.objectName()


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


def test_a_new_theme_reaches_every_widget(controls: Session) -> None:
    window = controls.window

    def seen(chosen: Theme) -> tuple[int, list[QImage]]:
        controls.store.edit("window", theme=chosen)
        ground = window.grab().toImage().pixelColor(2, window.height() // 2).lightness()
        return ground, [part.grab().toImage() for part in (window.strip, window.panel, *window.panel.groups)]

    (dark, in_dark), (light, in_light), (dark_again, again) = seen("dark"), seen("light"), seen("dark")
    assert light - dark > 100 and dark_again == dark
    for turned in (in_dark, again):
        assert not any(one == other for one, other in zip(in_light, turned, strict=True))


def test_each_state_that_a_screenshot_shows_can_be_shown(session: Session) -> None:
    """Screenshots of the assistant named a setting that was removed."""
    for shot in (*DOCUMENTS, *ALL):
        widget = shot.prepare(session)
        assert widget.isVisible(), shot.name
        if widget is not session.window:
            widget.close()


@pytest.mark.usefixtures("each_language")
def test_badges_and_notes_are_whole_beside_a_small_picture(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot
) -> None:
    """The warning about the real background ended in an ellipsis after two words."""
    with letters(qapp, 2.0):
        session = start_window(shown=False)
        window, image = session.window, QImage(64, 48, QImage.Format.Format_RGB32)
        image.fill(0)
        window.show()
        window.resize(1024, 700)
        session.store.edit("window", mirror_preview=True)
        window.notices.show_notice(FAIR)
        window.preview.show_image(image)
        session.bridge.status_changed.emit(PipelineStatus(phase=Phase.RUNNING, unmatted=True, readers=2))
        badge, live = window.badges.unmatted, window.badges.live
        switch = find(window.preview, QPushButton, "othersSeeButton")
        enter(window.preview)

        def check() -> None:
            for shown in (badge, live, switch):
                assert shown.isVisible()
                corner = shown.mapTo(window.preview, QPoint(0, 0))
                assert window.preview.rect().contains(shown.rect().translated(corner))
            for pill in (badge, live):
                assert pill.width() >= pill.minimumSizeHint().width()
                assert pill.height() >= pill.heightForWidth(pill.width())
            assert switch.width() >= switch.minimumSizeHint().width()

        qtbot.waitUntil(check)


def test_a_row_is_measured_without_another_layout(qtbot: QtBot) -> None:
    """With and without a scroll bar, the side panel turned its rows for ever; one whose text wraps had no height."""
    holder, title = QWidget(), Caption("A title that wraps")
    qtbot.addWidget(holder)
    folding = FoldingRow(title, QPushButton("Always hide this"))
    holder.setLayout(folding)
    side_by_side = folding.sizeHint().width()
    heights = [folding.heightForWidth(width) for width in (side_by_side - 1, side_by_side)]
    assert heights[0] > heights[1] >= title.sizeHint().height()
    assert folding.direction() is QBoxLayout.Direction.LeftToRight, "it was measured, not turned"
