"""The side panel: Simple shows what most people need, All settings the rest in groups."""

from __future__ import annotations

import re

import pytest
from PyQt6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QSlider, QWidget
from pytestqt.qtbot import QtBot

from app.gui.state.preferences import WindowPreferences
from models.table import NETWORKS
from tests.gui.controls import Controls
from tests.gui.widgets import bring_up, button, existing, find

SIMPLE = {
    "autoFramingCombo", "blurSlider", "cameraCombo", "light_matchSlider", "light_wrapSlider", "panXSlider",
    "panYSlider", "portrait_lightSlider", "virtualCameraToggle", "zoomSlider",
}  # fmt: skip
RESEARCH = re.compile(
    r"alpha|backend|BGRA|CUDA|executor|float|guided|matting|MJPG|network|numba|OpenVINO|PipeWire|precision|PyTorch"
    r"|refiner|threshold|V4L2|YUYV",
    re.IGNORECASE,
)
EXPERT = {
    "deviceCombo", "executorCombo", "precisionCombo", "refinerCombo", "thresholdSlider", "virtualCameraBackendCombo",
}  # fmt: skip


def texts_of(widget: QWidget) -> list[str]:
    """Return everything that a visible widget says: its text, entries and tool tip."""
    texts = [widget.toolTip(), widget.accessibleName()]
    if isinstance(widget, QLabel | QAbstractButton):
        texts.append(widget.text())
    if isinstance(widget, QComboBox):
        texts += [widget.itemText(row) for row in range(widget.count())]
    return texts


def shown(controls: Controls) -> list[QWidget]:
    window = controls.window
    return [child for part in (window.panel, window.strip) for child in part.findChildren(QWidget) if child.isVisible()]


def test_simple_is_the_default_and_shows_what_most_people_need(controls: Controls) -> None:
    settings = {child.objectName() for child in shown(controls) if isinstance(child, QSlider | QComboBox | QLineEdit)}
    switches = {child.objectName() for child in shown(controls) if isinstance(child, QAbstractButton)}
    assert settings - {"qt_spinbox_lineedit"} == SIMPLE - {"virtualCameraToggle"}
    assert "virtualCameraToggle" in switches
    assert button(controls, "simpleSettings").isChecked()


def test_simple_has_no_names_of_research(controls: Controls) -> None:
    said = [text for child in shown(controls) for text in texts_of(child)]
    assert [text for text in said if RESEARCH.search(text)] == []
    titles = [spec.title for spec in NETWORKS.values()]
    assert [text for text in said for title in titles if title in text] == []


def test_what_only_experts_understand_is_in_their_group(controls: Controls) -> None:
    expert = next(group for group in controls.window.panel.groups if group.toggle.objectName() == "expertGroup")
    inside = {child.objectName() for child in expert.findChildren(QWidget)}
    assert inside >= EXPERT


def test_the_choice_is_remembered(controls: Controls) -> None:
    groups = controls.window.panel.groups
    button(controls, "allSettings").click()
    assert all(group.isVisible() for group in groups)
    assert controls.preferences.current.all_settings and not WindowPreferences().all_settings
    controls.preferences.change(all_settings=False)
    assert button(controls, "simpleSettings").isChecked() and not any(group.isVisible() for group in groups)
    controls.preferences.change(all_settings=True)
    assert button(controls, "allSettings").isChecked()


def test_all_settings_scrolls_to_the_groups(controls: Controls, qtbot: QtBot) -> None:
    controls.window.resize(1024, 600)
    button(controls, "allSettings").click()
    last = controls.window.panel.groups[-1]
    viewport = existing(controls.window.panel.page.viewport())
    qtbot.waitUntil(lambda: viewport.rect().contains(last.mapTo(viewport, last.rect().center())))


@pytest.mark.parametrize("name", ["thresholdSlider", "presentPdf", "onlyMeCheck"])
def test_a_control_of_a_group_is_revealed(controls: Controls, qtbot: QtBot, name: str) -> None:
    controls.preferences.change(show_panel=False)
    control = find(controls.window, QWidget, name)
    bring_up(controls, control)
    viewport = existing(controls.window.panel.page.viewport())
    qtbot.waitUntil(control.isVisible)
    qtbot.waitUntil(lambda: viewport.rect().contains(control.mapTo(viewport, control.rect().center())))
