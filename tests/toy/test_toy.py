"""The smallest source, sink, effect and setting: what a new one has to bring."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.backgrounds import open_background
from app.capture import SourceName, parse_source, table
from app.capture.table import SourceSpec
from app.core.declaration import Model
from app.core.settings import CaptureSettings
from app.core.types import UNCHANGED, BgrImage, MatteEdit, View
from app.effects import table as effects
from app.effects.base import Effect, FrameContext, SeenFrame
from app.gui.panels.devices import CameraControls
from app.offline.convert import FilmStep
from app.output.base import SinkSpec
from app.runtime.context import Timing
from app.runtime.status import Phase, status_fields
from app.settings import Settings
from mattecam import Matting
from mattecam.testing import HEIGHT, WIDTH, FakeEngine, FakeSink, FakeSource, room_picture
from tests.fakes.states import in_phase
from tests.fakes.world import BASE, FakeWorld, composites, live, person_in, running, shows_person
from tests.fresh_python import printed_by
from tests.gui.widgets import made_store
from tests.sources import new_opener
from tests.stand_ins import always, replacing
from tests.waiting import eventually, eventually_is, no_longer


def test_a_row_is_all_that_a_source_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_toy(value: str, settings: CaptureSettings) -> FakeSource:
        return FakeSource(settings, kind=f"toy number {value}")

    row = SourceSpec("toy", open_toy, str.isdigit)
    assert parse_source("toy:90") == SourceName("file", "toy:90")
    monkeypatch.setattr(table, "SOURCES", (*table.SOURCES, row))
    assert parse_source("toy:90") == SourceName("toy", "90")
    assert parse_source("toy:blue") == SourceName("file", "toy:blue")

    world = FakeWorld()
    settings = BASE.replace(capture=CaptureSettings(source="toy:90"))
    with live(world, settings, parts=replace(world.parts(), open_source=new_opener())) as pipeline:
        info = pipeline.status().source
    assert info is not None and (info.kind, info.name) == ("toy number 90", "toy:90")
    newest = world.newest()
    assert newest.frame is not None and shows_person(newest.image)


def test_a_source_with_a_title_is_in_the_list_of_the_window(
    monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """The list was written by hand, so that a new source could not be chosen there."""

    def open_toy(value: str, settings: CaptureSettings) -> FakeSource:
        return FakeSource(settings)

    row = SourceSpec("toy", open_toy, title="Stripes")
    monkeypatch.setattr(table, "SOURCES", (*table.SOURCES, row))
    store = made_store(BASE)
    controls = CameraControls(store)
    qtbot.addWidget(controls)

    controls.choose_source("toy")

    assert ("Stripes", "toy") in controls.sources()
    assert store.current.capture.source == "toy" and controls.list.currentText() == "Stripes"


ON = BASE.replace(output=BASE.output.replace(mirror=True))
BLUE = (255, 0, 0)


def test_a_row_is_all_that_a_sink_needs_and_the_camera_stays_on_for_it() -> None:
    world = FakeWorld()
    closed = threading.Event()
    world.source_kind = "camera"
    world.readers = 0
    world.faults.put("close_/dev/toy", closed.set)
    sink = FakeSink("/dev/toy", world.faults)
    world.sinks.append(sink)

    def device_while_mirrored(settings: Settings) -> str | None:
        return "/dev/toy" if settings.output.mirror else None

    row = SinkSpec("toy_sink", device_while_mirrored, always(sink))
    parts = replace(world.parts(), sinks=[*world.parts().sinks, row])

    def device() -> object:
        return status_fields(pipeline.status())["toy_sink"]

    def is_blue() -> bool:
        if not sink.pictures:
            return False
        return bool((sink.pictures[-1].image[0, -1] == BLUE).all())

    with running(
        world, ON, Timing(demand_poll_s=0.02, demand_linger_s=0.1), parts=parts
    ) as pipeline:
        composites(pipeline, 60)
        assert "toy-sink" in {thread.name for thread in threading.enumerate()}
        eventually_is("/dev/toy", device)
        eventually(is_blue)
        pipeline.change(replacing(paused=True))
        no_longer(is_blue)
        pipeline.change(always(BASE))
        eventually(closed.is_set)
        eventually(in_phase, pipeline, Phase.RESTING)
        eventually_is(None, device)


SWITCH = BASE.replaced_at(["matting", "edges"], despill=1)
"""Switches the toy effect on: no fake engine removes a cast."""


def is_cropped(image: BgrImage) -> bool:
    return bool(person_in(image).mean() > 0.5)


def is_empty(image: BgrImage) -> bool:
    return bool((image == BLUE).all())


def is_red(image: BgrImage) -> bool:
    """Whether a pixel in the middle row is."""
    return (0, 0, 255) in set(map(tuple, image[HEIGHT // 2]))


LIT_RED = np.array([0, 0, 0, 1, 0, 0], np.float32).repeat(12).reshape(6, 3, 4)
CHANGES: dict[str, tuple[MatteEdit, Callable[[BgrImage], bool]]] = {
    "view": (
        MatteEdit(view=View(0.3, 0.3, 0.4)),
        is_cropped,
    ),
    "matte": (
        MatteEdit(np.zeros((HEIGHT, WIDTH), np.float32)),
        is_empty,
    ),
    "foreground": (
        MatteEdit(lights=(LIT_RED,)),
        is_red,
    ),
}
"""What each kind of effect does, and how its composite is told."""


class ToyEffect(Effect[Model]):
    """Changes each matte in the same way."""

    change = MatteEdit()

    def is_on(self, frame: FrameContext) -> bool:
        return frame.settings.matting.edges.despill > 0

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        return self.change


@pytest.mark.parametrize("kind", CHANGES)
def test_a_row_is_all_that_an_effect_needs(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the running pipeline, in a film and in the Python API."""
    change, is_applied = CHANGES[kind]
    monkeypatch.setattr(ToyEffect, "change", change)
    monkeypatch.setattr(effects, "EFFECTS", (*effects.EFFECTS, ToyEffect))
    room = room_picture()

    world = FakeWorld()

    def newest_is_applied() -> bool:
        return is_applied(world.newest().image)

    with live(world, BASE) as pipeline:
        assert not newest_is_applied()
        pipeline.change(always(SWITCH))
        eventually(newest_is_applied)
        pipeline.change(always(BASE))
        no_longer(newest_is_applied)

    background = open_background(BASE.background)
    for settings in (BASE, SWITCH):
        with closing(FakeEngine(settings.matting, WIDTH, HEIGHT)) as engine:
            step = FilmStep(engine, background, settings, want_alpha=False, want_foreground=False)
            assert is_applied(step(room, 0.0)[0]) == (settings is SWITCH)
        edges = settings.matting.edges
        with Matting("mattecam", background="#0000ff", edges=edges, build=FakeEngine) as matting:
            assert is_applied(matting.step(room).composite) == (settings is SWITCH)


OWN_SETTINGS = """
from app.core.declaration import Model, look
from app.core.types import MatteEdit
from app.effects.base import Effect

class ToySettings(Model):
    fog: float = look(0.0, "Hide the person in fog.", 0, 100, title="Fog", option="--fog", unit="percent")

class Toy(Effect[ToySettings]):
    section = "light"
    part = ToySettings

    def is_on(self, frame):
        return self.own(frame).fog > 0

    def edit(self, frame, seen):
        return MatteEdit(gain=seen.alpha * 0 + 1 - self.own(frame).fog / 100)
"""
"""The module of an effect."""
EFFECT_PROGRAM = """
import os, sys, types
from pathlib import Path

import app.effects

def imported(name, text):
    module = sys.modules[name] = types.ModuleType(name)
    exec(text, module.__dict__)

imported("app.effects.toy", sys.argv[1])
table = Path("app/effects/table.py").read_text(encoding="utf-8")
first, imports = "EFFECTS: tuple[type[Effect[Any]], ...] = (\\n", "from app.effects.zones import"
assert (table.count(first), table.count(imports)) == (1, 1)
table = table.replace(first, first + "    Toy,\\n")
imported("app.effects.table", table.replace(imports, "from app.effects.toy import Toy\\n" + imports))

import numpy as np

from app.cli.options import LiveOptions, apply_options
from app.config import settings_file
from app.config.setting import SETTINGS, with_values
from app.control.commands import find_settable
from app.effects.base import FrameContext
from app.effects.table import Effects
from app.settings import Settings

foggy = apply_options(Settings(), LiveOptions(fog="40"))
assert foggy == with_values(Settings(), {"light.fog": 40})
assert settings_file.parse(foggy.model_dump(mode="json")) == foggy
assert find_settable("light.fog") is SETTINGS["light.fog"]
small, alpha = np.zeros((3, 4, 6), np.float32), np.ones((4, 6), np.float32)
frame = FrameContext(foggy, (6, 4), 0.0, np.zeros((4, 6, 3), np.uint8))
print(Effects().begin_frame(frame).edit(small, alpha).gain[0, 0])

os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PyQt6.QtWidgets import QApplication, QSlider

from app.gui.panels.side_panel import LightSliders
from tests.gui.widgets import made_store

application = QApplication([])
panel = LightSliders(made_store(foggy))
slider = panel.findChild(QSlider, "light.fog")
print(slider.value() / slider.maximum())
"""


def test_an_effect_with_settings_is_a_module_and_a_row() -> None:
    """Option, `ctl set`, file, effect and window know its setting, which its own module alone declares."""
    gain, slider = printed_by(EFFECT_PROGRAM, OWN_SETTINGS).split()

    assert float(gain) == pytest.approx(0.6)
    assert float(slider) == pytest.approx(0.4)


class TimedEffect(Effect[Model]):
    """Makes the person red from 0.2 s of the stream on: nothing but time decides it."""

    def __init__(self) -> None:
        self._first_s = 0.0

    def is_on(self, frame: FrameContext) -> bool:
        return True

    def begin_frame(self, frame: FrameContext, last: FrameContext | None, *, was_on: bool) -> None:
        if not was_on:
            self._first_s = frame.time_s

    def edit(self, frame: FrameContext, seen: SeenFrame) -> MatteEdit:
        if frame.time_s - self._first_s <= 0.2:
            return UNCHANGED
        return MatteEdit(lights=(LIT_RED,))


@pytest.fixture
def timed_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "EFFECTS", (*effects.EFFECTS, TimedEffect))


@pytest.mark.usefixtures("timed_effect")
def test_an_effect_that_changes_with_time_works_in_a_call() -> None:
    """It was asked once in 246 frames, since no setting changed."""
    world = FakeWorld()

    def newest_is_red() -> bool:
        return is_red(world.newest().image)

    with live(world, BASE):
        eventually(newest_is_red)


@pytest.mark.usefixtures("timed_effect")
def test_an_effect_that_changes_with_time_works_in_a_film() -> None:
    background = open_background(BASE.background)
    with closing(FakeEngine(BASE.matting, WIDTH, HEIGHT)) as engine:
        step = FilmStep(engine, background, BASE, want_alpha=False, want_foreground=False)

        composites_ = [step(room_picture(), index / 10)[0] for index in range(5)]

    assert [is_red(image) for image in composites_] == [False, False, False, True, True]


@pytest.mark.usefixtures("timed_effect")
def test_an_effect_that_changes_with_time_works_from_python() -> None:
    with Matting("mattecam", background="#0000ff", build=FakeEngine) as matting:
        composites_ = [
            matting.step(room_picture(), time_s=index / 10).composite for index in range(5)
        ]

    assert [is_red(image) for image in composites_] == [False, False, False, True, True]


LINE = (
    'tilt: int = setting(0, "Tilt the output.", 0, 270, scope="scene", stage=None, unit="percent", title="Slope", '
    'option="--tilt")'
)
PROGRAM = """
import sys, types
from pathlib import Path

import app.core
module = types.ModuleType("app.core.settings")
source = Path("app/core/settings.py").read_text(encoding="utf-8")
beside = "    mirror: bool = look("
assert source.count(beside) == 1
sys.modules[module.__name__] = module
exec(source.replace(beside, f"    {LINE}\\n{beside}"), module.__dict__)

from app.cli.main import main
from app.cli.options import LiveOptions, apply_options
from app.config import settings_file
from app.config.setting import SETTINGS
from app.control.commands import parse_words
from app.core.errors import UsageError
from app.settings import Settings

changed = apply_options(Settings(), LiveOptions(tilt="90"))
assert changed.output.tilt == 90
assert settings_file.parse(changed.model_dump(mode="json")) == changed
assert parse_words(["set", "output.tilt", "180"]).argument == "output.tilt 180"
tilt = SETTINGS["output.tilt"]
assert (tilt.values, tilt.description, tilt.title) == ("0-270", "Tilt the output.", "Slope")
for refused in (
    lambda: apply_options(Settings(), LiveOptions(tilt="300")),
    lambda: tilt.parsed("300"),
):
    try:
        refused()
    except UsageError as error:
        print(error)
assert main(["headless", "--help"]) == 0
"""


def test_a_setting_is_declared_in_one_line() -> None:
    option, word, *help_lines = printed_by(
        PROGRAM.replace("{LINE}", LINE.replace('"', '\\"'))
    ).splitlines()
    problem = "“300” is not possible: it must be at most 270."

    assert (option, word) == (f"--tilt: {problem}", f"output.tilt: {problem}")
    assert any(line.split() == ["--tilt", "0-270", "Tilt", "the", "output."] for line in help_lines)
