"""Errors as notices with what can be done: open problems of the pipeline, and errors of the window itself."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial

from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.sip import isdeleted

from app.core.messages.capture import SourceText
from app.core.messages.matting import ModelText, PlateText
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.core.messages.remote import RemoteText
from app.core.messages.system import ShortcutText
from app.core.stage import Stage
from app.core.text import Text
from app.gui.i18n.messages import translated
from app.gui.widgets.notice import Notice, Rank
from app.gui.widgets.notices import NoticeArea
from app.runtime.status import PipelineStatus, Problem


class Remedy(Enum):
    """What can be done about a problem."""

    CAMERA = auto()
    SOURCE = auto()
    MODEL = auto()
    MATTING_SETTINGS = auto()
    SERVER = auto()
    PLATE = auto()
    BLUR = auto()
    VIRTUAL_CAMERA = auto()
    RECORDINGS_FOLDER = auto()
    KEYS = auto()
    RETRY = auto()


_OF_STAGE = {
    Stage.CAPTURE: Remedy.CAMERA,
    Stage.MATTING: Remedy.MODEL,
    Stage.BACKGROUND: Remedy.BLUR,
    Stage.VIRTUAL_CAMERA: Remedy.VIRTUAL_CAMERA,
    Stage.PIPEWIRE: Remedy.VIRTUAL_CAMERA,
    Stage.RECORDING: Remedy.RECORDINGS_FOLDER,
}
_OF_MESSAGES: dict[tuple[Stage, type[Enum]], Remedy] = {
    (Stage.CAPTURE, SourceText): Remedy.SOURCE,
    (Stage.CAPTURE, VideoText): Remedy.SOURCE,
    (Stage.MATTING, RemoteText): Remedy.SERVER,
    (Stage.MATTING, PlateText): Remedy.PLATE,
}
_OF_MESSAGE: dict[Enum, Remedy | None] = {
    ModelText.CLOSED: Remedy.RETRY,
    ModelText.FAILED: Remedy.MATTING_SETTINGS,
    ModelText.OUT_OF_MEMORY: Remedy.MATTING_SETTINGS,
    ModelText.FRAME_TOO_SMALL: Remedy.MATTING_SETTINGS,
    ModelText.NO_NVIDIA_GPU: Remedy.MATTING_SETTINGS,
    ModelText.NO_SUCH_GPU: Remedy.MATTING_SETTINGS,
    ModelText.GPU_UNSUPPORTED: Remedy.MATTING_SETTINGS,
    ModelText.GPU_LOST: None,
    ModelText.GPU_FAILED: None,
    ModelText.GPU_MEMORY: None,
    ModelText.HALF_FAILED: None,
    ModelText.OPENVINO_DEVICE: Remedy.MATTING_SETTINGS,
    ModelText.NOT_CONVERTED: Remedy.MATTING_SETTINGS,
    ModelText.NO_INT8: Remedy.MATTING_SETTINGS,
    ModelText.NEEDS_TORCH: Remedy.MATTING_SETTINGS,
    ModelText.MODEL_NEEDS_TORCH: Remedy.MATTING_SETTINGS,
    ModelText.NOT_FETCHED: Remedy.MATTING_SETTINGS,
    ModelText.PREPARING: None,
    ModelText.PREPARATION_CANCELLED: Remedy.RETRY,
    ShortcutText.NO_PORTAL: Remedy.KEYS,
    RecordingText.OTHER_ENCODER: None,  # the recording goes on
}
"""Messages that advise something else than the others of their stage. None: there is nothing to do."""


def remedy_of(problem: Problem) -> Remedy | None:
    """Return what to offer for a problem; None if nothing helps or is needed."""
    usual = _OF_STAGE.get(problem.stage, Remedy.RETRY)
    if not isinstance(problem.message, Text):
        return usual
    message = problem.message.message
    return _OF_MESSAGE.get(message, _OF_MESSAGES.get((problem.stage, type(message)), usual))


EVENT_MS = 30_000
"""How long the error of a single action stays."""
RANKS = {
    Stage.CAPTURE: Rank.OUTAGE,
    Stage.MATTING: Rank.OUTAGE,
    Stage.OUTPUT: Rank.OUTAGE,
    Stage.SHORTCUTS: Rank.CONVENIENCE,
}
"""Of the stages whose problems are not just errors."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowError:
    """An error of the window itself, which no stage of the pipeline reports."""

    message: str
    at_s: float
    """time.time(), as for a `Problem`."""
    lasting: bool
    """Keep it until it is dismissed."""

    @property
    def rank(self) -> Rank:
        """How important it is: the failure of what the user has just done comes first."""
        return Rank.ERROR if self.lasting else Rank.OUTAGE


class ErrorBar(QObject):
    """Shows errors as notices.

    A dismissed problem stays hidden until its message changes.
    """

    help_requested = pyqtSignal(object)
    """The Remedy that the user chose."""

    def __init__(self, area: NoticeArea, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._area = area
        self._dismissed: set[str] = set()
        self._problems: tuple[Problem, ...] = ()
        """Open problems that are neither dismissed nor shown by a notice."""
        self._own: list[WindowError] = []
        self._notices: dict[Problem | WindowError, Notice] = {}
        self._count = 0
        """Of the errors so far, for the keys of their notices."""

    @property
    def text(self) -> str:
        """The sentence of the most important error; empty if there is none."""
        order = sorted(self._notices.values(), key=lambda notice: (notice.rank, notice.at_s))
        return order[-1].text if order else ""

    def show_message(self, message: str, *, lasting: bool = False) -> None:
        """Show an error of the window. It goes after a while, unless it is `lasting`; then until it is dismissed."""
        error = WindowError(message, time.time(), lasting)
        self._own = [*(other for other in self._own if other.message != message), error]
        if not lasting:
            QTimer.singleShot(EVENT_MS, partial(self._expire, error))
        self._update()

    def show_status(self, status: PipelineStatus, covered: Collection[Stage] = ()) -> None:
        """Show the open problems.

        covered: stages whose problem a notice shows already.
        """
        self._dismissed &= {problem.message for problem in status.problems}
        self._problems = tuple(
            problem
            for problem in status.problems
            if problem.message not in self._dismissed and problem.stage not in covered
        )
        self._update()

    def _update(self) -> None:
        entries: list[Problem | WindowError] = [*self._problems, *self._own]
        for gone in self._notices.keys() - set(entries):
            self._area.hide_notice(self._notices.pop(gone).key)
        for entry in entries:
            if entry not in self._notices:
                self._count += 1
                self._notices[entry] = self._notice(f"error{self._count}", entry)
                self._area.show_notice(self._notices[entry])

    def _notice(self, key: str, entry: Problem | WindowError) -> Notice:
        remedy = remedy_of(entry) if isinstance(entry, Problem) else None
        return Notice(
            key,
            translated(entry.message),
            () if remedy is None else ((self._action_text(remedy), partial(self.help_requested.emit, remedy)),),
            _rank(entry),
            heading=self._stage_text(entry.stage) if isinstance(entry, Problem) else "",
            stays=True,
            at_s=entry.at_s,
            dismissed=partial(self._dismiss, entry),
        )

    def _stage_text(self, stage: Stage) -> str:
        return {
            Stage.CAPTURE: self.tr("Camera"),
            Stage.MATTING: self.tr("Matting"),
            Stage.BACKGROUND: self.tr("Background"),
            Stage.OVERLAY: self.tr("Overlay"),
            Stage.VIRTUAL_CAMERA: self.tr("Virtual camera"),
            Stage.PIPEWIRE: self.tr("PipeWire camera"),
            Stage.RECORDING: self.tr("Recording"),
            Stage.MICROPHONE: self.tr("Microphone"),
            Stage.OUTPUT: self.tr("Output"),
            Stage.SETTINGS: self.tr("Settings"),
            Stage.SHORTCUTS: self.tr("Global shortcuts"),
        }[stage]

    def _action_text(self, remedy: Remedy) -> str:
        return {
            Remedy.CAMERA: self.tr("Choose another camera"),
            Remedy.SOURCE: self.tr("Choose another source"),
            Remedy.MODEL: self.tr("Choose another model"),
            Remedy.MATTING_SETTINGS: self.tr("Show the settings"),
            Remedy.SERVER: self.tr("Show the server settings"),
            Remedy.PLATE: self.tr("Take a picture of the empty room…"),
            Remedy.BLUR: self.tr("Blur the background"),
            Remedy.VIRTUAL_CAMERA: self.tr("Set up…"),
            Remedy.RECORDINGS_FOLDER: self.tr("Choose another folder"),
            Remedy.KEYS: self.tr("How to set keys yourself"),
            Remedy.RETRY: self.tr("Try again"),
        }[remedy]

    def _dismiss(self, entry: Problem | WindowError) -> None:
        if isinstance(entry, WindowError):
            self._own.remove(entry)
        else:
            self._dismissed.add(entry.message)
            self._problems = tuple(problem for problem in self._problems if problem.message != entry.message)
        self._update()

    def _expire(self, error: WindowError) -> None:
        if not isdeleted(self) and error in self._own:  # neither dismissed nor repeated
            self._own.remove(error)
            self._update()


def _rank(entry: Problem | WindowError) -> Rank:
    return entry.rank if isinstance(entry, WindowError) else RANKS.get(entry.stage, Rank.ERROR)
