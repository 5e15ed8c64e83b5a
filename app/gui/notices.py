"""Notices above the preview: the most important one, a counter of the others, what they say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QFrame, QLabel, QLayout, QToolButton, QWidget
from PyQt6.sip import isdeleted

from app.capture.camera import SLOW_FPS
from app.core.errors import Remedy, Stage, Text
from app.core.types import SourceInfo
from app.effects.zones import MAX_ZONES
from app.gui.panels.models import Models, download_caption
from app.gui.questions import open_folder
from app.gui.state import Tasks
from app.gui.translation import describe_model, short, tr, translated
from app.gui.widgets.controls import button, describe, selectable
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import column, row, scale_icon, scaled, timer
from app.gui.widgets.theme import icon
from app.output.camera_list import is_automatic
from app.runtime.status import Phase, PipelineStatus, Problem
from app.settings import Settings
from models.table import WeightSpec

MIN_WIDTH = 240
CLOSE_SIZE = QSize(16, 16)
SIGN_SIZE = 20
# Least width of a text beside its buttons, in the usual font; where there is less
# room, they stand below it.
READABLE_PX = 180
# How long no button can be pressed after a notice has come or gone under the pointer:
# another may be there now.
GUARD_MS = 800
Act = Callable[[], object]


class Importance(IntEnum):
    """Importance of a notice."""

    STATE = 1
    EVENT = 2
    ERROR = 3
    # Others do not see what they should, or an action of the user failed.
    OUTAGE = 4
    # The program waits for an answer; it cannot be dismissed.
    QUESTION = 5


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user."""

    # A new one replaces an old one with the same key, which is the object name too.
    key: str
    text: str
    # (text of a button, what it does)
    actions: tuple[tuple[str, Act], ...] = ()
    importance: Importance = Importance.STATE
    # Hide it after this time; 0: keep it.
    duration_ms: int = 0
    # time.monotonic(); among notices of the same importance the newest comes first.
    at_s: float = field(default_factory=time.monotonic)

    @property
    def is_alarm(self) -> bool:
        """Whether it is drawn with the border of an error."""
        return self.importance in (Importance.ERROR, Importance.OUTAGE, Importance.QUESTION)


class NoticeFrame(QFrame):
    """Shows a notice."""

    def __init__(
        self,
        notice: Notice,
        act: Callable[[Notice, Act], object],
        dismiss: Callable[[Notice], object],
    ) -> None:
        """act: called with the notice and what a pressed button does.
        dismiss: called with the notice.
        """
        super().__init__()
        self.notice = notice
        self.setObjectName(notice.key)
        self.setProperty("role", "alarm" if notice.is_alarm else "notice")
        self.setAccessibleName(notice.text)
        actions = []
        for number, (caption, run) in enumerate(notice.actions):
            name = f"{notice.key}Action{number}"
            actions.append(button(caption, notice.text, name, partial(act, notice, run)))
        sign = QLabel()
        side = scaled(SIGN_SIZE, self)
        sign.setPixmap(icon("warning").pixmap(QSize(side, side)))
        cross = QToolButton()
        cross.setIcon(icon("close"))
        scale_icon(cross, CLOSE_SIZE)
        describe(cross, tr("Dismiss"), tr("Hide this message"), f"{notice.key}Dismiss")
        cross.clicked.connect(partial(dismiss, notice))
        text = selectable(notice.text)
        text.setMinimumWidth(scaled(READABLE_PX, self))
        middle = FoldingRow(text, FoldingRow(*actions), grows=text, spacing=10)
        items: list[QWidget | QLayout] = [middle]
        if notice.is_alarm:
            items.insert(0, sign)
        # A question is answered, not dismissed.
        if notice.importance is not Importance.QUESTION:
            items.append(cross)
        row(self, *items, grows=middle, spacing=10, margins=(12, 4, 6, 4))


class NoticeArea(QWidget):
    """Shows the most important notice, of several the newest.

    While its counter is pressed, it shows the others below.
    """

    def __init__(self) -> None:
        super().__init__()
        self._notices_by_key: dict[str, Notice] = {}
        # The texts of states that last, by the keys of their notices. They stay when a
        # notice is dismissed, so that it does not come again.
        self._state_texts: dict[str, str] = {}
        # On the screen, from the top.
        self._frames: list[NoticeFrame] = []
        self._shown = QWidget()
        self._column = column(self._shown, spacing=4)
        self._guard = timer(self, GUARD_MS, self._end_guard, once=True)
        self._counter = QToolButton()
        self._counter.setCheckable(True)
        describe(self._counter, tr("All messages"), tr("Show all messages"), "noticeCounter")
        self._counter.toggled.connect(self._arrange)
        line = row(self, self._shown, self._counter, grows=self._shown, spacing=8)
        line.setAlignment(self._counter, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """Sentences of all notices, the most important first."""
        return tuple(notice.text for notice in self._in_order())

    @property
    def error(self) -> str:
        """The sentence of the most important error; empty if there is none."""
        for notice in self._in_order():
            if notice.importance in (Importance.ERROR, Importance.OUTAGE):
                return notice.text
        return ""

    def text_of(self, key: str) -> str:
        """The sentence of a notice; empty where there is none."""
        notice = self._notices_by_key.get(key)
        return "" if notice is None else notice.text

    def show_notice(self, notice: Notice) -> None:
        """Show a notice about an event, until the user answers it or its time is over."""
        self._add(notice)
        self._change()

    def show_states(self, notices: Iterable[Notice]) -> None:
        """Show the states that hold now, in place of those that held.

        Once a notice is dismissed, or its time is over, it stays hidden while its state lasts with
        the same text.
        """
        before = self._state_texts
        holding = {notice.key: notice for notice in notices}
        self._state_texts = {key: notice.text for key, notice in holding.items()}
        ended = self._notices_by_key.keys() & (before.keys() - holding.keys())
        for key in ended:
            del self._notices_by_key[key]
        new = [notice for key, notice in holding.items() if before.get(key) != notice.text]
        for notice in new:
            self._add(notice)
        if new or ended:
            self._change()

    def minimumSizeHint(self) -> QSize:
        """As narrow as the window needs: texts wrap."""
        return QSize(scaled(MIN_WIDTH, self), super().minimumSizeHint().height())

    def _add(self, notice: Notice) -> None:
        self._notices_by_key.pop(notice.key, None)
        self._notices_by_key[notice.key] = notice
        if notice.duration_ms:
            QTimer.singleShot(notice.duration_ms, partial(self._expire, notice))

    def _in_order(self) -> list[Notice]:
        """Return all notices, the most important first."""
        # Of the same time the last one that came: the clock of Windows counts steps of 16 ms.
        notices = reversed(self._notices_by_key.values())
        return sorted(notices, key=lambda each: (each.importance, each.at_s), reverse=True)

    def _change(self) -> None:
        """Show what has changed; under the pointer nothing can be pressed for a moment."""
        before = [frame.notice for frame in self._frames]
        self._arrange()
        after = [frame.notice for frame in self._frames]
        if self.underMouse() and after != before:
            self._shown.setEnabled(False)
            self._guard.start()

    def _end_guard(self) -> None:
        self._shown.setEnabled(True)

    def _arrange(self) -> None:
        notices = self._in_order()
        self._counter.setText(tr("{0} more").format(len(notices) - 1))
        self._counter.setVisible(len(notices) > 1)
        on_screen = notices if self._counter.isChecked() else notices[:1]
        for frame in list(self._frames):
            if frame.notice not in on_screen:
                self._frames.remove(frame)
                self._column.removeWidget(frame)
                frame.hide()
                frame.deleteLater()
        framed = [frame.notice for frame in self._frames]
        for place, notice in enumerate(on_screen):
            if notice not in framed:
                frame = NoticeFrame(notice, self._act, self._remove)
                self._frames.insert(place, frame)
                self._column.insertWidget(place, frame)
                frame.show()
        self.setVisible(bool(notices))

    def _expire(self, notice: Notice) -> None:
        if not isdeleted(self):
            self._remove(notice)

    def _remove(self, notice: Notice) -> None:
        # Unless a newer one has taken its place.
        if self._notices_by_key.get(notice.key) is notice:
            del self._notices_by_key[notice.key]
            self._change()

    def _act(self, notice: Notice, run: Act) -> None:
        # Whoever shows a state ends it.
        if notice.key not in self._state_texts:
            self._remove(notice)
        run()


_OF_STAGE = {
    Stage.CAPTURE: Remedy.CAMERA,
    Stage.MATTING: Remedy.MODEL,
    Stage.BACKGROUND: Remedy.BLUR,
    Stage.VIRTUAL_CAMERA: Remedy.VIRTUAL_CAMERA,
    Stage.PIPEWIRE: Remedy.VIRTUAL_CAMERA,
    Stage.RECORDING: Remedy.RECORDINGS_FOLDER,
}


def _is_slow(source: SourceInfo, requested_fps: float) -> bool:
    """Return whether a camera is slower than people take for smooth, and than was asked for."""
    # Its rate is 0 where the driver tells none.
    return source.kind == "camera" and 0 < source.fps <= SLOW_FPS < requested_fps


def remedy_of(problem: Problem) -> Remedy:
    """Return what to offer for a problem."""
    return problem.remedy or _OF_STAGE.get(problem.stage, Remedy.RETRY)


# How long a notice about something that was done stays.
BRIEF_MS = 12_000
# How long the error of a single action, or of a file, stays.
EVENT_MS = 30_000
# Their problems are not just errors: others do not see what they should, and what is
# not recorded, or recorded without its sound, is lost.
OUTAGES = (Stage.CAPTURE, Stage.MATTING, Stage.OUTPUT, Stage.RECORDING, Stage.MICROPHONE)


class ProgramNotices(QObject):
    """Shows notices about the program in an area."""

    # The Remedy that the user chose.
    remedy_chosen = pyqtSignal(object)
    # The user asks for the model of the settings to be downloaded.
    download_requested = pyqtSignal()

    def __init__(self, area: NoticeArea, models: Models, tasks: Tasks) -> None:
        super().__init__(area)
        self._tasks = tasks
        self._area = area
        self._store = models.store
        self._models = models
        # That is, one that `auto` may send to; False until the system was asked.
        self._lacks_virtual_camera = False
        self._asks_before_unmatted = False
        self._status = PipelineStatus()
        models.store.changed.connect(self._show_states)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._lacks_virtual_camera = not any(is_automatic(label) for _device, label in cameras)

    def ask_before_unmatted(self) -> None:
        """Ask whether to show the real background, as the saved settings say.

        Until the answer, the program is paused.
        """
        self._asks_before_unmatted = True
        self._show_states()

    def show_status(self, status: PipelineStatus) -> None:
        """Show what the pipeline has to say."""
        self._status = status
        self._show_states()

    def show_error(self, message: str, *, lasting: bool = False) -> None:
        """Show an error of the window.

        It goes after a while, unless it is `lasting`: then it stays until it is dismissed.
        """
        # The failure of what the user has just done comes before other errors.
        notice = Notice(
            f"error {message}",
            translated(message),
            importance=Importance.ERROR if lasting else Importance.OUTAGE,
            duration_ms=0 if lasting else EVENT_MS,
        )
        self._area.show_notice(notice)

    def diagnostics_copied(self) -> None:
        """Confirm that the diagnostics are on the clipboard."""
        self._report("diagnosticsNotice", tr("Diagnostics copied to the clipboard."))

    def saved(self, path: Path) -> None:
        """Say where a recording or snapshot was saved."""
        text = tr("Saved {0} in {1}").format(path.name, path.parent)
        open_it = (tr("Open folder"), partial(open_folder, self._tasks, path.parent))
        self._report("savedNotice", text, (open_it,))

    def report_full_zones(self) -> None:
        """Say that a stroke was not kept."""
        text = tr("There are {0} zones, as many as possible: remove some before you paint another.")
        self._report("zonesNotice", text.format(MAX_ZONES), importance=Importance.ERROR)

    def _report(
        self,
        key: str,
        text: str,
        actions: tuple[tuple[str, Act], ...] = (),
        importance: Importance = Importance.EVENT,
    ) -> None:
        self._area.show_notice(Notice(key, text, actions, importance, BRIEF_MS))

    def _show_states(self) -> None:
        settings = self._store.current
        missing = self._models.missing_model
        notices = [
            *self._about_start(settings),
            *self._about_devices(settings),
        ]
        if missing is not None:
            notices.append(self._missing_model(missing))
        problems = list(self._status.problems)
        if missing is not None:
            # A model that is not installed is a problem of matting too; its own notice has
            # the better remedy.
            problems = [each for each in problems if each.stage is not Stage.MATTING]
        notices += [self._problem(each) for each in problems]
        self._area.show_states(notices)

    def _about_start(self, settings: Settings) -> Iterator[Notice]:
        """Yield why the program started paused, while it is so."""
        if not settings.paused or settings.background.kind != "none":
            self._asks_before_unmatted = False
        if self._asks_before_unmatted:
            text = tr(
                "Paused: the saved background is “None”, which shows your real background to "
                "others.",
            )
            answers = (
                (tr("Use blur"), self._blur_and_resume),
                (tr("Show it"), partial(self._store.set, "paused", False)),
            )
            yield Notice("unmattedStartNotice", text, answers, Importance.QUESTION)
        if settings.paused and settings.unconfirmed:
            text = tr(
                "Paused: saved settings could not be read, so that nothing is hidden by zones or "
                "by “Only me”.",
            )
            resume = (tr("Resume"), partial(self._store.set, "paused", False))
            yield Notice("unconfirmedStartNotice", text, (resume,), Importance.QUESTION)

    def _about_devices(self, settings: Settings) -> Iterator[Notice]:
        """Yield what the user may want to change about the cameras."""
        status = self._status
        source = status.source
        if settings.capture.source == "auto" and source is not None and source.kind == "demo":
            text = tr(
                "No camera found: only you see this demonstration. Connect a camera: it is used at "
                "once.",
            )
            yield Notice("demoNotice", text)
        if source is not None and _is_slow(source, settings.capture.fps):
            text = tr(
                "The camera reaches {0} × {1} only at {2} fps. Choose a smaller size or another "
                "format.",
            )
            text = text.format(source.width, source.height, short(source.fps, 3))
            yield Notice("slowCameraNotice", text)
        has_camera = status.virtual_camera is not None or status.pipewire is not None
        is_unseen = not has_camera and status.phase is not Phase.STOPPED
        is_automatic_choice = settings.output.virtual_camera == "auto"
        if is_automatic_choice and is_unseen and self._lacks_virtual_camera:
            set_up = (tr("Set up…"), partial(self.remedy_chosen.emit, Remedy.VIRTUAL_CAMERA))
            text = tr("Zoom and Meet cannot see Mattecam yet.")
            yield Notice("virtualCameraNotice", text, (set_up,))

    def _missing_model(self, model: WeightSpec) -> Notice:
        text = tr("The model “{0}” is not installed. The standard model is used instead.")
        actions: tuple[tuple[str, Act], ...] = ()
        if model.url is not None:
            actions = ((download_caption(model), self.download_requested.emit),)
        return Notice("missingModelNotice", text.format(describe_model(model.name)), actions)

    def _problem(self, problem: Problem) -> Notice:
        remedy = remedy_of(problem)
        actions: tuple[tuple[str, Act], ...] = ()
        if remedy is not Remedy.NOTHING:
            actions = ((translated(remedy.value), partial(self.remedy_chosen.emit, remedy)),)
        return Notice(
            f"error {problem.stage.name}: {problem.message}",
            translated(problem.message),
            actions,
            Importance.OUTAGE if problem.stage in OUTAGES else Importance.ERROR,
            EVENT_MS if self._leaves_by_itself(problem) else 0,
            at_s=problem.at_s,
        )

    def _leaves_by_itself(self, problem: Problem) -> bool:
        """Return whether a problem is of a file, in place of which another one goes on."""
        # The tile of the file, or its row in the panel, says it further on.
        names_file = isinstance(problem.message, Text) and "file" in problem.message.values
        is_of_choice = problem.stage in (Stage.BACKGROUND, Stage.MATTING, Stage.OUTPUT)
        goes_on = self._status.phase in (Phase.RUNNING, Phase.PAUSED)
        return names_file and is_of_choice and goes_on

    def _blur_and_resume(self) -> None:
        self._store.edit("background", kind="blur")
        self._store.set("paused", False)
