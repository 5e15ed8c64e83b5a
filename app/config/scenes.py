"""Saved scenes: whole settings under a name, in one JSON file."""

from __future__ import annotations

from pathlib import Path

from app.config import paths, settings_file
from app.config.json_file import BrokenFileError, JsonObject, read_object, write_object
from app.core.errors import SettingsError
from app.core.settings import Settings

FORMAT_VERSION = 1
MAX_NAME_LENGTH = 80


def default_path() -> Path:
    """The scenes file used where none is named."""
    return paths.config_dir() / "scenes.json"


def check_name(name: str) -> str:
    """The name without spaces around it; raises SettingsError unless it is a printable line of 1 to 80 characters."""
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise SettingsError(f"{name!r} cannot be the name of a scene; use 1 to {MAX_NAME_LENGTH} printable characters.")
    return name


class SceneStore:
    """The scenes in one file. Every call reads the file, so a window and a command line may share it.

    A scene that cannot be understood stays in the file as it is; a file that cannot be is kept as `.bad`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warning: str | None = None
        """Why the file could not be used, in one sentence; set by whichever call met it."""

    def names(self) -> tuple[str, ...]:
        """All names, in the order they were first saved."""
        return tuple(self._read())

    def get(self, name: str) -> Settings:
        """The settings of a scene; raises SettingsError where there is none or it cannot be understood."""
        data = self._find(self._read(), name)
        try:
            if not isinstance(data, dict):
                raise BrokenFileError("it does not hold a JSON object")
            return settings_file.parse(data)
        except BrokenFileError as error:
            raise SettingsError(
                f"The scene {name!r} in {self.path} could not be used ({error}); save it again or remove it."
            ) from error

    def put(self, name: str, settings: Settings) -> None:
        """Save under a name, replacing an earlier scene of that name; raises SettingsError."""
        scenes = self._read()
        scenes[check_name(name)] = settings_file.dump(settings)
        self._write(scenes)

    def rename(self, name: str, new_name: str) -> None:
        """Give a scene another name, in its place; raises SettingsError where that name is taken or none is found."""
        scenes = self._read()
        self._find(scenes, name)
        new_name = check_name(new_name)
        if new_name in scenes and new_name != name:
            raise SettingsError(f"There is a scene {new_name!r} already; choose another name or remove it first.")
        self._write({new_name if key == name else key: data for key, data in scenes.items()})

    def remove(self, name: str) -> None:
        """Forget a scene; raises SettingsError where there is none of that name."""
        scenes = self._read()
        self._find(scenes, name)
        del scenes[name]
        self._write(scenes)

    @staticmethod
    def _find(scenes: JsonObject, name: str) -> object:
        if name not in scenes:
            known = f"the scenes are {', '.join(scenes)}" if scenes else "none is saved yet"
            raise SettingsError(f"There is no scene {name!r}; {known}.")
        return scenes[name]

    def _read(self) -> JsonObject:
        try:
            data = read_object(self.path)
            if data is None:
                return {}
            scenes = data.get("scenes")
            if data.get("version") != FORMAT_VERSION or not isinstance(scenes, dict):
                raise BrokenFileError(f"it is not a scenes file of version {FORMAT_VERSION}")
        except BrokenFileError as error:
            self.warning = settings_file.keep_broken("scenes file", self.path, str(error), "no scenes are on hand")
            return {}
        except OSError as error:
            # Writing after a failed read would replace scenes that are still there.
            raise SettingsError(
                f"The scenes file {self.path} could not be read ({error.strerror or error})."
            ) from error
        return scenes

    def _write(self, scenes: JsonObject) -> None:
        write_object(self.path, {"version": FORMAT_VERSION, "scenes": scenes})
