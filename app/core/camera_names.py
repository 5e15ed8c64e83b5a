"""What the names of cameras tell: which are this program's own, a phone's, or see no colours."""

from __future__ import annotations

import re

# Label of this program's own virtual camera, set by its
# setup; never a source, and preferred as an output.
OWN = "Mattecam"
# Programs that send a phone's camera to this computer, and phones.
PHONE = re.compile(
    r"droid ?cam|iriun|epoc ?cam|ivcam|\bcamo\b|reincubate|scrcpy|ip ?webcam|android|\b(?:i?phone|ipad)\b",
    re.IGNORECASE,
)
# Virtual cameras of programs that compose what other cameras send.
MIXER = re.compile(r"\bOBS\b|virtual camera|unity video capture", re.IGNORECASE)

_PARTS = re.compile(r"(?<![a-z])(?:(ir|infra-?red)|rgb|colou?r)(?![a-z])", re.IGNORECASE)
# Colour cameras that also see in the dark: a filter cuts
# infrared light off by day, or lamps of their own emit it.
_COLOUR_AT_DAY = re.compile(
    r"(?<![a-z])(?:ir[-_ ]*(?:cut|leds?|lights?|illum)|icr(?![a-z])|(?:day[-_ /&+]*)?night)",
    re.IGNORECASE,
)
_MAY_BE_COLOUR_AT_DAY = re.compile(
    r"(?<![a-z])ir[-_ ]+(?:c|cu|l|le|li|n|ni|nig|nigh)?$",
    re.IGNORECASE,
)
_CUT = re.compile(r"\b(?:I|Infr\w*)$")
# Letters of a name that the kernel keeps.
_LONGEST = 31


def is_own(name: str) -> bool:
    """Return whether the name is that of this program's own virtual camera."""
    return name.startswith(OWN)


def is_infrared(name: str) -> bool:
    """Return whether the name is that of an infrared camera.

    “RGB/IR Camera: RGB” is not one: the last word counts.
    """
    if _COLOUR_AT_DAY.search(name) or may_be_infrared(name):
        return False
    parts = _PARTS.findall(name)
    return bool(parts) and bool(parts[-1])


def may_be_infrared(name: str) -> bool:
    """Return whether the name may be that of an infrared camera, cut off by the kernel within
    the word.
    """
    is_cut = len(name) >= _LONGEST
    return is_cut and bool(_CUT.search(name) or _MAY_BE_COLOUR_AT_DAY.search(name))
