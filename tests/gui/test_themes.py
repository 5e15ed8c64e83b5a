"""Themes reach every widget, at once and without intermediate states."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QSize
from PyQt6.QtGui import QColor, QIcon, QImage
from PyQt6.QtWidgets import QApplication, QComboBox, QPushButton
from pytestqt.qtbot import QtBot

from app.gui.shell.application import Session
from app.gui.state.preferences import Theme
from app.gui.widgets import theme
from app.gui.widgets.plot_panel import PlotPanel
from app.gui.widgets.value_slider import ValueSlider, percent
from app.runtime.status import Phase
from tests.gui.controls import Controls
from tests.gui.widgets import find


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
def test_a_link_that_does_nothing_looks_like_it(controls: Controls, qtbot: QtBot, name: str) -> None:
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


def test_what_stands_in_one_row_has_one_height(controls: Controls) -> None:
    """Buttons with an icon and lists were 4 px higher than buttons without an icon beside them."""
    shown = [*controls.window.findChildren(QPushButton), *controls.window.findChildren(QComboBox)]
    heights = {
        each.objectName(): each.sizeHint().height()
        for each in shown
        if not (each.property("link") or each.objectName() == "statusLabel")
    }
    assert len(heights) > 20
    assert len(set(heights.values())) == 1, heights


def test_a_scale_with_two_directions_is_not_filled_from_one_end(controls: Controls) -> None:
    """0 % looked like half of the scale."""
    accent = QColor(theme.DARK.accent)
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
