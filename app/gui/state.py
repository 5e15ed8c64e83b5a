"""The settings that the window shows and saves, and slow work off the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, QStandardPaths, Qt, pyqtSignal
from PyQt6.sip import isdeleted

from app.capture.devices import CameraDevice, list_cameras
from app.config import settings_file
from app.config.setting import with_value
from app.core.errors import SettingsError, Text
from app.core.settings import Settings
from app.core.settings_owner import SettingsOwner, rebase
from app.core.threads import lower_priority
from app.gui.widgets.qt import timer
from app.output.camera_list import list_virtual_cameras

log = logging.getLogger(__name__)
T = TypeVar("T")
NICENESS = 4
"""Added to the threads: at the start, they decode the pictures of the background strip while the window is drawn."""
THREADS = 3


def log_error(error: Exception) -> None:
    """Write an error of which the user need not hear into the log."""
    log.warning("%s", error, exc_info=error)


class Tasks(QObject):
    """Runs functions on threads and delivers each result on the GUI thread.

    A result for a method of a deleted QObject is dropped. After `close` nothing is delivered.
    """

    _finished = pyqtSignal(object, object, object)
    """A Future, what takes its result, and what takes its error."""

    def __init__(self) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(THREADS, "window-task", initializer=lower_priority, initargs=(NICENESS,))
        self._writer = ThreadPoolExecutor(1, "window-writer")
        self._writes: dict[Future[Any], Callable[[], Any]] = {}
        """Those whose outcome has not been delivered."""
        self._newest: dict[Callable[[Any], object], Future[Any] | None] = {}
        """By what takes the result of the newest call alone."""
        self._open = True
        # Queued: a future that is already done calls back on this thread, inside `run`.
        self._finished.connect(self._deliver, type=Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] = log_error,
        *,
        newest: bool = False,
    ) -> None:
        """Call `work` on a thread, then `done` with its result or `failed` with its error on the GUI thread.

        newest: drop the outcomes of earlier such calls for `done` that arrive from now on; threads end in any order.
        """
        future = self._submit(self._pool, work, done, failed)
        if newest:
            self._newest[done] = future

    def write(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Call `work`, which reads or changes settings or scenes on disk, as `run` does, but after all before it.

        `close` waits for it, however busy the other threads are.
        """
        self._submit(self._writer, work, done, failed)

    def close(self) -> list[Exception]:
        """Finish all writes, cancel pending tasks, wait for running ones, and discard their results.

        Returns the errors of writes that nobody has been told, and that no later write of the same work made good.
        """
        self._open = False
        self._writer.shutdown(wait=True)
        self._pool.shutdown(wait=True, cancel_futures=True)
        last = {work: future for future, work in self._writes.items()}  # the same work writes all anew
        return [error for write in last.values() if isinstance(error := write.exception(), Exception)]

    def _submit(
        self,
        threads: ThreadPoolExecutor,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> Future[T] | None:
        if not self._open:
            return None
        future = threads.submit(work)
        if threads is self._writer:
            self._writes[future] = work
        future.add_done_callback(lambda future: self._finished.emit(future, done, failed))
        return future

    def _deliver(self, future: Future[Any], done: Callable[[Any], None], failed: Callable[[Exception], None]) -> None:
        if not self._open or self._newest.get(done, future) is not future:
            return
        error = future.exception()
        taker = getattr(done if error is None else failed, "__self__", None)
        if isinstance(taker, QObject) and isdeleted(taker):  # its dialog was closed in the meantime
            return
        self._writes.pop(future, None)
        if error is None:
            done(future.result())
        elif isinstance(error, Exception):
            failed(error)


WATCH_INTERVAL_MS = 2500
CHECKS_PER_VIRTUAL = 4
"""Virtual cameras change rarely, and probing one that another program feeds takes a second."""


def virtual_cameras() -> tuple[tuple[str, str], ...]:
    """Return (device, label) of the virtual cameras."""
    return tuple((device.id, device.label) for device in list_virtual_cameras())


class DeviceWatcher(QObject):
    """Lists the devices, and again some seconds after each list, however long it takes."""

    cameras_found = pyqtSignal(object)
    """tuple[CameraDevice, ...]"""
    virtual_cameras_found = pyqtSignal(object)
    """tuple of (device, label)"""

    def __init__(self, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._checks = 0
        self._timer = timer(self, WATCH_INTERVAL_MS, self.check, once=True)

    def check(self) -> None:
        """List the devices now, and from then on."""
        self._tasks.run(list_cameras, self._found, self._failed)
        if self._checks % CHECKS_PER_VIRTUAL == 0:
            self._tasks.run(virtual_cameras, self.virtual_cameras_found.emit)
        self._checks += 1

    def _found(self, cameras: tuple[CameraDevice, ...]) -> None:
        self._timer.start()
        self.cameras_found.emit(cameras)

    def _failed(self, error: Exception) -> None:
        self._timer.start()
        raise error  # a defect: listing cameras does not fail; sys.excepthook logs it


CHOSEN_BY = {"image": "path", "video": "path", "colour": "colour"}
"""The field that chooses a background, by its kind: with the field, the kind is saved, also one of an option."""


class SettingsStore(QObject):
    """Changes settings, and keeps the version to be saved beside the one in effect.

    The two differ by command-line options, which apply to this run only. A change is applied to both, field by field.
    `change`, `current` and `saved` may be used on any thread; `changed` is emitted on the thread of this object.
    """

    changed = pyqtSignal(object)
    """The Settings in effect, after they changed."""
    _owner_changed = pyqtSignal()

    def __init__(self, owner: SettingsOwner, saved: Settings | None = None) -> None:
        super().__init__()
        self._owner = owner
        self._saved = owner.current if saved is None else saved
        self._notified = owner.current
        self._owner_changed.connect(self._notify)  # queued when emitted on another thread
        owner.listen(self._owner_changed.emit)

    @property
    def current(self) -> Settings:
        """The settings in effect."""
        return self._owner.current

    @property
    def saved(self) -> Settings:
        """The settings for the settings file: without recording, freeze and pause."""
        return self._saved.kept

    @property
    def recordings_dir(self) -> Path:
        """Folder of recordings and snapshots."""
        videos = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return self.current.window.recordings_dir or Path(videos or Path.home()) / "Mattecam"

    def undo(self) -> Callable[[Callable[[Settings], Settings]], Settings]:
        """Return what is used as `change` for an update that gives back settings of now.

        What was to be saved now is given back beside them: the two differ where an option of this run is undone.
        """
        return partial(self.change, saved_then=self._saved)

    def change(self, update: Callable[[Settings], Settings], saved_then: Settings | None = None) -> Settings:
        """Apply `update` to the settings in effect at once, on any thread; return the new ones.

        The fields that it changes are also changed in the settings to be saved. saved_then: see `undo`.
        """

        def tracked(settings: Settings) -> Settings:
            new = update(settings)
            if settings.paused and not new.paused:
                new = new.replace(unconfirmed=False)
            if saved_then is None and new.background.blur_strength != settings.background.blur_strength:
                # as it is shown: it may be saved beside a level that allows less
                new = new.replaced_at(["background"], blur_strength=new.shown_blur)
            saved = rebase(self._saved, settings, new, saved_then)
            chosen_by = CHOSEN_BY.get(new.background.kind)
            if chosen_by and getattr(new.background, chosen_by) != getattr(settings.background, chosen_by):
                saved = saved.replaced_at(["background"], kind=(saved_then or new).background.kind)
            self._saved = saved  # serialized by the owner's lock
            return new

        return self._owner.change(tracked)

    def edit(self, section: str, **changes: Any) -> None:
        """Change fields of one section, such as `background` or `matting.edges`."""
        self.change(lambda settings: settings.replaced_at(section.split("."), **changes))

    def set(self, name: str, value: object) -> None:
        """Change a setting by its name in `SETTINGS`, and what follows from it."""
        self.change(lambda settings: with_value(settings, name, value))

    def _notify(self) -> None:
        settings = self._owner.current
        if settings != self._notified:
            self._notified = settings
            self.changed.emit(settings)


DELAY_MS = 500


class Saver(QObject):
    """Saves the settings. Changes within half a second are one write.

    What could not be written is written with the next change, or by `write`.
    """

    failed = pyqtSignal(object)
    """The SettingsError of a write."""
    saved = pyqtSignal()
    """Everything is written."""
    renamed = pyqtSignal(object)  # a str would lose the message of a Text
    """The sentence about a file that could not be used and was kept under another name."""

    def __init__(self, store: SettingsStore, path: Path, tasks: Tasks) -> None:
        super().__init__()
        self._store, self._path, self._tasks = store, path, tasks
        self._written = store.saved
        """What was written last; of the thread that writes."""
        self._timer = timer(self, DELAY_MS, self.write, once=True)
        store.changed.connect(self._timer.start)

    def write(self) -> None:
        """Write what is not written yet, after earlier writes; `Tasks.close` waits for it."""
        self._timer.stop()
        self._tasks.write(self._write, self._tell, self._fail)

    def _write(self) -> Text | None:
        settings = self._store.saved
        if settings == self._written:
            return None
        renamed = settings_file.save(self._path, settings, self._written)
        self._written = settings
        if renamed is not None:
            log.warning("%s", renamed)
        return renamed

    def _tell(self, renamed: Text | None) -> None:
        if renamed is not None:
            self.renamed.emit(renamed)
        self.saved.emit()

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, SettingsError):
            raise error
        self.failed.emit(error)
