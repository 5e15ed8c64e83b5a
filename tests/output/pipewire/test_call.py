"""The whole program in a call between two peers of a browser, judged by what the receiver shows;
minutes long.

The camera is a person before a checkerboard whose two colours appear nowhere else: a pixel of it at
the receiver is a pixel of the room. As a program (`python -m tests.output.pipewire.test_call
OPTIONS`), this module is Mattecam with a network that fails while the file `MATTECAM_TEST_FAULT`
exists, on a desktop with a tray; SIGUSR1 closes its window.

MATTECAM_CALL_S: how long the frames of a quiet call are counted (60). MATTECAM_CALL_PICTURES: a
folder that receives the picture of each state.
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Queue
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.capture.demo import ASSETS, EMPTY_SCENE, MARGIN_X, MARGIN_Y, PORTRAIT
from app.cli import headless, main
from app.core.errors import ModelError
from app.core.settings import EngineSettings, FramingSettings
from app.core.types import BgrImage, Matte, Outgoing, Picture, PictureKind
from app.matting.interface import MattingEngine, StepRequest
from app.output.pipewire import PipeWireCamera, PipeWireNode
from app.runtime.context import PipelineParts, default_parts
from tests.output.pictures import sender
from tests.output.pipewire.conftest import composites
from tests.output.web_page import browser_command, page
from tests.paths import ROOT
from tests.pipewire_session import PrivateSession
from tests.stand_ins import always
from tests.waiting import eventually, within

QUIET_S = float(os.environ.get("MATTECAM_CALL_S", "60"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900 + QUIET_S)]

# Little, so that program, browser and codec fit into two processors.
WIDTH = 640
HEIGHT = 480
FPS = 15
ROOM_CAMERA = "Room"
# The two colours of the checkerboard, which the page looks for.
BOARD = (220, 0, 220), (0, 200, 0)
CELL = 32
BACKGROUND = "#336699"
FAULT = "MATTECAM_TEST_FAULT"
PROGRAM = (sys.executable, "-m", "tests.output.pipewire.test_call")
# Share of a picture that may be near a colour of the board: pixels along the edge of the person mix
# with it.
MOST_BOARD = 0.01
# A first start compiles.
START_S = 180.0


def room() -> Iterator[BgrImage]:
    """Yield frames: the portrait of the demonstration, which sways, before a checkerboard, which
    is still.
    """
    portrait = cv2.resize(_read(PORTRAIT), (HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA)
    cut_out = cv2.resize(_person(), (HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA)
    rows, columns = np.indices((HEIGHT, WIDTH)) // CELL
    board = np.where(((rows + columns) % 2 == 0)[..., None], BOARD[0], BOARD[1]).astype(np.float32)
    for number in itertools.count():
        left = (WIDTH - HEIGHT) / 2 + 8 * math.sin(number / FPS)
        shift = np.array([[1, 0, left], [0, 1, 0]], np.float32)
        person = cv2.warpAffine(portrait, shift, (WIDTH, HEIGHT)).astype(np.float32)
        alpha = cv2.warpAffine(cut_out, shift, (WIDTH, HEIGHT))[..., None].astype(np.float32) / 255
        yield (person * alpha + board * (1 - alpha)).astype(np.uint8)


def _person() -> NDArray[np.uint8]:
    """Return the person of the portrait, 255, as what differs from the picture of the empty
    scene, without holes.
    """
    portrait = _read(PORTRAIT)
    empty = _read(EMPTY_SCENE)[MARGIN_Y:-MARGIN_Y, MARGIN_X:-MARGIN_X]
    difference = np.where(cv2.absdiff(portrait, empty).max(2) > 6, 255, 0).astype(np.uint8)
    without_specks = cv2.morphologyEx(difference, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    differs = cv2.morphologyEx(without_specks, cv2.MORPH_CLOSE, np.ones((21, 21), np.uint8))
    differs[-8:, 60:505] = (
        255  # the helmet is as black as the table behind it: its outline is closed at the bottom
    )
    outlines, _ = cv2.findContours(differs, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(differs)
    cv2.drawContours(filled, [max(outlines, key=cv2.contourArea)], -1, 255, cv2.FILLED)
    return np.asarray(cv2.erode(filled, np.ones((7, 7), np.uint8)), np.uint8)


def _read(name: str) -> BgrImage:
    image = cv2.imread(str(ASSETS / name))
    assert image is not None
    return image.astype(np.uint8, copy=False)


@contextmanager
def room_camera() -> Iterator[None]:
    """Have the camera inside the context."""
    frames = room()
    camera = PipeWireCamera(
        WIDTH, HEIGHT, FPS, make=lambda video: PipeWireNode(video, name="room", title=ROOM_CAMERA)
    )

    def picture() -> Outgoing:
        return Outgoing(Picture(next(frames), PictureKind.COMPOSITE))

    with sender(picture, camera, fps=FPS):
        yield


@dataclass
class Call:
    """What the receiver has shown."""

    desktop: PrivateSession
    incoming: Queue[dict[str, Any]]
    # One for each second.
    reports: list[dict[str, Any]] = field(default_factory=list)

    def next(self) -> dict[str, Any]:
        """Return the next report; keep it."""
        report = self.incoming.get(timeout=60)
        assert "error" not in report, report
        self.reports.append(report)
        return report

    def until(
        self, shows: Callable[[dict[str, Any]], bool], state: str, limit_s: float = 60
    ) -> dict[str, Any]:
        """Return the first report that shows something, then three seconds more of it; save its
        picture.
        """
        began_s = time.monotonic()
        while not shows(self.next()):
            told = f"{state}: {_told(self.reports[-1])}"
            assert time.monotonic() < began_s + limit_s, f"{told}; {log_of(self.desktop)}"
        took_s = time.monotonic() - began_s
        for _ in range(3):
            report = self.next()
            assert shows(report), f"{state}: {_told(report)}"
        print(f"{state} after {took_s:.1f} s: {_told(report)}")  # noqa: T201 - the figures of docs/devices.md
        if folder := os.environ.get("MATTECAM_CALL_PICTURES"):
            save(report.get("picture"), Path(folder) / f"{state}.jpg")
        return report

    def drain(self) -> None:
        """Keep what has been reported meanwhile."""
        while not self.incoming.empty():
            self.next()


def save(picture: str | None, path: Path) -> None:
    """Save a picture of the page."""
    if picture is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(picture.partition(",")[2]))


def _told(report: dict[str, Any]) -> str:
    shown = {name: value for name, value in report.items() if "picture" not in name}
    return json.dumps(
        {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in shown.items()
        }
    )


def shows_person(report: dict[str, Any]) -> bool:
    """Whether the person is seen: her suit is the only orange."""
    return bool(report.get("person", 0) > 0.08 and report["black"] < 0.5)


def shows_card(report: dict[str, Any]) -> bool:
    """Whether neither the person nor black is seen."""
    return bool("person" in report and report["person"] < 0.01 and report["black"] < 0.9)


def shows_nothing_new(report: dict[str, Any]) -> bool:
    """Whether no frame has arrived for a second: a receiver goes on showing the last one."""
    return "person" not in report


def has_corner(red: int, green: int, blue: int) -> Callable[[dict[str, Any]], bool]:
    """Return whether the person is seen before a background of this colour."""

    def shows(report: dict[str, Any]) -> bool:
        is_near = (
            "corner" in report
            and np.abs(np.subtract(report["corner"], (red, green, blue))).max() < 16
        )
        return bool(is_near) and shows_person(report)

    return shows


@pytest.fixture
def in_desktop(
    desktop: PrivateSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> PrivateSession:
    """The desktop, which this process finds too."""
    if shutil.which("chromium") is None:
        pytest.skip("needs chromium")
    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(desktop.folder))
    desktop.environment |= {FAULT: str(tmp_path / "fault"), "QT_QPA_PLATFORM": "xcb"}
    return desktop


def start(desktop: PrivateSession, *words: str, background: str = BACKGROUND) -> None:
    """Start the program, and wait for its first matte."""
    options = (
        "--source",
        f"portal:{ROOM_CAMERA}",
        "--size",
        f"{WIDTH}x{HEIGHT}",
        "--fps",
        str(FPS),
    )
    outputs = ("--virtual-camera", "off", "--pipewire", "on", "--always-on")
    desktop.launch(*PROGRAM, *words, "--verbose", *options, *outputs, "--background", background)
    try:
        within(START_S, desktop.nodes)
        within(START_S, composites, desktop)
    except AssertionError as error:
        raise AssertionError(f"no matte: {log_of(desktop)}") from error


def log_of(desktop: PrivateSession) -> str:
    """Return the end of what the program has printed."""
    return (desktop.folder / f"{Path(PROGRAM[0]).name}.log").read_text()[-3000:]


def ctl(desktop: PrivateSession, *words: str) -> None:
    """Send a command to the program."""
    answer = desktop.run([sys.executable, str(ROOT / "run.py"), "ctl", *words])
    assert answer.returncode == 0, answer.stdout + answer.stderr


@contextmanager
def call(desktop: PrivateSession, profile: Path) -> Iterator[Call]:
    """Hold a call inside the context.

    No picture of it may show the room, whatever happens meanwhile.
    """
    with page("call.html") as (address, incoming):
        desktop.launch(*browser_command("chromium", profile, address))
        made = Call(desktop, incoming)
        try:
            yield made
        finally:
            desktop.end("chromium")
            made.drain()
            worst = max(made.reports, key=lambda report: report.get("worst_board", 0))
            if folder := os.environ.get("MATTECAM_CALL_PICTURES"):
                save(worst.get("worst_picture"), Path(folder) / "most-room.jpg")
    assert worst["worst_board"] <= MOST_BOARD, _told(worst)


def test_the_receiver_of_a_call_never_sees_the_room(
    in_desktop: PrivateSession, tmp_path: Path
) -> None:
    fault = Path(in_desktop.environment[FAULT])
    with room_camera():
        start(in_desktop, "headless")
        ctl(in_desktop, "scene", "--save", "blue")
    with call(in_desktop, tmp_path / "profile") as seen:
        seen.until(shows_card, "camera-pulled")
        with room_camera():
            seen.until(has_corner(0x33, 0x66, 0x99), "in-use")
            fault.touch()
            seen.until(shows_card, "network-fails")
            fault.unlink()
            seen.until(shows_person, "network-works-again")
            ctl(in_desktop, "pause", "on")
            seen.until(shows_card, "paused")
            ctl(in_desktop, "pause", "off")
            seen.until(shows_person, "resumed")
            ctl(in_desktop, "background", "#202020")
            seen.until(has_corner(0x20, 0x20, 0x20), "other-background")
            ctl(in_desktop, "scene", "blue")
            seen.until(has_corner(0x33, 0x66, 0x99), "scene")
            in_desktop.end(PROGRAM[0], signal.SIGKILL)
            seen.until(shows_nothing_new, "killed")
            start(in_desktop, "headless")
            seen.until(shows_person, "started-again")
    in_desktop.end(PROGRAM[0])


def test_a_call_goes_on_while_the_window_is_in_the_tray(
    in_desktop: PrivateSession, tmp_path: Path
) -> None:
    if shutil.which("xdotool") is None:
        pytest.skip("needs xdotool")
    with room_camera():
        start(in_desktop)
        ctl(in_desktop, "set", "window.close_to_tray", "on")
        with call(in_desktop, tmp_path / "profile") as seen:
            seen.until(shows_person, "window-open")
            find = ["xdotool", "search", "--onlyvisible", "--name", "Mattecam"]
            assert in_desktop.run(find).stdout
            in_desktop.send_signal(PROGRAM[0], signal.SIGUSR1)
            eventually(lambda: not in_desktop.run(find).stdout)
            seen.until(shows_person, "window-in-tray")
        in_desktop.end(PROGRAM[0])


def test_frames_arrive_steadily_in_a_quiet_call(in_desktop: PrivateSession, tmp_path: Path) -> None:
    with room_camera():
        start(in_desktop, "headless")
        with call(in_desktop, tmp_path / "profile") as seen:
            seen.until(shows_person, "quiet")
            first = seen.until(shows_person, "quiet")
            began_s = time.monotonic()
            began = len(seen.reports)
            while time.monotonic() < began_s + QUIET_S:
                last = seen.next()
        in_desktop.end(PROGRAM[0])
    counted = {name: last["stats"][name] - first["stats"][name] for name in first["stats"]}
    gaps_ms = [
        report["longest_gap_ms"] for report in seen.reports[began:] if "longest_gap_ms" in report
    ]
    rate = counted["framesDecoded"] / (time.monotonic() - began_s)
    print(f"{QUIET_S:.0f} s: {rate:.1f} fps, longest gap {max(gaps_ms):.0f} ms, {counted}")  # noqa: T201

    assert rate > FPS / 3  # also beside other work
    assert max(gaps_ms) < 5000


def test_the_page_knows_the_room(in_desktop: PrivateSession, tmp_path: Path) -> None:
    with room_camera():
        start(in_desktop, "headless", background="none")
        with page("call.html") as (address, incoming):
            in_desktop.launch(*browser_command("chromium", tmp_path / "profile", address))
            Call(in_desktop, incoming).until(
                lambda report: report.get("board", 0) > 0.3, "unmatted"
            )
            in_desktop.end("chromium")
        in_desktop.end(PROGRAM[0])


class FailingEngine:
    """An engine that fails while a file exists."""

    def __init__(self, engine: MattingEngine, fault: Path) -> None:
        self._engine = engine
        self._fault = fault
        self.info = engine.info
        self.reset = engine.reset
        self.close = engine.close

    def step(self, request: StepRequest) -> Matte:
        """See `MattingEngine`."""
        if self._fault.exists():
            raise ModelError("The network fails because the test asks for it.")
        return self._engine.step(request)


def failing_parts() -> PipelineParts:
    """Return the parts of the product, with a network that can fail."""
    parts = default_parts()
    fault = Path(os.environ[FAULT])

    def build(
        settings: EngineSettings, width: int, height: int, framing: FramingSettings
    ) -> MattingEngine:
        return FailingEngine(parts.build_engine(settings, width, height, framing), fault)

    return replace(parts, build_engine=build)


def _close_window(_number: int, _frame: object) -> None:
    for window in QApplication.topLevelWidgets():
        if isinstance(window, MainWindow):
            window.close()


if __name__ == "__main__":
    from PyQt6.QtWidgets import QApplication, QSystemTrayIcon

    from app.gui import application
    from app.gui.main_window import MainWindow

    signal.signal(signal.SIGUSR1, _close_window)
    vars(headless)["default_parts"] = failing_parts
    vars(application)["default_parts"] = failing_parts
    QSystemTrayIcon.isSystemTrayAvailable = staticmethod(always(True))  # type: ignore[method-assign]
    sys.exit(main.main(sys.argv[1:]))
