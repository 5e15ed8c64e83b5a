"""The stand-by card's default text in the language of the window."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication


def standby_text() -> str:
    """Return the text of the stand-by card while the settings have none."""
    return QCoreApplication.translate("StandbyCard", "One moment, please")
