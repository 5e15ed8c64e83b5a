"""A matting server that cheats: what it shows beyond people is seen on this machine, and never shown for long."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.capture.demo import DemoSource
from app.core.errors import ModelError
from app.core.settings import EngineSettings
from app.core.types import AlphaImage, BgrImage
from app.testing.parts import FakeClock, FakeEngine, Faults
from service.client.witness import BundledLook, Witness
from tests.waiting import eventually

SERVER = "https://matting.example"
HEIGHT, WIDTH = 90, 160
FRAME: BgrImage = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def covering(share: float) -> AlphaImage:
    """Return an alpha that covers the left `share` of the frame."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, : round(share * WIDTH)] = 255
    return alpha


class Looking:
    """Finds a person in the left quarter, and counts the looks."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, frame: BgrImage) -> AlphaImage:
        self.looks += 1
        return covering(0.25)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def looking() -> Looking:
    return Looking()


@pytest.fixture
def witness(clock: FakeClock, looking: Looking) -> Witness:
    return Witness(SERVER, looking, clock)


def test_a_saturated_alpha_is_a_failure(clock: FakeClock) -> None:
    witness = Witness(SERVER, lambda frame: covering(1.0), clock)
    with pytest.raises(ModelError, match="shows more than people"):
        witness.check(FRAME, covering(1.0))
    witness.close()


def test_a_jump_is_a_failure_unless_the_scene_changes(clock: FakeClock) -> None:
    witness = Witness(SERVER, lambda frame: covering(1.0), clock)
    witness.check(FRAME, covering(0.1))
    witness.reset()
    witness.check(FRAME, covering(0.8))
    witness.check(FRAME, covering(0.1))
    with pytest.raises(ModelError, match=SERVER):
        witness.check(FRAME, covering(0.8))
    witness.close()


def test_the_first_matte_is_looked_at_before_it_is_shown(witness: Witness, looking: Looking) -> None:
    with pytest.raises(ModelError):
        witness.check(FRAME, covering(0.6))
    witness.reset()
    witness.check(FRAME, covering(0.25))
    witness.check(FRAME, covering(0.27))
    assert looking.looks == 2
    witness.close()


def test_a_server_that_begins_to_cheat_is_found_at_its_first_matte(witness: Witness, looking: Looking) -> None:
    """It showed the room until the look of the next second."""
    witness.check(FRAME, covering(0.25))
    with pytest.raises(ModelError, match="shows more than people"):
        witness.check(FRAME, covering(0.45))
    assert looking.looks == 2
    witness.close()


def test_a_person_who_moves_is_looked_at_and_shown(clock: FakeClock) -> None:
    looks: list[float] = []
    at = 0.0

    def look(frame: BgrImage) -> AlphaImage:
        looks.append(at)
        return np.roll(covering(0.25), round(at * WIDTH), axis=1)

    witness = Witness(SERVER, look, clock)
    for step in range(7):
        at = step / 10
        witness.check(FRAME, np.roll(covering(0.25), round(at * WIDTH), axis=1))
    witness.close()
    assert 2 <= len(looks) < 7, "only after a move that the last look does not cover"


def test_a_small_excess_and_what_was_seen_a_moment_ago_wait_for_the_second(clock: FakeClock) -> None:
    """The person has left, and the server goes on to show where they were."""
    seen = [0.25, 0.0]
    witness = Witness(SERVER, lambda frame: covering(seen.pop(0)), clock)
    witness.check(FRAME, covering(0.25))
    witness.check(FRAME, covering(0.3))
    clock.now_s = 1.0
    witness.check(FRAME, covering(0.25))

    def refused() -> bool:
        try:
            witness.check(FRAME, covering(0.25))
        except ModelError:
            return True
        return False

    eventually(refused)
    witness.close()


def test_the_network_is_built_once_for_each_size_on_the_thread_of_the_witness() -> None:
    built: list[tuple[int, int, str]] = []

    def build(settings: EngineSettings, width: int, height: int) -> FakeEngine:
        built.append((width, height, threading.current_thread().name))
        return FakeEngine(settings, width, height, Faults())

    look = BundledLook(build)
    witness = Witness(SERVER, look, FakeClock())
    for height, width in ((90, 160), (90, 160), (60, 80)):
        witness.check(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8))
        witness.reset()
    witness.close()
    assert [size[:2] for size in built] == [(160, 90), (80, 60)]
    assert all(name.startswith("witness") for *_, name in built)
    assert FakeEngine.live == 1
    look.close()
    look.close()
    assert FakeEngine.live == 0


def test_the_bundled_network_tells_a_person_from_the_room() -> None:
    source = DemoSource(320, 180, 30.0, realtime=False)
    frame = source.render(0)
    source.close()
    look = BundledLook()
    seen = look(frame)
    witness = Witness(SERVER, look, FakeClock())
    witness.check(frame, seen)
    witness.reset()
    with pytest.raises(ModelError):
        witness.check(frame, np.maximum(seen, np.where(np.arange(320) < 200, 255, 0).astype(np.uint8)))
    witness.close()
    look.close()
