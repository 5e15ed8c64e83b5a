"""Names of the backgrounds in the language of the window. Thread-safe."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QCoreApplication

from app.compositing.library import named_backgrounds, title
from app.control.backgrounds import BackgroundFile, Tiles

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


def fixed_names() -> tuple[str, str, str, str]:
    """Return the names of the tiles that are no files: no background, blur, green, a colour."""
    return (
        translate("Backgrounds", "None"),
        translate("Backgrounds", "Blur"),
        translate("Backgrounds", "Green"),
        translate("Backgrounds", "Colour"),
    )


def tiles(own_colour: str) -> Tiles:
    """Return the backgrounds with the names that the window shows. own_colour: that of the tile "Colour"."""
    files = [BackgroundFile(path, bundled_name(path), english) for path, english in named_backgrounds()]
    return Tiles(files, fixed_names(), own_colour)
