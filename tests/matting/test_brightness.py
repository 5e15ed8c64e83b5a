"""Brightness of the person: who is well lit stays, who is not is raised within limits and without pumping."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.types import Floats
from app.matting.brightness import (
    FAR_FRAMES,
    FAST_EV,
    GAMMA,
    HIGH,
    HIGHLIGHT,
    LEAST_EV,
    LOW,
    MIDDLE,
    MOST_EV,
    NOISE,
    REST_EV,
    WHITE,
    Brightness,
    Exposure,
    gains_of,
    measured_exposure,
    wanted_ev,
)

LIT = Exposure(mean=0.2, highlight=0.5, white=0.9, noise=0.005)
ALPHA = np.zeros((60, 80), np.float32)
ALPHA[10:, 25:55] = 1
luminances = st.floats(0, 1)


def picture(person: float, room: float, noise: float = 0.0) -> Floats:
    """Return an image of these linear luminances, with noise of gamma-encoded values."""
    linear = np.where(ALPHA > 0.5, person, room)[..., None].repeat(3, 2)
    noisy = linear ** (1 / GAMMA) + np.random.default_rng(0).normal(0, noise, linear.shape)
    return np.clip(noisy, 0, 1).astype(np.float32)


@given(mean=luminances, highlight=luminances, white=luminances, noise=st.floats(0, 0.2))
def test_gains_keep_within_their_limits(mean: float, highlight: float, white: float, noise: float) -> None:
    ev = wanted_ev(Exposure(mean, highlight, white, noise))
    assert LEAST_EV <= ev <= MOST_EV
    if ev > 0:
        assert highlight * 2**ev <= HIGHLIGHT * 1.001
        assert noise * 2 ** (ev / GAMMA) <= NOISE * 1.001
        assert mean * 2**ev <= MIDDLE * 1.001 or white * 2**ev <= WHITE * 1.001


@given(mean=st.floats(LOW, HIGH), white=st.floats(WHITE, 1), highlight=luminances)
def test_skin_of_every_tone_keeps_its_tone_where_it_is_well_lit(mean: float, white: float, highlight: float) -> None:
    assert wanted_ev(LIT._replace(mean=mean, white=white, highlight=highlight)) == 0


def test_a_backlit_face_is_raised_and_an_overexposed_one_lowered() -> None:
    assert wanted_ev(LIT._replace(mean=0.04, highlight=0.1)) > 1
    assert wanted_ev(LIT._replace(mean=0.6)) < -0.3


def test_dark_skin_is_not_made_pale() -> None:
    """Its highlights are those of a well-lit face, which tells it from a face in the dark."""
    assert wanted_ev(Exposure(mean=0.08, highlight=0.4, white=0.9, noise=0.005)) < 0.4


def test_exposure_is_that_of_head_and_shoulders() -> None:
    dark_face = picture(0.5, 0.8)
    dark_face[10:26, 25:55] = 0.05 ** (1 / GAMMA)
    found = measured_exposure(dark_face, ALPHA)
    assert found is not None and found.mean < 0.25
    assert found.white == pytest.approx(0.8, abs=0.01)
    assert measured_exposure(dark_face, np.zeros_like(ALPHA)) is None


def test_noise_is_measured_and_edges_are_not() -> None:
    for noise in (0.0, 0.01, 0.03):
        found = measured_exposure(picture(0.2, 0.8, noise), ALPHA)
        assert found is not None and found.noise == pytest.approx(noise, rel=0.15, abs=0.001)


@given(ev=st.floats(LEAST_EV, MOST_EV), value=st.floats(0, 1))
def test_nothing_clips_that_did_not_and_order_stays(ev: float, value: float) -> None:
    values = np.sort(np.array([value, min(1, value + 0.01)], np.float32))
    lit = [float(v * gains_of(np.full((5, 5, 3), v, np.float32), ev)[2, 2]) for v in values]
    assert lit[1] <= 1.001 and lit[0] <= lit[1] + 1e-6


def test_a_highlight_in_a_cell_does_not_clip() -> None:
    image = picture(0.05, 0.05)
    image[30, 40] = 0.99
    lit = image * gains_of(image, MOST_EV)[..., None]
    assert lit.max() <= 1
    assert lit[50, 40, 0] > 1.7 * image[50, 40, 0]


def test_the_first_frame_is_exposed_at_once_and_the_next_ones_without_pumping() -> None:
    brightness = Brightness()
    first = brightness.follow(LIT._replace(mean=0.05, highlight=0.12))
    assert first == pytest.approx(wanted_ev(LIT._replace(mean=0.05, highlight=0.12)))
    rng, last, moved = np.random.default_rng(1), first, []
    for _ in range(120):
        noisy = LIT._replace(mean=0.05 * float(rng.uniform(0.97, 1.03)), highlight=0.12)
        now = brightness.follow(noisy)
        moved.append(abs(now - last))
        last = now
    assert max(moved) <= REST_EV + 1e-9 and sum(moved) < 0.05
    assert brightness.follow(None) == last, "nobody is visible"


def test_a_change_of_the_light_is_followed_faster() -> None:
    brightness = Brightness()
    brightness.follow(LIT)
    evs = [brightness.follow(LIT._replace(mean=0.03, highlight=0.08)) for _ in range(400)]
    steps = np.diff(evs)
    assert steps[: FAR_FRAMES - 1].max() <= REST_EV + 1e-9
    assert steps.max() == pytest.approx(FAST_EV)
    assert evs[-1] == pytest.approx(wanted_ev(LIT._replace(mean=0.03, highlight=0.08)), abs=0.1)
    brightness.reset()
    assert brightness.follow(LIT) == 0


def test_a_saved_state_goes_on_and_a_wrong_one_is_refused() -> None:
    one, other = Brightness(), Brightness()
    for _ in range(20):
        one.follow(LIT._replace(mean=0.03, highlight=0.08))
    other.load_state(one.state())
    assert other.follow(LIT) == pytest.approx(one.follow(LIT), abs=1e-6)
    with pytest.raises(ValueError, match="exposure"):
        other.load_state({"exposure": np.array([9, 0], np.float32)})
    other.load_state({})
    assert not other.state()


def test_gains_of_a_dark_cell_do_not_depend_on_far_ones() -> None:
    image = np.asarray(cv2.resize(picture(0.05, 0.9), (160, 120)), np.float32)
    assert gains_of(image, 1.0)[100, 80] > 1.3 > gains_of(image, 1.0)[10, 10]
