"""Texts fit in every language, font size and theme; themes reach every widget, at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QLocale, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QColor, QIcon, QImage, QPalette, QScreen
from PyQt6.QtWidgets import QApplication, QComboBox, QDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors import SinkOpenError
from app.core.messages.output import VirtualCameraText
from app.gui.dialogs.doctor_dialog import DoctorDialog
from app.gui.dialogs.help_window import open_help
from app.gui.i18n.language import translate
from app.gui.preview.qimage import from_qimage
from app.gui.shell.application import Session
from app.gui.state.preferences import Theme, WindowPreferences
from app.gui.widgets import theme
from app.gui.widgets.controls import ElidedComboBox, button, combo, fill_combo
from app.gui.widgets.notice import Notice
from app.gui.widgets.page import Page
from app.gui.widgets.plot_panel import PlotPanel
from app.gui.widgets.qt import LEAST_SCREEN, TITLE_BAR
from app.gui.widgets.status_line import StatusLine
from app.gui.widgets.value_slider import ValueSlider, percent
from app.runtime.status import Phase
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow, activate
from tests.gui.widgets import bring_up, cut_off, existing, fail, far_captions, find, hidden_entries
from tools.make_translations import LANGUAGES


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
@pytest.mark.parametrize(("size", "theme"), [(1.0, "dark"), (2.0, "light")])
def test_no_text_is_cut_off(
    start_window: StartWindow,
    qapp: QApplication,
    qtbot: QtBot,
    tmp_path: Path,
    language: str,
    size: float,
    theme: Theme,
) -> None:
    before = qapp.font()
    font = qapp.font()
    font.setPointSizeF(before.pointSizeF() * size)
    qapp.setFont(font)
    try:
        with translate(qapp, QLocale(language)):
            session = start_window(preferences=WindowPreferences(first_run_done=True, theme=theme))
            look_at_every_page(session, qtbot, tmp_path)
    finally:
        qapp.setFont(before)


def look_at_every_page(session: Session, qtbot: QtBot, folder: Path) -> None:
    window = session.window
    window.resize(round(window.minimumSizeHint().width()), 900)
    qtbot.waitUntil(lambda: session.bridge.status.engine is not None)
    session.store.edit("matting", model="rvm-mobilenetv3")
    nothing_is_cut_off(window, qtbot)
    open_all_settings(session)
    nothing_is_cut_off(window, qtbot)
    assert existing(window.panel.page.widget()).grab().save(str(folder / "panel.png"))
    window.windows.open_doctor()
    doctor = find(window, DoctorDialog)
    qtbot.waitUntil(doctor.prove_button.isEnabled)
    nothing_is_cut_off(doctor, qtbot)
    doctor.close()
    windows = window.windows
    for opened in (
        windows.open_assistant, windows.open_preferences, windows.open_shortcuts, windows.open_virtual_camera_help,
        windows.open_about, windows.open_plate_dialog, window.scenes.ask_for_name,
    ):  # fmt: skip
        before = set(window.findChildren(QDialog))
        opened()
        (dialog,) = set(window.findChildren(QDialog)) - before
        nothing_is_cut_off(dialog, qtbot)
        dialog.close()


MODPROBE = 'sudo modprobe v4l2loopback devices=1 video_nr=10 exclusive_caps=1 card_label="Mattecam"'


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_the_window_fits_into_800_by_600_pixels_also_with_plot_and_messages(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, world: FakeWorld, language: str
) -> None:
    error = VirtualCameraText.NONE_ON_LINUX(command=MODPROBE)
    world.faults.put("open_virtual_camera", fail(SinkOpenError(error)))
    with translate(qapp, QLocale(language)):
        session = start_window(QUIET.replace(output=QUIET.output.replace(virtual_camera="auto")))
        window = session.window
        qtbot.waitUntil(lambda: bool(window.notices.texts))
        screen = existing(window.screen())
        assert window.width() <= screen.availableSize().width(), "the first size is limited to the screen"
        for kind in ("none", "image", "slides", "blur"):
            session.store.edit("background", kind=kind)
            assert window.minimumSizeHint().width() <= 800
        session.store.edit("output", virtual_camera="/dev/video9")
        qtbot.waitUntil(lambda: "v4l2loopback" in window.error_bar.text)
        window.resize(800, 600)
        for everything in (False, True):
            if everything:
                open_all_settings(session)
            nothing_is_cut_off(window, qtbot)
            qtbot.waitUntil(partial(fits_its_panel, window.panel.page))
        session.preferences.change(show_plot=True)
        plot = find(window, PlotPanel, "plotPanel")
        for key in ("one", "two", "three"):
            window.notices.show_notice(
                Notice(key, f"{key}: a sentence about something that has happened", (("Undo", list),))
            )
        qtbot.wait(300)
        assert window.height() == 600 and window.minimumSizeHint().height() <= 600
        assert find(window.notices, QWidget, window.notices.shown).isVisible()
        window.resize(1100, 800)
        qtbot.waitUntil(lambda: plot.height() == plot.maximumHeight())


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_every_dialog_fits_on_a_screen_of_800_by_500_pixels(
    start_window: StartWindow, qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """A screen of 1600x1000 pixels at scale 2: the buttons of assistant, doctor and help were below its edge."""
    screen = QRect(QPoint(), LEAST_SCREEN)
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _screen: screen)
    with translate(qapp, QLocale(language)):
        window = start_window(preferences=WindowPreferences(first_run_done=True)).window
        windows = window.windows
        for opened in (
            windows.open_assistant, windows.open_doctor, windows.open_shortcuts, windows.open_virtual_camera_help,
            windows.open_preferences, windows.open_about, windows.open_plate_dialog, lambda: open_help(window),
            windows.open_log,
        ):  # fmt: skip
            opened()
            (dialog,) = (each for each in window.findChildren(QDialog) if each.isVisible())
            for following in dialog.findChildren(QPushButton, "assistantNext") * 3:  # every step of the assistant
                qtbot.mouseClick(following, Qt.MouseButton.LeftButton)
            assert dialog.height() <= screen.height() - TITLE_BAR, dialog.objectName()
            assert dialog.width() <= screen.width(), dialog.objectName()
            dialog.close()
            qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def open_all_settings(session: Session) -> None:
    """Open every group of the side panel."""
    session.preferences.change(all_settings=True)
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
    drawn: list[str] = []
    shown_text = made.shown_text
    made.shown_text = lambda width: drawn.append(shown_text(width)) or drawn[-1]  # type: ignore[method-assign,func-returns-value]
    made.grab()
    assert drawn[-1].endswith("…")
    made.resize(600, made.sizeHint().height())
    made.grab()
    assert drawn[-1] == made.currentText()


def test_every_list_has_a_visible_caption(session: Session) -> None:
    content = session.window.panel
    captions = {label.buddy() for label in content.findChildren(QLabel) if label.buddy() is not None}
    assert not [found.objectName() for found in content.findChildren(QComboBox) if found not in captions]


def nothing_is_cut_off(widget: QWidget, qtbot: QtBot) -> None:
    def check() -> None:
        assert cut_off(widget) == []
        assert far_captions(widget) == []

    qtbot.waitUntil(check)


def test_the_theme_changes_while_the_window_is_open(session: Session, qtbot: QtBot) -> None:
    def brightness() -> int:
        return session.window.grab().toImage().pixelColor(2, session.window.height() // 2).lightness()

    def settled() -> bool:
        plot = session.window.findChild(PlotPanel, "plotPanel")
        return session.window.updatesEnabled() and plot is not None and plot.drawing

    session.preferences.change(theme="dark", show_plot=True)
    qtbot.waitUntil(settled)
    dark = brightness()
    session.preferences.change(theme="light")
    assert not session.window.updatesEnabled(), "intermediate states are hidden"
    qtbot.waitUntil(settled)
    assert brightness() > dark + 100
    session.preferences.change(theme="dark")
    session.preferences.change(theme="light")
    session.preferences.change(theme="dark")
    qtbot.waitUntil(settled)
    assert brightness() == dark, "the last choice wins"


def contrast(one: str, other: str) -> float:
    """The ratio that WCAG defines; 4.5 is its least for text."""

    def luminance(name: str) -> float:
        parts = QColor(name).getRgbF()[:3]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [theme.DARK, theme.LIGHT], ids=["dark", "light"])
def test_every_text_has_enough_contrast(colours: theme.Colours) -> None:
    texts = (colours.text, colours.faint, colours.warning, colours.accent)
    pairs = [(text, ground) for text in texts for ground in (colours.window, colours.panel, colours.field)]
    pairs += [(colours.text, colours.raised), (colours.on_accent, colours.accent), ("white", theme.ALARM)]
    assert [pair for pair in pairs if contrast(*pair) < 4.5] == []


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
            return session.window.updatesEnabled() and taken[-2] == taken[-1]

        qtbot.waitUntil(same_again)
        return taken[-1]

    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING)
    session.bridge.poll()  # afterwards, no row appears or goes by itself
    session.preferences.change(theme="dark" if chosen == "light" else "light")
    before = pictures()
    session.preferences.change(theme=chosen)
    turned = pictures()
    theme.apply(qapp, chosen == "dark")  # as at the start of the program
    assert turned == pictures()
    assert not any(one == other for one, other in zip(before, turned, strict=True))


@pytest.mark.parametrize("name", ["presentEnd", "zonesClear"])
def test_a_link_that_does_nothing_looks_like_it(controls: Session, qtbot: QtBot, name: str) -> None:
    window = controls.window
    link = find(window, QPushButton, name)
    assert not link.isEnabled()

    def strongest() -> int:
        """Return the greatest difference between the colours of a pixel: the accent is a colour, grey is none."""
        image = link.grab().toImage()
        pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
        return max(max(p.red(), p.green(), p.blue()) - min(p.red(), p.green(), p.blue()) for p in pixels)

    disabled = strongest()
    link.setEnabled(True)
    assert strongest() > 2 * disabled


@pytest.mark.parametrize("make", [partial(button, "", link=True), StatusLine], ids=["link", "status"])
def test_the_mark_of_the_focus_does_not_touch_the_text(
    controls: Session, qtbot: QtBot, make: Callable[[], QPushButton]
) -> None:
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
