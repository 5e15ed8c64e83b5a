"""Controls of the panels, operated by real events, change the settings; lists open whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from annotated_types import MaxLen
from PyQt6.QtCore import QPoint, QStandardPaths, Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QSlider,
    QStackedWidget,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.compositing.standby import DEFAULT_TEXT
from app.config.setting import SETTINGS
from app.gui.panels.form import Form
from app.gui.shell.application import Session
from app.gui.widgets.controls import ElidedComboBox, NameButton, WrappingCheckBox
from app.gui.widgets.value_slider import ValueSlider
from app.matting.base.interface import EngineInfo
from app.runtime.status import Phase, PipelineStatus
from tests.gui.widgets import bring_up, button, drag, existing, find, made_store

OTHERS = {
    "blurSlider": "background.blur_strength",
    "pauseButton": "paused",
    "freezeButton": "frozen",
}
"""Controls that are no rows of a form, and the settings that they change."""
PARTLY = {"virtualCameraToggle", "output.virtual_camera", "downsampleAuto"}
"""Two controls of one setting: neither shows all of its values."""
Control = TypeVar("Control", bound=QWidget)


@pytest.fixture
def rows(controls: Session) -> Session:
    """The controls of the window, and the preferences."""
    controls.window.windows.open_preferences()
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


def test_sliders_take_effect_while_dragged(rows: Session, qtbot: QtBot) -> None:
    count = 0
    for slider, read in of_settings(rows, QSlider):
        seen: list[object] = []
        slider.valueChanged.connect(lambda _value, seen=seen, read=read: seen.append(read()))
        before = read()
        drag(qtbot, slider, 0.9)
        assert read() != before, slider.objectName()
        assert len(set(seen)) > 1, f"{slider.objectName()}: the pipeline followed during the drag, not only at its end"
        count += 1
    assert count > 12


def test_list_choices_by_keyboard_reach_the_pipeline(rows: Session, qtbot: QtBot) -> None:
    count = 0
    for box, read in of_settings(rows, QComboBox):
        for key in (Qt.Key.Key_End, Qt.Key.Key_Home):
            box.setFocus()
            qtbot.keyClick(box, key)
            assert read() == box.currentData() or box.objectName() in PARTLY, box.objectName()
        count += box.count() > 1
    assert count > 12


def test_check_boxes_toggle_by_mouse_and_keyboard(rows: Session, qtbot: QtBot) -> None:
    count = 0
    for switch, read in of_settings(rows, QAbstractButton):
        if not switch.isCheckable():
            continue
        before = read()
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(12, switch.height() // 2))
        assert read() != before, switch.objectName()
        qtbot.keyClick(switch, Qt.Key.Key_Space)
        assert bool(read()) == bool(before), switch.objectName()
        count += 1
    assert count > 9


def test_every_declaration_is_drawn_by_the_kind_of_its_values(qtbot: QtBot) -> None:
    """A setting that somebody declares tomorrow has its row without a line of layout."""
    form = Form(made_store())
    qtbot.addWidget(form)
    kinds: dict[type, list[str]] = {}
    for name, declared in SETTINGS.items():
        limited = declared.annotation is not str or any(isinstance(each, MaxLen) for each in declared.field.metadata)
        if declared.description and limited and not name.endswith((".zones", ".width", ".height", ".fps")):
            made = form.row(name, name.title(), declared.description)
            kinds.setdefault(type(made), []).append(name)
            assert find(form, QWidget, name).toolTip() == declared.description
    assert "output.mirror" in kinds[WrappingCheckBox] and "window.close_to_tray" in kinds[WrappingCheckBox]
    assert "capture.rotate" in kinds[ElidedComboBox] and "matting.precision" in kinds[ElidedComboBox]
    assert "edges.grow_px" in kinds[ValueSlider] and "matting.downsample_ratio" in kinds[ValueSlider]
    assert "output.standby_text" in kinds[QLineEdit] and "output.standby_image" in kinds[NameButton]


def test_a_slider_that_is_let_go_shows_what_was_set_meanwhile(controls: Session, qtbot: QtBot) -> None:
    strength = find(controls.window, QSlider, "blurSlider")
    controls.store.edit("background", kind="blur", blur_strength=85)
    handle = QPoint(strength.width() // 2, strength.height() // 2)
    qtbot.mousePress(strength, Qt.MouseButton.LeftButton, pos=handle)
    assert strength.isSliderDown()
    controls.store.edit("background", blur_strength=90)  # as `ctl` does
    assert strength.value() == 85
    qtbot.mouseRelease(strength, Qt.MouseButton.LeftButton, pos=handle)
    assert strength.value() == controls.store.current.background.blur_strength == 90


def test_dragging_the_detail_slider_disables_automatic(rows: Session) -> None:
    """While it is automatic, the slider shows the ratio in use."""
    auto = find(rows.window, QCheckBox, "downsampleAuto")
    slider = find(rows.window, QSlider, "matting.downsample_ratio")
    assert auto.isChecked()
    engine = EngineInfo("mattecam", "openvino", "int8", "cpu", 0.5, (32, 24))
    rows.bridge.status_changed.emit(PipelineStatus(engine=engine))
    assert slider.value() == 50 and "32 × 24" in find(rows.window, QLabel, "downsampleSize").text()
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
    assert edges.contrast == 0.4
    assert edges.temporal_smoothing == 0.4, "a preset changes the shape of the edge alone"
    assert crisp.isChecked()
    assert not normal.isChecked()
    rows.store.edit("matting.edges", grow_px=5)
    assert not crisp.isChecked(), "no preset has these values"
    normal.click()
    assert rows.store.current.matting.edges.grow_px == 0
    feather = find(rows.window, QSlider, "edges.feather_px")
    feather.setValue(12)
    assert rows.store.current.matting.edges.feather_px == 12
    button(rows, "edgeReset").click()
    assert rows.store.current.matting.edges.feather_px == feather.value() == 0


def test_the_overlay_quotes_the_stand_by_card_and_marks_frozen(session: Session, qtbot: QtBot, picture: Path) -> None:
    state = session.window.overlay.state
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING)
    session.store.set("frozen", True)
    qtbot.waitUntil(lambda: state.text().startswith("Frozen"))
    session.store.set("paused", True)
    qtbot.waitUntil(lambda: state.text() == f"Paused: others see “{DEFAULT_TEXT}”")
    session.store.edit("output", standby_text="Lunch until two")
    qtbot.waitUntil(lambda: state.text() == "Paused: others see “Lunch until two”")
    session.store.edit("output", standby_text="", standby_image=picture)
    qtbot.waitUntil(lambda: state.text() == "Paused: others see your stand-by image")
    session.store.edit("output", standby_image=Path("gone.png"))  # the usual card takes its place
    qtbot.waitUntil(lambda: state.text() == f"Paused: others see “{DEFAULT_TEXT}”")


def test_file_dialogs_start_in_the_folders_of_the_user(
    controls: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda kind: str(tmp_path / kind.name))
    for kind in ("PicturesLocation", "MoviesLocation"):
        (tmp_path / kind).mkdir()
    controls.window.strip.ask_for_files()
    controls.window.panel.camera.ask_for_file()
    folders = [dialog.directory().path() for dialog in controls.window.findChildren(QFileDialog)]
    assert sorted(folders) == [str(tmp_path / "MoviesLocation"), str(tmp_path / "PicturesLocation")]
    for dialog in controls.window.findChildren(QFileDialog):
        dialog.close()
