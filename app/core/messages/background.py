"""Errors of backgrounds."""

from __future__ import annotations

from enum import unique

from app.core.text import Message


@unique
class BackgroundText(Message):
    """Errors of backgrounds."""

    NO_IMAGE = "No image is chosen for the background; choose a file."
    NO_VIDEO = "No video is chosen for the background; choose a file."
