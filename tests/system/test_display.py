"""Detection of a display that can open a window."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

import pytest

from app.system import display
from app.system.display import X11_LIBRARIES, missing_display, missing_libraries, unusable_qt
from tests.paths import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at a Linux display")


def test_no_display_is_said() -> None:
    reason = missing_display({})
    assert reason is not None and "there is no display" in reason


def test_a_display_that_does_not_answer_is_said_beside_sockets_with_odd_names() -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(b"\0mattecam\xff\xfe")
        assert missing_display({"DISPLAY": ":98765"}) == "the display :98765 does not answer"


def test_qt_drawing_into_memory_needs_no_display() -> None:
    assert missing_display({"QT_QPA_PLATFORM": "offscreen"}) is None


def without(*missing: str) -> Callable[[str], str | None]:
    """Return a search for libraries that finds all but these."""
    return lambda name: None if name in missing else name


def test_missing_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_x11_socket_exists", lambda number: True)
    missing = missing_libraries({"DISPLAY": ":0"}, without("xcb-cursor", "xcb-shape", "xcb-xkb"))
    assert missing is not None and missing.code == "DisplayText.LIBRARIES"
    assert "libxcb-cursor, libxcb-shape" in missing
    assert "apt install libxcb-cursor0 libxcb-shape0 libxcb-xkb1;" in missing
    assert "dnf install xcb-util-cursor libxcb)" in missing
    assert missing_libraries({"DISPLAY": ":0"}, without()) is None
    assert missing_libraries({"DISPLAY": ":0"}, lambda name: None) is None, "nothing can be searched here"
    assert missing_libraries({}, without("xcb-cursor")) is None, "without a display there is no window to start"


def test_a_library_that_pyqt_cannot_load_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, *_: object) -> None:
        raise ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("builtins.__import__", fail)
    reason = unusable_qt()
    monkeypatch.undo()
    assert reason is not None and "the library libEGL.so.1," in reason


def test_wayland_needs_no_x11() -> None:
    assert missing_display({"WAYLAND_DISPLAY": "wayland-0"}) is None
    assert missing_libraries({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, without("xcb-cursor")) is None


def test_the_readme_names_every_package() -> None:
    words = (ROOT / "README.md").read_text().split()
    for library in X11_LIBRARIES:
        assert library.debian in words and library.fedora in words, library
