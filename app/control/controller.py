"""Executes commands as changes of the settings, for the window and the headless run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from app.config.parsing import read_zones
from app.config.scenes import SceneStore
from app.control.backgrounds import Tiles, description, named_background, next_background
from app.control.changes import Apply, CommandError, SettingsChanges, answered
from app.control.commands import SETTERS, Command, JsonValue, parse_person
from app.control.plate import PlateCommand
from app.control.recording import RecordCommand
from app.control.values import SettingsCommands
from app.core.errors import SinkError, Stage, UsageError
from app.core.files import exists, why_not_written
from app.core.settings import Settings, rebase
from app.core.types import BgrImage, Picture
from app.matting.plate.picture import store_plate
from app.media.image_file import write_picture
from app.output.sound import MicrophoneName, microphones
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, status_fields
from app.system import autostart

CONFIRM_S = 8.0
"""Timeout for the effect of a command, which is then answered as pending."""
EXPOSURES = {
    "people": (
        "The scene “{name}” shows everybody, and not one person only; write `ctl scene {name} --yes` to confirm it."
    ),
    "hidden": (
        "The scene “{name}” does not hide what your zones hide now; write `ctl scene {name} --yes` to confirm it."
    ),
    "readable": (
        "The blur of the scene “{name}” is so weak that text in your room can be read; write `ctl scene "
        "{name} --yes` to confirm it."
    ),
    "room": "The scene “{name}” shows your real background; write `ctl scene {name} --yes` to confirm it.",
}
"""By what `Scene.exposes` returns."""
CONFIRMED = " --yes"
"""After the name of a scene: the user knows that it shows the room."""
RETRIED = (Stage.CAPTURE, Stage.MATTING)
"""Parts of the program that `retry` concerns."""


class SettingsController:
    """Changes the settings of the running program. Thread-safe if its callables are."""

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        tiles: Callable[[], Tiles],
        scenes: SceneStore,
        request_quit: Callable[[], None],
        newest: Callable[[], Picture | None] = lambda: None,
        change: Apply | None = None,
        undo: Callable[[], Apply] | None = None,
        scenes_changed: Callable[[], None] = lambda: None,
        store_plate: Callable[[BgrImage, str], Path] = store_plate,
        listed_microphones: Callable[[], Iterable[MicrophoneName]] = microphones,
        confirm_s: float = CONFIRM_S,
    ) -> None:
        """Connect the controller with the program; the callables are called on control threads.

        request_quit: returns at once. newest: the picture that a snapshot shows; None before the first one.
        change, undo: see `SettingsChanges`. scenes_changed: called after a scene was saved or removed. store_plate: as
        in `PlateCommand`.
        """
        self._pipeline = pipeline
        self._tiles = tiles
        self._request_quit = request_quit
        self._newest = newest
        self._changes = changes = SettingsChanges(pipeline, confirm_s, change, undo)
        self._values = values = SettingsCommands(changes, listed_microphones)
        self._scenes, self._scenes_changed = scenes, scenes_changed
        output, alpha = RecordCommand(changes, "record"), RecordCommand(changes, "record_alpha")
        self._actions: Mapping[str, Callable[[str], str]] = {
            "autostart": switch_autostart,
            "background": self._background,
            "freeze": self._freeze,
            "get": values.describe,
            "model": lambda _: self._describe_model(),
            "only-me": self._only_me,
            "pause": self._pause,
            "plate": PlateCommand(changes, store_plate).run,
            "quit": lambda _: self._quit(),
            "record": output.run,
            "record-alpha": alpha.run,
            "reset": values.reset,
            "resume": lambda _: self._resume(),
            "retry": lambda _: self._retry_failed(),
            "scene": self._scene,
            "snapshot": self._snapshot,
            "zones": self._zones,
        }
        self._scene_actions: Mapping[str, Callable[[str], str]] = {
            "--remove": self._remove_scene,
            "--rename": self._rename_scene,
            "--save": self._save_scene,
            "--save-with-camera": partial(self._save_scene, with_devices=True),
        }

    def run(self, command: Command) -> str:
        """Execute a checked command; return a sentence about the state it led to. Raises MattecamError."""
        if command.name in SETTERS and command.argument:
            return self._values.set(command.values)
        return self._actions[command.name](command.argument)

    def status(self) -> Mapping[str, JsonValue]:
        """Return the fields of `--status-json`, `paused` and `frozen`."""
        settings = self._pipeline.settings
        return {**status_fields(self._pipeline.status()), "paused": settings.paused, "frozen": settings.frozen}

    def close(self) -> None:
        """Let running commands return without waiting any longer."""
        self._changes.close()

    def _describe_model(self) -> str:
        """Return the model of the settings, and that in use as `ctl status` names it."""
        status, chosen = self._pipeline.status(), self._pipeline.settings.matting.model
        if status.engine is None:
            return f"matting.model: {chosen}; none is in use yet"
        if status.weights is None:
            return f"matting.model: {chosen}; in use: {status.engine.model}"
        return f"matting.model: {chosen}; in use: {status.engine.model}, with the weights {status.weights}"

    def _background(self, name: str) -> str:
        tiles, present = self._tiles(), self._pipeline.settings
        before = present.background
        if name == "next":
            readable = present.replace(background=before.replace(kind="blur")).text_is_readable
            chosen = next_background(before, tiles.files, blur=not readable)
        else:
            chosen = named_background(name, before, tiles)  # looks for files: a slow disk delays this command alone

        def update(now: Settings) -> Settings:
            return now.replace(background=rebase(now.background, before, chosen))

        settings, in_use = self._changes.follow(update, files=True)
        return answered(f"Background: {description(settings.background, tiles.files)}.", in_use)

    def _pause(self, switch: str) -> str:
        paused = self._switch("paused", switch).paused
        return self._paused() if paused else self._resumed()

    def _freeze(self, switch: str) -> str:
        settings = self._switch("frozen", switch)
        if not settings.frozen:
            return self._resumed()
        return (
            "Frozen, and paused: the outputs show the stand-by card."
            if settings.paused
            else "Frozen: the outputs keep the last frame."
        )

    def _resume(self) -> str:
        self._changes.apply(lambda settings: settings.replace(paused=False, frozen=False))
        return self._resumed()

    def _switch(self, name: str, switch: str) -> Settings:
        def update(settings: Settings) -> Settings:
            on = not getattr(settings, name) if switch == "toggle" else switch != "off"
            return settings.replace(**{name: on})

        return self._changes.apply(update)

    def _paused(self) -> str:
        shown = self._changes.wait_for(lambda status: status.phase is not Phase.RUNNING)
        return (
            "Paused: the outputs show the stand-by card."
            if shown
            else "Paused: the outputs show the stand-by card. The part that processes frames does not answer."
        )

    def _resumed(self) -> str:
        if self._pipeline.settings.paused:
            return self._paused()
        shown = self._changes.wait_for(lambda status: status.phase is not Phase.PAUSED)
        return "Resumed." if shown else "Resumed; the next frame is still to come."

    def _scene(self, argument: str) -> str:
        """Use the scene in `NAME [--yes]`, or do one of `_scene_actions`.

        Without `--yes` a scene is used only if it shows nothing that the settings hide.
        """
        word, _, rest = argument.partition(" ")
        if word in self._scene_actions:
            return self._scene_actions[word](rest)
        name, confirmed = argument.removesuffix(CONFIRMED).rstrip(), argument.endswith(CONFIRMED)
        scene = self._scenes.get(name)

        def update(current: Settings) -> Settings:
            exposed = () if confirmed else scene.exposes(current)
            if exposed:
                raise UsageError(EXPOSURES[exposed[0]].format(name=name))
            return scene.applied_to(current)

        _, in_use = self._changes.follow(update)
        return answered(f"Scene: {name}.", in_use)

    def _save_scene(self, name: str, *, with_devices: bool = False) -> str:
        self._scenes.put(name, self._pipeline.settings, with_devices=with_devices)
        self._scenes_changed()
        return f"Saved the scene {name}."

    def _rename_scene(self, argument: str) -> str:
        """Rename the scene in `NAME=NEW NAME`."""
        name, equals, new = argument.partition("=")
        if not equals:
            raise UsageError(
                f"Name the scene and its new name, such as `scene --rename Work=Office`, not “{argument}”."
            )
        self._scenes.rename(name.strip(), new)
        self._scenes_changed()
        return f"Renamed the scene {name.strip()} to {new.strip()}."

    def _remove_scene(self, name: str) -> str:
        self._scenes.remove(name)
        self._scenes_changed()
        return f"Removed the scene {name}."

    def _only_me(self, text: str) -> str:
        point, on = parse_person(text), text != "off"
        self._changes.apply(lambda now: now.replace(people=now.people.replace(only_me=on), selected=point))
        if not on:
            return "Everybody is shown."
        self._changes.wait_until_used()
        hidden = self._pipeline.status().hides_person
        return (
            "Nobody is shown: there is no person at this place, or it is not certain who is the selected one."
            if hidden
            else "Only the selected person is shown."
        )

    def _zones(self, file: str) -> str:
        read = () if file in ("off", "undo") else read_zones(Path(file))

        def update(settings: Settings) -> Settings:
            zones = settings.people.zones[:-1] if file == "undo" else read
            return settings.replace(people=settings.people.replace(zones=zones))

        zones = self._changes.apply(update).people.zones
        self._changes.wait_until_used()  # until then a picture, such as a snapshot, may show a zone that was removed
        return f"Zones: {len(zones)}." if zones else "Zones: none."

    def _snapshot(self, file: str) -> str:
        path, picture = Path(file), self._newest()
        if path.suffix.lower() != ".png":
            raise UsageError(f"The name of a snapshot must end in .png, not “{path.name}”.")
        if exists(path):
            raise UsageError(f"{path} already exists; name a new file.")
        if picture is None:
            raise SinkError("There is no frame yet; try again when the preview shows one.")
        try:
            write_picture(path, self._pipeline.release(picture).image)
        except OSError as error:
            raise SinkError(f"The image {path} cannot be written: {why_not_written(error)}.") from error
        return f"Saved {path}."

    def _retry_failed(self) -> str:
        self._pipeline.retry()
        self._changes.wait_until_used()
        problem = self._changes.problem(*RETRIED)
        if problem is not None:
            raise CommandError(problem)
        return "What failed is tried again."

    def _quit(self) -> str:
        self._request_quit()
        return "Mattecam stops."


def switch_autostart(switch: str) -> str:
    """Start the window when the user logs in, or not. Raises UsageError where the system has no such entry."""
    if not autostart.supported():
        raise UsageError("Mattecam cannot be started at login by this system; add it to the system's list by hand.")
    autostart.switch(switch == "on")
    return f"Mattecam {'starts' if switch == 'on' else 'does not start'} when you log in."
