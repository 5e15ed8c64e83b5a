"""Notices above the preview: one line with the most important one, a counter that lists all, and what they say."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QEvent, QObject, QPoint, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QBoxLayout, QFrame, QLabel, QToolButton, QWidget
from PyQt6.sip import isdeleted

from app.capture.camera import SLOW_FPS
from app.core.errors import Stage, Text, t
from app.core.settings import MAX_ZONES
from app.gui.panels.models import Models, download_caption
from app.gui.questions import open_folder
from app.gui.translation import describe_model, short, tr, translated
from app.gui.widgets.controls import ElidedLabel, button, describe, selectable
from app.gui.widgets.page import FoldingRow
from app.gui.widgets.qt import AfterLayout, column, keep_focus, row, scale_icon, scaled
from app.gui.widgets.theme import icon
from app.runtime.status import Phase, PipelineStatus, Problem
from models.table import WeightSpec

MIN_WIDTH = 240
MARGINS = (12, 4, 6, 4)
CLOSE_SIZE, SIGN_SIZE = QSize(16, 16), 20
READABLE_PX = 180
"""A sentence keeps at least this width in the usual font, or its own if that is less; buttons are left out for it."""
GUARD_MS = 800
"""How long the buttons of a notice that appears under the pointer do nothing, unless the pointer leaves before."""
Act = Callable[[], object]


class Rank(IntEnum):
    """Importance of a notice."""

    STATE = 1
    EVENT = 2
    ERROR = 3
    OUTAGE = 4
    """Others do not see what they should, or an action of the user failed."""
    UNDO = 5
    """What the user has just done can be undone, for a moment."""
    QUESTION = 6
    """The program waits for an answer; it cannot be dismissed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the user."""

    key: str
    """Identifies the notice: a new one replaces an old one with the same key. Also its object name."""
    text: str
    actions: tuple[tuple[str, Act], ...] = ()
    """(button text, what it does)"""
    rank: Rank = Rank.STATE
    duration_ms: int = 0
    """Hide it after this time; 0: keep it."""
    at_s: float = field(default_factory=time.monotonic)
    """time.monotonic(); among notices of the same rank the newest comes first."""

    @property
    def is_alarm(self) -> bool:
        """Whether it is drawn with the border of an error."""
        return self.rank in (Rank.ERROR, Rank.OUTAGE, Rank.QUESTION)


class NoticeFrame(QFrame):
    """Shows a notice on one line, or with all of its text."""

    def __init__(
        self, notice: Notice, act: Callable[[Notice, Act], object], dismiss: Callable[[Notice], object], *,
        whole: bool = False,
    ) -> None:  # fmt: skip
        """act: called with the notice and what a pressed button does. dismiss: called with the notice."""
        super().__init__()
        name = f"{notice.key}InList" if whole else notice.key
        self.setObjectName(name)
        self.setProperty("role", "alarm" if notice.is_alarm else "notice")
        self.setAccessibleName(notice.text)
        self._text = selectable(notice.text) if whole else ElidedLabel(notice.text, "noticeText")
        self._actions = [
            button(caption, notice.text, f"{name}Action{number}", partial(act, notice, run))
            for number, (caption, run) in enumerate(notice.actions)
        ]
        sign, side = QLabel(), scaled(SIGN_SIZE, self)
        sign.setPixmap(icon("warning").pixmap(QSize(side, side)))
        cross = QToolButton()
        cross.setIcon(icon("close"))
        scale_icon(cross, CLOSE_SIZE)
        describe(cross, tr("Dismiss"), tr("Hide this message"), f"{name}Dismiss")
        cross.clicked.connect(partial(dismiss, notice))
        before, after = [sign] * notice.is_alarm, [cross] * (notice.rank is not Rank.QUESTION)
        self._fixed = [*before, *after]
        lay: Callable[..., QBoxLayout] = FoldingRow if whole else partial(row, None)
        middle = lay(self._text, *self._actions, grows=self._text, spacing=10)
        self._row = row(self, *before, middle, *after, grows=middle, spacing=10, margins=MARGINS)

    def fit(self, room: int) -> bool:
        """Leave out the buttons where they do not fit; return whether something is hidden.

        room: width for the line in pixels.
        """
        whole = self._text.sizeHint().width()
        readable = max(self._text.minimumSizeHint().width(), min(whole, scaled(READABLE_PX, self)))
        with_actions = self._width([*self._fixed, *self._actions])
        fits = with_actions + readable <= room
        with keep_focus(self):
            for each in self._actions:
                each.setVisible(fits)
        return not fits or with_actions + whole > room

    def _width(self, shown: Sequence[QWidget]) -> int:
        """Return the width of the line without its text. Showing widgets to measure it would resize the line."""
        for widget in shown:
            widget.ensurePolished()
        left, _top, right, _bottom = MARGINS
        return sum(each.minimumSizeHint().width() + self._row.spacing() for each in shown) + left + right


class NoticeArea(QWidget):
    """Shows one notice on one line: that of the highest rank, among these the newest. A counter lists the others.

    Nothing changes under the pointer: a notice that ends there is disabled and stays until the pointer leaves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._notices: dict[str, Notice] = {}
        """By key."""
        self._states: dict[str, str] = {}
        """Text of each notice about a state that lasts, by key; of one that was dismissed there is no notice."""
        self._line: tuple[Notice, NoticeFrame] | None = None
        self._list: QFrame | None = None
        self._counter = QToolButton()
        describe(self._counter, tr("All messages"), tr("Show all messages in full"), "noticeCounter")
        self._counter.clicked.connect(self._open_list)
        self._row = row(self, self._counter, spacing=8)
        AfterLayout(self, self._fit_line)
        self._counter.hide()
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """Sentences of all notices, the most important first."""
        return tuple(notice.text for notice in self._in_order())

    @property
    def error(self) -> str:
        """The sentence of the most important error; empty if there is none."""
        return next((each.text for each in self._in_order() if each.rank in (Rank.ERROR, Rank.OUTAGE)), "")

    @property
    def shown(self) -> str:
        """The key of the notice on the line; empty if there is none."""
        return "" if self._line is None else self._line[0].key

    def text_of(self, key: str) -> str:
        """The sentence of a notice; empty where there is none."""
        return self._notices[key].text if key in self._notices else ""

    def show_notice(self, notice: Notice) -> None:
        """Show a notice about an event, until the user answers it or its time is over."""
        self._add(notice)
        self._arrange()

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
            self._arrange()

    def leaveEvent(self, event: QEvent | None) -> None:
        super().leaveEvent(event)
        self._arrange(held=False)
        if self._line is not None:
            self._line[1].setEnabled(self._is_current(self._line[0]))

    def minimumSizeHint(self) -> QSize:
        """As little as the window needs: what does not fit on the line is in the list."""
        return QSize(scaled(MIN_WIDTH, self), super().minimumSizeHint().height())

    def _add(self, notice: Notice) -> None:
        self._notices[notice.key] = notice
        if notice.duration_ms:
            QTimer.singleShot(notice.duration_ms, partial(self._expire, notice))

    def _in_order(self) -> list[Notice]:
        """Return all notices, the most important first."""
        return sorted(self._notices.values(), key=lambda notice: (notice.rank, notice.at_s), reverse=True)

    def _is_current(self, notice: Notice) -> bool:
        return self._notices.get(notice.key) is notice

    def _arrange(self, *, held: bool | None = None) -> None:
        """Show the most important notice on the line, unless the present one is held there."""
        if held is None:
            held = self.underMouse() or self._list is not None
        wanted = next(iter(self._in_order()), None)
        if self._line is not None and self._line[0] is not wanted:
            if held:
                self._line[1].setEnabled(self._is_current(self._line[0]))
                self._fit_line()
                return
            frame, self._line = self._line[1], None
            with keep_focus(frame):
                frame.hide()
            self._row.removeWidget(frame)
            frame.setParent(None)
            frame.deleteLater()
        if self._line is None and wanted is not None:
            self._line = wanted, NoticeFrame(wanted, self._act, self._dismiss)
            self._row.insertWidget(0, self._line[1], 1)
            self._line[1].show()
        self._fit_line()
        self.setVisible(self._line is not None)

    def _fit_line(self) -> None:
        """Fit the notice to the line; show the counter where there are others, or something of it is hidden."""
        others = len(self._notices) - (self._line is not None and self._is_current(self._line[0]))
        self._counter.setText(tr("{0} more").format(others) if others else "…")
        beside = self._counter.sizeHint().width() + self._row.spacing()
        counted = others > 0
        if self._line is not None:
            counted = counted or self._line[1].fit(self.width())
            if counted:
                self._line[1].fit(self.width() - beside)
        with keep_focus(self._counter):
            self._counter.setVisible(counted)

    def _open_list(self) -> None:
        """Show all notices in full over the preview; it closes with a click beside it."""
        listed = QFrame(self, Qt.WindowType.Popup)
        listed.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        listed.setObjectName("noticeList")
        listed.setAccessibleName(tr("All messages"))
        frames = (NoticeFrame(notice, self._act, self._dismiss, whole=True) for notice in self._in_order())
        lines = column(listed, *frames, spacing=8, margins=None)
        listed.destroyed.connect(self._list_closed)
        self._list = listed
        listed.setFixedSize(self.width(), lines.totalHeightForWidth(self.width()))
        listed.move(self.mapToGlobal(QPoint(0, self.height())))
        listed.show()

    def _close_list(self) -> None:
        if self._list is not None:
            self._list.close()

    def _list_closed(self) -> None:
        if not isdeleted(self):
            self._list = None
            self._arrange()

    def _expire(self, notice: Notice) -> None:
        if not isdeleted(self) and self._is_current(notice):
            del self._notices[notice.key]
            self._arrange()

    def _act(self, notice: Notice, run: Act) -> None:
        if notice.key in self._states:  # whoever shows it ends it
            self._close_list()
        else:
            self._dismiss(notice)
        run()

    def _dismiss(self, notice: Notice) -> None:
        """Remove a notice that the user has answered. The next one waits a little before it can be answered."""
        self._close_list()
        if self._is_current(notice):
            del self._notices[notice.key]
        if self._line is not None and self._line[0] is notice:
            self._arrange(held=False)
        if self._line is not None and self.underMouse():
            self._line[1].setEnabled(False)
            QTimer.singleShot(GUARD_MS, partial(self._enable, self._line[1]))

    def _enable(self, frame: QFrame) -> None:
        if not isdeleted(self) and self._line is not None and self._line[1] is frame:
            frame.setEnabled(self._is_current(self._line[0]))


class Remedy(Enum):
    """What can be done about a problem: the caption of its button, in English."""

    CAMERA = t("Choose another camera")
    SOURCE = t("Choose another source")
    MODEL = t("Choose another model")
    MATTING_SETTINGS = t("Show the settings")
    PLATE = t("Take a picture of the empty room…")
    BLUR = t("Blur the background")
    VIRTUAL_CAMERA = t("Set up…")
    RECORDINGS_FOLDER = t("Choose another folder")
    RETRY = t("Try again")


_OF_STAGE = {
    Stage.CAPTURE: Remedy.CAMERA,
    Stage.MATTING: Remedy.MODEL,
    Stage.BACKGROUND: Remedy.BLUR,
    Stage.VIRTUAL_CAMERA: Remedy.VIRTUAL_CAMERA,
    Stage.PIPEWIRE: Remedy.VIRTUAL_CAMERA,
    Stage.RECORDING: Remedy.RECORDINGS_FOLDER,
}
_ADVISED: dict[Stage, tuple[tuple[str, Remedy | None], ...]] = {
    Stage.CAPTURE: ((r"\{file\}|camera:INDEX", Remedy.SOURCE),),
    Stage.MATTING: (
        ("empty room|Someone is still in view", Remedy.PLATE),
        ("another model|model it belongs to", Remedy.MODEL),
        ("choose the model again|was cancelled", Remedy.RETRY),
        ("matting continues|^The model does not respond|^Preparing", None),
        (
            r"executor|(the|another) device|precision|\bdetail\b|needs PyTorch|the part that runs here",
            Remedy.MATTING_SETTINGS,
        ),
    ),
    Stage.RECORDING: (("^The encoder", None),),  # the recording goes on
}
"""Words of templates that advise something else than others of their stage. None: there is nothing to do."""


def remedy_of(problem: Problem) -> Remedy | None:
    """Return what to offer for a problem; None if nothing helps or is needed."""
    usual = _OF_STAGE.get(problem.stage, Remedy.RETRY)
    if not isinstance(problem.message, Text):
        return usual
    advised = _ADVISED.get(problem.stage, ())
    return next((found for words, found in advised if re.search(words, problem.message.template)), usual)


BRIEF_MS = 12_000
"""How long a notice about something that was done stays."""
EVENT_MS = 30_000
"""How long the error of a single action, or of a file, stays."""
OUTAGES = Stage.CAPTURE, Stage.MATTING, Stage.OUTPUT, Stage.RECORDING  # what is not recorded is lost
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
        self._virtual_cameras: tuple[tuple[str, str], ...] | None = None
        """None until the system was asked."""
        self._asks_before_unmatted = False
        self._status = PipelineStatus()
        models.store.changed.connect(self._show_states)

    def show_virtual_cameras(self, cameras: tuple[tuple[str, str], ...]) -> None:
        """Take the (device, label) pairs of the virtual cameras that exist."""
        self._virtual_cameras = cameras

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
        rank, duration_ms = (Rank.ERROR, 0) if lasting else (Rank.OUTAGE, EVENT_MS)
        self._area.show_notice(Notice(f"error {message}", translated(message), (), rank, duration_ms))

    def diagnostics_copied(self) -> None:
        """Confirm that the diagnostics are on the clipboard."""
        self._report("diagnosticsNotice", tr("Diagnostics copied to the clipboard."))

    def saved(self, path: Path) -> None:
        """Say where a recording or snapshot was saved."""
        text = tr("Saved {0} in {1}").format(path.name, path.parent)
        self._report("savedNotice", text, ((tr("Open folder"), partial(open_folder, path.parent)),))

    def scene_saved(self, name: str) -> None:
        """Confirm that a scene was saved."""
        self._report("sceneNotice", tr("Saved the scene “{0}”.").format(name), rank=Rank.STATE)

    def background_removed(self, name: str, restore: Callable[[], object] | None) -> None:
        """Confirm that a background was removed, with Undo where that is possible."""
        text = tr("Removed the background “{0}”.").format(name)
        if restore is None:
            self._report("removedNotice", text)
        else:
            self._report("removedNotice", text, ((tr("Undo"), restore),), Rank.UNDO)

    def report_full_zones(self) -> None:
        """Say that a stroke was not kept."""
        text = tr("There are {0} zones, as many as possible: remove some before you paint another.")
        self._report("zonesNotice", text.format(MAX_ZONES), rank=Rank.ERROR)

    def _report(self, key: str, text: str, actions: tuple[tuple[str, Act], ...] = (), rank: Rank = Rank.EVENT) -> None:
        self._area.show_notice(Notice(key, text, actions, rank, BRIEF_MS))

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
            yield Notice("unmattedStartNotice", text, answers, Rank.QUESTION)
        if settings.capture.source == "auto" and source is not None and source.kind == "demo":
            text = tr("No camera found: only you see this demonstration. Connect a camera: it is used at once.")
            yield Notice("demoNotice", text)
        if source is not None and source.kind == "camera" and 0 < source.fps <= SLOW_FPS < settings.capture.fps:
            text = tr("The camera reaches {0} × {1} only at {2} fps. Choose a smaller size or another format.")
            yield Notice("slowCameraNotice", text.format(source.width, source.height, short(source.fps, 3)))
        unseen = status.virtual_camera is None and status.pipewire is None and status.phase is not Phase.STOPPED
        if settings.output.virtual_camera == "auto" and unseen and self._virtual_cameras == ():
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
            () if remedy is None else ((translated(remedy.value), partial(self.remedy_chosen.emit, remedy)),),
            Rank.OUTAGE if problem.stage in OUTAGES else Rank.ERROR,
            EVENT_MS if leaves else 0,
            at_s=problem.at_s,
        )

    def _blur_and_resume(self) -> None:
        self._store.edit("background", kind="blur")
        self._store.set("paused", False)
