"""Themes reach every widget, at once; what can be read, pressed and focused looks like it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PyQt6.QtCore import QSize
from PyQt6.QtGui import QColor, QIcon, QImage, QPalette
from PyQt6.QtWidgets import QApplication, QComboBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.settings import Theme
from app.gui.preview.qimage import from_qimage
from app.gui.shell.application import Session
from app.gui.widgets import theme
from app.gui.widgets.controls import button
from app.gui.widgets.status_line import StatusLine
from app.gui.widgets.value_slider import ValueSlider, percent
from app.runtime.status import Phase
from tests.gui.conftest import activate
from tests.gui.widgets import bring_up, find


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


def test_a_link_that_does_nothing_looks_like_it(controls: Session, qtbot: QtBot) -> None:
    window = controls.window
    link = find(window, QPushButton, "zonesClear")
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
