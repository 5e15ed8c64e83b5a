"""Detection of a display that can open a window."""

from __future__ import annotations

import ctypes.util
import sys

import pytest

from app.system import display
from app.system.display import missing_display

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at a Linux display")


def test_no_display_is_said() -> None:
    reason = missing_display({})
    assert reason is not None and "there is no display" in reason


def test_a_display_that_does_not_answer_is_said() -> None:
    reason = missing_display({"DISPLAY": ":98765"})
    assert reason == "the display :98765 does not answer"


def test_qt_drawing_into_memory_needs_no_display() -> None:
    assert missing_display({"QT_QPA_PLATFORM": "offscreen"}) is None


def test_missing_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_x11_socket_exists", lambda number: True)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None if name == "xcb-cursor" else name)
    reason = missing_display({"DISPLAY": ":0"})
    assert reason is not None and reason.code == "DisplayText.LIBRARY"
    assert "the library libxcb-cursor, " in reason and "apt install libxcb-cursor0" in reason
    assert "no display" not in reason


def test_a_library_that_pyqt_cannot_load_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, *_: object) -> None:
        raise ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("builtins.__import__", fail)
    reason = missing_display({"QT_QPA_PLATFORM": "offscreen"})
    monkeypatch.undo()
    assert reason is not None and "the library libEGL.so.1," in reason


def test_wayland_needs_no_x11(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    assert missing_display({"WAYLAND_DISPLAY": "wayland-0"}) is None
