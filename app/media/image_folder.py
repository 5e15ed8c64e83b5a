"""The images of a folder, the files beside them, and the sentence on what is left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.core.files import MOST_NAME_BYTES, cut, is_file
from app.media.image_file import is_picture

MOST_NAMED_FILES = 20
LEFT_THERE_BY_WINDOWS = ("thumbs.db", "desktop.ini")


def others_left_out(folder: Path | str, names: Sequence[str]) -> str:
    """Return the sentence on the other files of a folder that are left out."""
    return (
        f"Files in {folder} that are neither images nor videos were left out: {len(names)} "
        f"({', '.join(first_names(names))})."
    )


def first_names(names: Sequence[str], most: int = MOST_NAMED_FILES) -> list[str]:
    """Return the names that a sentence shows, with an ellipsis in place of those beyond `most`."""
    if len(names) <= most:
        return list(names)
    return [*names[:most], "…"]


def pictures_in(folder: Path) -> list[Path]:
    """Return the images of a folder, by their content, in natural order of their names.

    Raises OSError.
    """
    pictures = [file for file in _visible(folder) if is_picture(file)]
    return sorted(pictures, key=_natural)


def others_in(folder: Path) -> list[Path]:
    """Return the files of a folder that are no images, in natural order of their names.

    Raises OSError.
    """
    others = [file for file in _visible(folder) if is_file(file) and not is_picture(file)]
    return sorted(others, key=_natural)


def _visible(folder: Path) -> list[Path]:
    """Return what lies in a folder, but for what systems leave there."""
    visible = []
    for file in folder.iterdir():
        is_hidden = file.name.startswith(".")
        if not is_hidden and file.name.lower() not in LEFT_THERE_BY_WINDOWS:
            visible.append(file)
    return visible


def picture_names(folder: Path) -> dict[Path, str]:
    """Return a name for each image of a folder: without its suffix, unless two images would have
    the same name.

    Names differ in more than case, and a PNG file can have them. Raises OSError.
    """
    names = {file: file.stem for file in pictures_in(folder)}
    while True:
        count = Counter(name.casefold() for name in names.values())
        changed = False
        for file, name in names.items():
            if count[name.casefold()] > 1 and name != file.name:
                names[file] = file.name
                changed = True
        if not changed:
            return _shortened(names)
        # A name with its suffix may be that of another image: photo.png beside photo.png.jpg.


def _shortened(names: Mapping[Path, str]) -> dict[Path, str]:
    """Cut names that would be too long with the suffix .png, and number those that are alike."""
    most_bytes = MOST_NAME_BYTES - len(".png")
    made: dict[Path, str] = {}
    taken = {name.casefold() for name in names.values()}
    for file, name in names.items():
        short = cut(name, most_bytes)
        number = 2
        while short != name and short.casefold() in taken:
            ending = f" ({number})"
            short = cut(name, most_bytes - len(ending)) + ending
            number += 1
        taken.add(short.casefold())
        made[file] = short
    return made


def _natural(file: Path) -> list[tuple[int, str]]:
    """Return a key by which 2.png comes before 10.png."""
    key = []
    for part in re.split(r"(\d+)", file.name.lower()):
        if part.isdecimal():
            key.append((int(part), ""))
        else:
            key.append((-1, part))
    return key
