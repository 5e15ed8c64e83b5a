"""Saved scenes: named sets of settings, in one JSON file."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.config import settings_file
from app.core import paths
from app.core.errors import SettingsError, UsageError, t
from app.core.files import BrokenFileError, JsonObject, read_object, why_not_read, write_object
from app.core.settings import Settings

log = logging.getLogger(__name__)
_changing = threading.Lock()
"""Held from reading a file to writing it."""
FORMAT_VERSION = 1
MAX_NAME_LENGTH = 80
_WITH_DEVICES = "with_devices"
_OF_THE_PROGRAM = ("window", "selected", "paused", "frozen")
_OF_A_RUN = ("record", "record_alpha", "record_rate", "encoder", "microphone")
_DEVICES = ("virtual_camera", "virtual_camera_backend", "alpha_output", "pipewire", "on_demand")
"""Fields of `Settings`, and of its output, that are never part of a scene; `_DEVICES` of the output are if it is saved
with them."""

Exposure = Literal["room", "readable", "hidden", "people"]
"""What settings may show and others do not: the room, text in the room, what a zone hides, or other people."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The look of the output: framing, matting, background, mirroring, stand-by card. Optionally the devices.

    Pause, freeze, recording, microphone and the selected person belong to a run and are never part of a scene.
    """

    settings: Settings
    with_devices: bool = False
    """Whether applying the scene also switches the source and the virtual camera."""

    def applied_to(self, current: Settings) -> Settings:
        """Return `current` with the look of the scene, and with its devices if it was saved with them."""
        devices = self.settings if self.with_devices else current
        kept = {name: getattr(current.output, name) for name in _OF_A_RUN}
        output = self.settings.output.replace(**kept, **{name: getattr(devices.output, name) for name in _DEVICES})
        own = {name: getattr(current, name) for name in _OF_THE_PROGRAM}
        return self.settings.replace(capture=devices.capture, output=output, **own)

    def exposes(self, current: Settings) -> tuple[Exposure, ...]:
        """Return what the scene may show and `current` does not."""
        return exposed_by(self.applied_to(current), current)


def exposed_by(new: Settings, current: Settings) -> tuple[Exposure, ...]:
    """Return all that `new` may show and `current` does not, the worst first."""
    if new.background.kind == "none":
        return () if current.background.kind == "none" else ("room",)
    # As readable as under a weak blur; an image hides all of the room.
    readable_now = current.background.kind == "none" or (
        current.background.kind == "blur" and current.shown_blur <= new.shown_blur
    )
    exposed: dict[Exposure, bool] = {
        "readable": new.text_is_readable and not readable_now,
        "hidden": not set(current.people.zones) <= set(new.people.zones),
        "people": current.people.only_me and not new.people.only_me,
    }
    return tuple(what for what, is_exposed in exposed.items() if is_exposed)


def default_path() -> Path:
    """Return the scenes file that is used unless another one is named."""
    return paths.config_dir() / "scenes.json"


def check_name(name: str) -> str:
    """Return the stripped name; raise UsageError unless it is one line of 1 to 80 printable characters."""
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise UsageError(
            t(
                "“{name}” cannot be the name of a scene; use 1 to {length} printable characters.",
                name=name,
                length=MAX_NAME_LENGTH,
            )
        )
    return name


class SceneStore:
    """The scenes in one file, which every call reads. Thread-safe.

    An invalid scene stays in the file unchanged. An invalid file is kept as `.bad`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, name: str) -> Scene:
        """Return a scene; raise UsageError if there is none of that name, SettingsError if it is invalid."""
        data = self._find(self._read(), name)
        try:
            if not isinstance(data, dict):
                raise BrokenFileError(t("it contains no JSON object"))
            values = {key: value for key, value in data.items() if key != _WITH_DEVICES}
            return Scene(settings_file.parse(values), with_devices=data.get(_WITH_DEVICES) is True)
        except BrokenFileError as error:
            raise SettingsError(
                t(
                    "The scene “{name}” in {file} cannot be used ({reason}); save it again or remove it.",
                    name=name,
                    file=self.path,
                    reason=error.text,
                )
            ) from error

    def names(self) -> tuple[str, ...]:
        """Return all names, in the order in which they were first saved; those of invalid scenes too."""
        return tuple(self._read())

    def put(self, name: str, settings: Settings, *, with_devices: bool = False) -> None:
        """Save the look of `settings` as a scene, and their devices if asked; replaces a scene of the same name.

        Raises UsageError if the name is impossible, and SettingsError.
        """
        name = check_name(name)
        data = settings.model_dump(
            mode="json", exclude={**dict.fromkeys(_OF_THE_PROGRAM, True), "output": set(_OF_A_RUN)}
        )
        if with_devices:
            data[_WITH_DEVICES] = True
        else:
            del data["capture"]
            for device in _DEVICES:
                del data["output"][device]
        with _changing:
            self._write({**self._read(), name: data})

    def rename(self, name: str, new_name: str) -> None:
        """Rename a scene and keep its position; raise UsageError if it is missing or the new name is taken."""
        with _changing:
            scenes = self._read()
            self._find(scenes, name)
            new_name = check_name(new_name)
            if new_name in scenes and new_name != name:
                raise UsageError(
                    t("A scene “{name}” already exists; choose another name or remove it first.", name=new_name)
                )
            self._write({new_name if key == name else key: data for key, data in scenes.items()})

    def follow_rename(self, old: Path, new: Path) -> None:
        """Let scenes whose background was `old` name it `new`. Raises SettingsError."""
        with _changing:
            scenes = self._read()
            backgrounds = [data.get("background") for data in scenes.values() if isinstance(data, dict)]
            used = [each for each in backgrounds if isinstance(each, dict) and each.get("path") == str(old)]
            for background in used:
                background["path"] = str(new)
            if used:
                self._write(scenes)

    def remove(self, name: str) -> None:
        """Delete a scene; raise UsageError if there is none of that name."""
        with _changing:
            scenes = self._read()
            self._find(scenes, name)
            del scenes[name]
            self._write(scenes)

    @staticmethod
    def _find(scenes: JsonObject, name: str) -> object:
        if name not in scenes:
            if not scenes:
                raise UsageError(t("There is no scene “{name}”; no scene is saved yet.", name=name))
            raise UsageError(t("There is no scene “{name}”; the scenes are {names}.", name=name, names=tuple(scenes)))
        return scenes[name]

    def _read(self) -> JsonObject:
        try:
            data = read_object(self.path)
            if data is None:
                return {}
            scenes = data.get("scenes")
            if data.get("version") != FORMAT_VERSION or not isinstance(scenes, dict):
                raise BrokenFileError(t("it is not a scenes file of format version {version}", version=FORMAT_VERSION))
        except BrokenFileError as error:
            log.warning("%s", settings_file.keep_broken(self.path, error.text))
            return {}
        except OSError as error:
            # Writing after a failed read would delete the scenes in the file.
            raise SettingsError(
                t("The scenes file {file} cannot be read ({reason}).", file=self.path, reason=why_not_read(error))
            ) from error
        return scenes

    def _write(self, scenes: JsonObject) -> None:
        write_object(self.path, {"version": FORMAT_VERSION, "scenes": scenes})
