"""Saved scenes: named sets of settings, in one JSON file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.config import settings_file
from app.config.exposure import exposed_by
from app.config.setting import SETTINGS
from app.core import paths
from app.core.declaration import Exposure, Scope, with_scopes_of
from app.core.errors import SettingsError, Text, UsageError, t
from app.core.user_file import BrokenFileError, JsonObject, UserFile, why_not_used
from app.settings import Settings

FORMAT_VERSION = 1
MAX_NAME_LENGTH = 80
_WITH_DEVICES = "with_devices"


@dataclass(frozen=True, slots=True)
class Scene:
    """The look of the output: framing, matting, background, mirroring, stand-by card.

    Optionally the devices.

    Pause, freeze, recording, microphone and the selected person belong to a run and are never part
    of a scene.
    """

    settings: Settings
    # Whether applying the scene also switches the source and the virtual camera.
    with_devices: bool = False

    def applied_to(self, current: Settings) -> Settings:
        """Return `current` with the look of the scene, and with its devices if it was saved with
        them.
        """
        kept: list[Scope] = ["program", "run"]
        if not self.with_devices:
            kept.append("device")
        return with_scopes_of(self.settings, current, kept)

    def exposes(self, current: Settings) -> tuple[Exposure, ...]:
        """Return what the scene may show and `current` does not."""
        return exposed_by(self.applied_to(current), current)


def path_beside(settings_file: Path) -> Path:
    """Return the scenes file that belongs to a settings file, for the window and each command.

    A scene of the same name in another file may hide less.
    """
    return settings_file.with_name("scenes.json")


def default_path() -> Path:
    """Return the scenes file that is used unless another settings file is named."""
    return path_beside(paths.config_dir() / "settings.json")


def check_name(name: str) -> str:
    """Return the stripped name.

    Raise UsageError unless it is one line of 1 to 80 printable characters.
    """
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


def _checked(data: JsonObject) -> JsonObject:
    """Return what a scenes file holds. Raises BrokenFileError."""
    if data.get("version") != FORMAT_VERSION or not isinstance(data.get("scenes"), dict):
        raise BrokenFileError(
            t(
                "it is not a scenes file of format version {version}",
                version=FORMAT_VERSION,
            )
        )
    return data


def _scenes_in(data: JsonObject | None) -> JsonObject:
    if data is None:
        return {}
    scenes = data["scenes"]
    return scenes if isinstance(scenes, dict) else {}


def _with_scenes(data: JsonObject | None, scenes: JsonObject) -> JsonObject:
    """Return the data of a file with other scenes.

    What another version has written beside them stays.
    """
    if data is None:
        return {"version": FORMAT_VERSION, "scenes": scenes}
    return {**data, "scenes": scenes}


def _places(*scopes: Scope) -> dict[str, Any]:
    """Return the fields of the settings of these scopes, as pydantic takes them.

    True by name, in sections by name.
    """
    places: dict[str, Any] = {}
    for setting in SETTINGS.values():
        if setting.scope in scopes:
            section = places
            for name in setting.path[:-1]:
                section = section.setdefault(name, {})
            section[setting.path[-1]] = True
    return places


class SceneStore:
    """The scenes in one file, which every call reads. Thread-safe.

    An invalid scene stays in the file unchanged. A file that cannot be used stays as it is until a
    scene is saved: then it is renamed to `.bad`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = UserFile(path, _checked)

    def get(self, name: str) -> Scene:
        """Return a scene; raise UsageError if there is none of that name, SettingsError if it
        cannot be used.
        """
        data = self._find(self._read(), name)
        try:
            if not isinstance(data, dict):
                raise BrokenFileError(t("it contains no JSON object"))
            values = {key: value for key, value in data.items() if key != _WITH_DEVICES}
            return Scene(settings_file.parse(values), with_devices=data.get(_WITH_DEVICES) is True)
        except BrokenFileError as error:
            raise SettingsError(
                t(
                    "The scene “{name}” in {file} cannot be used ({reason}); save it again or "
                    "remove it.",
                    name=name,
                    file=self.path,
                    reason=error.text,
                )
            ) from error

    def names(self) -> tuple[str, ...]:
        """Return all names, in the order in which they were first saved.

        Those of invalid scenes too.

        Raises SettingsError.
        """
        return tuple(self._read())

    def put(self, name: str, settings: Settings, *, with_devices: bool = False) -> Text | None:
        """Save the look of `settings` as a scene, and their devices if asked.

        Replaces a scene of the same name.

        Returns what to tell the user where the file could not be used and was renamed. Raises
        UsageError if the name is impossible, and SettingsError.
        """
        name = check_name(name)
        places = _places("scene", "device") if with_devices else _places("scene")
        scene = settings.model_dump(mode="json", include=places)
        if with_devices:
            scene[_WITH_DEVICES] = True

        def update(data: JsonObject | None) -> JsonObject:
            return _with_scenes(data, {**_scenes_in(data), name: scene})

        return self._file.change(update)

    def rename(self, name: str, new_name: str) -> None:
        """Rename a scene and keep its position.

        Raise UsageError if it is missing or the new name is taken.

        Raises SettingsError.
        """

        def renamed(scenes: JsonObject) -> JsonObject:
            self._find(scenes, name)
            new = check_name(new_name)
            if new in scenes and new != name:
                raise UsageError(
                    t(
                        "A scene “{name}” already exists; choose another name or remove it first.",
                        name=new,
                    )
                )
            return {new if key == name else key: data for key, data in scenes.items()}

        self._change(renamed)

    def follow_rename(self, old: Path, new: Path) -> None:
        """Let scenes whose background was `old` name it `new`. Raises SettingsError."""

        def followed(scenes: JsonObject) -> JsonObject | None:
            is_used = False
            for scene in scenes.values():
                # What is no scene stays in the file as it is.
                background = scene.get("background") if isinstance(scene, dict) else None
                if isinstance(background, dict) and background.get("path") == str(old):
                    background["path"] = str(new)
                    is_used = True
            return scenes if is_used else None

        self._change(followed)

    def remove(self, name: str) -> None:
        """Delete a scene; raise UsageError if there is none of that name. Raises SettingsError."""

        def without(scenes: JsonObject) -> JsonObject:
            self._find(scenes, name)
            return {key: data for key, data in scenes.items() if key != name}

        self._change(without)

    @staticmethod
    def _find(scenes: JsonObject, name: str) -> object:
        if name not in scenes:
            if not scenes:
                raise UsageError(t("There is no scene “{name}”; no scene is saved yet.", name=name))
            raise UsageError(
                t(
                    "There is no scene “{name}”; the scenes are {names}.",
                    name=name,
                    names=tuple(scenes),
                )
            )
        return scenes[name]

    def _read(self) -> JsonObject:
        try:
            return _scenes_in(self._file.read())
        except (BrokenFileError, OSError) as error:
            raise SettingsError(
                t(
                    "The scenes file {file} cannot be used ({reason}); correct it or move it away.",
                    file=self.path,
                    reason=why_not_used(error),
                )
            ) from error

    def _change(self, update: Callable[[JsonObject], JsonObject | None]) -> None:
        """Change the scenes that were read; by None nothing is written."""
        self._read()  # raises what is wrong with the file

        def changed(data: JsonObject | None) -> JsonObject | None:
            scenes = update(_scenes_in(data))
            if scenes is None:
                return None
            return _with_scenes(data, scenes)

        self._file.change(changed)
