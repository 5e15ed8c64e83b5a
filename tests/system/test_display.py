"""Detection of a display that can open a window."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.system import display
from app.system.display import missing_libraries, window_problem
from tests.paths import ROOT

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at a Linux display")

PLAIN = {name: value for name, value in os.environ.items() if name not in display.VARIABLES}
STALE = [
    {"WAYLAND_DISPLAY": "wayland-98765"},
    {"DISPLAY": ":98765"},
    {"DISPLAY": "localhost:98.0"},
    {"DISPLAY": "nonsense"},
    {"WAYLAND_DISPLAY": "/nowhere/wayland-0", "DISPLAY": ":98765"},
    {"QT_QPA_PLATFORM": "cocoa"},
    {"QT_QPA_PLATFORM": "wayland"},
]
"""Variables with which Qt ends its process."""


def test_no_display_is_said() -> None:
    reason = window_problem(PLAIN)
    assert reason is not None and "there is no display" in reason


@pytest.mark.parametrize("variables", STALE, ids=str)
def test_a_display_that_does_not_answer_is_named(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(display, "missing_x11_libraries", lambda find: ())
    reason = window_problem({**PLAIN, "XDG_RUNTIME_DIR": str(tmp_path), **variables})
    assert reason is not None and reason.startswith("no window can open with ")
    assert all(f"{name}={value}" in reason for name, value in variables.items())


def test_a_display_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "ANSWER_S", 0.001)
    reason = window_problem({**PLAIN, "QT_QPA_PLATFORM": "offscreen"})
    assert reason == "no window can open with QT_QPA_PLATFORM=offscreen"


def test_qt_drawing_into_memory_needs_no_display() -> None:
    assert window_problem({**PLAIN, "QT_QPA_PLATFORM": "offscreen"}) is None


@pytest.mark.long
@pytest.mark.parametrize("variables", [STALE[0], STALE[-2]], ids=str)
def test_the_program_runs_without_a_window_instead(variables: dict[str, str], tmp_path: Path) -> None:
    """Qt aborted: exit code 134, and a page about its plug-ins."""
    words = ["--source", "demo", "--size", "320x240", "--virtual-camera", "off", "--model", "mattecam", "--frames", "3"]
    own = {**PLAIN, "MATTECAM_DATA_DIR": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    code = (
        "from app.matting.choice import preparation as p; p.is_prepared = lambda: True; "
        "from app.cli.main import run_to_exit; run_to_exit()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=ROOT, env=own | variables, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("mattecam: ") and "; running without a window.\n" in done.stderr
    assert "Qt" not in done.stderr.replace("QT_QPA_PLATFORM", "")
    assert "3 frames" in done.stdout


def without(*missing: str) -> Callable[[str], str | None]:
    """Return a search for libraries that finds all but these."""
    return lambda name: None if name in missing else name


def test_missing_libraries_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = missing_libraries({"DISPLAY": ":0"}, without("xcb-cursor", "xcb-shape", "xcb-xkb"))
    assert missing is not None and missing.startswith("the window needs libraries that are not installed: ")
    assert "libxcb-cursor, libxcb-shape" in missing
    assert "apt install libxcb-cursor0 libxcb-shape0 libxcb-xkb1;" in missing
    assert "dnf install xcb-util-cursor libxcb)" in missing
    assert missing_libraries({"DISPLAY": ":0"}, without()) is None
    assert missing_libraries({"DISPLAY": ":0"}, lambda name: None) is None, "nothing can be searched here"
    assert missing_libraries({}, without("xcb-cursor")) is None, "without a display there is no window to start"
    monkeypatch.setattr("ctypes.util.find_library", without("xcb-cursor"))
    reason = window_problem({"DISPLAY": ":0"})
    assert reason is not None and reason.startswith("the window needs libraries that are not installed: libxcb-cursor ")


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("libEGL.so.1: cannot open shared object file: No such file or directory", "needs the library libEGL.so.1,"),
        ("DLL load failed", "needs PyQt6, which cannot be loaded"),
    ],
)
def test_what_pyqt_lacks_is_named(raised: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "PyQt6.py").write_text(f"raise ImportError({raised!r})")
    reason = window_problem({**PLAIN, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(tmp_path)})
    assert reason is not None and said in reason


def test_wayland_needs_no_x11() -> None:
    assert missing_libraries({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, without("xcb-cursor")) is None
