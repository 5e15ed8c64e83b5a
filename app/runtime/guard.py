"""The privacy rule, in one place: the last gate before every output."""

from __future__ import annotations

from app.core.settings import Settings
from app.core.types import Picture, PictureKind


def may_leave(picture: Picture, settings: Settings) -> bool:
    """Whether `picture` may reach an output under the settings in force now.

    The camera's own picture leaves only while the user's choice is "none", and nothing of the camera leaves while the
    user pauses. Whatever may not leave is replaced by the stand-by card.
    """
    if picture.kind is PictureKind.STANDBY:
        return True
    if settings.paused:
        return False
    return picture.kind is PictureKind.COMPOSITE or settings.background.kind == "none"
