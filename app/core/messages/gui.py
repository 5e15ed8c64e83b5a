"""Errors of the window's own files: backgrounds, recordings, snapshots, preferences."""

from __future__ import annotations

from enum import unique

from app.core.text import Message


@unique
class LibraryText(Message):
    """Errors of the window's own files: backgrounds, recordings, snapshots, preferences."""

    NO_PICTURE = "{file} contains no readable frame; remove it or add it again."
    UNKNOWN_FORMAT = "{file} is neither an image nor a video; use a PNG, JPEG, WebP or MP4 file."
    NOT_COPIED = "{file} could not be copied: {reason}."
    NOT_PASTED = "The pasted image could not be encoded; save it as a file and add that file."
    NOT_WRITTEN = "{file} could not be written: {reason}."
    NAME_EMPTY = "The name of a background must contain letters or digits."
    NAME_TAKEN = "A background “{name}” already exists; choose another name."
    NOT_RENAMED = "{file} could not be renamed: {reason}."
    NOT_REMOVED = "{file} could not be removed: {reason}."
    NOT_TRASHED = "{file} could not be moved to the trash and was kept."
    NOT_RESTORED = "{file} could not be restored from the trash: {reason}."
    NO_FOLDER = "The folder {folder} cannot be created: {reason}."
