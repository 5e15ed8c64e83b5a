"""Settings of the background."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import Self

from app.core.settings_base import MAX_ZOOM, Model

MAX_SLIDES = 5000
COLOUR = r"^#[0-9a-fA-F]{6}$"
SCREEN = r"^(screen(:[1-9]\d?)?|region:-?\d{1,5},-?\d{1,5},[1-9]\d{0,4}x[1-9]\d{0,4}|window:.{1,200})$"


class BackgroundSettings(Model):
    """The background that replaces the camera's."""

    kind: Literal["blur", "image", "video", "slides", "screen", "colour", "none"] = "blur"
    path: Path | None = None
    """The image, video or PDF file, or a folder of slides; kept while another kind is selected."""
    colour: Annotated[str, Field(pattern=COLOUR)] = "#00b140"
    blur_strength: Annotated[float, Field(ge=0, le=100)] = 50.0
    """On the scale of the level of strict mode; see `app.core.blur_scale`."""
    bokeh: bool = False
    """Blur with discs that keep highlights, like a lens."""
    distance_blur: bool = False
    """Blur more strongly with the distance from the person's contact with floor or desk."""
    fit: Literal["fill", "fit"] = "fill"
    """Whether an image covers the frame or is shown whole; `zoom` enlarges it further."""
    zoom: Annotated[float, Field(ge=1, le=MAX_ZOOM)] = 1.0
    pan_x: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """-1: the left edge of an image that is wider than the frame is shown, 1: its right edge."""
    pan_y: Annotated[float, Field(ge=-1, le=1)] = 0.0
    screen: Annotated[str, Field(pattern=SCREEN)] = "screen:1"
    """What the kind `screen` captures: `screen:N`, `region:X,Y,WxH` or `window:TITLE` (a part of the title)."""
    slide: Annotated[int, Field(ge=1, le=MAX_SLIDES)] = 1
    """Number of the slide that is shown; past the end it is the last one."""
    parallax: Annotated[float, Field(ge=0, le=100)] = 0.0
    """How far the background moves slowly against the head."""

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
