"""The backgrounds that a client may ask for: never a file by its path, and never none."""

from __future__ import annotations

from app.compositing.library import named_backgrounds
from app.config.parsing import parse_background
from app.core.errors import UsageError
from app.media.image_file import IMAGE_SUFFIXES


def background_names() -> tuple[str, ...]:
    """Return the names of the images that ship with the program or lie in the user's folder of backgrounds."""
    return tuple(name for path, name in named_backgrounds() if path.suffix.lower() in IMAGE_SUFFIXES)


def resolve_background(name: str) -> str | None:
    """Return the background in the words of the Python API; None if it is not one that a client may ask for."""
    if name.startswith("#") or name.partition(":")[0] in ("blur", "green"):
        try:
            parse_background(name)
        except UsageError:
            return None
        return name if name == "green" or not name.startswith("green") else None
    files = {shown: path for path, shown in named_backgrounds() if path.suffix.lower() in IMAGE_SUFFIXES}
    return str(files[name]) if name in files else None
