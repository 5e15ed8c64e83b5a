"""Frames that equal the last one are not matted again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.settings import BackgroundSettings, EdgeSettings
from app.core.types import BgrImage, BlurredBackground, Frame, Picture, PictureKind
from app.runtime.board import StatusBoard
from app.runtime.finishing import SETTLED_STEPS, Conditions, Finisher
from app.testing.parts import FakeEngine
from tests.fakes.world import FakeWorld, still
from tests.runtime.running import composites, running
from tests.waiting import eventually

BACKDROP = BlurredBackground(50)
SAME = Conditions((1, 1), BACKDROP, EdgeSettings())


def frame_of(image: np.ndarray) -> Frame:
    return Frame(image, 0, 0.0)


def shown(image: np.ndarray) -> Picture:
    return Picture(np.zeros_like(image), PictureKind.COMPOSITE, frame=frame_of(image))


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)


@pytest.fixture
def settled(image: np.ndarray) -> Finisher:
    """After enough steps on one frame."""
    unchanged = Finisher(lambda picture: None, StatusBoard(), 0.0)
    for _ in range(SETTLED_STEPS):
        assert unchanged.repeated(SAME, frame_of(image.copy())) is None
        unchanged.keep(SAME, shown(image), calm=False)
    return unchanged


def test_an_equal_frame_gives_the_last_composite(settled: Finisher, image: np.ndarray) -> None:
    first = settled.repeated(SAME, frame_of(image.copy()))
    assert first is not None and settled.repeated(SAME, frame_of(image.copy())) is first


@pytest.mark.parametrize("row", [0, 31, 63])
def test_one_changed_value_is_another_frame(settled: Finisher, image: np.ndarray, row: int) -> None:
    changed = image.copy()
    changed[row, 5, 2] += 1
    assert settled.repeated(SAME, frame_of(changed)) is None
    assert settled.repeated(SAME, frame_of(image[:32].copy())) is None


@pytest.mark.parametrize(
    "conditions",
    [
        replace(SAME, sequence=(1, 2)),
        replace(SAME, backdrop=np.zeros((64, 48, 3), np.uint8)),
        replace(SAME, edges=EdgeSettings(grow_px=2)),
        replace(SAME, want_foreground=True),
        replace(SAME, hides=("more",)),
    ],
)
def test_other_settings_need_another_composite(settled: Finisher, image: np.ndarray, conditions: Conditions) -> None:
    settled.keep(SAME, shown(image), calm=True)
    assert settled.repeated(conditions, frame_of(image)) is None


def test_after_a_reset_the_state_settles_anew(settled: Finisher, image: np.ndarray) -> None:
    settled.forget()
    assert settled.repeated(SAME, frame_of(image)) is None
    settled.keep(SAME, shown(image), calm=True)
    assert settled.repeated(SAME, frame_of(noisy(image))) is None
    assert settled.repeated(SAME, frame_of(image)) is None


def noisy(image: np.ndarray) -> np.ndarray:
    """Return the image with what a camera adds: every pixel differs a little."""
    noise = np.random.default_rng(1).integers(-2, 3, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def test_a_calm_composite_is_shown_once_more(settled: Finisher, image: np.ndarray) -> None:
    assert settled.repeated(SAME, frame_of(noisy(image))) is None, "only while it is calm"
    picture = shown(image)
    settled.keep(SAME, picture, calm=True)
    assert settled.repeated(SAME, frame_of(noisy(image))) is picture
    assert settled.repeated(SAME, frame_of(noisy(image))) is None


@pytest.mark.parametrize("changed", ["motion", "shape"])
def test_a_calm_composite_is_not_shown_after_a_change(settled: Finisher, image: np.ndarray, changed: str) -> None:
    settled.keep(SAME, shown(image), calm=True)
    frame = noisy(image)
    frame[20:40, 10:30] ^= 0x20 if changed == "motion" else 0
    assert settled.repeated(SAME, frame_of(frame if changed == "motion" else frame[:, :-1])) is None


def counting(steps: list[int], *, calm: bool) -> type[FakeEngine]:
    """Return an engine that adds each step to the list; calm: as in `Pending`."""

    class CountingEngine(FakeEngine):
        def step(self, *arguments, **named):  # type: ignore[no-untyped-def]
            steps.append(1)
            return replace(super().step(*arguments, **named), calm=calm)

    return CountingEngine


def test_a_still_source_is_not_matted_again_until_something_changes(world: FakeWorld) -> None:
    steps: list[int] = []
    world.engine = counting(steps, calm=False)
    world.shape = still()
    with running(world) as pipeline:
        composites(pipeline, SETTLED_STEPS + 5)
        matted = len(steps)
        composites(pipeline, 20)
        assert len(steps) == matted
        eventually(lambda: len({id(picture) for picture in world.pictures()[-5:]}) == 1)
        assert world.newest().kind is PictureKind.COMPOSITE
        green = BackgroundSettings(kind="colour", colour="#00ff00")
        pipeline.change(lambda settings: settings.replace(background=green))
        eventually(lambda: tuple(world.newest().image[0, 0]) == (0, 255, 0))
        assert len(steps) > matted


def test_while_it_is_calm_every_second_composite_is_shown_again(world: FakeWorld) -> None:
    steps: list[int] = []
    world.engine = counting(steps, calm=True)
    picture = still()

    def with_noise(frame: Frame) -> BgrImage:
        noise = np.random.default_rng(frame.index).integers(0, 4, frame.image.shape, np.uint8)
        return np.asarray(picture(frame) ^ noise, np.uint8)

    def counted() -> tuple[int, int]:
        """Return the numbers of steps and of composites at one moment."""
        while True:
            before, out = len(steps), pipeline.status().frames_out
            if len(steps) == before:
                return before, out

    world.shape = with_noise
    with running(world) as pipeline:
        composites(pipeline, SETTLED_STEPS + 5)
        matted, out = counted()
        composites(pipeline, 40)
        later = counted()
        assert 0.4 < (later[0] - matted) / (later[1] - out) < 0.6
