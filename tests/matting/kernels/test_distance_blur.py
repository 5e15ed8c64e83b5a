"""Blur that grows with the distance from the person's contact with floor or desk."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.settings import EdgeSettings, EngineSettings
from app.core.threads import Strips
from app.core.types import BlurredBackground, Floats
from app.matting.base.edges import plan
from app.matting.base.interface import StepGeometry
from app.matting.cpu.compositor import Coefficients, Compositor
from app.matting.cpu.cpu_blur import FOLLOW, NOBODY, blurred_background, distances, ground_of
from app.matting.engine.frame_engine import FrameEngine
from app.matting.light.light import followed
from app.matting.selection.registry import build_engine
from tests.clips import demo

GEOMETRY = StepGeometry(1280, 720, 0.375)
OFF = EdgeSettings(strict="off")
ROWS, COLUMNS = GEOMETRY.small_height, GEOMETRY.small_width


def person(top: float = 0.25, bottom: float = 0.75) -> Floats:
    """A matte (h, w) of somebody between two rows, given as fractions of the height."""
    alpha = np.zeros((ROWS, COLUMNS), np.float32)
    alpha[round(top * ROWS) : round(bottom * ROWS), 3 * COLUMNS // 7 : 4 * COLUMNS // 7] = 1
    return alpha


def stripes() -> Floats:
    """A room (3, h, w) of vertical stripes."""
    across = (np.arange(COLUMNS) // 12 % 2).astype(np.float32)
    return np.ascontiguousarray(np.broadcast_to(across, (3, ROWS, COLUMNS)))


def contrast(image: NDArray[np.uint8], row: float) -> float:
    """Standard deviation of a row left of the person, given as a fraction of the height."""
    return float(image[round(row * 719), 40:440, 1].std())


def ground(top: float = 0.25, bottom: float = 0.75) -> Floats:
    found = ground_of(person(top, bottom))
    assert found is not None
    return found


def blurred(ground: Floats | None, strength: float, *, bokeh: bool = False) -> NDArray[np.uint8]:
    size = GEOMETRY.blur_factor, 1280, 720
    return blurred_background(stripes(), person(), strength, *size, bokeh=bokeh, ground=ground)


def test_the_rows_of_contact_and_head_are_found() -> None:
    distance = distances(ground(0.25, 0.75), 1000)
    assert distance[750] < 0.01, "sharpest at the contact"
    assert distance[500] == pytest.approx(0.5, abs=0.02), "in proportion to the distance"
    assert distance[900] == pytest.approx(0.3, abs=0.02), "nearer than the person too"
    assert np.all(distance[:250] > 0.99), "full from the head upward"


def test_a_person_cut_by_the_frame_has_the_contact_at_its_border() -> None:
    distance = distances(ground(0.2, 1.0), 100)
    assert int(distance.argmin()) == 99


@pytest.mark.parametrize("bokeh", [False, True])
def test_the_blur_grows_with_the_distance_and_is_nowhere_weaker(bokeh: bool) -> None:
    even = blurred(None, 10, bokeh=bokeh)
    growing = blurred(ground(), 10, bokeh=bokeh)
    left = [contrast(growing, row) for row in (0.75, 0.65, 0.55, 0.45, 0.1)]
    assert left == sorted(left, reverse=True)
    assert left[0] > 0.9 * contrast(even, 0.75), "as before at the contact"
    assert left[-1] < 0.1 * contrast(even, 0.1)
    for row in np.linspace(0, 1, 40):
        assert contrast(growing, row) <= contrast(even, row) + 0.6, "levels of 255, by rounding"


def test_at_full_strength_nothing_is_left_to_grow() -> None:
    growing = blurred(ground(), 100).astype(int)
    assert np.abs(growing - blurred(None, 100)).max() <= 12, "as without, but for a coarser image"


def test_a_jump_of_the_matte_moves_the_blur_slowly() -> None:
    before, now = ground(0.25, 0.75), followed(ground(0.25, 0.75), ground(0.25, 0.35), FOLLOW)
    assert now is not None
    assert np.abs(distances(now, 720) - distances(before, 720)).max() < 2 * FOLLOW
    for _ in range(200):
        now = followed(now, ground(0.25, 0.35), FOLLOW)
    assert now is not None and int(distances(now, 1000).argmin()) == pytest.approx(350, abs=5)


def test_nobody_keeps_the_rows_and_a_new_stream_starts_at_the_lower_border() -> None:
    nobody, flat = np.zeros((ROWS, COLUMNS), np.float32), np.zeros((4, ROWS, COLUMNS), np.float32)
    frame, behind = np.zeros((720, 1280, 3), np.uint8), BlurredBackground(10, distance=True)
    with closing(Strips(1)) as strips:
        used, fresh = (Compositor(GEOMETRY, strips) for _ in range(2))

        def room(compositor: Compositor, alpha: Floats) -> NDArray[np.uint8]:
            coefficients = Coefficients(stripes(), flat, flat, alpha)
            return compositor.composite(frame, coefficients, behind, plan(OFF), False).composite

        room(used, person())
        kept, other = room(used, nobody), room(fresh, nobody)
        used.reset()
        np.testing.assert_array_equal(room(used, nobody), other)
    assert contrast(kept, 0.75) > 2 * contrast(other, 0.75)
    assert int(distances(NOBODY, 100).argmin()) == 99


def test_the_engine_blurs_the_room_of_the_demo_more_above_than_at_the_desk_and_resumes_exactly() -> None:
    frames = demo(320, 192, range(3))
    with closing(build_engine(EngineSettings(model="mattecam", executor="openvino"), 320, 192)) as engine:
        assert isinstance(engine, FrameEngine)
        even, growing = BlurredBackground(0), BlurredBackground(0, distance=True)
        for frame in frames[:2]:
            engine.step(frame, growing, OFF).result()
        state = engine.state()
        first = engine.step(frames[2], growing, OFF).result()
        engine.load_state(state)
        plain = engine.step(frames[2], even, OFF).result()
        room = first.alpha == 0
        difference = np.abs(first.composite.astype(int) - plain.composite).mean(axis=2)
        upper, lower = (difference[rows][room[rows]].mean() for rows in (slice(0, 40), slice(170, 192)))
        assert upper > 3 * lower
        np.testing.assert_array_equal(first.alpha, plain.alpha)
        engine.load_state(state)
        np.testing.assert_array_equal(engine.step(frames[2], growing, OFF).result().composite, first.composite)
