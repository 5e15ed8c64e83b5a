"""The settings that the window shows and saves, and slow work off the GUI thread."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, QStandardPaths, Qt, pyqtSignal
from PyQt6.sip import isdeleted

from app.capture.devices import CameraDevice, list_cameras
from app.config import settings_file
from app.config.setting import with_value
from app.core import paths
from app.core.errors import SettingsError, Stage, Text, t
from app.core.files import no_answer
from app.core.settings import BackgroundSettings
from app.core.threads import DaemonPool, lower_priority
from app.gui.widgets.qt import timer
from app.output.camera_list import list_virtual_cameras
from app.settings import Settings, SettingsOwner, rebase

log = logging.getLogger(__name__)
T = TypeVar("T")
# Added to the threads: at the start, they decode the pictures of the background strip
# while the window is drawn.
NICENESS = 4
THREADS = 3
# A task that runs for longer counts no longer among `THREADS`, and its file is named
# in the status.
LATE_S = 2.0
# So many of them may be at a time; beyond it, others wait for them.
MOST_LATE = 32
# Interval of looks at the tasks that run.
WATCH_MS = 200
# Limit of the end for what is being saved.
END_S = 5.0
# Reports the problem of a part of a stage of the program; None once it works again.
Report = Callable[[Stage, Text | None, object], None]


def log_error(error: Exception) -> None:
    """Write an error of which the user need not hear into the log."""
    log.warning("%s", error, exc_info=error)


class Tasks(QObject):
    """Runs functions on threads and delivers each result on the GUI thread.

    A result for a method of a deleted QObject is dropped. After `close` nothing is delivered. A
    disk that does not answer holds up its own task alone: others take its place, and the status
    names the file.
    """

    # A Future, what takes its result, and what takes its error.
    _finished = pyqtSignal(object, object, object)

    def __init__(self, report: Report = lambda stage, problem, part: None) -> None:
        """report: tells the status of a file that does not answer, on any thread."""
        super().__init__()
        self._report = report
        self._pool = DaemonPool("window-task", THREADS, partial(lower_priority, NICENESS))
        # One for each file that is changed: a scenes file on a dead disk holds up no settings.
        self._writers: dict[Path | None, DaemonPool] = {}
        # The files that the tasks use which are not done.
        self._files: dict[Future[Any], Path | None] = {}
        # In the place of these, others have begun.
        self._late: set[Future[Any]] = set()
        # What these write; until their outcome is delivered.
        self._writes: dict[Future[Any], Callable[[], Any]] = {}
        # By what takes the result of the newest call alone.
        self._newest: dict[Callable[[Any], object], Future[Any] | None] = {}
        self._is_open = True
        self._watch = timer(self, WATCH_MS, self._give_up_late)
        # Queued: a future that is already done calls back on this thread, inside `run`.
        self._finished.connect(
            self._deliver,
            type=Qt.ConnectionType.QueuedConnection,
        )  # type: ignore[call-arg]

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None] = log_error,
        *,
        newest: bool = False,
        file: Path | None = None,
    ) -> None:
        """Call `work` on a thread, then `done` or `failed` on the GUI thread.

        They get its result, or its error.
        newest: drop the outcomes of earlier such calls for `done` that arrive from now on; threads
        end in any order.
        file: the file or folder that `work` uses, named in the status if it does not answer.
        """
        future = self._submit(self._pool, work, done, failed, file)
        if newest:
            self._newest[done] = future

    def read(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
        file: Path,
    ) -> None:
        """Call `work`, which reads a file that `write` changes, as `run` does.

        It begins after all earlier work on this file.
        """
        self._submit(self._queue(file), work, done, failed, file)

    def write(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
        file: Path | None = None,
    ) -> None:
        """Call `work`, which changes this file on disk, as `run` does.

        It begins after all earlier work on this file. `close` waits for it, however busy the other
        threads are.
        """
        future = self._submit(self._queue(file), work, done, failed, file)
        if future is not None:
            self._writes[future] = work

    def close(self) -> list[Exception]:
        """Finish all writes, within `END_S`, and what began just now; drop all other results.

        Returns the errors of writes that nobody has been told, and that no later write of the same
        work made good.
        """
        self._is_open = False
        self._watch.stop()
        deadline_s = time.monotonic() + END_S
        wait(self._writes, END_S)
        # Such as a snapshot that is being written. What takes longer, such as a list of
        # devices, changes nothing.
        begun = [call for call in self._files if not call.cancel() and call not in self._late]
        left_s = max(0.0, deadline_s - time.monotonic())
        wait(begun, min(LATE_S, left_s))
        # The last one of each: the same work writes all anew.
        last_writes = {work: future for future, work in self._writes.items()}
        errors = [self._error_of(write) for write in last_writes.values()]
        return [error for error in errors if error is not None]

    def _error_of(self, write: Future[Any]) -> Exception | None:
        """Return why a write has failed; None for one that has not."""
        if not write.done() or write.cancelled():
            file = self._files.get(write) or paths.config_dir()
            return SettingsError(
                t("{file} does not answer; what was changed last is not saved.", file=file),
            )
        error = write.exception()
        return error if isinstance(error, Exception) else None

    def _queue(self, file: Path | None) -> DaemonPool:
        return self._writers.setdefault(file, DaemonPool("window-writer", 1))

    def _submit(
        self,
        threads: DaemonPool,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
        file: Path | None,
    ) -> Future[T] | None:
        if not self._is_open:
            return None
        future = threads.submit(work)
        self._files[future] = file
        if not self._watch.isActive():
            self._watch.start()
        future.add_done_callback(partial(self._end, done, failed))
        return future

    def _end(
        self,
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
        future: Future[Any],
    ) -> None:
        if future in self._late:
            self._report(Stage.SETTINGS, None, future)
        # The signal may be deleted after the end.
        if self._is_open:
            self._finished.emit(future, done, failed)

    def _give_up_late(self) -> None:
        """Let other tasks run in place of those whose disk does not answer, and name the file."""
        for threads in (self._pool, *self._writers.values()):
            for future in threads.late(LATE_S):
                self._name(future)
                # The order of changes of one file is kept, and the number of threads has a limit.
                if threads is self._pool and len(self._late) < MOST_LATE:
                    threads.give_up(future)
        if not self._files:
            self._watch.stop()

    def _name(self, future: Future[Any]) -> None:
        if future in self._late:
            return
        file = self._files.get(future)
        self._late.add(future)
        if file is not None:
            self._report(Stage.SETTINGS, no_answer(file), future)
        # Where it has ended meanwhile, `_end` may have seen it before it was late.
        if future.done():
            self._report(Stage.SETTINGS, None, future)

    def _deliver(
        self,
        future: Future[Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._files.pop(future, None)
        self._late.discard(future)
        is_newest = self._newest.get(done, future) is future
        if not self._is_open or not is_newest:
            return
        error = future.exception()
        taker = getattr(done if error is None else failed, "__self__", None)
        # Its dialog may have been closed in the meantime.
        if isinstance(taker, QObject) and isdeleted(taker):
            return
        self._writes.pop(future, None)
        if error is None:
            done(future.result())
        elif isinstance(error, Exception):
            failed(error)


WATCH_INTERVAL_MS = 2500
# Virtual cameras change rarely.
CHECKS_PER_VIRTUAL = 4


def virtual_cameras() -> tuple[tuple[str, str], ...]:
    """Return (device, label) of the virtual cameras."""
    # Nothing is read from them: a program such as v4l2-relayd switches a camera on for each reader.
    return tuple((device.id, device.label) for device in list_virtual_cameras(probe=False))


class DeviceWatcher(QObject):
    """Lists the devices, and again some seconds after each list, however long it takes."""

    # tuple[CameraDevice, ...]
    cameras_found = pyqtSignal(object)
    # tuple[tuple[str, str], ...] of (device, label)
    virtual_cameras_found = pyqtSignal(object)

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
        # A defect, which sys.excepthook logs: listing cameras does not fail.
        raise error


# The field that chooses a background, by its kind. With the field, the kind is saved,
# also where an option of this run gave it.
CHOSEN_BY = {"image": "path", "video": "path", "colour": "colour"}


class SettingsStore(QObject):
    """Changes settings, and keeps the version to be saved beside the one in effect.

    The two differ by command-line options, which apply to this run only. A change is applied to
    both, field by field. `change`, `current` and `saved` may be used on any thread; `changed` is
    emitted on the thread of this object.
    """

    # The Settings in effect, after they changed.
    changed = pyqtSignal(object)
    _owner_changed = pyqtSignal()

    def __init__(self, owner: SettingsOwner, saved: Settings | None = None) -> None:
        super().__init__()
        self._owner = owner
        self._saved = owner.current if saved is None else saved
        self._notified = owner.current
        # Queued where it is emitted on another thread.
        self._owner_changed.connect(self._notify)
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
        chosen = self.current.window.recordings_dir
        if chosen is not None:
            return chosen
        videos = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return Path(videos or Path.home()) / "Mattecam"

    def undo(self) -> Callable[[Callable[[Settings], Settings]], Settings]:
        """Return what is used as `change` for an update that gives back settings of now.

        What was to be saved now is given back beside them: the two differ where an option of this
        run is undone.
        """
        return partial(self.change, saved_then=self._saved)

    def change(
        self,
        update: Callable[[Settings], Settings],
        saved_then: Settings | None = None,
    ) -> Settings:
        """Apply `update` to the settings in effect at once, on any thread; return the new ones.

        The fields that it changes are also changed in the settings to be saved. saved_then: see
        `undo`.
        """

        def tracked(settings: Settings) -> Settings:
            new = update(settings)
            if settings.paused and not new.paused:
                new = new.replace(unconfirmed=False)
            before = settings.background
            if saved_then is None and new.background.blur_strength != before.blur_strength:
                # As it is shown: it may be saved beside a level that allows less.
                new = new.replaced_at(["background"], blur_strength=new.shown_blur)
            saved = rebase(self._saved, settings, new, saved_then)
            if _is_chosen_anew(before, new.background):
                kept = new if saved_then is None else saved_then
                saved = saved.replaced_at(["background"], kind=kept.background.kind)
            # Only one thread at a time is here: the owner holds its lock.
            self._saved = saved
            return new

        return self._owner.change(tracked)

    def change_saved(self, update: Callable[[Settings], Settings]) -> None:
        """Apply `update` to the settings to be saved alone; on the thread of this object."""
        saved_before = self._saved

        def change(settings: Settings) -> Settings:
            # The owner holds its lock.
            self._saved = update(self._saved)
            return settings

        self._owner.change(change)
        if self._saved != saved_before:
            self.changed.emit(self.current)

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


def _is_chosen_anew(before: BackgroundSettings, after: BackgroundSettings) -> bool:
    """Return whether a change chooses a file or a colour, whatever the kind was before."""
    field = CHOSEN_BY.get(after.kind)
    if field is None:
        return False
    return bool(getattr(after, field) != getattr(before, field))


DELAY_MS = 500


class Saver(QObject):
    """Saves the settings. Changes within half a second are one write.

    What could not be written is written with the next change, or by `write`.
    """

    # The SettingsError of a write.
    failed = pyqtSignal(object)
    # Everything is written.
    saved = pyqtSignal()
    # The sentence about a file that could not be used and was kept under another name.
    renamed = pyqtSignal(object)  # a str would lose the message of a Text

    def __init__(self, store: SettingsStore, path: Path, tasks: Tasks) -> None:
        super().__init__()
        self._store = store
        self._path = path
        self._tasks = tasks
        # Used on the thread that writes alone.
        self._last_written = store.saved
        self._timer = timer(self, DELAY_MS, self.write, once=True)
        store.changed.connect(self._timer.start)

    def write(self) -> None:
        """Write what is not written yet, after earlier writes; `Tasks.close` waits for it."""
        self._timer.stop()
        self._tasks.write(self._write, self._tell, self._fail, self._path)

    def _write(self) -> Text | None:
        settings = self._store.saved
        if settings == self._last_written:
            return None
        renamed = settings_file.save(self._path, settings, self._last_written)
        self._last_written = settings
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
