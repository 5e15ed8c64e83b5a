"""Translate texts of the program into the language of the window.

A `Text` keeps its message and values. The English template is looked up in Qt's translations under the code of the
message, and the values are inserted into the translated template.
"""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication, QLocale

from app.core.errors import text_of
from app.core.files.program import advice
from app.core.text import Text, code_of, fill
from models.table import NETWORKS

CONTEXT, MODELS = "messages", "Models"
"""The contexts of all messages, and of the titles of models, in Qt's translations."""
translate = QCoreApplication.translate


def translated(text: str) -> str:
    """Return a text in the language of the window, with the command of this copy in its advice.

    A plain `str` is returned as it is.
    """
    if not isinstance(text, Text):
        return text
    template = translate(CONTEXT, text.message.value, code_of(text.message))
    return fill(advice(template), text.values, translated)


def translated_error(error: Exception) -> str:
    """Return the text of an error in the language of the window."""
    return translated(text_of(error))


def standby_text() -> str:
    """Return the text of the stand-by card while the settings have none, in the language of the window."""
    return translate("StandbyCard", "One moment, please")


def describe_model(name: str) -> str:
    """Return the translated title of a model; an unknown name is returned unchanged."""
    if name in NETWORKS:
        return translate(MODELS, NETWORKS[name].title)
    return translate("Models", "Automatic") if name == "auto" else name


def decimal(value: float, places: int) -> str:
    """Return a number with so many decimal places, such as `29.4` or `29,4`."""
    return QLocale().toString(value, "f", places)


def short(value: float, digits: int = 6) -> str:
    """Return a number with at most so many digits and no trailing zeros, such as `30` or `29.97`."""
    return QLocale().toString(value, "g", digits)
