"""What can be done about a problem of the pipeline, as its message advises."""

from __future__ import annotations

from enum import Enum

from PyQt6.QtCore import QT_TRANSLATE_NOOP

from app.core.messages.capture import SourceText
from app.core.messages.matting import ModelText, PlateText
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.core.messages.system import ProgramText
from app.core.stage import Stage
from app.core.text import Text
from app.runtime.status import Problem


class Remedy(Enum):
    """What can be done about a problem: the caption of its button, in English."""

    CAMERA = QT_TRANSLATE_NOOP("Remedies", "Choose another camera")
    SOURCE = QT_TRANSLATE_NOOP("Remedies", "Choose another source")
    MODEL = QT_TRANSLATE_NOOP("Remedies", "Choose another model")
    MATTING_SETTINGS = QT_TRANSLATE_NOOP("Remedies", "Show the settings")
    PLATE = QT_TRANSLATE_NOOP("Remedies", "Take a picture of the empty room…")
    BLUR = QT_TRANSLATE_NOOP("Remedies", "Blur the background")
    VIRTUAL_CAMERA = QT_TRANSLATE_NOOP("Remedies", "Set up…")
    RECORDINGS_FOLDER = QT_TRANSLATE_NOOP("Remedies", "Choose another folder")
    RETRY = QT_TRANSLATE_NOOP("Remedies", "Try again")


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
