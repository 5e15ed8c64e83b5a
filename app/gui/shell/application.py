"""Starts the window and ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from PyQt6.QtCore import QCoreApplication, QEvent, QTimer
from PyQt6.QtWidgets import QApplication

from app.config import scenes, settings_file
from app.core.errors import SettingsError
from app.core.settings import Settings
from app.gui.i18n.language import translate
from app.gui.shell.lifecycle import WindowLife
from app.gui.shell.main_window import MainWindow
from app.gui.shell.single_instance import SingleInstance
from app.gui.shell.tray import Tray
from app.gui.state import preferences as preferences_file
from app.gui.state.bridge import Bridge
from app.gui.state.log_buffer import LogBuffer
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.remote import Remote
from app.gui.state.saving import Saver
from app.gui.state.store import SettingsStore
from app.gui.state.tasks import Tasks
from app.gui.widgets import theme
from app.gui.widgets.icons import app_icon
from app.runtime.parts import Parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import PipelineStatus

log = logging.getLogger(__name__)

EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130
STOP_TIMEOUT_S = 15.0
SWITCH_INTERVAL_S = 0.0005
"""How long another thread may keep Python to itself while the GUI thread waits for it. One event of Qt's enters Python
many times; at Python's usual 5 ms each, a network being prepared would make the window stutter."""


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """How the window runs this time."""

    seconds: float | None = None
    """Close by itself after this time."""
    frames: int | None = None
    """Close by itself after this many frames."""
    start_minimised: bool = False
    persist: bool = True
    """Whether settings and preferences are read from and written to files."""
    settings_path: Path | None = None
    """The settings file; None: the platform's."""
    saved_settings: Settings | None = None
    """What the settings file holds, without what the command line said for this run."""
    warning: str | None = None
    """What went wrong before the window was there, such as a broken settings file; shown in its error bar."""
    on_finished: Callable[[PipelineStatus], None] | None = None
    """Called with the last status when everything is closed."""
    parts: Parts | None = None
    """The pipeline's parts in place of the real ones."""

    @property
    def ends_by_itself(self) -> bool:
        """A run of a script: no other instance is looked for, and no assistant comes up."""
        return self.seconds is not None or self.frames is not None


def make_application() -> QApplication:
    """The one QApplication of the process, named and translated."""
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
    instance = SingleInstance()
    if not options.ends_by_itself and not instance.claim():
        log.warning("It runs already, and its window was brought to the front.")
        return EXIT_DONE
    buffer = LogBuffer()
    logging.getLogger().addHandler(buffer)
    try:
        with translate(app):
            return Session(app, settings, options, instance, buffer).run()
    finally:
        logging.getLogger().removeHandler(buffer)
        instance.release()


class Session:
    """One run of the window: everything that is made for it, and closed after it."""

    def __init__(
        self, app: QApplication, settings: Settings, options: WindowOptions, instance: SingleInstance, buffer: LogBuffer
    ) -> None:
        self._app = app
        self._options = options
        self._instance = instance
        settings_path = options.settings_path or settings_file.default_path()
        preferences_path = settings_path.with_name("window.json")
        self.preferences = PreferencesStore(preferences_file.load(preferences_path if options.persist else None))
        self.store = SettingsStore(settings, options.saved_settings)
        self._tasks = Tasks()
        self.pipeline = Pipeline(settings, parts=options.parts)
        self.bridge = Bridge(self.pipeline)
        self._switch_interval_s = sys.getswitchinterval()
        self._dark = theme.is_dark(self.preferences.current.theme)
        self._exit_code: int | None = None
        theme.apply(app, self._dark)
        scene_store = scenes.SceneStore(settings_path.with_name(scenes.default_path().name))
        self.window = MainWindow(self.store, self.preferences, self.bridge, self._tasks, scene_store, buffer)
        self._dresser = theme.Dresser(app, self.window)
        self.tray = Tray(self.store, self.window.strip, self.window)
        self.life = WindowLife(self.window, self.tray)
        self.life.ended.connect(app.quit)
        self._remote = Remote(self.store, self.bridge, scene_store, self.life.end, self.window)
        self._saver: Saver | None = None
        if options.persist:
            self._saver = Saver(self.store, self.preferences, settings_path, preferences_path, self._tasks)
            self._saver.failed.connect(self.window.error_bar.show_message)
        self.preferences.changed.connect(self._apply_theme)
        hints = app.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._apply_theme)
        instance.raised.connect(self.life.bring_back)

    def run(self) -> int:
        """Start, run the event loop, close; returns the exit code."""
        with _signals(self._app) as interrupted:
            self.start()
            self._app.exec()
        code = self.close()
        if self._options.on_finished is not None:
            self._options.on_finished(self.bridge.status)
        return EXIT_INTERRUPTED if interrupted else code

    def start(self) -> None:
        """Show the window and start everything behind it."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._end_by_itself()
        self._show()
        self.window.start()
        self._remote.start()
        if self._options.warning:
            self.window.error_bar.show_message(self._options.warning)

    def close(self) -> int:
        """Close everything; returns the exit code, the same one when asked again."""
        if self._exit_code is None:
            self._exit_code = self._close()
        return self._exit_code

    def _close(self) -> int:
        self.preferences.change(geometry=self.window.encoded_geometry())
        self.life.vanish()
        self._instance.release()  # what still ends is no reason to keep the user from starting anew
        self.window.matting_page.network.download.cancel()
        remote_ended = self._remote.stop()
        ended = self.bridge.stop(STOP_TIMEOUT_S) and remote_ended
        self._tasks.close()
        code = EXIT_DONE if ended else EXIT_FAILED
        if not ended:
            log.error("A part of the program did not end in time; the driver of a device hangs.")
        if self._saver is not None:
            try:
                self._saver.finish()
            except SettingsError as error:
                log.error("%s", error)
                code = EXIT_FAILED
        sys.setswitchinterval(self._switch_interval_s)
        self.window.deleteLater()  # now, while Qt and Python are both whole
        QCoreApplication.sendPostedEvents(self.window, QEvent.Type.DeferredDelete)
        return code

    def _show(self) -> None:
        if self._options.start_minimised and self.tray.available:
            return
        if self._options.start_minimised:
            self.window.showMinimized()
            return
        self.window.show()
        if not self.preferences.current.first_run_done and not self._options.ends_by_itself:
            self.window.show_assistant()

    def _apply_theme(self) -> None:
        dark = theme.is_dark(self.preferences.current.theme)
        if dark is not self._dark:  # dressing every widget anew takes a moment
            self._dark = dark
            self._dresser.dress(dark)

    def _end_by_itself(self) -> None:
        if self._options.seconds is not None:
            QTimer.singleShot(round(self._options.seconds * 1000), self.life.end)
        if self._options.frames is not None:
            frames = self._options.frames
            self.bridge.status_changed.connect(lambda status: self.life.end() if status.frames_out >= frames else None)


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
