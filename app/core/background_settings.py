"""Settings of the background."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from typing_extensions import Self

from app.core.settings_base import MAX_ZOOM, Model, setting

MAX_SLIDES = 5000
COLOUR = r"^#[0-9a-fA-F]{6}$"
SCREEN = r"^(screen(:[1-9]\d?)?|region:-?\d{1,5},-?\d{1,5},[1-9]\d{0,4}x[1-9]\d{0,4}|window:.{1,200})$"


class BackgroundSettings(Model):
    """The background that replaces the camera's."""

    kind: Literal["blur", "image", "video", "slides", "screen", "colour", "none"] = setting(
        "blur", "What replaces the camera's background; none shows the room."
    )
    path: Path | None = setting(None, "Image, video or PDF file, or folder of slides; kept while another kind is used.")
    colour: str = setting("#00b140", "Colour of the kind colour.", pattern=COLOUR)
    blur_strength: float = setting(50.0, "Strength of the blur.", 0, 100)
    """On the scale of the level of strict mode; see `app.core.blur_scale`."""
    bokeh: bool = setting(False, "Blur with discs that keep highlights, like a lens.")
    distance_blur: bool = setting(
        False, "Blur what is farther from the person more strongly.", option="--distance-blur/--no-distance-blur"
    )
    """The distance is that from the person's contact with floor or desk."""
    fit: Literal["fill", "fit"] = setting(
        "fill", "Whether the background covers the frame or is shown whole.", option="--background-fit"
    )
    zoom: float = setting(1.0, "Enlarge the background.", 1, MAX_ZOOM, option="--background-zoom")
    pan_x: float = setting(0.0, "Part of an enlarged background that is shown: -1 left, 1 right.", -1, 1)
    pan_y: float = setting(0.0, "Part of an enlarged background that is shown: -1 top, 1 bottom.", -1, 1)
    screen: str = setting("screen:1", "Screen, part or window of the kind screen.", pattern=SCREEN)
    """`screen:N`, `region:X,Y,WxH` or `window:TITLE` (a part of the title)."""
    slide: int = setting(
        1, "Slide to begin with, if the background is slides.", 1, MAX_SLIDES, option="--slide", values="NUMBER"
    )
    """Past the end it is the last one."""
    parallax: float = setting(0.0, "Move the background slowly against the head.", 0, 100, option="--parallax")

    @property
    def opened(self) -> Self:
        """What a background is opened for: the settings without those that an open background follows."""
        return self.replace(**{name: type(self).model_fields[name].default for name in FOLLOWED})

    def with_file(self, kind: str, path: Path) -> Self:
        """Return the settings with a file, which starts in the middle unless it is the one in use."""
        moved = {} if path == self.path else {"zoom": 1.0, "pan_x": 0.0, "pan_y": 0.0, "slide": 1}
        return self.replace(kind=kind, path=path, **moved)


FOLLOWED = ("fit", "zoom", "pan_x", "pan_y", "slide", "parallax")
"""Fields of `BackgroundSettings` that change a background in use, without opening it again."""
