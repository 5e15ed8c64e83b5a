"""Everything that leaves passes one gate, which is asked at the moment of the write."""

from __future__ import annotations

import ast
import threading

import pytest

from app.core.settings import PeopleSettings, Settings
from app.core.types import Picture, PictureKind
from app.privacy.gate import Gate, may_leave
from app.runtime.board import StatusBoard
from app.runtime.outputs.standby_pictures import StandbyPictures
from app.runtime.shared import SettingsOwner
from app.runtime.timing import Timing
from app.testing.parts import room_picture, shows_room
from tests.architecture.source import attributes, calls, naming
from tests.fakes.world import FakeWorld
from tests.runtime.running import BASE, NONE, composites, ignore, running
from tests.waiting import eventually

MAY_RELEASE = {
    "app.privacy.gate": "the gate itself",
    "app.doctor.proof": "colour bars, nothing of the camera",
}
MAY_WRITE_PICTURES = {
    "app.core.files.private_file": "the function itself",
    "app.gui.state.recording": "a snapshot, released by the gate",
    "app.control.controller": "a snapshot, released by the gate",
    "app.offline.outputs": "converting a file that the user names",
    "app.runtime.plate": "the plate, which the user asks for by name",
    "app.cli.proof": "the proof of the demo",
    "app.gui.backgrounds.files": "an image that the user pastes as a background",
}


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("kind", ["none", "blur", "colour"])
@pytest.mark.parametrize("shows", PictureKind)
def test_what_may_leave(shows: PictureKind, kind: str, paused: bool) -> None:
    settings = Settings.model_validate({"background": {"kind": kind}, "paused": paused})
    allowed = {PictureKind.STANDBY}
    if not paused:
        allowed |= {PictureKind.COMPOSITE} | ({PictureKind.UNMATTED} if kind == "none" else set())
    assert may_leave(Picture(room_picture(), shows), settings) == (shows in allowed)


def test_a_frozen_picture_may_not_leave_once_the_settings_hide_something_else() -> None:
    frozen = BASE.replace(frozen=True)
    picture = Picture(room_picture(), PictureKind.COMPOSITE, hides=frozen.hides)
    assert may_leave(picture, frozen)
    assert not may_leave(picture, frozen.replace(people=PeopleSettings(only_me=True)))


def test_what_may_not_leave_becomes_a_card_of_its_size() -> None:
    owner = SettingsOwner(NONE)
    gate = Gate(lambda: owner.current, StandbyPictures(StatusBoard()).get)
    picture = Picture(room_picture(80, 60), PictureKind.UNMATTED)
    assert gate.release(picture) is picture
    owner.current = BASE
    card = gate.release(picture)
    assert card.kind is PictureKind.STANDBY and card.size == (80, 60) and not shows_room(card.image)
    owner.current = NONE
    gate.block()
    assert gate.release(picture).kind is PictureKind.STANDBY, "blocked for good"


@pytest.mark.parametrize("change", ["pause", "leave none"])
def test_a_sink_that_opens_slowly_is_not_sent_what_was_permitted_before(change: str) -> None:
    world = FakeWorld()
    opening = threading.Event()

    def slow() -> None:
        opening.set()
        world.faults.hang()

    world.faults.put("open_virtual_camera", slow)
    with running(world, NONE) as pipeline:
        assert opening.wait(60)
        pipeline.change(
            lambda settings: (
                settings.replace(paused=True) if change == "pause" else settings.replace(background=BASE.background)
            )
        )
        world.faults.release.set()
        eventually(lambda: len(world.pictures()) > 10)
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_the_last_composite_is_repeated_for_the_stale_time_at_most() -> None:
    """Also where steps take so long that four of them exceed it."""
    world = FakeWorld()
    with running(world, BASE, Timing(stale_s=0.2)) as pipeline:
        world.faults.put("step", lambda: ignore(world.faults.release.wait(0.6)))
        composites(pipeline, 2)
        eventually(lambda: world.newest().kind is PictureKind.COMPOSITE)
        (sink,) = world.sinks
        world.faults.put("step", lambda: world.faults.hang(120.0))  # longer than is waited for the card
        eventually(lambda: sink.pictures[-1].kind is PictureKind.STANDBY)
        world.faults.heal()
        composites(pipeline)


def test_the_bound_is_the_documented_one() -> None:
    assert Timing().stale_s == 2.0


def _callers(function: str) -> set[str]:
    """Return the modules that call a function by its name."""
    return {
        name
        for name in naming(function)
        if any(isinstance(call.func, ast.Name) and call.func.id == function for call in calls(name))
    }


def test_only_the_gate_makes_outgoing_pictures() -> None:
    """Sinks take `Outgoing` alone, which the type checker holds; so here the constructor's callers are enough."""
    assert _callers("Outgoing") == set(MAY_RELEASE)


def test_only_these_modules_write_picture_files() -> None:
    writing = {name for name in _callers("write_picture") if name.startswith("app.")}
    assert writing <= set(MAY_WRITE_PICTURES)
    for name in ("app.gui.state.recording", "app.cli.headless", "app.control.controller"):
        assert "release" in attributes(name), f"{name} writes what the gate has not released"
    for encoder in ("imwrite", "imencode"):
        assert {name for name in naming(encoder) if encoder in attributes(name)} <= set(MAY_WRITE_PICTURES)
