"""Errors of the global shortcuts."""

from __future__ import annotations

from enum import unique

from app.core.text import Message


@unique
class ShortcutText(Message):
    """Why the global shortcuts do not work, and what to do."""

    NO_PORTAL = "This desktop does not support global shortcuts. Set keys yourself in its settings."
    REFUSED = "The desktop refused the global shortcuts. Allow them in its settings, then switch them on again."
    NO_ANSWER = "The desktop did not answer about the global shortcuts. Switch them off and on again."
