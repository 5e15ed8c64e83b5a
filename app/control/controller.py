"""Executes commands as changes of the settings, for the window and the headless run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from app.config.scenes import SceneStore
from app.config.setting import Setting, with_value
from app.control.changes import Apply, SettingsChanges, answered
from app.control.commands import SETTABLE, Command, Status, find_settable, parse_person
from app.control.files import (
    Backgrounds,
    PlateTaking,
    background_of_word,
    description,
    named_background,
    next_background,
    record,
)
from app.core.declaration import Exposure
from app.core.errors import MattecamError, Stage, UsageError, t
from app.core.files import exists, no_answer
from app.core.paths import backgrounds_dir
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.matting.plate.picture import store_plate
from app.output.base import write_snapshot
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, status_fields
from app.settings import Settings, rebase

# Timeout for the effect of a command, which is then answered as pending.
CONFIRM_S = 8.0
# What a scene does, by what `Scene.exposes` returns.
EXPOSURES: Mapping[Exposure, str] = {
    "room": "shows your real background",
    "readable": "has a blur so weak that text in your room can be read",
    "hidden": "does not hide what your zones hide now",
    "people": "shows everybody, and not one person only",
    "things": "does not hide things mistaken for people",
    "edges": "shows more around people",
    "locked": "does not pause while the screen is locked",
}
CHANGE_SCENES = ("--save", "--save-with-camera", "--rename", "--remove")
# After the name of a scene: the user knows that it shows the room.
CONFIRMED = " --yes"


class SettingsController:
    """Changes the settings of the running program. Thread-safe if its callables are.

    Commands are coroutines. What hides is in force before their first wait, and before any file is
    read.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        backgrounds: Callable[[], Backgrounds],
        scenes: SceneStore,
        request_quit: Callable[[], None],
        request_show: Callable[[], None] | None = None,
        change: Apply | None = None,
        undo: Callable[[], Apply] | None = None,
        scenes_changed: Callable[[], None] = lambda: None,
        store_plate: Callable[[BgrImage, str], Path] = store_plate,
        confirm_s: float = CONFIRM_S,
    ) -> None:
        """Connect the controller with the program.

        backgrounds, store_plate: may read and write files; called on threads of their own.
        store_plate: `keep` of `PlateTaking`. request_quit, request_show: return at once; the latter
        is None for a run without a window of the user. change, undo: see `SettingsChanges`.
        scenes_changed: called after a scene was saved or removed.
        """
        self._pipeline = pipeline
        self._backgrounds = backgrounds
        self._request_quit = request_quit
        self._request_show = request_show
        self._changes = changes = SettingsChanges(pipeline, confirm_s, change, undo)
        self._scenes = scenes
        self._scenes_changed = scenes_changed
        self._actions: Mapping[str, Callable[[str], Awaitable[str]]] = {
            "background": self._background,
            "freeze": partial(self._switch, "frozen"),
            "get": self._describe,
            "only-me": self._only_me,
            "pause": partial(self._switch, "paused"),
            "plate": PlateTaking(changes, store_plate).take,
            "quit": self._quit,
            "record": partial(record, changes, "record"),
            "record-alpha": partial(record, changes, "record_alpha"),
            "reset": self._reset,
            "retry": self._retry_failed,
            "scene": self._scene,
            "show": self._show,
            "snapshot": self._snapshot,
        }

    async def run(self, command: Command) -> str:
        """Execute a checked command; return a sentence about the state it led to.

        Raises MattecamError.
        """
        if command.name == "set":
            return await self._set(*command.assignment)
        return await self._actions[command.name](command.argument)

    def status(self) -> Status:
        """Return the fields of `--status-json`, `paused` and `frozen`."""
        settings = self._pipeline.settings
        return {
            **status_fields(self._pipeline.status()),
            "paused": settings.paused,
            "frozen": settings.frozen,
        }

    def close(self) -> None:
        """Let running commands return without waiting any longer."""
        self._changes.close()

    async def _describe(self, name: str) -> str:
        """Return one setting with its choices, or all settings, one per line."""
        settings = self._pipeline.settings
        if not name:
            lines = [_line(each.name, each, settings) for each in SETTABLE.values()]
            return "\n".join(lines)
        setting = _find(name)
        line = _line(name, setting, settings)
        if not setting.choices:
            return line
        return f"{line}; the choices are {', '.join(setting.choices)}"

    async def _set(self, name: str, text: str) -> str:
        """Set a setting by its name. Raises UsageError, which lists the choices."""
        setting = _find(name)
        if not setting.is_path:
            return await self._store(name, _parsed(name, text))
        value = await self._changes.files.run(
            partial(_parsed, name, text),
            no_answer(text),
            hides=setting.hides is not None,
        )
        return await self._store(name, value)

    async def _reset(self, name: str) -> str:
        return await self._store(name, _find(name).default)

    async def _store(self, name: str, value: Any) -> str:
        setting = _find(name)

        def update(now: Settings) -> Settings:
            return with_value(now, setting.name, value)

        file = value if isinstance(value, Path) else None
        settings, in_use = await self._changes.follow(update, named=file)
        return answered(_line(name, setting, settings), in_use)

    async def _background(self, name: str) -> str:
        present = self._pipeline.settings
        before = present.background
        backgrounds: Backgrounds = ()
        word = background_of_word(name, before)
        if word is not None:
            chosen = word
        else:
            place = backgrounds_dir() if name == "next" else name
            chosen, backgrounds = await self._changes.files.run(
                partial(self._find_background, name, present),
                no_answer(place),
                hides=before.kind == "none",
            )

        def update(now: Settings) -> Settings:
            return now.replace(background=rebase(now.background, before, chosen))

        settings, in_use = await self._changes.follow(update, named=chosen.file)
        return answered(f"Background: {description(settings.background, backgrounds)}.", in_use)

    def _find_background(
        self,
        name: str,
        present: Settings,
    ) -> tuple[BackgroundSettings, Backgrounds]:
        """Return the background that a name stands for, and all that have names. Reads files."""
        backgrounds = self._backgrounds()
        before = present.background
        if name != "next":
            return named_background(name, before, backgrounds), backgrounds
        readable = present.replace(background=before.replace(kind="blur")).text_is_readable
        return next_background(before, backgrounds, blur=not readable), backgrounds

    async def _switch(self, name: str, switch: str) -> str:
        def update(settings: Settings) -> Settings:
            is_on = switch != "off"
            if switch == "toggle":
                is_on = not getattr(settings, name)
            changes = {name: is_on}
            if name == "paused":
                # The user wants it, so the end of a lock does not end it.
                changes["paused_by_lock"] = False
            return settings.replace(**changes)

        self._changes.apply(update)
        return await self._shown()

    async def _shown(self) -> str:
        """Return what the outputs show once they do."""
        settings = self._pipeline.settings
        if settings.paused:
            answer = "Paused: the outputs show the stand-by card."
            if await self._changes.wait_for(lambda: self._pipeline.phase is not Phase.RUNNING):
                return answer
            return f"{answer} The part that processes frames does not answer."
        if settings.frozen:
            return "Frozen: the outputs keep the last frame."
        if await self._changes.wait_for(lambda: self._pipeline.phase is not Phase.PAUSED):
            return "Resumed."
        return "Resumed; the next frame is still to come."

    async def _scene(self, argument: str) -> str:
        """Use the scene in `NAME [--yes]`, or change the saved ones by a word such as `--save`.

        Without `--yes` a scene is used only if it shows nothing that the settings hide.
        """
        word, _, rest = argument.partition(" ")
        files = self._changes.files
        gone = t(
            "The scenes file {file} does not answer; reconnect its disk.",
            file=self._scenes.path,
        )
        if word in CHANGE_SCENES:
            answer = await files.run(partial(self._change_scenes, word, rest), gone)
            self._scenes_changed()
            return answer
        name = argument.removesuffix(CONFIRMED).rstrip()
        confirmed = argument.endswith(CONFIRMED)
        scene = await files.run(partial(self._scenes.get, name), gone)

        def update(current: Settings) -> Settings:
            exposed = () if confirmed else scene.exposes(current)
            if exposed:
                does = EXPOSURES[exposed[0]]
                raise UsageError(
                    f"The scene “{name}” {does}; write `ctl scene {name} --yes` to confirm it.",
                )
            return scene.applied_to(current)

        _, in_use = await self._changes.follow(update)
        return answered(f"Scene: {name}.", in_use)

    def _change_scenes(self, word: str, rest: str) -> str:
        if word == "--remove":
            self._scenes.remove(rest)
            return f"Removed the scene {rest}."
        if word != "--rename":
            with_devices = word == "--save-with-camera"
            renamed = self._scenes.put(rest, self._pipeline.settings, with_devices=with_devices)
            answer = f"Saved the scene {rest}."
            if renamed is None:
                return answer
            return f"{answer} {renamed}"
        name, equals, new = map(str.strip, rest.partition("="))
        if not equals:
            raise UsageError(
                "Name the scene and its new name, such as `scene --rename Work=Office`, not "
                f"“{rest}”.",
            )
        self._scenes.rename(name, new)
        return f"Renamed the scene {name} to {new}."

    async def _only_me(self, text: str) -> str:
        point = parse_person(text)
        is_on = text != "off"
        self._changes.apply(lambda now: now.with_person(point, on=is_on))
        if not is_on:
            return "Everybody is shown."
        await self._changes.wait_until_used()
        if self._pipeline.status().hides_person:
            return (
                "Nobody is shown: there is no person at this place, or it is not certain who is "
                "the selected one."
            )
        return "Only the selected person is shown."

    async def _snapshot(self, file: str) -> str:
        path = Path(file)
        if path.suffix.lower() != ".png":
            raise UsageError(f"The name of a snapshot must end in .png, not “{path.name}”.")

        def write() -> None:
            if exists(path):
                raise UsageError(f"{path} already exists; name a new file.")
            write_snapshot(path, self._pipeline.still().image)

        await self._changes.files.run(write, no_answer(path))
        return f"Saved {path}."

    async def _retry_failed(self, _argument: str) -> str:
        gone = t("A file that the settings name does not answer; reconnect its disk.")
        await self._changes.files.run(self._pipeline.retry, gone)
        await self._changes.wait_until_used()
        problem = self._changes.problem(Stage.CAPTURE, Stage.MATTING)
        if problem is not None:
            raise problem.error
        return "What failed is tried again."

    async def _quit(self, _argument: str) -> str:
        self._request_quit()
        return "Mattecam stops."

    async def _show(self, _argument: str) -> str:
        if self._request_show is None:
            raise MattecamError("The running Mattecam has no window; `ctl quit` ends it.")
        self._request_show()
        return "The window is brought to the front."


def _parsed(name: str, text: str) -> Any:
    """Return the value that a text names for a setting. May read files. Raises UsageError."""
    setting = _find(name)
    value = setting.parsed(text, name)
    if isinstance(value, Path) and not setting.is_folder and not exists(value):
        raise UsageError(
            f"There is no file {value} for {name}; check the path, or write “none” to remove it.",
        )
    return value


def _line(name: str, setting: Setting, settings: Settings) -> str:
    """Return a setting as the answers name it. name: as the user wrote it."""
    return f"{name}: {setting.text(setting.value_in(settings))}"


def _find(name: str) -> Setting:
    setting = find_settable(name)
    if setting is None:
        advice = "`ctl get` lists all"
        similar = get_close_matches(name.replace("-", "_"), SETTABLE, cutoff=0.4)
        if similar:
            advice = f"similar ones are {', '.join(similar)}, and {advice}"
        raise UsageError(f"There is no setting “{name}”; {advice}.")
    return setting
