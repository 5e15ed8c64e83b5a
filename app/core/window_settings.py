"""Settings of the window, and of the source, which the window remembers for each camera."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import field_validator

from app.core.matting_settings import Model, setting
from app.core.orientation import Orientation, Rotation

COLOUR = r"^#[0-9a-fA-F]{6}$"

Theme = Literal["system", "light", "dark"]
Language = Literal["system", "en", "de", "es"]


class CaptureSettings(Model):
    """The source of the frames and its format."""

    source: str = setting(
        "auto", "auto, camera:INDEX, camera:/dev/videoN, portal:NAME, demo, a video or an image.", option="--source"
    )
    """Also `camera:STABLE-ID`, and `portal` for the first camera of PipeWire."""
    width: int = setting(1280, "Width of the frames.", 16, 7680)
    height: int = setting(720, "Height of the frames.", 16, 4320)
    fps: float = setting(30.0, "Frame rate in frames per second.", 1, 240, option="--fps")
    pixel_format: str = setting(
        "auto", "Pixel format of the camera, such as MJPG or YUYV; auto prefers MJPG.", option="--format"
    )
    lock_exposure: bool = setting(False, "Lock exposure and white balance once they have settled.")
    """If the camera supports it; keeps the plate valid."""
    rotate: Rotation = setting(0, "Turn the camera or film clockwise, in degrees, before matting.", option="--rotate")
    """Added to what a film's own metadata says."""
    flip: bool = setting(False, "Swap left and right of the camera or film, before matting.", option="--flip/--no-flip")
    """After the turn. Zones, plates and framing follow; `output.mirror` mirrors what leaves, with the background."""

    @field_validator("rotate", mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    @property
    def is_demo(self) -> bool:
        """Whether the user chose the demonstration as the source, for outputs as well."""
        return self.source.partition(":")[0] == "demo"

    @property
    def opened(self) -> tuple[object, ...]:
        """What a source is opened for: the values without what takes effect on an open one."""
        return tuple(value for name, value in self if name not in ("lock_exposure", "rotate", "flip"))

    @property
    def orientation(self) -> Orientation:
        """How the frames are turned."""
        return Orientation(self.rotate, self.flip)


class WindowSettings(Model):
    """What the window looks like and remembers. None of it affects the output."""

    first_run_done: bool = False
    close_to_tray: bool | None = setting(
        None, "Closing the window leaves Mattecam in the tray; none asks.", values="on|off|none"
    )
    mirror_preview: bool = setting(True, "Show the preview as a mirror.")
    show_panel: bool = setting(True, "Show the side panel.")
    all_settings: bool = setting(False, "Show every setting in the side panel, not only what most people need.")
    show_readout: bool = setting(True, "Show frame rate and delay on the preview.")
    theme: Theme = setting("system", "Colours of the window.")
    language: Language = setting("system", "Language of the window, from the next start on.")
    own_colour: str = setting("#3a5f8a", "The colour of the tile Colour.", pattern=COLOUR, values="#RRGGBB")
    recordings_dir: Path | None = setting(
        None, "Folder of recordings; none: Mattecam in your folder of videos.", values="FOLDER"
    )
    geometry: str = ""
    """Size and position of the window, as encoded by Qt, in base 64."""
    cameras: dict[str, CaptureSettings] = {}  # noqa: RUF012 - pydantic copies it
    """The last settings of each camera, by its stable id."""
