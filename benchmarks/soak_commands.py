"""Random commands of `ctl` for the soak, from several threads at once."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from app.config.scenes import SceneStore
from app.config.setting import Setting
from app.control.commands import SETTABLE, SWITCHES, Command, parse_words
from app.control.controller import SettingsController
from app.core.errors import MattecamError
from app.runtime.pipeline import Pipeline
from benchmarks.soak_files import SoakFiles

SHOWS_THE_ROOM = ("background.kind",)
"""Settings with a value by which the user asks for the room."""
OF_THE_MACHINE = (
    "capture.source", "capture.width", "capture.height", "capture.fps", "capture.pixel_format", "matting.model",
    "matting.device", "matting.executor", "output.microphone",
    "output.virtual_camera", "output.virtual_camera_backend", "output.pipewire", "output.encoder",
)  # fmt: skip
"""Settings that reach for devices; the monkey sets what it may of them by itself."""
SIDES = (
    "width 320",
    "width 640",
    "width 1280",
    "width 1920",
    "height 240",
    "height 360",
    "height 720",
    "height 1080",
)


class CommandMonkey:
    """Runs commands on threads of its own until it is stopped. It does not ask for *none*."""

    def __init__(
        self,
        pipeline: Pipeline,
        files: SoakFiles,
        sources: Sequence[str],
        models: Sequence[str],
        seed: int,
    ) -> None:
        """sources: what `set capture.source` may choose. models: what `model` may choose."""
        self._pipeline = pipeline
        self._files = files
        self._sources = sources
        self._models = models
        self._seed = seed
        self._controller = SettingsController(
            pipeline,
            backgrounds=lambda: [(path.stem, path) for path in files.pictures],
            scenes=SceneStore(files.folder / "scenes.json"),
            request_quit=lambda: None,
            confirm_s=1.0,
        )
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self.commands: Counter[str] = Counter()
        self.refused = 0
        self.defects: list[str] = []
        """Exceptions that are no answer."""

    def start(self, threads: int, pause_s: float) -> None:
        """Run commands, each thread with `pause_s` between two."""
        for number in range(threads):
            dice = random.Random(f"{self._seed}-{number}")
            thread = threading.Thread(target=self._run, args=(dice, pause_s), name=f"ctl-{number}")
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the threads; commands that wait for their effect return at once."""
        self._stopped.set()
        self._controller.close()
        for thread in self._threads:
            thread.join()

    def _run(self, dice: random.Random, pause_s: float) -> None:
        while not self._stopped.wait(pause_s):
            words = self.words(dice)
            try:
                command = parse_words(words)
                self.commands[command.name] += 1
                self.run(command)
            except MattecamError:
                self.refused += 1
            except Exception as error:  # noqa: BLE001 - a defect, which the report names
                self.defects.append(f"{' '.join(words)}: {error!r}")

    def run(self, command: Command) -> None:
        """Execute one command. Raises what it raises."""
        if command.name == "status":
            self._controller.status()
        else:
            asyncio.run(self._controller.run(command))

    def words(self, dice: random.Random) -> list[str]:
        """Return the words of a random command."""
        name = dice.choice(list(self._arguments()))
        argument = self._arguments()[name](dice)
        return [name, *argument.split(" ")] if argument else [name]

    def _arguments(self) -> dict[str, Callable[[random.Random], str]]:
        files = self._files
        return {
            "background": self._background,
            "freeze": lambda d: d.choice(SWITCHES),
            "get": lambda d: d.choice(("", d.choice(list(SETTABLE)))),
            "only-me": lambda d: d.choice(("on", "off", f"{d.random():.2f},{d.random():.2f}")),
            "pause": lambda d: d.choice(SWITCHES),
            "record": lambda d: d.choice(("stop", str(files.next_recording()))),
            "record-alpha": lambda d: d.choice(("stop", str(files.next_recording()))),
            "reset": lambda d: d.choice([name for name in SETTABLE if name not in OF_THE_MACHINE]),
            "retry": lambda d: "",
            "scene": lambda d: d.choice(
                (
                    _scene(d),
                    f"--save {_scene(d)}",
                    f"--remove {_scene(d)}",
                    f"--rename {_scene(d)}={_scene(d)}",
                )
            ),
            "set": self._set,
            "status": lambda d: "",
        }

    def _background(self, dice: random.Random) -> str:
        chosen = dice.choice(
            (*map(str, self._files.backgrounds), "blur", "bokeh", "colour", "next")
        )
        if chosen in ("blur", "bokeh"):
            return f"{chosen}:{dice.randint(0, 100)}"
        return (
            f"#{dice.randrange(12):02x}{dice.randrange(12):02x}{dice.randrange(12):02x}"
            if chosen == "colour"
            else chosen
        )

    def _set(self, dice: random.Random) -> str:
        if dice.random() < 0.2:
            return f"capture.source {dice.choice(self._sources)}"
        if dice.random() < 0.2:
            return f"capture.{dice.choice(SIDES)}"
        if dice.random() < 0.1:
            return f"matting.model {dice.choice(self._models)}"
        if dice.random() < 0.1:
            return f"framing.zoom {dice.uniform(1, 4):.2f}"
        if dice.random() < 0.1:
            return f"people.zones {dice.choice(('none', str(self._files.zones)))}"
        name = dice.choice(
            [name for name in SETTABLE if name not in (*OF_THE_MACHINE, *SHOWS_THE_ROOM)]
        )
        return f"{name} {_value(SETTABLE[name], dice)}"


def _scene(dice: random.Random) -> str:
    return dice.choice(("one", "two", "three"))


def _value(setting: Setting, dice: random.Random) -> str:
    """Return a value of a setting; about every fifth one is none."""
    if dice.random() < 0.2:
        return dice.choice(("nan", "-1", "1e9", "none", "x" * 300, "\x1b[2J"))
    if setting.choices:
        return dice.choice(setting.choices)
    return dice.choice(
        (str(dice.randint(0, 10)), f"{dice.random():.2f}", str(dice.randint(0, 100)), "auto")
    )
