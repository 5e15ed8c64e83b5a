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


def test_every_control_has_names_and_is_reached_with_the_tab_key(session: Session) -> None:
    assert session.window.objectName() == "mainWindow"
    for name in NAMES:
        assert len(session.window.findChildren(QWidget, name)) == 1, name
    controls = own_controls(session.window)
    assert len(controls) > 40
    for control in controls:
        name = f"{type(control).__name__} {control.objectName() or control.accessibleName()}"
        assert control.accessibleName() and control.accessibleDescription(), f"{name}: for screen readers"
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, name
