"""Notices above the preview: the most important one, a counter that shows the others, and what they say."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QFrame, QLabel, QToolButton, QWidget
from PyQt6.sip import isdeleted

from app.capture.camera import SLOW_FPS
from app.core.errors import Remedy, Stage, Text
from app.effects.zones import MAX_ZONES
from app.gui.panels.models import Models, download_caption
from app.gui.questions import open_folder
from app.gui.translation import describe_model, short, tr, translated
from app.gui.widgets.controls import button, describe, selectable
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import column, row, scale_icon, scaled, timer
from app.gui.widgets.theme import icon
from app.output.camera_list import is_automatic
from app.runtime.status import Phase, PipelineStatus, Problem
from models.table import WeightSpec

MIN_WIDTH = 240
CLOSE_SIZE, SIGN_SIZE = QSize(16, 16), 20
READABLE_PX = 180
"""Least width of a text beside its buttons, in the usual font; where there is less room, they stand below it."""
GUARD_MS = 800
"""How long no button can be pressed after a notice has come or gone under the pointer: another may be there now."""
Act = Callable[[], object]


class Importance(IntEnum):
    """Importance of a notice."""

    STATE = 1
    EVENT = 2
    ERROR = 3
    OUTAGE = 4
    """Others do not see what they should, or an action of the user failed."""
    QUESTION = 5
    """The program waits for an answer; it cannot be dismissed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user."""

    key: str
    """Identifies the notice: a new one replaces an old one with the same key. Also its object name."""
    text: str
    actions: tuple[tuple[str, Act], ...] = ()
    """(button text, what it does)"""
    importance: Importance = Importance.STATE
    duration_ms: int = 0
    """Hide it after this time; 0: keep it."""
    at_s: float = field(default_factory=time.monotonic)
    """time.monotonic(); among notices of the same importance the newest comes first."""

    @property
    def is_alarm(self) -> bool:
        """Whether it is drawn with the border of an error."""
        return self.importance in (Importance.ERROR, Importance.OUTAGE, Importance.QUESTION)


class NoticeFrame(QFrame):
    """Shows a notice."""

    def __init__(
        self, notice: Notice, act: Callable[[Notice, Act], object], dismiss: Callable[[Notice], object]
    ) -> None:
        """act: called with the notice and what a pressed button does. dismiss: called with the notice."""
        super().__init__()
        self.notice = notice
        self.setObjectName(notice.key)
        self.setProperty("role", "alarm" if notice.is_alarm else "notice")
        self.setAccessibleName(notice.text)
        actions = [
            button(caption, notice.text, f"{notice.key}Action{number}", partial(act, notice, run))
            for number, (caption, run) in enumerate(notice.actions)
        ]
        sign, side = QLabel(), scaled(SIGN_SIZE, self)
        sign.setPixmap(icon("warning").pixmap(QSize(side, side)))
        cross = QToolButton()
        cross.setIcon(icon("close"))
        scale_icon(cross, CLOSE_SIZE)
        describe(cross, tr("Dismiss"), tr("Hide this message"), f"{notice.key}Dismiss")
        cross.clicked.connect(partial(dismiss, notice))
        text = selectable(notice.text)
        text.setMinimumWidth(scaled(READABLE_PX, self))
        middle = FoldingRow(text, FoldingRow(*actions), grows=text, spacing=10)
        before, after = [sign] * notice.is_alarm, [cross] * (notice.importance is not Importance.QUESTION)
        row(self, *before, middle, *after, grows=middle, spacing=10, margins=(12, 4, 6, 4))


class NoticeArea(QWidget):
    """Shows the most important notice, of several the newest; the others below it while a counter is pressed."""

    def __init__(self) -> None:
        super().__init__()
        self._notices: dict[str, Notice] = {}
        """By key."""
        self._states: dict[str, str] = {}
        """Text of each notice about a state that lasts, by key; of one that was dismissed there is no notice."""
        self._frames: list[NoticeFrame] = []
        """Those on the screen."""
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
        return next(
            (each.text for each in self._in_order() if each.importance in (Importance.ERROR, Importance.OUTAGE)), ""
        )

    def text_of(self, key: str) -> str:
        """The sentence of a notice; empty where there is none."""
        return self._notices[key].text if key in self._notices else ""

    def show_notice(self, notice: Notice) -> None:
        """Show a notice about an event, until the user answers it or its time is over."""
        self._add(notice)
        self._change()

    def show_states(self, notices: Iterable[Notice]) -> None:
        """Show the states that hold now, in place of those that held.

        Once a notice is dismissed, or its time is over, it stays hidden while its state lasts with the same text.
        """
        holding = {notice.key: notice for notice in notices}
        new = [notice for key, notice in holding.items() if self._states.get(key) != notice.text]
        ended = self._notices.keys() & (self._states.keys() - holding.keys())
        for key in ended:
            del self._notices[key]
        self._states = {key: notice.text for key, notice in holding.items()}
        for notice in new:
            self._add(notice)
        if new or ended:
            self._change()

    def minimumSizeHint(self) -> QSize:
        """As narrow as the window needs: texts wrap."""
        return QSize(scaled(MIN_WIDTH, self), super().minimumSizeHint().height())

    def _add(self, notice: Notice) -> None:
        self._notices[notice.key] = notice
        if notice.duration_ms:
            QTimer.singleShot(notice.duration_ms, partial(self._expire, notice))

    def _in_order(self) -> list[Notice]:
        """Return all notices, the most important first."""
        return sorted(self._notices.values(), key=lambda notice: (notice.importance, notice.at_s), reverse=True)

    def _change(self) -> None:
        """Show what has changed; under the pointer nothing can be pressed for a moment."""
        before = [frame.notice for frame in self._frames]
        self._arrange()
        if self.underMouse() and before != [frame.notice for frame in self._frames]:
            self._shown.setEnabled(False)
            self._guard.start()

    def _end_guard(self) -> None:
        self._shown.setEnabled(True)

    def _arrange(self) -> None:
        notices = self._in_order()
        self._counter.setText(tr("{0} more").format(len(notices) - 1))
        self._counter.setVisible(len(notices) > 1)
        wanted = notices if self._counter.isChecked() else notices[:1]
        for frame in [frame for frame in self._frames if frame.notice not in wanted]:
            self._frames.remove(frame)
            self._column.removeWidget(frame)
            frame.hide()
            frame.deleteLater()
        for place, notice in enumerate(wanted):
            if all(frame.notice != notice for frame in self._frames):
                frame = NoticeFrame(notice, self._act, self._remove)
                self._frames.insert(place, frame)
                self._column.insertWidget(place, frame)
                frame.show()
        self.setVisible(bool(notices))

    def _expire(self, notice: Notice) -> None:
        if not isdeleted(self):
            self._remove(notice)

    def _remove(self, notice: Notice) -> None:
        if self._notices.get(notice.key) is notice:  # no newer one has taken its place
            del self._notices[notice.key]
            self._change()

    def _act(self, notice: Notice, run: Act) -> None:
        if notice.key not in self._states:  # whoever shows a state ends it
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


def remedy_of(problem: Problem) -> Remedy:
    """Return what to offer for a problem."""
    return problem.remedy or _OF_STAGE.get(problem.stage, Remedy.RETRY)


BRIEF_MS = 12_000
"""How long a notice about something that was done stays."""
EVENT_MS = 30_000
"""How long the error of a single action, or of a file, stays."""
# What is not recorded, or recorded without its sound, is lost.
OUTAGES = Stage.CAPTURE, Stage.MATTING, Stage.OUTPUT, Stage.RECORDING, Stage.MICROPHONE
"""Stages whose problems are not just errors."""


class ProgramNotices(QObject):
    """Shows notices in an area. A problem of a file leaves by itself: its tile, or its row in the panel, says it."""

    remedy_chosen = pyqtSignal(object)
    """The Remedy that the user chose."""
    download_requested = pyqtSignal()
    """The user asks for the model of the settings to be downloaded."""

    def __init__(self, area: NoticeArea, models: Models) -> None:
        super().__init__(area)
        self._area, self._store, self._models = area, models.store, models
        self._lacks_virtual_camera = False
        """Whether the system has none that `auto` may send to; False until it was asked."""
        self._asks_before_unmatted = False
        self._status = PipelineStatus()
        models.store.changed.connect(self._show_states)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._lacks_virtual_camera = not any(is_automatic(label) for _device, label in cameras)

    def ask_before_unmatted(self) -> None:
        """Ask whether to show the real background: the saved settings say so, and the program started paused."""
        self._asks_before_unmatted = True
        self._show_states()

    def show_status(self, status: PipelineStatus) -> None:
        """Show what the pipeline has to say."""
        self._status = status
        self._show_states()

    def show_error(self, message: str, *, lasting: bool = False) -> None:
        """Show an error of the window. It goes after a while, unless it is `lasting`; then until it is dismissed.

        The failure of what the user has just done comes before other errors.
        """
        importance, duration_ms = (Importance.ERROR, 0) if lasting else (Importance.OUTAGE, EVENT_MS)
        self._area.show_notice(Notice(f"error {message}", translated(message), (), importance, duration_ms))

    def diagnostics_copied(self) -> None:
        """Confirm that the diagnostics are on the clipboard."""
        self._report("diagnosticsNotice", tr("Diagnostics copied to the clipboard."))

    def saved(self, path: Path) -> None:
        """Say where a recording or snapshot was saved."""
        text = tr("Saved {0} in {1}").format(path.name, path.parent)
        self._report("savedNotice", text, ((tr("Open folder"), partial(open_folder, path.parent)),))

    def report_full_zones(self) -> None:
        """Say that a stroke was not kept."""
        text = tr("There are {0} zones, as many as possible: remove some before you paint another.")
        self._report("zonesNotice", text.format(MAX_ZONES), importance=Importance.ERROR)

    def _report(
        self, key: str, text: str, actions: tuple[tuple[str, Act], ...] = (), importance: Importance = Importance.EVENT
    ) -> None:
        self._area.show_notice(Notice(key, text, actions, importance, BRIEF_MS))

    def _show_states(self) -> None:
        missing = self._models.missing_model
        # A model that is not installed is a problem of matting too; its own notice has the better remedy.
        problems = (each for each in self._status.problems if missing is None or each.stage is not Stage.MATTING)
        self._area.show_states([*self._states(missing), *map(self._problem, problems)])

    def _states(self, missing: WeightSpec | None) -> Iterator[Notice]:
        """Yield the notices about what holds now beside problems. missing: the model that is not installed."""
        settings, status = self._store.current, self._status
        source = status.source
        if not settings.paused or settings.background.kind != "none":
            self._asks_before_unmatted = False
        if self._asks_before_unmatted:
            text = tr("Paused: the saved background is “None”, which shows your real background to others.")
            answers = (
                (tr("Use blur"), self._blur_and_resume),
                (tr("Show it"), partial(self._store.set, "paused", False)),
            )
            yield Notice("unmattedStartNotice", text, answers, Importance.QUESTION)
        if settings.paused and settings.unconfirmed:
            text = tr("Paused: saved settings could not be read, so that nothing is hidden by zones or by “Only me”.")
            resume = tr("Resume"), partial(self._store.set, "paused", False)
            yield Notice("unconfirmedStartNotice", text, (resume,), Importance.QUESTION)
        if settings.capture.source == "auto" and source is not None and source.kind == "demo":
            text = tr("No camera found: only you see this demonstration. Connect a camera: it is used at once.")
            yield Notice("demoNotice", text)
        if source is not None and source.kind == "camera" and 0 < source.fps <= SLOW_FPS < settings.capture.fps:
            text = tr("The camera reaches {0} × {1} only at {2} fps. Choose a smaller size or another format.")
            yield Notice("slowCameraNotice", text.format(source.width, source.height, short(source.fps, 3)))
        unseen = status.virtual_camera is None and status.pipewire is None and status.phase is not Phase.STOPPED
        if settings.output.virtual_camera == "auto" and unseen and self._lacks_virtual_camera:
            set_up = tr("Set up…"), partial(self.remedy_chosen.emit, Remedy.VIRTUAL_CAMERA)
            yield Notice("virtualCameraNotice", tr("Zoom and Meet cannot see Mattecam yet."), (set_up,))
        if missing is not None:
            text = tr("The model “{0}” is not installed. The standard model is used instead.")
            download = download_caption(missing), self.download_requested.emit
            actions = (download,) if missing.url is not None else ()
            yield Notice("missingModelNotice", text.format(describe_model(missing.name)), actions)

    def _problem(self, problem: Problem) -> Notice:
        of_choice = problem.stage in (Stage.BACKGROUND, Stage.MATTING, Stage.OUTPUT)
        of_file = of_choice and isinstance(problem.message, Text) and "file" in problem.message.values
        leaves = of_file and self._status.phase in (Phase.RUNNING, Phase.PAUSED)  # what was in use before goes on
        remedy = remedy_of(problem)
        return Notice(
            f"error {problem.stage.name}: {problem.message}",
            translated(problem.message),
            () if remedy is Remedy.NOTHING else ((translated(remedy.value), partial(self.remedy_chosen.emit, remedy)),),
            Importance.OUTAGE if problem.stage in OUTAGES else Importance.ERROR,
            EVENT_MS if leaves else 0,
            at_s=problem.at_s,
        )

    def _blur_and_resume(self) -> None:
        self._store.edit("background", kind="blur")
        self._store.set("paused", False)
