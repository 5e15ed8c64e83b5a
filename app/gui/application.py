"""Starts the window and ends it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from app import settings_file
from app.errors import SettingsError
from app.gui import preferences as preferences_file
from app.gui import theme
from app.gui.bridge import Bridge
from app.gui.icons import app_icon
from app.gui.main_window import MainWindow
from app.gui.preferences_store import PreferencesStore
from app.gui.saving import Saver
from app.gui.store import SettingsStore
from app.gui.tasks import Tasks
from app.runtime.parts import Parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import PipelineStatus
from app.settings import Settings

EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """How the window runs this time."""

    seconds: float | None = None
    """Close by itself after this time."""
    frames: int | None = None
    """Close by itself after this many frames."""
    start_minimised: bool = False
    persist: bool = True
    """Whether settings are written and other instances are looked for."""
    settings_path: Path | None = None
    """The settings file; None: the platform's."""
    saved_settings: Settings | None = None
    """What the settings file holds, without what the command line said for this run."""
    on_finished: Callable[[PipelineStatus], None] | None = None
    """Called with the last status when everything is closed."""
    parts: Parts | None = None
    """The pipeline's parts in place of the real ones."""


def make_application() -> QApplication:
    """The one QApplication of the process, dressed."""
    # OpenCV's own Qt plug-ins, where a full OpenCV is installed, would be loaded in place of PyQt's.
    os.environ.pop("QT_QPA_PLATFORM_PLUGIN_PATH", None)
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("mattecam")
    app.setApplicationDisplayName("Mattecam")
    app.setDesktopFileName("mattecam")
    app.setWindowIcon(app_icon())
    app.setQuitOnLastWindowClosed(False)
    return app


def run_window(settings: Settings, options: WindowOptions) -> int:
    """Run the program in a window until the user ends it; returns the exit code."""
    app = make_application()
    settings_path = options.settings_path or settings_file.default_path()
    preferences_path = settings_path.with_name("window.json")
    preferences = PreferencesStore(preferences_file.load(preferences_path if options.persist else None))
    theme.apply(app, preferences.current.theme)
    store = SettingsStore(settings, options.saved_settings)
    tasks = Tasks()
    bridge = Bridge(Pipeline(settings, parts=options.parts))
    window = MainWindow(store, preferences, bridge, tasks)
    saver = Saver(store, preferences, settings_path, preferences_path, tasks) if options.persist else None
    if saver is not None:
        saver.failed.connect(window.error_bar.show_message)
    window.closing.connect(app.quit)
    _end_by_itself(app, bridge, options)
    with _signals(app) as interrupted:
        if options.start_minimised:
            window.showMinimized()
        else:
            window.show()
        window.start()
        app.exec()
    window.hide()
    ended = bridge.stop()
    tasks.close()
    code = EXIT_DONE if ended else EXIT_FAILED
    if saver is not None:
        try:
            saver.finish()
        except SettingsError as error:
            print(error, file=sys.stderr)  # noqa: T201
            code = EXIT_FAILED
    if options.on_finished is not None:
        options.on_finished(bridge.status)
    window.deleteLater()
    return EXIT_INTERRUPTED if interrupted else code


def _end_by_itself(app: QApplication, bridge: Bridge, options: WindowOptions) -> None:
    if options.seconds is not None:
        QTimer.singleShot(round(options.seconds * 1000), app.quit)
    if options.frames is not None:
        frames = options.frames
        bridge.status_changed.connect(lambda status: app.quit() if status.frames_out >= frames else None)


@contextmanager
def _signals(app: QApplication) -> Iterator[list[int]]:
    """SIGINT and SIGTERM end the event loop; the list tells which came."""
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        app.quit()

    # Python handles a signal when it next runs; the status timer makes it run several times a second.
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
