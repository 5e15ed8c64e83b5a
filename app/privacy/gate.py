"""The privacy gate: the only place that permits a picture to leave, asked at the moment it is
written.
"""

from __future__ import annotations

from collections.abc import Callable

from app.core.settings import OutputSettings
from app.core.types import Outgoing, Picture, PictureKind
from app.settings import Settings, SettingsOwner


def may_leave(picture: Picture, settings: Settings) -> bool:
    """Return whether `picture` may reach an output or a file under `settings`.

    The demonstration may leave only if it was chosen as the source. In place of a missing camera,
    only the preview shows it.
    """
    is_demonstration = picture.frame is not None and picture.frame.synthetic
    if is_demonstration and settings.capture.source != "demo":
        return False
    return may_show(picture, settings)


def may_show(picture: Picture, settings: Settings) -> bool:
    """Return whether the user may see `picture` in the preview under `settings`.

    An unmatted frame only while the background is "none"; while paused, only the stand-by card. A
    frozen picture only while the settings hide what they hid when it was made.
    """
    if picture.kind is PictureKind.STANDBY:
        return True
    if settings.paused:
        return False
    if settings.frozen and picture.hides not in (None, settings.hides):
        return False
    return picture.kind is PictureKind.COMPOSITE or settings.background.kind == "none"


class Gate:
    """Turns pictures into `Outgoing` ones under the settings in force. Thread-safe.

    Sinks and files accept nothing else, so that everything that leaves passes here.
    """

    def __init__(
        self, owner: SettingsOwner, card: Callable[[OutputSettings, int, int], Picture]
    ) -> None:
        """owner: of the settings in force.

        card: returns the stand-by card at a size (width, height) in pixels, without waiting
        (any thread).
        """
        self._owner = owner
        self._card = card
        self._blocked = False

    @property
    def blocked(self) -> bool:
        """Whether only the stand-by card may leave from now on, whatever the settings."""
        return self._blocked

    def block(self) -> None:
        """Let only the stand-by card leave from now on: a thread of the frame path has died."""
        self._blocked = True

    def permits(self, picture: Picture) -> bool:
        """Return whether `picture` may leave now."""
        if self._blocked:
            return picture.kind is PictureKind.STANDBY
        return may_leave(picture, self._owner.current)

    def shows(self, picture: Picture) -> bool:
        """Return whether the preview may show `picture` now."""
        if self._blocked:
            return picture.kind is PictureKind.STANDBY
        return may_show(picture, self._owner.current)

    def release(self, picture: Picture) -> Outgoing:
        """Return `picture` if it may leave now, otherwise the stand-by card of the same size."""
        if self.permits(picture):
            return Outgoing(picture)
        return self.card(*picture.size)

    def card(self, width: int, height: int) -> Outgoing:
        """Return the stand-by card of the settings in force at this size, in pixels."""
        return Outgoing(self._card(self._owner.current.output, width, height))
