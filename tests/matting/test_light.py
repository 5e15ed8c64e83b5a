"""The light controls: limits, recovery of a known light, time, and the same result in every executor."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.core.settings import EdgeSettings
from app.core.types import Backdrop, BgrImage, BlurredBackground, Floats
from app.matting.base.interface import StepGeometry
from app.matting.base.parameters import EdgePlan, plan
from app.matting.cpu.cpu_backend import Coefficients
from app.matting.kernels.composite import relight_cells, relight_rows
from app.matting.light import (
    MAX_CHROMA,
    MAX_CONTRAST,
    MAX_EXPOSURE,
    Light,
    found_head,
    grid_size,
    measured_tone,
    on_grid,
)
from tests.matting.stubs import STUBS, showing

SIZE = WIDTH, HEIGHT = 160, 96
ALL = EdgeSettings(strict="off", light_match=100, portrait_light=100)


def person_alpha(width: int, height: int) -> Floats:
    """Return the soft-edged alpha of a head and shoulders."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    head = np.hypot((x / width - 0.5) * 3.2, y / height - 0.35) < 0.22
    body = (y / height > 0.55) & (np.abs(x / width - 0.5) < 0.25)
    alpha: Floats = (head | body).astype(np.float32)
    return alpha


GRID = GRID_WIDTH, GRID_HEIGHT = grid_size(*SIZE)
PERSON = person_alpha(*GRID)


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT, level: float = 0.5) -> BgrImage:
    """Return a picture of many surfaces with this mean level."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.3, 1.7, (6, 10, 3)) * level * 255
    picture: BgrImage = np.clip(np.kron(coarse, np.ones((height // 6, width // 10, 1))), 0, 255).astype(np.uint8)
    return picture


def lights(match: float, portrait: float) -> EdgePlan:
    """Return the plan of these strengths in 0..1."""
    return plan(EdgeSettings(light_match=100 * match, portrait_light=100 * portrait))


def tone_of(frame: BgrImage, backdrop: BgrImage) -> NDArray[np.float32]:
    tone = measured_tone(on_grid(frame, *GRID), PERSON, on_grid(backdrop, *GRID))
    assert tone is not None
    return tone.log_gains


@given(seed=st.integers(0, 999), level=st.floats(0.0, 1.0), behind=st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_gains_keep_within_their_limits(seed: int, level: float, behind: float) -> None:
    image, backdrop = (on_grid(scene(seed + i, level=part), *GRID) for i, part in enumerate((level, behind)))
    tone = measured_tone(image, PERSON, backdrop)
    if tone is not None:
        assert np.abs(tone.log_gains).max() <= MAX_EXPOSURE + MAX_CHROMA + 1e-5
        assert abs(tone.log_contrast) <= MAX_CONTRAST
        assert np.isfinite(tone.array()).all()


def test_a_darker_backdrop_darkens_and_a_warmer_one_warms() -> None:
    frame, backdrop = scene(1), scene(2)
    usual = tone_of(frame, backdrop)
    assert (tone_of(frame, (backdrop * 0.5).astype(np.uint8)) < usual - 0.1).all()
    warm = np.clip(backdrop * np.array([0.85, 1.0, 1.1]), 0, 255).astype(np.uint8)
    red, _, blue = tone_of(frame, warm) - usual
    assert red > 0.02 and blue < -0.02


def test_a_person_of_another_light_than_the_scene_moves_towards_it() -> None:
    """The person under the true light is known: the same surfaces, dimmed and warmed as the scene is."""
    surfaces, room = scene(3), scene(4)
    light = np.array([0.6, 0.7, 0.8])
    true, backdrop = (np.clip(image * light, 0, 255) for image in (surfaces, room))
    kept = np.abs(surfaces - true).mean()
    gains = np.exp(tone_of(surfaces, backdrop.astype(np.uint8)))[::-1]
    assert np.abs(surfaces * gains - true).mean() < 0.85 * kept


def maps_of(alpha: Floats, backdrop: BgrImage, plan_: EdgePlan, room: bool = False) -> Floats:
    return Light().maps_of_grid(on_grid(scene(5), *GRID), alpha, None if room else backdrop, plan_)


@pytest.mark.parametrize("colour", [(64, 177, 0), (255, 255, 255), (0, 0, 0)])
def test_one_colour_has_no_light_to_follow(colour: tuple[int, int, int]) -> None:
    """A green screen must stay one: the match does not tint the person."""
    found = maps_of(PERSON, np.full((HEIGHT, WIDTH, 3), colour, np.uint8), lights(1.0, 0.0))
    np.testing.assert_allclose(found[:3], 1, atol=1e-6)
    np.testing.assert_allclose(found[3:], 0, atol=1e-6)


def test_the_own_room_does_not_change_the_person() -> None:
    found = maps_of(PERSON, scene(6, level=0.1), lights(1.0, 0.0), room=True)
    np.testing.assert_allclose(found[:3], 1, atol=1e-6)


def test_the_portrait_light_is_on_the_face_and_follows_it() -> None:
    head = found_head(PERSON)
    assert head is not None and abs(head.x - GRID_WIDTH / 2) < 2
    found = maps_of(PERSON, scene(8), lights(0.0, 1.0))
    moved = maps_of(np.roll(PERSON, 20, axis=1), scene(8), lights(0.0, 1.0))
    brightest, then = (int(found_[1].max(axis=0).argmax()) for found_ in (found, moved))
    assert abs(brightest - GRID_WIDTH / 2) < GRID_WIDTH / 4
    assert then == pytest.approx(brightest + 20, abs=2)
    assert found[1, GRID_HEIGHT // 3, GRID_WIDTH // 2] > 1.05


def test_highlights_are_not_clipped() -> None:
    bright = np.full((GRID_HEIGHT, GRID_WIDTH, 3), 0.9, np.float32)
    found = Light().maps_of_grid(bright, PERSON, scene(9, level=1.0), lights(1.0, 1.0))
    assert (0.9 * found[:3] + found[3:]).max() <= 1.01 + MAX_CHROMA


def test_a_sudden_backdrop_changes_the_light_slowly() -> None:
    light, image, only_match = Light(), on_grid(scene(10), *GRID), lights(1.0, 0.0)
    first = light.maps_of_grid(image, PERSON, scene(11, level=0.9), only_match)
    dark = scene(12, level=0.1)
    gains = [light.maps_of_grid(image, PERSON, dark, only_match)[1, 0, 0] for _ in range(120)]
    changes = np.abs(np.diff([first[1, 0, 0], *gains]))
    assert changes.max() < 0.04, "no step of the brightness is visible"
    assert gains[-1] == pytest.approx(gains[-2], abs=1e-3), "it arrives"
    assert gains[-1] < first[1, 0, 0] - 0.1


def test_nobody_keeps_the_last_light() -> None:
    light, image = Light(), on_grid(scene(13), *GRID)
    backdrop, plan_ = scene(14, level=0.2), lights(1.0, 0.0)
    shown = light.maps_of_grid(image, PERSON, backdrop, plan_)
    empty = light.maps_of_grid(image, np.zeros_like(PERSON), backdrop, plan_)
    np.testing.assert_array_equal(shown, empty)


GEOMETRY = StepGeometry(WIDTH, HEIGHT, 0.5)


def person_of(frame: BgrImage) -> Coefficients:
    height, width = GEOMETRY.small_height, GEOMETRY.small_width
    small = np.ascontiguousarray(frame[::2, ::2, ::-1].transpose(2, 0, 1), dtype=np.float32) / np.float32(255)
    return showing(person_alpha(width, height), small)


@pytest.mark.torch
@pytest.mark.parametrize("backdrop", [scene(19, level=0.3), BlurredBackground(70)], ids=["image", "blur"])
def test_both_backends_give_the_same_light(backdrop: Backdrop) -> None:
    frame = scene(18)
    mattes = []
    for stub in STUBS.values():
        engine = stub(GEOMETRY, person_of(frame))
        mattes.append(engine.step(frame, backdrop, ALL, want_foreground=True))
        dark = engine.step(frame, backdrop, EdgeSettings(strict="off"))
        engine.close()
        assert (mattes[-1].composite.astype(int) - dark.composite)[mattes[-1].alpha > 200].any(), "the person is relit"
        assert not (mattes[-1].composite.astype(int) - dark.composite)[mattes[-1].alpha == 0].any(), "nothing else is"
    one, other = mattes
    np.testing.assert_allclose(one.alpha.astype(int), other.alpha, atol=1)
    inner = one.alpha == 255
    difference = np.abs(one.composite.astype(int) - other.composite)[inner]
    assert difference.max() <= 3
    assert difference.mean() < 1
    assert one.foreground is not None and other.foreground is not None


@given(seed=st.integers(0, 1 << 20), width=st.integers(2, 70), height=st.integers(2, 50))
@settings(max_examples=25, deadline=None)
def test_relit_coefficients_are_the_relit_foreground(seed: int, width: int, height: int) -> None:
    rng = np.random.default_rng(seed)
    slope, offset = rng.normal(0, 0.3, (2, 4, height, width)).astype(np.float32)
    maps = rng.uniform(0, 1.5, (6, rng.integers(2, 9), rng.integers(2, 12))).astype(np.float32)
    new_slope, new_offset = np.empty_like(slope), np.empty_like(offset)
    relight_rows(slope, offset, maps, new_slope, new_offset, 0, height)
    resized = np.stack([cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR) for plane in maps])
    gains, biases = resized[:3], resized[3:]
    pixel = rng.random((3, height, width)).astype(np.float32)
    expected = gains * (pixel * (1 + slope[:3]) + offset[:3]) + biases
    np.testing.assert_allclose(pixel * (1 + new_slope[:3]) + new_offset[:3], expected, atol=2e-4)
    np.testing.assert_array_equal(new_slope[3], slope[3])
    np.testing.assert_array_equal(new_offset[3], offset[3])


def test_refined_cells_get_the_light_of_the_coefficients() -> None:
    """A network with a plate refines some cells: its person is lit as one piece."""
    rng = np.random.default_rng(23)
    frame = rng.integers(0, 256, (24, 40, 3), dtype=np.uint8)
    maps = rng.uniform(0, 1.5, (6, 4, 7)).astype(np.float32)
    cells = np.arange(60, dtype=np.int64)
    matte = rng.normal(0, 0.3, (60, 4, 4, 4)).astype(np.float32)
    lit = matte.copy()
    relight_cells(frame, maps, cells, lit, 0, 60)
    planes = (each.reshape(6, 10, 4, 4, 4).transpose(0, 2, 1, 3, 4).reshape(24, 40, 4) for each in (matte, lit))
    residual, relit = (plane[..., 1:] for plane in planes)
    pixel = frame[..., ::-1] / np.float32(255)
    gain, bias = np.split(np.dstack([cv2.resize(plane, (40, 24)) for plane in maps]), 2, axis=2)
    np.testing.assert_allclose(pixel + relit, gain * (pixel + residual) + bias, atol=1e-4)
    np.testing.assert_array_equal(lit[..., 0], matte[..., 0])
