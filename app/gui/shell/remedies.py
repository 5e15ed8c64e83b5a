"""What can be done about a problem of the pipeline, as its message advises."""

from __future__ import annotations

import re
from enum import Enum

from PyQt6.QtCore import QT_TRANSLATE_NOOP

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
