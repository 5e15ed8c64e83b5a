"""Starts and stops the window: one for each user, which closing can keep in the tray."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType

from PyQt6.QtCore import QCoreApplication, QEvent, QLocale, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QApplication, QDialog, QMenu, QSystemTrayIcon

from app.config import scenes, settings_file
from app.control.controller import SettingsController
from app.control.program import RunningProgram
from app.control.server import ControlServer
from app.core import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from app.core.errors import Stage, Text, all_done
from app.core.process import handled
from app.gui.backgrounds.tiles import shown_backgrounds
from app.gui.bridge import Bridge
from app.gui.main_window import MainWindow
from app.gui.state import Saver, SettingsStore, Tasks
from app.gui.translation import Translation, standby_text, tr
from app.gui.widgets import theme
from app.gui.widgets.qt import existing
from app.gui.widgets.theme import icon
from app.output.interrupted import kept_after_crash
from app.runtime.context import PipelineParts, default_parts
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, PipelineStatus
from app.settings import Settings

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 15.0
# How long another thread may hold the GIL while the GUI thread waits for it. One event
# of Qt enters Python many times; at the default of 5 ms each, the window would stutter
# while a network is being compiled.
SWITCH_INTERVAL_S = 0.0005


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """Options of one run of the window."""

    # It stops after these seconds, or frames; None: when the user quits.
    seconds: float | None = None
    frames: int | None = None
    start_minimised: bool = False
    # Whether to read and write the settings file.
    persist: bool = True
    # None: the default of the platform.
    settings_path: Path | None = None
    # As in the settings file, without command-line options; None: like the settings.
    saved_settings: Settings | None = None
    # The user asked for the background "none" by name for this run, which does not start paused.
    unmatted_confirmed: bool = False
    # Of a problem found before the window opened, such as a damaged settings file.
    warning: str | None = None
    # Called with the last status after everything has stopped.
    on_finished: Callable[[PipelineStatus], None] | None = None
    # Parts of the pipeline that replace the real ones, for tests.
    parts: PipelineParts | None = None

    @property
    def limited(self) -> bool:
        """Whether the run stops without the user."""
        # It ignores other instances and opens no assistant.
        return self.seconds is not None or self.frames is not None


def make_application() -> QApplication:
    """Return the QApplication of the process; create and name it on the first call."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    # A full OpenCV installation would load its own Qt plug-ins in place of those of PyQt.
    os.environ.pop("QT_QPA_PLATFORM_PLUGIN_PATH", None)
    running = QApplication.instance()
    # Without the options of the program: Qt would take some as its own.
    app = running if isinstance(running, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("mattecam")
    app.setApplicationDisplayName("Mattecam")
    app.setDesktopFileName("mattecam")
    app.setWindowIcon(icon("app"))
    app.setQuitOnLastWindowClosed(False)
    return app


def run_window(settings: Settings, options: WindowOptions) -> int:
    """Run the program in a window until the user quits; return the exit code."""
    app = make_application()
    program = RunningProgram()
    try:
        if not options.limited and program.claim_or_show():
            log.warning("Mattecam is already running; its window was brought to the front.")
            return EXIT_DONE
        return Session(app, settings, options, program).run()
    finally:
        program.close()


class Session:
    """One run of the window: owns its objects and closes them."""

    def __init__(
        self,
        app: QApplication,
        settings: Settings,
        options: WindowOptions,
        program: RunningProgram | None = None,
    ) -> None:
        """program: as the owner of the control address, or as one that waits for it."""
        self._app = app
        self._options = options
        language = settings.window.language
        locale = None if language == "system" else QLocale(language)
        self._translation = Translation(app, locale)
        settings_path = options.settings_path or settings_file.default_path()
        self._seconds_left = options.seconds
        asks_before_unmatted = settings.background.kind == "none" and not options.unmatted_confirmed
        saved = options.saved_settings or settings
        if asks_before_unmatted or settings.unconfirmed:
            settings = settings.replace(paused=True)
        parts = replace(options.parts or default_parts(), standby_text=standby_text)
        self.pipeline = Pipeline(settings, parts=parts)
        self._tasks = Tasks(self.pipeline.report)
        self.bridge = Bridge(self.pipeline)
        self.store = SettingsStore(self.pipeline.owner, saved)
        self._is_dark = theme.is_dark(settings.window.theme)
        self._exit_code: int | None = None
        theme.apply(app, self._is_dark)
        scene_store = scenes.SceneStore(scenes.path_beside(settings_path))
        self._saver: Saver | None = None
        if options.persist:
            self._saver = Saver(self.store, settings_path, self._tasks)
            self._saver.failed.connect(lambda error: self.pipeline.report(Stage.SETTINGS, error))
            self._saver.saved.connect(partial(self.pipeline.report, Stage.SETTINGS, None))
            self._saver.renamed.connect(self._show_lasting)
        self.window = MainWindow(self.store, self.bridge, self._tasks, scene_store)
        if asks_before_unmatted:
            self.window.program_notices.ask_before_unmatted()
        self.lifecycle = WindowLifecycle(self.window)
        self.lifecycle.ended.connect(app.quit)
        # Commands change the settings on the control thread: they are answered after they
        # took effect, also while the window is busy.
        controller = SettingsController(
            self.pipeline,
            change=self.store.change,
            undo=self.store.undo,
            backgrounds=lambda: shown_backgrounds(self.store.current.window.own_colour),
            scenes=scene_store,
            request_quit=self.window.quit_requested.emit,
            # A run that ends by itself is not the window that a second start looks for.
            request_show=None if options.limited else self.window.show_requested.emit,
            scenes_changed=self.window.scenes.changed.emit,
        )
        self._server = ControlServer(controller, program or RunningProgram())
        for thread in self._server.threads:
            self.pipeline.watch(thread)
        if self._saver is not None:
            self.window.program_notices.remedy_chosen.connect(self._saver.write)
        self.store.changed.connect(self._apply_theme)
        existing(app.styleHints()).colorSchemeChanged.connect(self._apply_theme)

    def run(self) -> int:
        """Start, run the event loop, close; return the exit code."""
        signals: list[int] = []

        def end(number: int, _frame: FrameType | None) -> None:
            signals.append(number)
            # Of the event loop, which may not run yet: until then it ends nothing.
            QTimer.singleShot(0, self._app.quit)

        # Python runs signal handlers between bytecodes; the status timer wakes it several
        # times a second.
        try:
            with handled(end):
                self.start()
                self._app.exec()
        finally:
            code = self.close()
        if self._options.on_finished is not None:
            self._options.on_finished(self.bridge.status)
        return EXIT_INTERRUPTED if signals and code == EXIT_DONE else code

    def start(self) -> None:
        """Show the window and start the pipeline and the control server."""
        if self._options.frames is not None:
            self.pipeline.limit_frames(self._options.frames)
        if self._options.limited:
            self.bridge.status_changed.connect(self._end_at_the_limit)
        if not self._options.start_minimised:
            self.window.show()
            if not self.store.current.window.first_run_done and not self._options.limited:
                self.window.open_assistant()
        elif not QSystemTrayIcon.isSystemTrayAvailable():
            self.window.showMinimized()
        self.bridge.start()
        self.window.start()
        # The window also works where that fails.
        self._server.listen()
        self._server.start()
        if self._options.warning:
            self._show_lasting(self._options.warning)
        self._tasks.run(kept_after_crash, self._show_kept)

    def _show_kept(self, recordings: Text | None) -> None:
        if recordings is not None:
            log.warning("%s", recordings)
            self._show_lasting(recordings)

    def _show_lasting(self, message: str) -> None:
        self.window.program_notices.show_error(message, lasting=True)

    def _end_at_the_limit(self, status: PipelineStatus) -> None:
        """End the run after its frames, or its seconds from the first frame sent.

        Where no frame is due, the seconds begin at once.
        """
        if self._options.frames is not None and status.frames_out >= self._options.frames:
            self.lifecycle.end()
        has_begun = status.frames_out > 0 or status.phase is not Phase.STARTING
        if self._seconds_left is not None and has_begun:
            left_ms = round(self._seconds_left * 1000)
            QTimer.singleShot(left_ms, lambda: self.lifecycle.end())
            self._seconds_left = None

    def close(self) -> int:
        """Close everything; return the exit code. Idempotent."""
        if self._exit_code is None:
            succeeded = all_done(
                self._keep_geometry,
                self.lifecycle.hide_all,
                # Before the pipeline: a new start is possible while threads are still ending.
                self._stop_server,
                self._stop_pipeline,
                self._save,
                self._translation.remove,
                self._delete_window,
            )
            self._exit_code = EXIT_DONE if succeeded else EXIT_FAILED
        return self._exit_code

    def _keep_geometry(self) -> None:
        geometry = self.window.saveGeometry().toBase64().data().decode()
        self.store.set("window.geometry", geometry)

    def _stop_server(self) -> bool:
        ended = self._server.stop()
        if not ended:
            log.error(
                "A command was not answered before the end: a disk or a device does not answer.",
            )
        return ended

    def _stop_pipeline(self) -> bool:
        ended = self.bridge.stop(STOP_TIMEOUT_S)
        if not ended:
            log.error("A thread did not end in time: a device driver is blocked.")
        return ended

    def _save(self) -> bool:
        """Save what is not saved yet; return whether everything is."""
        if self._saver is not None:
            self._saver.write()
        unsaved = self._tasks.close()
        for error in unsaved:
            log.error("%s", error)
        return not unsaved

    def _delete_window(self) -> None:
        # At once: the interpreter shuts down next.
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(self.window, QEvent.Type.DeferredDelete)

    def _apply_theme(self) -> None:
        is_dark = theme.is_dark(self.store.current.window.theme)
        # Restyling every widget takes time.
        if is_dark is not self._is_dark:
            self._is_dark = is_dark
            theme.apply(self._app, is_dark)


class WindowLifecycle(QObject):
    """Ends the program when the window is closed, or keeps it in the tray, which has a menu."""

    ended = pyqtSignal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._store = window.store
        self._is_ending = False
        window.close_requested.connect(self._on_close)
        window.quit_requested.connect(self.end)
        window.show_requested.connect(self.show_in_front)
        # Of the tray; public for tests, which have none.
        self.menu = QMenu(window)
        self.menu.addAction(tr("Open Mattecam"), self.show_in_front)
        self.menu.addAction(window.action_bar.pause)
        self.menu.addAction(tr("Quit"), self.end)
        self._tray = QSystemTrayIcon(icon("app"), self)
        self._tray.setToolTip("Mattecam")
        self._tray.setContextMenu(self.menu)
        self._tray.activated.connect(self._on_activated)
        # Shown as soon as there is a tray, which may start later than the program.
        self._tray.show()

    def show_in_front(self) -> None:
        """Show the window in front of all others."""
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowMinimized)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def end(self) -> None:
        """End the program. The window is hidden at once, before threads are joined."""
        self._is_ending = True
        self.hide_all()
        self.ended.emit()

    def hide_all(self) -> None:
        """Hide the window, its dialogs and the tray icon.

        A download is cancelled: the end would wait for it.
        """
        self._tray.hide()
        self._window.models.stop()
        self._hide_windows()

    def _hide_windows(self) -> list[QDialog]:
        """Hide the window and its dialogs; return the dialogs."""
        dialogs = [dialog for dialog in self._window.findChildren(QDialog) if dialog.isVisible()]
        for window in (self._window, *dialogs):
            window.hide()
        return dialogs

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        reasons = QSystemTrayIcon.ActivationReason
        if reason in (reasons.Trigger, reasons.DoubleClick):
            self.show_in_front()

    def _on_close(self, event: QCloseEvent) -> None:
        closes_to_tray = self._store.current.window.close_to_tray
        has_tray = QSystemTrayIcon.isSystemTrayAvailable()
        if self._is_ending or not (closes_to_tray and has_tray):
            self.end()
            return
        event.ignore()
        for dialog in self._hide_windows():
            # As closing it does; the window opens a new one.
            dialog.deleteLater()
