"""Every control of the panels, moved by real events, reaches the running pipeline."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QAbstractButton, QCheckBox, QComboBox, QLineEdit, QSlider, QWidget
from pytestqt.qtbot import QtBot

from app.gui.application import Session
from app.settings import Settings


def child(session: Session, kind: type[QWidget], name: str) -> QWidget:
    found = session.window.findChild(kind, name)
    assert found is not None, name
    return found


def bring_up(session: Session, widget: QWidget) -> None:
    """Show the page that holds the widget."""
    for number in range(session.window.tabs.count()):
        page = session.window.tabs.widget(number)
        if page is not None and page.isAncestorOf(widget):
            session.window.tabs.setCurrentIndex(number)


def current(session: Session) -> Settings:
    return session.pipeline.settings


def drag(qtbot: QtBot, slider: QSlider, fraction: float) -> None:
    """Press the handle, move it, and let go."""
    height = slider.height() // 2
    span = slider.width() - 16
    here = 8 + round(span * (slider.value() - slider.minimum()) / (slider.maximum() - slider.minimum()))
    there = 8 + round(span * fraction)
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(here, height))
    for step in range(1, 6):
        qtbot.mouseMove(slider, QPoint(here + (there - here) * step // 5, height))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(there, height))


@pytest.mark.parametrize(
    ("name", "section", "field"),
    [
        ("downsampleSlider", "matting", "downsample_ratio"),
        ("blurSlider", "background", "blur_strength"),
        ("contrastSlider", "edges", "contrast"),
        ("thresholdSlider", "edges", "threshold"),
        ("growSlider", "edges", "grow_px"),
        ("featherSlider", "edges", "feather_px"),
        ("steadinessSlider", "edges", "steadiness"),
        ("despillSlider", "edges", "despill"),
    ],
)
def test_a_slider_acts_while_it_is_dragged(
    session: Session, qtbot: QtBot, name: str, section: str, field: str
) -> None:
    slider = child(session, QSlider, name)
    assert isinstance(slider, QSlider)
    bring_up(session, slider)
    seen: list[object] = []

    def value() -> object:
        settings = current(session)
        return getattr(settings.matting.edges if section == "edges" else getattr(settings, section), field)

    slider.valueChanged.connect(lambda _value: seen.append(value()))
    before = value()
    qtbot.waitExposed(session.window)
    drag(qtbot, slider, 0.9)
    assert value() != before
    assert len(set(map(str, seen))) > 1, "the pipeline followed during the drag, not only at its end"


def test_dragging_the_detail_ends_the_automatic(session: Session, qtbot: QtBot) -> None:
    auto = child(session, QCheckBox, "downsampleAuto")
    slider = child(session, QSlider, "downsampleSlider")
    assert isinstance(auto, QCheckBox)
    assert isinstance(slider, QSlider)
    assert auto.isChecked()
    slider.setValue(30)
    assert current(session).matting.downsample_ratio == pytest.approx(0.3)
    assert not auto.isChecked()
    auto.click()
    assert current(session).matting.downsample_ratio is None


def test_the_size_the_network_sees_is_told(session: Session, qtbot: QtBot) -> None:
    slider = child(session, QSlider, "downsampleSlider")
    assert isinstance(slider, QSlider)
    slider.setValue(50)
    label = session.window.findChild(QWidget, "downsampleSize")
    assert label is not None
    qtbot.waitUntil(lambda: "32 × 24" in label.text())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "text", "section", "field", "wanted"),
    [
        ("modelCombo", "Mattecam", "matting", "model", "student"),
        ("deviceCombo", "CPU", "matting", "device", "cpu"),
        ("executorCombo", "PyTorch", "matting", "executor", "eager"),
        ("precisionCombo", "float32", "matting", "precision", "float32"),
        ("refinerCombo", "Fast", "matting", "refiner", "fast-guided-filter"),
        ("sizeCombo", "640 × 480", "capture", "height", 480),
        ("rateCombo", "15", "capture", "fps", 15.0),
        ("formatCombo", "YUYV", "capture", "pixel_format", "YUYV"),
    ],
)
def test_a_choice_by_the_keyboard_reaches_the_pipeline(
    session: Session, qtbot: QtBot, name: str, text: str, section: str, field: str, wanted: object
) -> None:
    box = child(session, QComboBox, name)
    assert isinstance(box, QComboBox)
    bring_up(session, box)
    qtbot.waitUntil(lambda: box.findText(text, Qt.MatchFlag.MatchStartsWith) >= 0)
    row = box.findText(text, Qt.MatchFlag.MatchStartsWith)
    box.setFocus()
    key = Qt.Key.Key_Down if row > box.currentIndex() else Qt.Key.Key_Up
    for _ in range(abs(row - box.currentIndex())):
        qtbot.keyClick(box, key)
    assert getattr(getattr(current(session), section), field) == wanted


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("pauseButton", lambda settings: settings.paused),
        ("freezeButton", lambda settings: settings.frozen),
        ("mirrorOutputCheck", lambda settings: settings.output.mirror),
        ("virtualCameraToggle", lambda settings: settings.output.virtual_camera == "auto"),
    ],
)
def test_a_switch_switches_on_and_off(session: Session, qtbot: QtBot, name: str, read: object) -> None:
    switch = child(session, QAbstractButton, name)
    assert isinstance(switch, QAbstractButton)
    assert callable(read)
    bring_up(session, switch)
    before = read(current(session))
    qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(12, switch.height() // 2))
    assert read(current(session)) is not before
    qtbot.keyClick(switch, Qt.Key.Key_Space)
    assert read(current(session)) is before


def test_the_stand_by_text_is_taken_as_it_is_typed(session: Session, qtbot: QtBot) -> None:
    text = child(session, QLineEdit, "standbyText")
    assert isinstance(text, QLineEdit)
    bring_up(session, text)
    text.setFocus()
    qtbot.keyClicks(text, "back at 3")
    assert current(session).output.standby_text == "back at 3"
    assert current(session).background.kind == "blur", "a digit in a text chooses no background"


def test_the_edge_can_be_reset(session: Session, qtbot: QtBot) -> None:
    slider = child(session, QSlider, "featherSlider")
    assert isinstance(slider, QSlider)
    slider.setValue(12)
    assert current(session).matting.edges.feather_px == 12
    reset = child(session, QAbstractButton, "edgeReset")
    assert isinstance(reset, QAbstractButton)
    reset.click()
    assert current(session).matting.edges.feather_px == 0
    assert slider.value() == 0
