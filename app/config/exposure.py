"""What a change of the settings may show that they hide now.

One rule for scenes, `ctl`, the window and undoing.

A setting that decides this says so where it is declared (`hides=`). What several settings decide
together is here: how readable a blurred background is, and how much of the camera's frame is shown
where nothing replaces its background.
"""

from __future__ import annotations

from operator import attrgetter
from typing import get_args

from app.config.setting import SETTINGS, Setting
from app.core.declaration import Exposure
from app.core.geometry import view_of
from app.settings import Settings

_HIDING = tuple(setting for setting in SETTINGS.values() if setting.hides is not None)
# Sections whose values belong together, such as the kind of a background and its file.
_WHOLE = ("background", "framing")


def _part_of(setting: Setting) -> tuple[str, ...]:
    if setting.path[0] in _WHOLE:
        return setting.path[:1]
    return setting.path


# The parts of the settings that are given back each, if that shows no more.
_PARTS = tuple(dict.fromkeys(_part_of(setting) for setting in _HIDING))


def exposed_by(new: Settings, current: Settings) -> tuple[Exposure, ...]:
    """Return all that `new` may show and `current` does not, the worst first."""
    if new.background.kind == "none":
        # Nothing else that hides is in effect.
        if current.background.kind != "none" or _shows_more_of_frame(new, current):
            return ("room",)
        return ()
    # It holds None as well, which the order of `Exposure` leaves out at the end.
    exposed = {_exposed_by_one(setting, new, current) for setting in _HIDING}
    if _is_more_readable(new, current):
        exposed.add("readable")
    if current.background.kind == "none":
        # The whole frame is shown now. Asked about is only
        # what the user marked as hidden, which would be lost.
        exposed &= {"hidden", "people"}
    return tuple(each for each in get_args(Exposure) if each in exposed)


def without_exposure(new: Settings, current: Settings) -> Settings:
    """Return `new`, with the values of `current` in place of those that may show more than
    `current`.
    """
    if not exposed_by(new, current):
        return new
    kept = new
    for part in _PARTS:
        kept = _with_part(kept, part, current)
    for part in _PARTS:
        candidate = _with_part(kept, part, new)
        if not exposed_by(candidate, current):
            kept = candidate
    return kept


def _exposed_by_one(setting: Setting, new: Settings, current: Settings) -> Exposure | None:
    """Return what one setting may show of what it hides now.

    None for nothing, or where others decide it too.
    """
    hides = setting.hides
    if hides is None or hides.exposure is None:
        return None
    if hides.only_with:
        switch = attrgetter(".".join((*setting.path[:-1], hides.only_with)))
        if not (switch(new) and switch(current)):
            return None
    if hides.shows_more(setting.value_in(new), setting.value_in(current)):
        return hides.exposure
    return None


def _with_part(settings: Settings, part: tuple[str, ...], other: Settings) -> Settings:
    """Return the settings with a part of other ones."""
    return settings.replaced_at(part[:-1], **{part[-1]: attrgetter(".".join(part))(other)})


def _is_more_readable(new: Settings, current: Settings) -> bool:
    """Return whether text in the room can be read, and less so now.

    An image hides all of the room.
    """
    if not new.text_is_readable:
        return False
    return current.background.kind != "blur" or new.shown_blur < current.shown_blur


def _shows_more_of_frame(new: Settings, current: Settings) -> bool:
    """Return whether the framing shows a part of the camera's frame that is cut off now."""
    if current.framing.zoom == 1:
        return False
    if new.capture.orientation != current.capture.orientation:
        return True
    view = view_of(new.framing)
    view_now = view_of(current.framing)
    if view.left < view_now.left or view.top < view_now.top:
        return True
    right = view.left + view.size
    bottom = view.top + view.size
    return right > view_now.left + view_now.size or bottom > view_now.top + view_now.size
