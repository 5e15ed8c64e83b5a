"""Frames that equal the last one are not matted again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.core.settings import BackgroundSettings, EdgeSettings
from app.core.types import BlurredBackground, Frame, Picture, PictureKind
from app.runtime.board import StatusBoard
from app.runtime.finishing import SETTLED_STEPS, Conditions, Finisher
from app.testing.parts import FakeEngine
from tests.fakes.world import FakeWorld, composites, running, still
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
        unchanged.keep(SAME, shown(image))
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
    settled.keep(SAME, shown(image))
    assert settled.repeated(conditions, frame_of(image)) is None


def test_after_a_reset_the_state_settles_anew(settled: Finisher, image: np.ndarray) -> None:
    settled.forget()
    assert settled.repeated(SAME, frame_of(image)) is None
    settled.keep(SAME, shown(image))
    assert settled.repeated(SAME, frame_of(image)) is None


def counting(steps: list[int]) -> type[FakeEngine]:
    """Return an engine that adds each step to the list."""

    class CountingEngine(FakeEngine):
        def step(self, *arguments, **named):  # type: ignore[no-untyped-def]
            steps.append(1)
            return super().step(*arguments, **named)

    return CountingEngine


def test_a_still_source_is_not_matted_again_until_something_changes(world: FakeWorld) -> None:
    steps: list[int] = []
    world.engine = counting(steps)
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
