"""Display names of the bundled backgrounds."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QCoreApplication

from app.compositing.library import title

translate = QCoreApplication.translate


def bundled_name(path: Path) -> str:
    """Return the translated name of a bundled background, or its English name."""
    english = title(path)
    names = {
        "Soft studio": translate("Backgrounds", "Soft studio"),
        "Window light": translate("Backgrounds", "Window light"),
        "White bricks": translate("Backgrounds", "White bricks"),
        "Oak slats": translate("Backgrounds", "Oak slats"),
        "Bookshelf": translate("Backgrounds", "Bookshelf"),
        "Paper waves": translate("Backgrounds", "Paper waves"),
        "Dusk hills": translate("Backgrounds", "Dusk hills"),
        "Evening lights": translate("Backgrounds", "Evening lights"),
    }
    return names.get(english, english)
