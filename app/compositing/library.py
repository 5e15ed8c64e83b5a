"""Available backgrounds: those that ship with the program (painted by `tools/backgrounds`) and the user's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from app.core.files.names import is_of_kind
from app.core.files.paths import assets_dir, backgrounds_dir
from app.media.image_file import READ_SUFFIXES

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".gif"})
BACKGROUND_SUFFIXES = (*VIDEO_SUFFIXES, *READ_SUFFIXES)


def bundled_backgrounds() -> tuple[Path, ...]:
    """Return the bundled images in display order (their names start with a number)."""
    return tuple(sorted((assets_dir() / "backgrounds").glob("*.jpg")))


def title(path: Path) -> str:
    """Return the English name of a bundled background, such as `Dusk hills` for `3-dusk-hills.jpg`."""
    words = path.stem.split("-")
    return " ".join(words[1:] if words[0].isdigit() else words).capitalize()


def own_backgrounds() -> tuple[tuple[Path, str], ...]:
    """Return (file, shown name) of the user's images and videos, by name.

    Files that differ by their suffixes alone are shown with them.
    """
    folder = backgrounds_dir()
    if not folder.is_dir():
        return ()
    found = (path for path in folder.iterdir() if is_of_kind(path, BACKGROUND_SUFFIXES))
    files = sorted(found, key=lambda path: (path.stem.lower(), path.name))
    stems = Counter(path.stem for path in files)
    return tuple((path, path.stem if stems[path.stem] == 1 else path.name) for path in files)


def named_backgrounds() -> tuple[tuple[Path, str], ...]:
    """Return (file, shown name) of every background in the order of the window; names are in English."""
    bundled = ((path, title(path)) for path in bundled_backgrounds())
    return (*own_backgrounds(), *bundled)
