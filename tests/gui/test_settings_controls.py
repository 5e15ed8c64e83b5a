"""Controls of the panels, operated by real events, change the running pipeline."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, QStandardPaths, Qt
from PyQt6.QtWidgets import QAbstractButton, QCheckBox, QComboBox, QFileDialog, QLabel, QLineEdit, QSlider
from pytestqt.qtbot import QtBot

from app.compositing.standby import DEFAULT_TEXT
from app.core.settings import Settings
from app.gui.shell.application import Session
from app.matting.base.interface import EngineInfo
from app.runtime.status import Phase, PipelineStatus
from tests.gui.controls import Controls
from tests.gui.widgets import bring_up, button, current, drag, find

Read = Callable[[Settings], object]
SLIDERS: dict[str, Read] = {
    "downsampleSlider": lambda settings: settings.matting.downsample_ratio,
    "blurSlider": lambda settings: settings.background.blur_strength,
    "contrastSlider": lambda settings: settings.matting.edges.contrast,
    "thresholdSlider": lambda settings: settings.matting.edges.threshold,
    "growSlider": lambda settings: settings.matting.edges.grow_px,
    "featherSlider": lambda settings: settings.matting.edges.feather_px,
    "temporal_smoothingSlider": lambda settings: settings.matting.edges.temporal_smoothing,
    "overlaySize": lambda settings: settings.overlay.size,
    "light_matchSlider": lambda settings: settings.matting.edges.light_match,
    "light_wrapSlider": lambda settings: settings.matting.edges.light_wrap,
    "portrait_lightSlider": lambda settings: settings.matting.edges.portrait_light,
    "despillSlider": lambda settings: settings.matting.edges.despill,
}


def test_sliders_take_effect_while_dragged(controls: Controls, qtbot: QtBot) -> None:
    def note(seen: list[object], read: Read, _value: int) -> None:
        seen.append(read(current(controls)))

    for name, read in SLIDERS.items():
        slider = find(controls.window, QSlider, name)
        bring_up(controls, slider)
        seen: list[object] = []
        slider.valueChanged.connect(partial(note, seen, read))
        before = read(current(controls))
        drag(qtbot, slider, 0.9)
        assert read(current(controls)) != before, name
        assert len(set(seen)) > 1, f"{name}: the pipeline followed during the drag, not only at its end"


def test_dragging_the_detail_slider_disables_automatic(controls: Controls, qtbot: QtBot) -> None:
    auto = find(controls.window, QCheckBox, "downsampleAuto")
    slider = find(controls.window, QSlider, "downsampleSlider")
    assert auto.isChecked()
    slider.setValue(30)
    assert current(controls).matting.downsample_ratio == pytest.approx(0.3)
    assert not auto.isChecked()
    auto.click()
    assert current(controls).matting.downsample_ratio is None


def test_network_input_size_is_shown(controls: Controls) -> None:
    slider, shown = find(controls.window, QSlider, "downsampleSlider"), find(controls.window, QLabel, "downsampleSize")
    engine = EngineInfo("mattecam", "openvino", "int8", "cpu", 0.5, (32, 24))
    controls.window.panel.show_status(PipelineStatus(engine=engine))
    assert slider.value() == 50 and "32 × 24" in shown.text()


CHOICES: tuple[tuple[str, str, Read, object], ...] = (
    ("modelCombo", "Standard", lambda settings: settings.matting.model, "mattecam"),
    ("deviceCombo", "CPU", lambda settings: settings.matting.device, "cpu"),
    ("executorCombo", "PyTorch", lambda settings: settings.matting.executor, "eager"),
    ("precisionCombo", "float32", lambda settings: settings.matting.precision, "float32"),
    ("refinerCombo", "Fast", lambda settings: settings.matting.refiner, "fast-guided-filter"),
    ("strictCombo", "Strict", lambda settings: settings.matting.edges.strict, "strict"),
    ("strictCombo", "Off", lambda settings: settings.matting.edges.strict, "off"),
    ("sizeCombo", "640 × 480", lambda settings: settings.capture.height, 480),
    ("rateCombo", "15", lambda settings: settings.capture.fps, 15.0),
    ("pipewireCombo", "On", lambda settings: settings.output.pipewire, "on"),
    ("alphaOutputCombo", "Beside", lambda settings: settings.output.alpha_output, "side-by-side"),
    ("virtualCameraBackendCombo", "V4L2", lambda settings: settings.output.virtual_camera_backend, "v4l2"),
    ("formatCombo", "YUYV", lambda settings: settings.capture.pixel_format, "YUYV"),
)


def eventually_offered(qtbot: QtBot, rows: Callable[[], int]) -> None:
    qtbot.waitUntil(lambda: rows() >= 0)


def test_list_choices_by_keyboard_reach_the_pipeline(controls: Controls, qtbot: QtBot) -> None:
    for name, text, read, wanted in CHOICES:
        box = find(controls.window, QComboBox, name)
        bring_up(controls, box)
        rows = partial(box.findText, text, Qt.MatchFlag.MatchStartsWith)
        eventually_offered(qtbot, rows)
        row = rows()
        box.setFocus()
        key = Qt.Key.Key_Down if row > box.currentIndex() else Qt.Key.Key_Up
        for _ in range(abs(row - box.currentIndex())):
            qtbot.keyClick(box, key)
        assert read(current(controls)) == wanted, name


def test_strict_cannot_be_off_while_a_server_mattes(controls: Controls) -> None:
    """The list showed "Off", although the pipeline treats it as balanced then."""
    levels = find(controls.window, QComboBox, "strictCombo")
    controls.store.set("edges.strict", "off")
    for location, shown, count in (("remote", "balanced", 2), ("local", "off", 3)):
        controls.store.edit("matting", location=location, server="https://matting.example:8765")
        assert (levels.currentData(), levels.count()) == (shown, count)


SWITCHES: dict[str, Read] = {
    "pauseButton": lambda settings: settings.paused,
    "freezeButton": lambda settings: settings.frozen,
    "mirrorOutputCheck": lambda settings: settings.output.mirror,
    "governorCheck": lambda settings: settings.matting.governor,
    "regionCheck": lambda settings: settings.matting.edges.person_region,
    "onDemandCheck": lambda settings: settings.output.on_demand,
    "virtualCameraToggle": lambda settings: settings.output.virtual_camera == "auto",
}


def test_check_boxes_toggle_by_mouse_and_keyboard(controls: Controls, qtbot: QtBot) -> None:
    for name, read in SWITCHES.items():
        switch = find(controls.window, QAbstractButton, name)
        bring_up(controls, switch)
        before = read(current(controls))
        qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(12, switch.height() // 2))
        assert read(current(controls)) is not before, name
        qtbot.keyClick(switch, Qt.Key.Key_Space)
        assert read(current(controls)) is before, name


def test_stand_by_text_is_applied_while_typing(controls: Controls, qtbot: QtBot) -> None:
    text = find(controls.window, QLineEdit, "standbyText")
    bring_up(controls, text)
    text.setFocus()
    qtbot.keyClicks(text, "back at 3")
    assert current(controls).output.standby_text == "back at 3"
    assert current(controls).background.kind == "blur", "digits typed into a text field are no shortcuts"


def test_the_edge_can_be_reset(controls: Controls, qtbot: QtBot) -> None:
    slider = find(controls.window, QSlider, "featherSlider")
    slider.setValue(12)
    assert current(controls).matting.edges.feather_px == 12
    find(controls.window, QAbstractButton, "edgeReset").click()
    assert current(controls).matting.edges.feather_px == 0
    assert slider.value() == 0


def test_virtual_camera_device_is_restored_when_switched_on_again(controls: Controls, qtbot: QtBot) -> None:
    toggle = find(controls.window, QAbstractButton, "virtualCameraToggle")
    controls.store.edit("output", virtual_camera="/dev/video10")
    toggle.click()
    assert current(controls).output.virtual_camera == "off"
    toggle.click()
    assert current(controls).output.virtual_camera == "/dev/video10"


def test_edge_presets_follow_the_sliders(controls: Controls) -> None:
    crisp, normal = button(controls, "edge_crisp"), button(controls, "edge_normal")
    assert normal.isChecked()
    controls.store.edit("matting.edges", temporal_smoothing=0.4)
    crisp.click()
    edges = controls.store.current.matting.edges
    assert edges.contrast == 0.4
    assert edges.temporal_smoothing == 0.4, "a preset changes the shape of the edge alone"
    assert crisp.isChecked()
    assert not normal.isChecked()
    controls.store.edit("matting.edges", grow_px=5)
    assert not crisp.isChecked(), "no preset has these values"
    normal.click()
    assert controls.store.current.matting.edges.grow_px == 0


def test_expert_settings_are_hidden_until_all_settings_and_their_group_are_opened(controls: Controls) -> None:
    slider = find(controls.window, QSlider, "thresholdSlider")
    group = find(controls.window, QAbstractButton, "expertGroup")
    assert not group.isVisible()
    button(controls, "allSettings").click()
    assert group.isVisible() and not slider.isVisible()
    group.click()
    assert slider.isVisible()
    button(controls, "simpleSettings").click()
    assert not slider.isVisible()


def test_the_overlay_quotes_the_stand_by_card_and_marks_frozen(session: Session, qtbot: QtBot) -> None:
    state = session.window.overlay.state
    qtbot.waitUntil(lambda: session.bridge.status.phase is Phase.RUNNING)
    session.store.set_frozen(True)
    qtbot.waitUntil(lambda: state.text().startswith("Frozen"))
    session.store.set_paused(True)
    qtbot.waitUntil(lambda: state.text() == f"Paused: others see “{DEFAULT_TEXT}”")
    session.store.edit("output", standby_text="Lunch until two")
    qtbot.waitUntil(lambda: state.text() == "Paused: others see “Lunch until two”")
    session.store.edit("output", standby_text="", standby_image=Path("cat.png"))
    qtbot.waitUntil(lambda: state.text() == "Paused: others see your stand-by image")


def test_file_dialogs_start_in_the_folders_of_the_user(
    controls: Controls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
