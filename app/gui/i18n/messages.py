"""Translate texts of the program into the language of the window.

A `Text` keeps its message and values. The English template is looked up in Qt's translations under the code of the
message, and the values are inserted into the translated template.
"""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

from app.core.errors import text_of
from app.core.files.program import advice
from app.core.text import Text, code_of, fill

CONTEXT = "messages"
"""The context of all messages in Qt's translations."""


def translated(text: str) -> str:
    """Return a text in the language of the window, with the command of this copy in its advice.

    A plain `str` is returned as it is.
    """
    if not isinstance(text, Text):
        return text
    template = QCoreApplication.translate(CONTEXT, text.message.value, code_of(text.message))
    return fill(advice(template), text.values, translated)


def translated_error(error: Exception) -> str:
    """Return the text of an error in the language of the window."""
    return translated(text_of(error))


def standby_text() -> str:
    """Return the text of the stand-by card while the settings have none, in the language of the window."""
    return QCoreApplication.translate("StandbyCard", "One moment, please")
