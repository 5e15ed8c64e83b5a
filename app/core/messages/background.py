"""Errors of backgrounds."""

from __future__ import annotations

from enum import unique

from app.core.text import Message


@unique
class BackgroundText(Message):
    """Errors of backgrounds."""

    NO_IMAGE = "No image is chosen for the background; choose a file."
    NO_VIDEO = "No video is chosen for the background; choose a file."


@unique
class ScreenText(Message):
    """Errors of screens and windows as background."""

    NO_DISPLAY = "There is no display whose screen could be captured; choose another background."
    NO_PORTAL = "The desktop offers no screens; install xdg-desktop-portal and PipeWire, or choose another background."
    REFUSED = "The desktop did not allow Mattecam to show a screen; choose it again and allow it."
    NO_ANSWER = "No screen was chosen in the desktop's dialog in time; choose it again."
    CAST_ENDED = "The desktop has ended the capture of {target}; end the presentation and choose it again."
    WINDOWS_ON_X11 = "Windows can be captured on X11 only; choose a screen or a region."
    NO_SCREEN = "There is no screen {number}, only {count}; choose another one."
    NO_WINDOW = "There is no visible window with “{title}” in its title; open it or choose another background."
    OFF_SCREEN = "{target} lies outside the screens; choose another region."
    NOT_HIDDEN = "The window did not hide your room in time, so that no screen is shown; choose the screen again."
    LOST = "{target} can no longer be captured; allow screen recording for Mattecam, or choose another background."
