"""The side panel, and rules for every control: its names, the wheel, and a close of the window while all are used."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QListView,
    QScrollArea,
    QScrollBar,
    QSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.settings import WindowSettings
from app.gui.preview.rendering import ViewMode
from app.gui.shell.application import Session, WindowOptions
from app.runtime.status import Phase
from app.testing.parts import FakeEngine
from models.table import NETWORKS
from tests.fakes.world import FakeWorld
from tests.gui.conftest import MODELS, Downloads, StartWindow, activate
from tests.gui.widgets import bring_up, button, existing, find, turn_wheel, use_everything_on, values
from tests.sources import open_source

SIMPLE = {
    "blurSlider", "cameraCombo", "capture.rotate", "edges.light_match", "edges.portrait_light", "framing.pan_x",
    "framing.pan_y", "framing.zoom", "people.auto_framing", "virtualCameraToggle",
}  # fmt: skip
RESEARCH = re.compile(
    r"alpha|backend|BGRA|CUDA|executor|float|guided|matting|MJPG|network|numba|OpenVINO|PipeWire|precision|PyTorch"
    r"|refiner|threshold|V4L2|YUYV",
    re.IGNORECASE,
)
EXPERT = {
    "edges.threshold", "matting.device", "matting.executor", "matting.precision", "matting.refiner",
    "output.virtual_camera_backend",
}  # fmt: skip


def texts_of(widget: QWidget) -> list[str]:
    """Return everything that a visible widget says: its text, entries and tool tip."""
    texts = [widget.toolTip(), widget.accessibleName()]
    if isinstance(widget, QLabel | QAbstractButton):
        texts.append(widget.text())
    if isinstance(widget, QComboBox):
        texts += [widget.itemText(row) for row in range(widget.count())]
    return texts


def shown(controls: Session) -> list[QWidget]:
    window = controls.window
    return [child for part in (window.panel, window.strip) for child in part.findChildren(QWidget) if child.isVisible()]


def test_simple_is_the_default_and_shows_what_most_people_need(controls: Session) -> None:
    named = (QSlider, QComboBox, QLineEdit)
    settings = {child.objectName() for child in shown(controls) if isinstance(child, named)}
    switches = {child.objectName() for child in shown(controls) if isinstance(child, QAbstractButton)}
    assert settings - {"qt_spinbox_lineedit"} == SIMPLE - {"virtualCameraToggle"}
    assert "virtualCameraToggle" in switches
    assert button(controls, "simpleSettings").isChecked()
    said = [text for child in shown(controls) for text in texts_of(child)]
    assert [text for text in said if RESEARCH.search(text)] == []
    titles = [spec.title for spec in NETWORKS.values()]
    assert [text for text in said for title in titles if title in text] == []
    advanced = controls.window.windows.open_preferences().advanced
    assert {child.objectName() for child in advanced.findChildren(QWidget)} >= EXPERT


def test_all_settings_are_shown_and_remembered(controls: Session) -> None:
    groups, rate = controls.window.panel.groups, find(controls.window, QComboBox, "capture.fps")
    assert not rate.isVisible()
    button(controls, "allSettings").click()
    assert all(group.isVisible() and not group.toggle.isChecked() for group in groups)
    assert rate.isVisible(), "what few people need of the camera is beside the rest of it"
    assert controls.store.current.window.all_settings and not WindowSettings().all_settings
    controls.store.edit("window", all_settings=False)
    assert button(controls, "simpleSettings").isChecked() and not any(group.isVisible() for group in groups)
    controls.store.edit("window", all_settings=True)
    assert button(controls, "allSettings").isChecked()


@pytest.mark.parametrize("left_by", ["nobody", "scrolling", "focus"])
def test_an_opened_group_stays_whole_until_the_user_goes_on(controls: Session, qtbot: QtBot, left_by: str) -> None:
    """It was scrolled to before its texts had wrapped; on a slow computer, they wrap more than 50 ms later."""
    window, page = controls.window, controls.window.panel.page
    window.resize(1270, 743)
    controls.store.edit("window", all_settings=True)
    viewport, bar, content = existing(page.viewport()), existing(page.verticalScrollBar()), existing(page.widget())
    *others, group = window.panel.groups
    for each in (*others, group) if left_by == "nobody" else (group,):
        each.toggle.setChecked(True)
        qtbot.wait(100)
        qtbot.waitUntil(lambda each=each: is_whole(each, viewport))  # type: ignore[misc]
        each.toggle.setChecked(each is group)
    if left_by == "scrolling":
        bar.triggerAction(QAbstractSlider.SliderAction.SliderSingleStepSub)
    elif left_by == "focus":
        others[-1].toggle.setFocus()
    before, height, late = bar.value(), content.height(), QWidget()
    late.setFixedHeight(120)
    existing(others[0].layout()).addWidget(late)
    qtbot.waitUntil(lambda: content.height() >= height + 120)
    if left_by == "nobody":
        qtbot.waitUntil(lambda: is_whole(group, viewport) and bar.value() > before)
    else:
        assert bar.value() == before


def is_whole(group: QWidget, viewport: QWidget) -> bool:
    top = group.mapTo(viewport, QPoint(0, 0)).y()
    return top == 0 or 0 < top <= viewport.height() - group.height()


def test_a_control_of_a_group_is_revealed(controls: Session, qtbot: QtBot) -> None:
    viewport = existing(controls.window.panel.page.viewport())
    for name in ("brushSlider", "output.on_demand"):
        controls.store.edit("window", show_panel=False, all_settings=False)
        control = find(controls.window, QWidget, name)
        bring_up(controls, control)
        qtbot.waitUntil(control.isVisible)
        centre = control.rect().center()
        qtbot.waitUntil(
            lambda control=control, centre=centre: viewport.rect().contains(control.mapTo(viewport, centre))  # type: ignore[misc]
        )


def test_the_wheel_changes_no_control_and_every_scrolled_page_has_a_name(with_dialogs: Session) -> None:
    """Screen readers said nothing where the focus was on the page of the side panel, the checks or the keys."""
    kinds, window = (QAbstractSlider, QAbstractSpinBox, QComboBox), with_dialogs.window
    controls = [
        control for kind in kinds for control in window.findChildren(kind) if not isinstance(control, QScrollBar)
    ]
    names = {control.objectName() for control in controls}
    assert names >= {"framing.zoom", "blurSlider", "modelCombo", "window.theme"}
    for control in controls:
        if isinstance(control, QAbstractSlider) and control.isEnabled():
            control.setValue((control.minimum() + control.maximum()) // 2)
    before, settings = values(controls), with_dialogs.store.current
    for control in controls:
        for notches in (-3, 3, 3):
            turn_wheel(control, notches)
            control.setFocus()
        assert values(controls) == before, control.objectName()
    assert with_dialogs.store.current == settings
    pages = window.findChildren(QScrollArea)
    assert len(pages) == 10
    for page in pages:
        assert page.accessibleName() or not page.focusPolicy() & Qt.FocusPolicy.TabFocus, page.parent()


CONTROLS = (QAbstractButton, QComboBox, QAbstractSlider, QLineEdit, QListView)


def own_controls(window: QWidget) -> list[QWidget]:
    """Controls of the program, without internal widgets of Qt."""
    found = [child for kind in CONTROLS for child in window.findChildren(kind)]
    return [
        child
        for child in found
        if not isinstance(child, QScrollBar) and not child.objectName().startswith("qt_") and not inside_combo(child)
    ]


def inside_combo(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QComboBox) or type(parent).__name__ in ("QTabBar", "QMenuBar", "PlotWidget"):
            return True
        parent = parent.parentWidget()
    return False


def test_every_control_has_names_and_is_reached_with_the_tab_key(session: Session) -> None:
    assert session.window.objectName() == "mainWindow"
    controls = own_controls(session.window)
    assert len(controls) > 40
    assert len({control.objectName() for control in controls}) == len(controls), "each name is that of one control"
    for control in controls:
        name = f"{type(control).__name__} {control.objectName() or control.accessibleName()}"
        assert control.accessibleName() and control.accessibleDescription(), f"{name}: for screen readers"
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name


@pytest.mark.parametrize(("start", "key"), [("simpleSettings", Qt.Key.Key_Tab), ("statusLabel", Qt.Key.Key_Backtab)])
def test_no_key_leads_to_a_control_that_is_scrolled_out_of_sight(
    controls: Session, qtbot: QtBot, start: str, key: Qt.Key
) -> None:
    """Qt scrolls a page only while the focus moves within it."""
    activate(controls, qtbot)
    controls.store.edit("window", all_settings=True)
    page, outside = controls.window.panel.page, find(controls.window, QWidget, start)
    bar = existing(page.verticalScrollBar())
    qtbot.waitUntil(lambda: bar.maximum() > 100)
    outside.setFocus()
    bar.setValue(bar.maximum() if key is Qt.Key.Key_Tab else 0)
    qtbot.keyClick(outside, key)
    focused = existing(QApplication.focusWidget())
    assert page.isAncestorOf(focused) and not focused.visibleRegion().isEmpty(), focused.objectName()


def test_close_while_every_control_is_used(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, downloads: Downloads, tmp_path: Path
) -> None:
    parts = replace(world.parts(), open_source=open_source)
    session = start_window(options=WindowOptions(parts=parts))
    session.store.edit("window", recordings_dir=tmp_path)
    window = session.window
    qtbot.waitUntil(lambda: window.preview.image is not None and session.bridge.status.frames_out > 2)

    for tile in window.strip.model.tiles:
        window.strip.choose(tile)
    use_everything_on(session)
    for mode in ViewMode:
        window.action_bar.set_mode(mode)
    for action in window.menus.findChildren(QAction) + window.findChildren(QAction):
        if action.isCheckable():
            action.trigger()
            action.trigger()
    frames = session.bridge.status.frames_out
    session.store.set("paused", False)
    session.store.set("frozen", False)
    qtbot.waitUntil(lambda: session.bridge.status.frames_out > frames + 2)

    window.panel.quality.network.download.offer(MODELS[0].spec)
    window.panel.quality.network.download.start()
    window.action_bar.record.click()
    window.strip.library.reload()
    window.windows.open_log()
    qtbot.waitUntil(lambda: session.bridge.status.recording is not None and downloads.began.is_set())
    assert session.close() == 0
    assert session.bridge.status.phase is Phase.STOPPED
    assert FakeEngine.live == 0


def test_a_long_name_of_a_file_does_not_widen_the_panel(controls: Session, qtbot: QtBot, tmp_path: Path) -> None:
    """The right ends of all controls were cut off, without a scroll bar."""
    panel = controls.window.panel
    long = tmp_path / f"{'a_long_name_' * 8}.png"
    controls.store.edit("window", all_settings=True, recordings_dir=tmp_path / long.stem)
    for group in panel.groups:
        group.toggle.setChecked(True)
    controls.store.edit("matting", model="mattecam-plate")
    QApplication.processEvents()  # lays the groups out
    usual = panel.minimumSizeHint().width()
    for setting in ("output.standby_image", "matting.plate"):
        controls.store.set(setting, long)
    qtbot.waitUntil(lambda: bool(panel.quality.network.plate.age.text()))
    controls.window.resize(controls.window.minimumSizeHint())
    panel.setFixedWidth(usual)
    viewport, content = existing(panel.page.viewport()), existing(panel.page.widget())
    qtbot.waitUntil(lambda: content.width() > 0 and panel.width() == usual)
    assert content.minimumSizeHint().width() <= viewport.width()
    assert button(controls, "output.standby_image").text() == long.name, "the screen reader reads all of it"
