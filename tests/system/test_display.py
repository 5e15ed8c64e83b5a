"""The display and PipeWire: what is missing and how it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.doctor import display
from app.doctor.display import missing_libraries, window_problem
from app.system.pipewire import connection
from app.system.pipewire.connection import Connection
from app.system.pipewire.stream import Stream
from app.system.pipewire.video_format import (
    ID,
    RECTANGLE,
    PixelLayout,
    VideoFormat,
    any_format,
    build_object,
    parse_format,
    pod_bytes,
    value,
)
from tests.paths import ROOT
from tests.stand_ins import always
from tests.waiting import beside

pytestmark = pytest.mark.linux("app.doctor.display")

PLAIN = {name: value for name, value in os.environ.items() if name not in display.VARIABLES}
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}
# Variables with which Qt ends its process.
STALE = [
    {"WAYLAND_DISPLAY": "wayland-98765"},
    {"DISPLAY": ":98765"},
    {"DISPLAY": "localhost:98.0"},
    {"DISPLAY": "nonsense"},
    {"WAYLAND_DISPLAY": "/nowhere/wayland-0", "DISPLAY": ":98765"},
    {"QT_QPA_PLATFORM": "cocoa"},
    {"QT_QPA_PLATFORM": "wayland"},
]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)"),
        (OFFSCREEN, None),  # Qt draws into memory
        *(
            (each, f"no window can open with {', '.join(map('='.join, each.items()))}")
            for each in STALE
        ),
    ],
)
def test_why_no_window_opens(
    variables: dict[str, str], said: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(display, "missing_x11_libraries", always(([], "", "")))
    assert window_problem({**PLAIN, "XDG_RUNTIME_DIR": str(tmp_path), **variables}) == said


def test_a_display_that_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(display, "ANSWER_S", 0.1)
    (tmp_path / "PyQt6.py").write_text("import time; time.sleep(600)")
    variables = {**PLAIN, **OFFSCREEN, "PYTHONPATH": str(tmp_path)}

    assert window_problem(variables) == "no window can open with QT_QPA_PLATFORM=offscreen"


@pytest.mark.long
@pytest.mark.parametrize("variables", [STALE[0], STALE[-2]], ids=str)
def test_the_program_runs_without_a_window_instead(
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    """Qt aborted: exit code 134, and a page about its plug-ins."""
    words = [
        "--source",
        "demo",
        "--size",
        "320x240",
        "--virtual-camera",
        "off",
        "--model",
        "mattecam",
        "--frames",
        "3",
    ]
    own = {**PLAIN, "MATTECAM_DATA_DIR": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    code = (
        "from app.matting.choice import preparation as p; p.is_prepared = lambda: True; "
        "from app.cli.main import run_to_exit; run_to_exit()"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        env=own | variables,
        capture_output=True,
        text=True,
        timeout=240,
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
    assert missing is not None and missing.startswith(
        "the window needs libraries that are not installed: "
    )
    assert "libxcb-cursor, libxcb-shape" in missing
    assert "apt install libxcb-cursor0 libxcb-shape0 libxcb-xkb1;" in missing
    assert "dnf install xcb-util-cursor libxcb)" in missing
    assert missing_libraries({"DISPLAY": ":0"}, without()) is None
    assert missing_libraries({"DISPLAY": ":0"}, always(None)) is None, (
        "nothing can be searched here"
    )
    for others in ({}, {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}):
        assert missing_libraries(others, without("xcb-cursor")) is None, (
            "no window is started on X11"
        )
    monkeypatch.setattr("ctypes.util.find_library", without("xcb-cursor"))
    reason = window_problem({"DISPLAY": ":0"})
    assert reason is not None and reason.startswith(
        "the window needs libraries that are not installed: libxcb-cursor "
    )


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (
            "libEGL.so.1: cannot open shared object file: No such file or directory",
            "needs the library libEGL.so.1,",
        ),
        ("DLL load failed", "needs PyQt6, which cannot be loaded"),
    ],
)
def test_what_pyqt_lacks_is_named(raised: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "PyQt6.py").write_text(f"raise ImportError({raised!r})")
    reason = window_problem({**PLAIN, **OFFSCREEN, "PYTHONPATH": str(tmp_path)})

    assert reason is not None and said in reason


def test_a_pod_has_the_layout_of_the_headers() -> None:
    """Bytes as the C builders of SPA write them: size, type, body, padding to eight bytes."""
    pod = build_object(0x40003, 3, {1: value(ID, 2), 0x20003: value(RECTANGLE, 640, 480)})
    assert pod.hex(" ", 4) == (
        "38000000 0f000000 03000400 03000000 "
        "01000000 00000000 04000000 03000000 02000000 00000000 "
        "03000200 00000000 08000000 0a000000 80020000 e0010000"
    )
    assert pod_bytes(pod[:8]) == len(pod)


@pytest.mark.parametrize("layout", ["YUY2", "I420", "NV12", "BGRx", "BGRA", "RGBA", "RGB", "BGR"])
def test_a_format_is_parsed_as_it_was_offered(layout: PixelLayout) -> None:
    video = VideoFormat(layout, 1280, 720, Fraction(30000, 1001))
    offered = parse_format(video.as_offer())
    assert replace(offered, colour_matrix=0, colour_range=0) == video, (
        "how the colours are coded is said"
    )
    assert parse_format(offered.as_offer()) == offered
    choice = any_format([layout, "YUY2"], 1280, 720, video.fps)
    assert parse_format(choice) == video, "a choice is parsed as its default"


@given(st.binary(max_size=200))
def test_damaged_parameters_are_value_errors(pod: bytes) -> None:
    with suppress(ValueError):
        parse_format(pod)


def test_the_socket_of_a_portal_is_closed_without_the_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The program asks again and again: the descriptors would run out."""
    missing = OSError("libpipewire-0.3.so.0: cannot open shared object file")
    monkeypatch.setattr(connection, "load", Mock(side_effect=missing))
    remote = os.open(os.devnull, os.O_RDONLY)
    with pytest.raises(OSError, match="libpipewire"):
        Connection(remote)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(remote)


def test_a_stream_is_not_closed_before_a_buffer_that_was_taken_is_given_back() -> None:
    """The buffer was given back to no stream: the program crashed."""
    lock = threading.RLock()
    pipewire = Mock(**{"pw_stream_new.return_value": 7, "pw_stream_connect.return_value": 0})
    connection = Mock(Connection, library=pipewire, core=1, locked=always(lock))
    stream = Stream({"node.name": "reader"}, [], sends=False, connection=connection)
    with lock:  # as the thread of PipeWire holds it while it delivers an event
        address = stream.dequeue()
        assert address is not None
        closing = beside(stream.close)
        time.sleep(0.1)
        stream.queue(address)
    closing.result(60)
    pipewire.pw_stream_queue_buffer.assert_called_once_with(7, address)
    stream.update([b""])
    assert stream.dequeue() is None and not pipewire.pw_stream_update_params.called
