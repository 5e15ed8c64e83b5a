"""Errors as notices with what can be done: open problems of the pipeline, and errors of the window itself."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from functools import partial

from PyQt6.QtCore import QT_TRANSLATE_NOOP, QObject, pyqtSignal

from app.core.messages.capture import SourceText
from app.core.messages.matting import ModelText, PlateText
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.core.messages.system import ProgramText
from app.core.stage import Stage
from app.core.text import Text
from app.gui.i18n.messages import translated
from app.gui.widgets.notice import Notice, Rank
from app.gui.widgets.notices import NoticeArea
from app.runtime.status import Phase, PipelineStatus, Problem


class Remedy(Enum):
    """What can be done about a problem: the caption of its button, in English."""

    CAMERA = QT_TRANSLATE_NOOP("ErrorBar", "Choose another camera")
    SOURCE = QT_TRANSLATE_NOOP("ErrorBar", "Choose another source")
    MODEL = QT_TRANSLATE_NOOP("ErrorBar", "Choose another model")
    MATTING_SETTINGS = QT_TRANSLATE_NOOP("ErrorBar", "Show the settings")
    PLATE = QT_TRANSLATE_NOOP("ErrorBar", "Take a picture of the empty room…")
    BLUR = QT_TRANSLATE_NOOP("ErrorBar", "Blur the background")
    VIRTUAL_CAMERA = QT_TRANSLATE_NOOP("ErrorBar", "Set up…")
    RECORDINGS_FOLDER = QT_TRANSLATE_NOOP("ErrorBar", "Choose another folder")
    RETRY = QT_TRANSLATE_NOOP("ErrorBar", "Try again")


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
    ProgramText.MODEL_HANGS: None,
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


def _is_of_file(problem: Problem) -> bool:
    """Return whether a file that was chosen cannot be used: what was in use before goes on."""
    of_choice = problem.stage in (Stage.BACKGROUND, Stage.OVERLAY, Stage.MATTING, Stage.OUTPUT)
    return of_choice and isinstance(problem.message, Text) and "file" in problem.message.values


KEY = "error "
"""Beginning of the keys of errors."""
EVENT_MS = 30_000
"""How long the error of a single action, or of a file, stays."""
RANKS = {
    Stage.CAPTURE: Rank.OUTAGE,
    Stage.MATTING: Rank.OUTAGE,
    Stage.OUTPUT: Rank.OUTAGE,
    Stage.RECORDING: Rank.OUTAGE,  # what is not recorded is lost
}
"""Of the stages whose problems are not just errors."""


class ErrorBar(QObject):
    """Shows errors as notices. A dismissed problem stays hidden until it ends or its message changes.

    That of a file leaves by itself; its tile, or its row in the panel, says what is wrong with it.
    """

    help_requested = pyqtSignal(object)
    """The Remedy that the user chose."""

    def __init__(self, area: NoticeArea, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._area = area
        self._open: set[str] = set()
        """Keys of the problems that are open."""

    @property
    def text(self) -> str:
        """The sentence of the most important error; empty if there is none."""
        return next((notice.text for notice in self._area.in_order() if notice.key.startswith(KEY)), "")

    def show_message(self, message: str, *, lasting: bool = False) -> None:
        """Show an error of the window. It goes after a while, unless it is `lasting`; then until it is dismissed.

        The failure of what the user has just done comes before other errors.
        """
        rank, duration_ms = (Rank.ERROR, 0) if lasting else (Rank.OUTAGE, EVENT_MS)
        self._area.show_notice(Notice(f"{KEY}{message}", translated(message), (), rank, duration_ms))

    def show_status(self, status: PipelineStatus, covered: Collection[Stage] = ()) -> None:
        """Show the open problems.

        covered: stages whose problem a notice shows already.
        """
        problems = {f"{KEY}{problem.stage.name}: {problem.message}": problem for problem in status.problems}
        for ended in self._open - problems.keys():
            self._area.show_while(ended, None)
        self._open = set(problems)
        for key, problem in problems.items():
            if problem.stage in covered:
                self._area.hide_notice(key)
            else:
                works = status.phase in (Phase.RUNNING, Phase.PAUSED)
                leaves = works and _is_of_file(problem)
                self._area.show_while(key, self._notice(key, problem, EVENT_MS if leaves else 0))

    def _notice(self, key: str, problem: Problem, duration_ms: int) -> Notice:
        remedy = remedy_of(problem)
        actions = () if remedy is None else ((self.tr(remedy.value), partial(self.help_requested.emit, remedy)),)
        return Notice(
            key,
            translated(problem.message),
            actions,
            RANKS.get(problem.stage, Rank.ERROR),
            duration_ms,
            heading=self._stage_text(problem.stage),
            stays=True,
            at_s=problem.at_s,
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
        }[stage]
