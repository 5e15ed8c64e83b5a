"""What the button of the error bar offers for a problem: what the sentence of the problem advises."""

from __future__ import annotations

from enum import Enum, auto

from app.core.messages.capture import SourceText
from app.core.messages.matting import ModelText, PlateText
from app.core.messages.media import VideoText
from app.core.messages.output import RecordingText
from app.core.messages.remote import RemoteText
from app.core.messages.system import ShortcutText
from app.core.stage import Stage
from app.core.text import Text
from app.runtime.status import Problem


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
