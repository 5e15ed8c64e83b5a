"""The side panel and the preferences: each control is reached, named, and changes its setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import PyQt6.QtWidgets as qt  # noqa: N813
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QAction
from pytestqt.qtbot import QtBot

from app.config.setting import SETTINGS, Setting
from app.core.settings import WindowSettings
from app.gui.application import Session
from app.gui.bridge import ViewMode
from app.gui.panels.form import Form
from app.matting.interface import EngineInfo
from app.runtime.status import Phase, PipelineStatus
from mattecam.testing import FakeEngine
from tests.fakes.world import FakeWorld
from tests.gui import widgets as ui
from tests.gui.conftest import MODELS, Downloads, StartWindow, activate
from tests.sources import open_source

SIMPLE = {
    "blurSlider", "cameraCombo", "capture.flip", "capture.rotate", "light.brightness", "light.match",
    "light.portrait", "framing.pan_x", "framing.pan_y", "framing.zoom", "people.framing", "people.only_me",
    "virtualCameraToggle",
}  # fmt: skip


def test_simple_is_the_default_and_all_settings_are_remembered(controls: Session) -> None:
    window = controls.window
    named = (qt.QSlider, qt.QComboBox, qt.QLineEdit, qt.QCheckBox)
    shown = [
        each
        for kind in named
        for part in (window.panel, window.strip)
        for each in part.findChildren(kind)
    ]
    assert {each.objectName() for each in shown if each.isVisible()} == SIMPLE
    assert ui.button(controls, "simpleSettings").isChecked()
    ui.button(controls, "allSettings").click()
    assert all(group.isVisible() and not group.toggle.isChecked() for group in window.panel.groups)
    assert ui.find(window, qt.QComboBox, "capture.fps").isVisible(), "beside the rest of the camera"
    assert controls.store.current.window.all_settings and not WindowSettings().all_settings


def test_an_opened_group_stays_whole_until_the_user_scrolls(
    controls: Session, qtbot: QtBot
) -> None:
    """It was scrolled to before its texts had wrapped."""
    page = controls.window.panel.page
    controls.window.resize(1270, 743)
    controls.store.edit("window", all_settings=True)
    viewport = ui.existing(page.viewport())
    content = ui.existing(page.widget())
    bar = ui.existing(page.verticalScrollBar())
    *others, group = controls.window.panel.groups

    def is_as_high_as(height: int) -> bool:
        return content.height() >= height

    def is_whole() -> bool:
        """Whether the viewport shows all of the group."""
        top = group.mapTo(viewport, QPoint()).y()
        return 0 <= top <= viewport.height() - group.height()

    group.toggle.setChecked(True)
    for grows in (True, False):
        late = qt.QWidget()
        height = content.height()
        late.setFixedHeight(120)
        ui.existing(others[0].layout()).addWidget(late)
        ui.until(qtbot, is_as_high_as, height + 120)
        if grows:
            ui.until(qtbot, is_whole)
            bar.triggerAction(qt.QAbstractSlider.SliderAction.SliderSingleStepSub)
            before = bar.value()

    assert bar.value() == before


def test_the_wheel_changes_no_control_and_every_scrolled_page_has_a_name(
    session: Session, qtbot: QtBot
) -> None:
    """Screen readers said nothing where the focus was on the page of the side panel, the checks or the keys."""
    kinds = (qt.QAbstractSlider, qt.QAbstractSpinBox, qt.QComboBox)
    window = session.window
    for show in (
        window.open_assistant, window.open_plate_dialog, window.open_preferences, window.open_doctor,
        window.open_log, window.open_help,
    ):  # fmt: skip
        show()
    qtbot.waitUntil(ui.button(session, "doctorProve").isEnabled)  # with the findings
    controls = [
        each
        for kind in kinds
        for each in window.findChildren(kind)
        if not isinstance(each, qt.QScrollBar)
    ]
    names = {control.objectName() for control in controls}
    assert names >= {"framing.zoom", "blurSlider", "modelCombo", "window.theme"}
    for control in controls:
        if isinstance(control, qt.QAbstractSlider) and control.isEnabled():
            control.setValue((control.minimum() + control.maximum()) // 2)
    settings = session.store.current
    for control in controls:
        for notches in (-3, 3, 3):
            ui.turn_wheel(control, notches)
            control.setFocus()
        assert session.store.current == settings, control.objectName()
    focused_by_wheel = [
        each.objectName() or type(each).__name__
        for each in window.findChildren(qt.QWidget)
        if each.focusPolicy() == Qt.FocusPolicy.WheelFocus
    ]
    assert focused_by_wheel == [], "who scrolls over these leaves what the keys acted on"
    pages = window.findChildren(qt.QScrollArea)
    assert len(pages) == 8
    for page in pages:
        assert page.accessibleName() or not page.focusPolicy() & Qt.FocusPolicy.TabFocus, (
            page.parent()
        )
    for dialog in window.findChildren(qt.QDialog):
        dialog.close()


CONTROLS = (qt.QAbstractButton, qt.QComboBox, qt.QAbstractSlider, qt.QLineEdit, qt.QListView)


def test_every_control_has_names_and_is_reached_with_the_tab_key(session: Session) -> None:
    of_qt: list[qt.QWidget] = [*session.window.findChildren(qt.QScrollBar)]
    of_qt += [
        part
        for box in session.window.findChildren(qt.QComboBox)
        for part in box.findChildren(qt.QWidget)
    ]
    found = [
        each for kind in CONTROLS for each in session.window.findChildren(kind) if each not in of_qt
    ]
    controls = [each for each in found if not each.objectName().startswith("qt_")]
    assert 40 < len({control.objectName() for control in controls}) == len(controls), (
        "each name is that of one control"
    )
    for control in controls:
        name = f"{type(control).__name__} {control.objectName() or control.accessibleName()}"
        assert control.accessibleName() and control.accessibleDescription(), (
            f"{name}: for screen readers"
        )
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name


@pytest.mark.parametrize(
    ("start", "key"), [("simpleSettings", Qt.Key.Key_Tab), ("preview", Qt.Key.Key_Backtab)]
)
def test_no_key_leads_to_a_control_out_of_sight(
    controls: Session, qtbot: QtBot, start: str, key: Qt.Key
) -> None:
    """Qt scrolls a page only while the focus moves within it."""
    activate(controls, qtbot)
    controls.store.edit("window", all_settings=True)
    page = controls.window.panel.page
    outside = ui.find(controls.window, qt.QWidget, start)
    bar = ui.existing(page.verticalScrollBar())
    qtbot.waitUntil(lambda: bar.maximum() > 100)
    outside.setFocus()
    bar.setValue(bar.maximum() if key is Qt.Key.Key_Tab else 0)
    qtbot.keyClick(outside, key)
    focused = ui.existing(qt.QApplication.focusWidget())

    assert page.isAncestorOf(focused) and not focused.visibleRegion().isEmpty(), (
        focused.objectName()
    )


LEFT_OUT = {"capture.pixel_format", "sizeCombo", "capture.fps", "cameraCombo"}
"""Controls that reopen the source; other tests cover them."""


def test_close_while_every_control_is_used(
    start_window: StartWindow, qtbot: QtBot, world: FakeWorld, downloads: Downloads, tmp_path: Path
) -> None:
    session = start_window(parts=replace(world.parts(), open_source=open_source))
    session.store.edit("window", recordings_dir=tmp_path)
    window = session.window
    ui.ready(session, qtbot)
    for tile in window.strip.model.tiles:
        window.strip.choose(tile)
    preferences = window.open_preferences()
    for group in window.panel.groups:
        window.panel.reveal(group.findChildren(qt.QWidget)[-1])
    for page in (window.panel.page, preferences.advanced):
        for slider in page.findChildren(qt.QSlider):
            for value in (slider.minimum(), slider.maximum(), slider.minimum() + 20):
                slider.setValue(value)
        for box in page.findChildren(qt.QComboBox):
            for row in () if box.objectName() in LEFT_OUT else range(box.count()):
                ui.pick(box, row)
        for switch in page.findChildren(qt.QCheckBox):
            switch.click()
            switch.click()
    ui.find(preferences, qt.QPushButton, "edgeReset").click()
    preferences.close()
    for mode in ViewMode:
        window.action_bar.set_mode(mode)
    for action in (each for each in window.findChildren(QAction) if each.isCheckable()):
        action.trigger()
        action.trigger()
    frames = session.bridge.status.frames_out
    session.store.set("paused", False)
    session.store.set("frozen", False)
    ui.until(qtbot, ui.has_sent, session, frames + 2)
    qtbot.waitUntil(lambda: len(window.models.reports) > 0)
    window.models.choose(MODELS[0].spec.name)
    window.models.download()
    window.action_bar.record.trigger()
    window.strip.library.reload()
    window.open_log()
    qtbot.waitUntil(
        lambda: session.bridge.status.recording is not None and downloads.began.is_set()
    )

    assert (session.close(), session.bridge.status.phase, FakeEngine.live) == (0, Phase.STOPPED, 0)


OTHERS = {
    "blurSlider": "background.blur_strength",
    "pauseButton": "paused",
    "freezeButton": "frozen",
}
"""Controls that are no rows of a form, and the settings that they change."""
PARTLY = {"virtualCameraToggle", "output.virtual_camera", "downsampleAuto"}
"""Two controls of one setting: neither shows all of its values."""
Control = TypeVar("Control", bound=qt.QWidget)


@pytest.fixture
def rows(controls: Session) -> Session:
    """The controls of the window, and the preferences."""
    controls.window.open_preferences()
    controls.store.edit("framing", zoom=1.5)  # so that it can be moved
    return controls


def value_of(setting: Setting, rows: Session) -> object:
    return setting.value_in(rows.store.current)


def of_settings(
    rows: Session, kind: type[Control]
) -> Iterator[tuple[Control, Callable[[], object]]]:
    """Yield the enabled controls of a kind that change one setting, and what reads it. Shows the page of each."""
    pages = ui.find(rows.window, qt.QStackedWidget, "preferencesPages")
    for control in rows.window.findChildren(kind):
        setting = SETTINGS.get(control.property("setting") or OTHERS.get(control.objectName(), ""))
        if setting is None:
            continue
        if pages.isAncestorOf(control):
            pages.setCurrentIndex(int(not ui.existing(pages.widget(0)).isAncestorOf(control)))
        else:
            ui.bring_up(rows, control)
        if control.isEnabled() and control.isVisible():
            yield control, partial(value_of, setting, rows)


def test_every_row_changes_its_setting(rows: Session, qtbot: QtBot) -> None:
    counts = [0, 0, 0]
    for slider, read in of_settings(rows, qt.QSlider):
        before = read()
        qtbot.keyClick(
            slider, Qt.Key.Key_Home if slider.value() == slider.maximum() else Qt.Key.Key_End
        )
        assert read() != before, slider.objectName()
        counts[0] += 1
    for box, read in of_settings(rows, qt.QComboBox):
        for key in (Qt.Key.Key_End, Qt.Key.Key_Home):
            box.setFocus()
            qtbot.keyClick(box, key)
            assert read() == box.currentData() or box.objectName() in PARTLY, box.objectName()
        counts[1] += box.count() > 1
    for switch, read in of_settings(rows, qt.QCheckBox):
        before = read()
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(12, switch.height() // 2))
        assert read() != before, switch.objectName()
        qtbot.keyClick(switch, Qt.Key.Key_Space)
        assert bool(read()) == bool(before), switch.objectName()
        counts[2] += 1
    assert min(counts) > 9


def test_dragging_the_detail_slider_disables_automatic(rows: Session) -> None:
    """While it is automatic, the slider shows the ratio in use."""
    auto = ui.find(rows.window, qt.QCheckBox, "downsampleAuto")
    slider = ui.find(rows.window, qt.QSlider, "downsampleSlider")
    assert auto.isChecked()
    engine = EngineInfo("mattecam", "openvino", "int8", "cpu", 0.5, (32, 24))
    rows.bridge.status_changed.emit(PipelineStatus(engine=engine))
    texts = (
        ui.find(rows.window, qt.QLabel, name).text() for name in ("downsampleSize", "precisionUsed")
    )
    assert (slider.value(), *texts) == (50, "Input of the network: 32 × 24 px", "In use: int8")
    slider.setValue(30)
    assert (
        rows.store.current.matting.downsample_ratio == pytest.approx(0.3) and not auto.isChecked()
    )
    auto.click()
    assert rows.store.current.matting.downsample_ratio is None


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        pytest.param("capture.fps", 5.0, "5 fps", id="a rate"),
        pytest.param("background.zoom", 1.5, "1.50 ×", id="a factor"),
        pytest.param("framing.pan_x", 0.2, "+20 %", id="a shift"),
        pytest.param("edges.contrast", 0.35, "35 %", id="a share"),
        pytest.param("light.match", 35.0, "35 %", id="of a hundred"),
        pytest.param("edges.grow_px", -4, "-4 px", id="pixels"),
    ],
)
def test_the_unit_of_a_setting_decides_how_its_value_is_written(
    name: str, value: float, text: str, qtbot: QtBot
) -> None:
    """A rate of 5 was shown as 0.05 ×, since its lower limit is that of a factor."""
    store = ui.made_store()
    form = Form(store)
    qtbot.addWidget(form)

    slider = form.add_slider(name)
    store.set(name, value)
    shown = slider.value.text()
    slider.slider.setValue(slider.slider.minimum())

    assert shown == text
    assert SETTINGS[name].value_in(store.current) == (SETTINGS[name].range or (0, 0))[0]


def test_stand_by_text_is_applied_while_typing(controls: Session, qtbot: QtBot) -> None:
    text = ui.find(controls.window, qt.QLineEdit, "output.standby_text")
    ui.bring_up(controls, text)
    text.setFocus()
    qtbot.keyClicks(text, "back at 3")
    now = controls.store.current

    assert (now.output.standby_text, now.background.kind) == ("back at 3", "blur"), (
        "digits are no shortcuts here"
    )


def test_virtual_camera_device_is_restored_when_switched_on_again(
    controls: Session, qtbot: QtBot
) -> None:
    controls.store.edit("output", virtual_camera="/dev/video10")
    for device in ("off", "/dev/video10"):
        ui.button(controls, "virtualCameraToggle").click()
        assert controls.store.current.output.virtual_camera == device


def test_edge_presets_follow_the_sliders(rows: Session) -> None:
    crisp = ui.button(rows, "edge_crisp")
    normal = ui.button(rows, "edge_normal")
    assert normal.isChecked()
    rows.store.edit("matting.edges", temporal_smoothing=0.4)
    crisp.click()
    edges = rows.store.current.matting.edges
    assert (edges.contrast, edges.temporal_smoothing) == (0.4, 0.4), (
        "a preset changes the shape of the edge alone"
    )
    assert (crisp.isChecked(), normal.isChecked()) == (True, False)
    rows.store.edit("matting.edges", grow_px=5)
    assert not crisp.isChecked(), "no preset has these values"
    normal.click()
    assert rows.store.current.matting.edges.grow_px == 0
    rows.store.edit("matting.edges", feather_px=12)
    ui.button(rows, "edgeReset").click()
    feather = ui.find(rows.window, qt.QSlider, "edges.feather_px")
    assert rows.store.current.matting.edges.feather_px == feather.value() == 0


def test_badges_and_buttons_say_when_others_see_no_live_picture(
    session: Session, qtbot: QtBot
) -> None:
    """The output was frozen, and the button that ends it said "Freeze"."""
    ui.until(qtbot, ui.in_phase, session, Phase.RUNNING)
    session.bridge.poll()
    with qtbot.assertNotEmitted(
        session.window.action_bar.pause.changed
    ):  # the tray would send its menu again
        session.bridge.poll()
    for setting, said, name, *captions in (
        ("frozen", "Frozen: others see the last frame", "freezeButton", "Freeze", "Unfreeze"),
        ("paused", "Paused: others see the stand-by card", "pauseButton", "Pause", "Resume"),
    ):
        made = ui.button(session, name)
        for on, caption in enumerate(captions):
            session.store.set(setting, bool(on))
            assert (made.text(), made.accessibleName()) == (caption, caption)
        ui.until_is(qtbot, said, session.window.badges.state.text)


def test_a_slider_goes_where_it_is_pressed_and_shows_what_was_set_meanwhile(
    controls: Session, qtbot: QtBot
) -> None:
    """Presses beside the thin track did nothing, those on it moved the handle by a tenth."""
    slider = ui.find(controls.window, qt.QSlider, "blurSlider")
    left = Qt.MouseButton.LeftButton
    width = slider.maximum() - slider.minimum()
    for y in (1, slider.height() // 2, slider.height() - 2):
        for share in (0.25, 0.75, 0):
            qtbot.mouseClick(slider, left, pos=QPoint(round(share * slider.width()), y))
            assert slider.value() == pytest.approx(
                slider.minimum() + share * width, abs=0.05 * width
            ), (share, y)
            assert controls.store.current.background.blur_strength == slider.value()
    qtbot.mousePress(slider, left, pos=QPoint(slider.width() // 2, 2))
    qtbot.mouseMove(slider, QPoint(3 * slider.width() // 4, 2))
    dragged = slider.value()
    assert (
        dragged == pytest.approx(slider.minimum() + 0.75 * width, abs=0.05 * width)
        and slider.isSliderDown()
    )
    controls.store.edit("background", blur_strength=90)  # as `ctl` does
    assert slider.value() == dragged
    qtbot.mouseRelease(slider, left, pos=QPoint(3 * slider.width() // 4, 2))
    assert slider.value() == controls.store.current.background.blur_strength == 90
    qtbot.mouseClick(slider, Qt.MouseButton.RightButton, pos=QPoint(5, 2))
    assert slider.value() == 90
