"""Wishes from outside as changes of the settings; the window and the headless program use the same one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config.parsing import parse_background
from app.control.commands import JsonValue
from app.core.errors import UsageError
from app.core.settings import BackgroundSettings, Settings


@dataclass(frozen=True, slots=True)
class SettingsController:
    """Changes the settings of the running program. Every callable is called on the control thread."""

    settings: Callable[[], Settings]
    apply: Callable[[Settings], None]
    status_fields: Callable[[], Mapping[str, JsonValue]]
    """The fields of `--status-json`."""
    backgrounds: Callable[[], Sequence[Path]]
    """The user's images and videos, in the order of the strip."""
    find_scene: Callable[[str], Settings]
    """Raises SettingsError, which names the scenes there are."""
    ask_to_end: Callable[[], None]
    """Returns at once."""

    def background(self, name: str) -> str:
        """`next`, the name of a file in the strip with or without its suffix, or as for `--background`."""
        current = self.settings()
        chosen = self._next(current.background) if name == "next" else self._named(name, current.background)
        self.apply(current.replace(background=chosen))
        return f"Background: {_described(chosen)}."

    def pause(self) -> str:
        """Toggle."""
        current = self.settings()
        self.apply(current.replace(paused=not current.paused))
        return "On again." if current.paused else "Paused: the outputs show the stand-by card."

    def resume(self) -> str:
        """Neither paused nor frozen."""
        self.apply(self.settings().replace(paused=False, frozen=False))
        return "On again."

    def freeze(self) -> str:
        """Toggle."""
        current = self.settings()
        self.apply(current.replace(frozen=not current.frozen))
        return "On again." if current.frozen else "Frozen: the outputs keep the last picture."

    def scene(self, name: str) -> str:
        """Every setting of the scene."""
        self.apply(self.find_scene(name))
        return f"Scene: {name}."

    def ratio(self, ratio: float | None) -> str:
        """For the model in use."""
        current = self.settings()
        self.apply(current.replace(matting=current.matting.replace(downsample_ratio=ratio)))
        return f"Downsample ratio: {'automatic' if ratio is None else f'{ratio:g}'}."

    def zoom(self, zoom: float) -> str:
        """The place in the picture stays."""
        current = self.settings()
        self.apply(current.replace(framing=current.framing.replace(zoom=zoom)))
        return f"Zoom: {zoom:g}."

    def status(self) -> Mapping[str, JsonValue]:
        """Now."""
        return self.status_fields()

    def quit(self) -> str:
        """Only asks."""
        self.ask_to_end()
        return "Mattecam ends."

    def _next(self, current: BackgroundSettings) -> BackgroundSettings:
        """Blur, then every file of the strip, then blur again; never the bare room."""
        files = list(self.backgrounds())
        if current.kind == "blur":
            place = 0
        elif current.kind in ("image", "video") and current.path in files:
            place = files.index(current.path) + 1
        else:
            return current.replace(kind="blur")
        if not files:
            raise UsageError("There is no other background; add images or videos to the strip first.")
        if place == len(files):
            return current.replace(kind="blur")
        return parse_background(str(files[place]), current)

    def _named(self, name: str, current: BackgroundSettings) -> BackgroundSettings:
        for path in self.backgrounds():
            if name in (path.name, path.stem):
                return parse_background(str(path), current)
        chosen = parse_background(name, current)
        if chosen.kind in ("image", "video") and not (chosen.path and chosen.path.is_file()):
            raise UsageError(f"There is no background and no file called {name!r}.")
        return chosen


def _described(background: BackgroundSettings) -> str:
    if background.kind in ("image", "video") and background.path is not None:
        return background.path.name
    if background.kind == "colour":
        return background.colour
    return "the bare room, uncut" if background.kind == "none" else background.kind
