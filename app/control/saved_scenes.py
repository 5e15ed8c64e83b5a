"""The commands that use, save, rename and remove scenes."""

from __future__ import annotations

from collections.abc import Callable

from app.config.scenes import SceneStore
from app.core.errors import UsageError
from app.core.messages.control import AnswerText, ControlText
from app.core.settings import Settings
from app.core.text import Text
from app.runtime.pipeline import Update

CONFIRMED = " --yes"
"""After the name of a scene: the user knows that it shows the room."""


class SavedScenes:
    """Reads and changes the file of scenes. Every method raises SettingsError, which lists the scenes."""

    def __init__(self, scenes: SceneStore, settings: Callable[[], Settings], changed: Callable[[], None]) -> None:
        """changed: called after every change of the file."""
        self._scenes, self._settings, self._changed = scenes, settings, changed

    def change_to(self, argument: str) -> tuple[str, Update]:
        """Return the name of the scene in `NAME [--yes]`, and the change of the settings to its look.

        Without `--yes` the change raises UsageError where it would show what the settings in effect hide.
        """
        name = argument.removesuffix(CONFIRMED).rstrip()
        scene, confirmed = self._scenes.get(name), argument.endswith(CONFIRMED)

        def update(current: Settings) -> Settings:
            exposed = "nothing" if confirmed else scene.exposes(current)
            if exposed != "nothing":
                message = ControlText.SCENE_SHOWS_ROOM if exposed == "room" else ControlText.SCENE_SHOWS_ZONES
                raise UsageError(message(name=name))
            return scene.applied_to(current)

        return name, update

    def save(self, name: str, *, with_devices: bool = False) -> Text:
        """Save the settings in effect as a scene; replaces a scene of the same name."""
        self._scenes.put(name, self._settings(), with_devices=with_devices)
        self._changed()
        return AnswerText.SCENE_SAVED(name=name)

    def rename(self, argument: str) -> Text:
        """Rename a scene; the argument is `NAME=NEW NAME`."""
        name, equals, new = argument.partition("=")
        if not equals:
            raise UsageError(ControlText.RENAME(text=argument))
        self._scenes.rename(name.strip(), new)
        self._changed()
        return AnswerText.SCENE_RENAMED(name=name.strip(), new=new.strip())

    def remove(self, name: str) -> Text:
        """Delete a scene."""
        self._scenes.remove(name)
        self._changed()
        return AnswerText.SCENE_REMOVED(name=name)
