"""Object names for scripts, and accessibility."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, QListView, QScrollBar, QWidget

from app.gui.shell.application import Session

NAMES = (
    "preview",
    "modelCombo",
    "deviceCombo",
    "downsampleSlider",
    "downsampleAuto",
    "backgroundList",
    "addBackgroundButton",
    "blurSlider",
    "cameraCombo",
    "sizeCombo",
    "virtualCameraToggle",
    "recordButton",
    "snapshotButton",
    "pauseButton",
    "mirrorCheck",
    "statusLabel",
    "noticeCounter",
)
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


def test_every_documented_object_name_exists_once(session: Session) -> None:
    assert session.window.objectName() == "mainWindow"
    for name in NAMES:
        assert len(session.window.findChildren(QWidget, name)) == 1, name


def test_every_control_has_a_name_and_a_description_for_screen_readers(session: Session) -> None:
    controls = own_controls(session.window)
    assert len(controls) > 40
    nameless = [(type(c).__name__, c.objectName()) for c in controls if not c.accessibleName()]
    undescribed = [(type(c).__name__, c.accessibleName()) for c in controls if not c.accessibleDescription()]
    assert not nameless
    assert not undescribed


def test_every_control_can_be_reached_with_the_tab_key(session: Session) -> None:
    mouse_only = [
        control.objectName() or control.accessibleName()
        for control in own_controls(session.window)
        if not control.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert not mouse_only
