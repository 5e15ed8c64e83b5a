"""Translate texts of the program into the language of the window.

A `Text` keeps its template and values. The English template is looked up in Qt's translations, and the values are
inserted into the translated template. A model is called as the window's lists call it.
"""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication, QLocale

from app.core.errors import text_of
from app.core.files.program import advice
from app.core.text import Text, Value, fill
from app.runtime.status import Phase
from models.faults import for_window
from models.table import NETWORKS

MODEL_PLACES = ("model", "models", "bundled")
"""Places in templates for names of models."""
translate = QCoreApplication.translate


def translated(text: str) -> str:
    """Return a text in the language of the window, without options, and with the command of this copy in its advice.

    A plain `str` is returned as it is.
    """
    if not isinstance(text, Text):
        return text
    template = advice(translate("Messages", for_window(text.template)))
    titles = {place: _titles(text.values[place]) for place in MODEL_PLACES if place in text.values}
    return fill(template, {**text.values, **titles}, translated)


def _titles(models: Value) -> Value:
    """Return names of models as their titles in quotation marks."""
    if isinstance(models, tuple | list):
        return tuple(map(_titles, models))
    return translate("Models", "“{0}”").format(describe_model(str(models)))


def translated_error(error: Exception) -> str:
    """Return the text of an error in the language of the window."""
    return translated(text_of(error))


def standby_text(phase: Phase = Phase.WAITING, preparing: Text | None = None) -> str:
    """Return the text of the stand-by card while the settings have none, in the language of the window."""
    if phase is Phase.NO_CAMERA:
        return translate("StandbyCard", "No camera")
    if phase is Phase.STARTING and preparing is not None:
        return translated(preparing)
    return translate("StandbyCard", "One moment, please")


def describe_model(name: str) -> str:
    """Return the translated title of a model; an unknown name is returned unchanged."""
    if name in NETWORKS:
        return translate("Models", NETWORKS[name].title)
    return translate("Models", "Automatic") if name == "auto" else name


def decimal(value: float, places: int) -> str:
    """Return a number with so many decimal places, such as `29.4` or `29,4`."""
    return QLocale().toString(value, "f", places)


def short(value: float, digits: int = 6) -> str:
    """Return a number with at most so many digits and no trailing zeros, such as `30` or `29.97`."""
    return QLocale().toString(value, "g", digits)
