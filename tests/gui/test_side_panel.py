"""The side panel and the preferences: rows change their settings by real events; rules for every control."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QListView,
    QScrollArea,
    QScrollBar,
    QSlider,
    QStackedWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.config.setting import SETTINGS
from app.core.settings import WindowSettings
from app.gui.application import Session, WindowOptions
from app.gui.bridge import ViewMode
from app.matting.base.interface import EngineInfo
from app.runtime.status import Phase, PipelineStatus
from mattecam.testing import FakeEngine
from tests.fakes.world import FakeWorld
from tests.gui.conftest import MODELS, Downloads, StartWindow, activate
from tests.gui.widgets import bring_up, button, existing, find, turn_wheel, use_everything_on
from tests.sources import open_source

SIMPLE = {
    "blurSlider", "cameraCombo", "capture.flip", "capture.rotate", "edges.brightness", "edges.light_match",
    "edges.portrait_light", "framing.pan_x", "framing.pan_y", "framing.zoom", "people.auto_framing", "people.only_me",
    "virtualCameraToggle",
}  # fmt: skip


def test_simple_is_the_default_and_all_settings_are_remembered(controls: Session) -> None:
    window, named = controls.window, (QSlider, QComboBox, QLineEdit, QCheckBox)
    shown = [each for kind in named for part in (window.panel, window.strip) for each in part.findChildren(kind)]
    assert {each.objectName() for each in shown if each.isVisible()} == SIMPLE
    assert button(controls, "simpleSettings").isChecked()
    button(controls, "allSettings").click()
    assert all(group.isVisible() and not group.toggle.isChecked() for group in window.panel.groups)
    assert find(window, QComboBox, "capture.fps").isVisible(), "beside the rest of the camera"
    assert controls.store.current.window.all_settings and not WindowSettings().all_settings


def test_an_opened_group_stays_whole_until_the_user_scrolls(controls: Session, qtbot: QtBot) -> None:
    """It was scrolled to before its texts had wrapped."""
    page = controls.window.panel.page
    controls.window.resize(1270, 743)
    controls.store.edit("window", all_settings=True)
    viewport, bar, content = existing(page.viewport()), existing(page.verticalScrollBar()), existing(page.widget())
    *others, group = controls.window.panel.groups
    group.toggle.setChecked(True)
    for grows in (True, False):
        late, height = QWidget(), content.height()
        late.setFixedHeight(120)
        existing(others[0].layout()).addWidget(late)
        qtbot.waitUntil(lambda height=height: content.height() >= height + 120)  # type: ignore[misc]
        if grows:
            qtbot.waitUntil(lambda: 0 <= group.mapTo(viewport, QPoint()).y() <= viewport.height() - group.height())
            bar.triggerAction(QAbstractSlider.SliderAction.SliderSingleStepSub)
            before = bar.value()
    assert bar.value() == before


def test_the_wheel_changes_no_control_and_every_scrolled_page_has_a_name(session: Session, qtbot: QtBot) -> None:
    """Screen readers said nothing where the focus was on the page of the side panel, the checks or the keys."""
    kinds, window = (QAbstractSlider, QAbstractSpinBox, QComboBox), session.window
    for show in (
        window.open_assistant, window.open_plate_dialog, window.open_preferences, window.open_doctor,
        window.open_log, window.open_help,
    ):  # fmt: skip
        show()
    qtbot.waitUntil(button(session, "doctorProve").isEnabled)  # with the findings
    controls = [each for kind in kinds for each in window.findChildren(kind) if not isinstance(each, QScrollBar)]
    names = {control.objectName() for control in controls}
    assert names >= {"framing.zoom", "blurSlider", "modelCombo", "window.theme"}
    for control in controls:
        if isinstance(control, QAbstractSlider) and control.isEnabled():
            control.setValue((control.minimum() + control.maximum()) // 2)
    settings = session.store.current
    for control in controls:
        for notches in (-3, 3, 3):
            turn_wheel(control, notches)
            control.setFocus()
        assert session.store.current == settings, control.objectName()
    pages = window.findChildren(QScrollArea)
    assert len(pages) == 8
    for page in pages:
        assert page.accessibleName() or not page.focusPolicy() & Qt.FocusPolicy.TabFocus, page.parent()
    for dialog in window.findChildren(QDialog):
        dialog.close()


CONTROLS = (QAbstractButton, QComboBox, QAbstractSlider, QLineEdit, QListView)


def own_controls(window: QWidget) -> list[QWidget]:
    """Controls of the program, without internal widgets of Qt."""
    found = [child for kind in CONTROLS for child in window.findChildren(kind)]
    inside = {part for box in window.findChildren(QComboBox) for part in box.findChildren(QWidget)}
    return [
        child
        for child in found
        if child not in inside and not isinstance(child, QScrollBar) and not child.objectName().startswith("qt_")
    ]


def test_every_control_has_names_and_is_reached_with_the_tab_key(session: Session) -> None:
    assert session.window.objectName() == "mainWindow"
    controls = own_controls(session.window)
    assert len(controls) > 40
    assert len({control.objectName() for control in controls}) == len(controls), "each name is that of one control"
    for control in controls:
        name = f"{type(control).__name__} {control.objectName() or control.accessibleName()}"
        assert control.accessibleName() and control.accessibleDescription(), f"{name}: for screen readers"
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name


@pytest.mark.parametrize(("start", "key"), [("simpleSettings", Qt.Key.Key_Tab), ("preview", Qt.Key.Key_Backtab)])
def test_no_key_leads_to_a_control_out_of_sight(controls: Session, qtbot: QtBot, start: str, key: Qt.Key) -> None:
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
    for action in window.findChildren(QAction):
        if action.isCheckable():
            action.trigger()
            action.trigger()
    frames = session.bridge.status.frames_out
    session.store.set("paused", False)
    session.store.set("frozen", False)
    qtbot.waitUntil(lambda: session.bridge.status.frames_out > frames + 2)

    window.models.choose(MODELS[0].spec.name)
    window.models.download()
    window.action_bar.record.trigger()
    window.strip.library.reload()
    window.open_log()
    qtbot.waitUntil(lambda: session.bridge.status.recording is not None and downloads.began.is_set())
    assert session.close() == 0
    assert session.bridge.status.phase is Phase.STOPPED
    assert FakeEngine.live == 0


OTHERS = {"blurSlider": "background.blur_strength", "pauseButton": "paused", "freezeButton": "frozen"}
"""Controls that are no rows of a form, and the settings that they change."""
PARTLY = {"virtualCameraToggle", "output.virtual_camera", "downsampleAuto"}
"""Two controls of one setting: neither shows all of its values."""
Control = TypeVar("Control", bound=QWidget)


@pytest.fixture
def rows(controls: Session) -> Session:
    """The controls of the window, and the preferences."""
    controls.window.open_preferences()
    controls.store.edit("framing", zoom=1.5)  # so that it can be moved
    return controls


def of_settings(rows: Session, kind: type[Control]) -> Iterator[tuple[Control, Callable[[], object]]]:
    """Yield the enabled controls of a kind that change one setting, and what reads it. Shows the page of each."""
    pages = find(rows.window, QStackedWidget, "preferencesPages")
    for control in rows.window.findChildren(kind):
        setting = SETTINGS.get(control.property("setting") or OTHERS.get(control.objectName(), ""))
        if setting is None:
            continue
        if pages.isAncestorOf(control):
            pages.setCurrentIndex(int(not existing(pages.widget(0)).isAncestorOf(control)))
        else:
            bring_up(rows, control)
        if control.isEnabled() and control.isVisible():
            yield control, lambda setting=setting: setting.value_in(rows.store.current)  # type: ignore[misc]


def test_every_row_changes_its_setting(rows: Session, qtbot: QtBot) -> None:
    counts = [0, 0, 0]
    for slider, read in of_settings(rows, QSlider):
        before = read()
        qtbot.keyClick(slider, Qt.Key.Key_Home if slider.value() == slider.maximum() else Qt.Key.Key_End)
        assert read() != before, slider.objectName()
        counts[0] += 1
    for box, read in of_settings(rows, QComboBox):
        for key in (Qt.Key.Key_End, Qt.Key.Key_Home):
            box.setFocus()
            qtbot.keyClick(box, key)
            assert read() == box.currentData() or box.objectName() in PARTLY, box.objectName()
        counts[1] += box.count() > 1
    for switch, read in of_settings(rows, QCheckBox):
        before = read()
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(12, switch.height() // 2))
        assert read() != before, switch.objectName()
        qtbot.keyClick(switch, Qt.Key.Key_Space)
        assert bool(read()) == bool(before), switch.objectName()
        counts[2] += 1
    assert min(counts) > 9


def test_dragging_the_detail_slider_disables_automatic(rows: Session) -> None:
    """While it is automatic, the slider shows the ratio in use."""
    auto = find(rows.window, QCheckBox, "downsampleAuto")
    slider = find(rows.window, QSlider, "matting.downsample_ratio")
    assert auto.isChecked()
    engine = EngineInfo("mattecam", "openvino", "int8", "cpu", 0.5, (32, 24))
    rows.bridge.status_changed.emit(PipelineStatus(engine=engine))
    assert slider.value() == 50 and "32 × 24" in find(rows.window, QLabel, "downsampleSize").text()
    assert find(rows.window, QLabel, "precisionUsed").text() == "In use: int8"
    slider.setValue(30)
    assert rows.store.current.matting.downsample_ratio == pytest.approx(0.3)
    assert not auto.isChecked()
    auto.click()
    assert rows.store.current.matting.downsample_ratio is None


def test_stand_by_text_is_applied_while_typing(controls: Session, qtbot: QtBot) -> None:
    text = find(controls.window, QLineEdit, "output.standby_text")
    bring_up(controls, text)
    text.setFocus()
    qtbot.keyClicks(text, "back at 3")
    assert controls.store.current.output.standby_text == "back at 3"
    assert controls.store.current.background.kind == "blur", "digits typed into a text field are no shortcuts"


def test_virtual_camera_device_is_restored_when_switched_on_again(controls: Session, qtbot: QtBot) -> None:
    toggle = find(controls.window, QAbstractButton, "virtualCameraToggle")
    controls.store.edit("output", virtual_camera="/dev/video10")
    toggle.click()
    assert controls.store.current.output.virtual_camera == "off"
    toggle.click()
    assert controls.store.current.output.virtual_camera == "/dev/video10"


def test_edge_presets_follow_the_sliders(rows: Session) -> None:
    crisp, normal = button(rows, "edge_crisp"), button(rows, "edge_normal")
    assert normal.isChecked()
    rows.store.edit("matting.edges", temporal_smoothing=0.4)
    crisp.click()
    edges = rows.store.current.matting.edges
    assert (edges.contrast, edges.temporal_smoothing) == (0.4, 0.4), "a preset changes the shape of the edge alone"
    assert crisp.isChecked() and not normal.isChecked()
    rows.store.edit("matting.edges", grow_px=5)
    assert not crisp.isChecked(), "no preset has these values"
    normal.click()
    assert rows.store.current.matting.edges.grow_px == 0
    rows.store.edit("matting.edges", feather_px=12)
    button(rows, "edgeReset").click()
    assert rows.store.current.matting.edges.feather_px == find(rows.window, QSlider, "edges.feather_px").value() == 0


def test_badges_and_buttons_say_when_others_see_no_live_picture(session: Session, qtbot: QtBot) -> None:
    """The output was frozen, and the button that ends it said "Freeze"."""
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING)
    for setting, said, name, caption, other in (
        ("frozen", "Frozen: others see the last frame", "freezeButton", "Freeze", "Unfreeze"),
        ("paused", "Paused: others see the stand-by card", "pauseButton", "Pause", "Resume"),
    ):
        made = button(session, name)
        assert (made.text(), made.accessibleName()) == (caption, caption)
        session.store.set(setting, True)
        assert (made.text(), made.accessibleName()) == (other, other)
        qtbot.waitUntil(lambda said=said: session.window.badges.state.text() == said)  # type: ignore[misc]


def test_a_slider_goes_where_it_is_pressed_and_shows_what_was_set_meanwhile(controls: Session, qtbot: QtBot) -> None:
    """Presses beside the thin track did nothing, those on it moved the handle by a tenth."""
    slider, left = find(controls.window, QSlider, "blurSlider"), Qt.MouseButton.LeftButton
    width = slider.maximum() - slider.minimum()
    for y in (1, slider.height() // 2, slider.height() - 2):
        for share in (0.25, 0.75, 0):
            qtbot.mouseClick(slider, left, pos=QPoint(round(share * slider.width()), y))
            assert slider.value() == pytest.approx(slider.minimum() + share * width, abs=0.05 * width), (share, y)
            assert controls.store.current.background.blur_strength == slider.value()
    qtbot.mousePress(slider, left, pos=QPoint(slider.width() // 2, 2))
    qtbot.mouseMove(slider, QPoint(3 * slider.width() // 4, 2))
    dragged = slider.value()
    assert dragged == pytest.approx(slider.minimum() + 0.75 * width, abs=0.05 * width) and slider.isSliderDown()
    controls.store.edit("background", blur_strength=90)  # as `ctl` does
    assert slider.value() == dragged
    qtbot.mouseRelease(slider, left, pos=QPoint(3 * slider.width() // 4, 2))
    assert slider.value() == controls.store.current.background.blur_strength == 90
    qtbot.mouseClick(slider, Qt.MouseButton.RightButton, pos=QPoint(5, 2))
    assert slider.value() == 90
