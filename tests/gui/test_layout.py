"""Nothing of the window is cut off, on any screen; its texts can be read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import PyQt6.QtWidgets as qt  # noqa: N813
import pytest
from PyQt6.QtCore import QEvent, QPoint, QRect, QSize
from PyQt6.QtGui import QColor, QImage, QPalette, QScreen
from pytestqt.qtbot import QtBot

from app.core.settings import Theme, WindowSettings
from app.gui.application import Session
from app.gui.assistant import Assistant
from app.gui.bars import ActionBar
from app.gui.doctor import DoctorDialog
from app.gui.main_window import MainWindow
from app.gui.notices import Notice
from app.gui.widgets import theme
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import FRAME
from app.runtime.status import Phase, PipelineStatus
from tests.gui import widgets as ui
from tests.gui.conftest import StartWindow
from tools.make_translations import LANGUAGES
from tools.window_shots import ALL, DOCUMENTS


def test_no_button_of_the_bar_is_narrower_than_its_text(qtbot: QtBot) -> None:
    """With other letters Qt took up to 8 pixels from the last button beside the menu at the end."""
    with ui.letters(2.0):
        bar = ActionBar(ui.made_store())
        qtbot.addWidget(bar)
        bar.show()
        cut_off = []

        for width in range(300, 900, 2):
            bar.resize(width, bar.sizeHint().height())
            qt.QApplication.processEvents()
            cut_off += [(width, text) for text in ui.cut_off(bar)]

    assert cut_off == []


SIZES = ((1024, 700), (1366, 768), (1600, 1000))
LEAST_PREVIEW = 0.45
"""Of the window's width."""
LEAST_PREVIEW_HEIGHT = 135
FAIR = Notice(
    "one",
    "A sentence about something that has happened",
    (("Undo", list), ("Open the folder", list)),
)


@pytest.mark.parametrize(
    ("language", "size", "theme"),
    [
        ("en", 1.0, "dark"),
        ("de", 1.0, "light"),
        ("de", 1.6, "dark"),
        ("es", 2.0, "light"),
    ],  # the longest words
)
def test_everything_is_read(
    start_window: StartWindow, qtbot: QtBot, language: str, size: float, theme: Theme
) -> None:
    """The right ends of the side panel were cut off, without a scroll bar."""
    with ui.letters(size):
        session = start_window(
            window=WindowSettings(first_run_done=True, theme=theme, language=language)
        )
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
        ui.until_is(qtbot, [], ui.cut_off, window)
        for dialog in every_dialog(window):
            if isinstance(dialog, DoctorDialog):
                qtbot.waitUntil(dialog.prove_button.isEnabled)
            ui.until_is(qtbot, [], ui.cut_off, dialog)


def test_a_long_name_of_a_file_does_not_widen_the_panel(
    controls: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    """The right ends of all controls were cut off, without a scroll bar."""
    panel = controls.window.panel
    long = tmp_path / f"{'a_long_name_' * 8}.png"
    controls.store.edit("window", all_settings=True, recordings_dir=tmp_path / long.stem)
    for group in panel.groups:
        group.toggle.setChecked(True)
    controls.store.edit("matting", model="mattecam-plate")
    qt.QApplication.processEvents()  # lays the groups out
    usual = panel.minimumSizeHint().width()
    for setting in ("output.standby_image", "matting.plate"):
        controls.store.set(setting, long)
    qtbot.waitUntil(lambda: bool(panel.quality.plate.age.text()))
    controls.window.resize(controls.window.minimumSizeHint())
    panel.setFixedWidth(usual)
    viewport = ui.existing(panel.page.viewport())
    content = ui.existing(panel.page.widget())
    qtbot.waitUntil(lambda: content.width() > 0 and panel.width() == usual)

    assert content.minimumSizeHint().width() <= viewport.width()


def check_window(window: MainWindow, width: int, height: int) -> None:
    assert (
        window.size() == QSize(width, height) == window.minimumSizeHint().expandedTo(window.size())
    )
    assert ui.cut_off(window) == []
    assert window.preview.width() >= LEAST_PREVIEW * width
    assert window.preview.height() >= LEAST_PREVIEW_HEIGHT


def every_dialog(window: MainWindow) -> Iterator[qt.QDialog]:
    """Open each dialog, yield it and close it."""
    for opened in (
        window.open_assistant, window.open_doctor, window.open_preferences, window.open_about,
        window.open_plate_dialog, window.scenes.ask_for_name, window.open_log, window.open_help,
    ):  # fmt: skip
        opened()
        (dialog,) = (each for each in window.findChildren(qt.QDialog) if each.isVisible())
        yield dialog
        dialog.close()
        qt.QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


SCREENS = QSize(1366, 768), QSize(1024, 700), QSize(800, 500), QSize(683, 384), QSize(512, 350)
"""Of 1366x768 and 1024x700 pixels, also at scale 2, and of 1600x1000 pixels at scale 2."""
LOWEST = 500
"""Height of a screen on which every dialog fits."""


@pytest.mark.parametrize("language", ["de", "es"])
@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size.width()}x{size.height()}")
def test_the_first_start_fits_the_screen_with_its_frame(
    start_window: StartWindow,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    size: QSize,
) -> None:
    """The window was as high as the screen without its title bar, and buttons of dialogs were below the edge."""
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: QRect(QPoint(), size))
    room = size - FRAME
    session = start_window(window=WindowSettings(language=language))
    window = session.window
    assistant = ui.find(session.window, Assistant)
    for each in (window, assistant):
        assert each.size().boundedTo(room) == each.size(), each.objectName()
    for _step in range(2):
        for control in ("assistantBack", "assistantNext"):
            made = ui.find(assistant, qt.QPushButton, control)
            assert assistant.rect().contains(made.geometry()), control
        ui.find(assistant, qt.QPushButton, "assistantNext").click()
        page = next(
            each
            for each in assistant.findChildren(qt.QScrollArea, "assistantPage")
            if each.isVisible()
        )
        assert ui.existing(page.verticalScrollBar()).value() == 0, "the title is seen first"
    assistant.accept()
    for key in ("one", "two"):
        window.notices.show_notice(
            Notice(key, f"{key}: a sentence about something", (("Undo", list),))
        )
    qt.QApplication.processEvents()
    qtbot.waitUntil(ui.find(window.notices, qt.QWidget, "two").isVisible)
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
            for following in dialog.findChildren(qt.QPushButton, "assistantNext") * 3:  # every step
                following.click()
            if size.height() >= LOWEST:
                assert dialog.size().boundedTo(room) == dialog.size(), dialog.objectName()


def contrast(*pair: QColor) -> float:
    """The ratio that WCAG defines; 4.5 is its least for text."""
    parts = np.array([colour.getRgbF()[:3] for colour in pair])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    darker, lighter = sorted(linear @ (0.2126, 0.7152, 0.0722))
    return float((lighter + 0.05) / (darker + 0.05))


@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_every_text_has_enough_contrast(dark: bool) -> None:
    roles = QPalette.ColorRole
    colour = theme.palette_of(dark).color
    texts = (roles.Text, roles.PlaceholderText, roles.BrightText, roles.Accent)
    pairs = [
        (text, ground)
        for text in texts
        for ground in (roles.Window, roles.AlternateBase, roles.Base)
    ]
    pairs += [(roles.Text, roles.Button), (roles.HighlightedText, roles.Accent)]

    assert [pair for pair in pairs if contrast(*map(colour, pair)) < 4.5] == []
    assert contrast(QColor("white"), QColor(theme.ALARM)) >= 4.5


def test_a_new_theme_reaches_every_widget(controls: Session) -> None:
    window = controls.window

    def seen(chosen: Theme) -> tuple[int, list[QImage]]:
        controls.store.edit("window", theme=chosen)
        ground = window.grab().toImage().pixelColor(2, window.height() // 2).lightness()
        return ground, [
            part.grab().toImage() for part in (window.strip, window.panel, *window.panel.groups)
        ]

    dark, in_dark = seen("dark")
    light, in_light = seen("light")
    dark_again, again = seen("dark")
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


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_badges_and_notes_by_a_small_picture_are_whole(
    start_window: StartWindow, qtbot: QtBot, language: str
) -> None:
    """The warning about the real background ended in an ellipsis after two words."""
    with ui.letters(2.0):
        session = start_window(window=WindowSettings(language=language), shown=False)
        window = session.window
        window.show()
        window.resize(1024, 700)
        window.notices.show_notice(FAIR)
        window.preview.show_image(QImage(64, 48, QImage.Format.Format_RGB32))
        session.bridge.status_changed.emit(
            PipelineStatus(phase=Phase.RUNNING, unmatted=True, readers=2)
        )
        badge = window.badges.unmatted
        live = window.badges.live
        switch = ui.find(window.preview, qt.QPushButton, "othersSeeButton")
        ui.enter(window.preview)

        def check() -> None:
            for shown in (badge, live, switch):
                assert shown.isVisible()
                corner = shown.mapTo(window.preview, QPoint(0, 0))
                assert window.preview.rect().contains(shown.rect().translated(corner))
            assert ui.cut_off(window.preview) == []

        qtbot.waitUntil(check)
        qt.QApplication.sendEvent(window.preview, QEvent(QEvent.Type.Leave))
        assert (switch.isVisible(), ui.said(session, "figures")[:2]) == (False, "0 "), (
            "they gave way to the note"
        )


def test_a_row_is_measured_and_not_turned(qtbot: QtBot) -> None:
    """With and without a scroll bar, the side panel turned its rows for ever."""
    holder = qt.QWidget()
    row = FoldingRow(qt.QPushButton("Always hide this"), qt.QPushButton("Undo"))
    qtbot.addWidget(holder)
    holder.setLayout(row)
    width = row.sizeHint().width()
    assert row.heightForWidth(width - 1) > row.heightForWidth(width)
    row.heightForWidth(width - 1)
    assert row.direction() is qt.QBoxLayout.Direction.LeftToRight
