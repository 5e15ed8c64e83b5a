"""Fixtures: a window over a running pipeline with fake devices, in this process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial, partialmethod
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QCoreApplication, QEvent, QFile, QLocale
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.backgrounds.kinds import bundled_backgrounds
from app.capture.devices import CameraDevice
from app.core.errors import t
from app.core.settings import CaptureSettings, OutputSettings, WindowSettings
from app.doctor.finding import CommandLine, Finding, State
from app.gui import notices
from app.gui.application import Session, WindowOptions, make_application
from app.gui.backgrounds import library
from app.gui.state import Tasks
from app.matting.choice.choice import FineQuality
from app.output.microphones import MicrophoneName
from app.runtime.context import Timing
from app.settings import Settings
from models.errors import DownloadError
from models.table import NETWORKS
from models.weights import WeightReport
from tests.fakes.world import FakeWorld
from tests.stand_ins import always

QUIET = Settings(
    capture=CaptureSettings(
        source="demo", width=320, height=180
    ),  # the stand-by card is drawn in this size
    output=OutputSettings(virtual_camera="off"),
    window=WindowSettings(first_run_done=True),
)
GERMAN = WindowSettings(first_run_done=True, language="de")
ON_DEVICE = QUIET.replace(output=QUIET.output.replace(virtual_camera="/dev/video10"))
CAMERAS = (
    CameraDevice("usb-1", "Front camera", "", 0, ((640, 480), (1280, 720)), ("MJPG", "YUYV")),
    CameraDevice("usb-2", "Desk camera", "", 1),
)
MODELS = (
    WeightReport(NETWORKS["rvm-mobilenetv3"].weights, None),
    WeightReport(NETWORKS["mattecam"].weights, Path("mattecam.pth")),
)
FINDINGS = (
    Finding(t("camera"), State.OK, t("{name} ({device}).", name="Front camera", device="/dev/video0")),
    Finding(
        t("virtual camera: module"), State.PROBLEM,
        t("The kernel module v4l2loopback is installed for the running kernel {kernel}, but not loaded.", kernel="6.1"),
        t("Without a virtual camera other programs cannot see the picture; only recording works."),
        (CommandLine("python3 run.py doctor --fix"), t("Or manually:"),
         CommandLine("sudo modprobe v4l2loopback devices=1 exclusive_caps=1 card_label=Mattecam video_nr=10")),
    ),
    Finding(t("disk"), State.WARNING, t("{gibibytes} GiB are free in {folder}.", gibibytes="1.9", folder="/home")),
)  # fmt: skip
NEEDS_PLATE = t(
    "The model {model} needs a picture of the empty room; take one⟦ in the window, or with `python3 run.py ctl plate "
    "take` while Mattecam runs with another model⟧.",
    model="mattecam-plate",
)
STANDARD = FineQuality("mattecam", 0.6, holds_rate=True)
StartWindow = Callable[..., Session]
PATIENCE_MS = 60_000


class PatientBot(QtBot):
    """Uses long timeouts, for busy machines."""

    waitUntil = partialmethod(QtBot.waitUntil, timeout=PATIENCE_MS)  # noqa: N815
    waitSignal = partialmethod(QtBot.waitSignal, timeout=PATIENCE_MS)  # noqa: N815


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> PatientBot:
    """In place of pytest-qt's own."""
    return PatientBot(request)


def move_to_trash(trash: Path, name: str) -> tuple[bool, str]:
    """Do what `QFile.moveToTrash` does, in a folder of the test."""
    trash.mkdir(exist_ok=True)
    with suppress(OSError):
        Path(name).replace(trash / Path(name).name)
        return True, str(trash / Path(name).name)
    return False, ""


made_once = cache(library.thumbnail)
"""Makes a thumbnail once per process: those of the bundled pictures cost more than the rest of a window."""


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Own folders, English numbers, quick thumbnails; on a busy machine no notice or picture ends before its test."""
    before = QLocale()
    QLocale.setDefault(QLocale("en_GB"))
    monkeypatch.setenv("MATTECAM_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))  # with the trash
    if sys.platform == "win32":  # where the trash is the user's own, and Wine has none
        monkeypatch.setattr(QFile, "moveToTrash", partial(move_to_trash, tmp_path / "trash"))
    bundled = frozenset(bundled_backgrounds())
    make = library.thumbnail
    monkeypatch.setattr(
        library,
        "thumbnail",
        lambda path, *size: (made_once if path in bundled else make)(path, *size),
    )
    for lasting in ("BRIEF_MS", "EVENT_MS"):
        monkeypatch.setattr(notices, lasting, 10 * PATIENCE_MS)
    monkeypatch.setattr(
        "app.runtime.pipeline.Timing", partial(Timing, stale_s=600.0, outdated_s=600.0)
    )
    yield
    QLocale.setDefault(before)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two cameras, no virtual camera, and two models of which one is installed."""
    for name, listed in (
        ("app.gui.state.list_cameras", CAMERAS), ("app.gui.state.virtual_cameras", ()),
        ("app.gui.panels.devices.microphones", (MicrophoneName("usb-1", "USB Microphone"),)),
        ("models.weights.describe", MODELS), ("app.matting.choice.hardware.devices", (("cpu", "CPU"),)),
    ):  # fmt: skip
        monkeypatch.setattr(name, partial(tuple, listed))
    monkeypatch.setattr("app.doctor.fix.desktop_command", always([]))
    monkeypatch.setattr(
        "app.gui.doctor.run_checks",
        lambda *, proof=True, only="": tuple(one for one in FINDINGS if one.check.startswith(only)),
    )
    monkeypatch.setattr("app.matting.choice.choice.fine_quality", always(STANDARD))


class Downloads:
    """In place of the downloads of models: one connects, receives data until it may end, then succeeds or fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = threading.Event()
        self.connected = threading.Event()
        self.may_end = threading.Event()
        self.connected.set()
        self.fails = self.ended = False
        self._monkeypatch = monkeypatch

    def run(
        self, name: str, progress: Callable[[int, int | None], None], *, check: Callable[[], object]
    ) -> Path:
        """Download a model, as `models.download` does."""
        self.began.set()
        self.connected.wait(60)
        while not self.may_end.wait(0.01):
            check()
            progress(5_000_000, 10_000_000)
        if self.fails:
            raise DownloadError(
                "The weights of {model} could not be downloaded. No internet? Download {url} elsewhere.",
                model=name,
                url="https://example.org",
            )
        self.ended = True
        return self.install(name, Path(name))

    def install(self, name: str, file: Path) -> Path:
        """List a model as installed, as `models.download` does."""
        reports = tuple(
            replace(each, path=file) if each.spec.name == name else each for each in MODELS
        )
        self._monkeypatch.setattr("models.weights.describe", always(reports))
        return file


@pytest.fixture
def downloads(machine: object, monkeypatch: pytest.MonkeyPatch) -> Downloads:
    made = Downloads(monkeypatch)
    monkeypatch.setattr("models.download.download", made.run)
    monkeypatch.setattr("models.download.install", made.install)
    return made


@pytest.fixture
def tasks(qapp: QApplication, machine: object) -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.close()


@pytest.fixture
def world() -> FakeWorld:
    """Parts of the pipeline with fault injection, whose frames come at about the rate of a camera."""
    world = FakeWorld()
    world.pause_s = 1 / 40
    return world


@pytest.fixture
def start_window(qapp: QApplication, world: FakeWorld, machine: object) -> Iterator[StartWindow]:
    """Starts windows; closes them after the test."""
    sessions: list[Session] = []

    def start(
        settings: Settings = QUIET,
        window: WindowSettings = QUIET.window,
        *,
        shown: bool = True,
        **options: Any,
    ) -> Session:
        made = WindowOptions(**({"parts": world.parts()} | options))
        session = Session(make_application(), settings.replace(window=window), made)
        sessions.append(session)
        if shown:
            session.start()
        return session

    yield start
    for session in sessions:
        assert session.close() == 0
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def session(start_window: StartWindow) -> Session:
    """A running window over a fake world."""
    return start_window()


@pytest.fixture
def controls(start_window: StartWindow) -> Session:
    """The controls of a shown window, over settings of a pipeline that is not started; the preview is grey."""
    session = start_window(shown=False)
    window = session.window
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    window.resize(1270, 830)
    window.show()
    window.strip.library.reload()
    window.models.reload()
    window.panel.camera.show_cameras(CAMERAS)
    image.fill(0xFF808080)
    window.preview.show_image(image)
    return session


def activate(session: Session, qtbot: QtBot) -> None:
    """Activate the window; shortcuts need it."""
    session.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is session.window)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "beach.png"
    cv2.imwrite(str(path), np.full((90, 160, 3), (200, 120, 30), np.uint8))
    return path
