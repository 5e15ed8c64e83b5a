"""The light of the person: limits, recovery of a known light, time, and the same result in both backends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.types import Backdrop, BgrImage, BlurredBackground, Floats, MatteEdit
from app.effects import brightness, light, light_match
from app.effects.base import FrameContext
from app.effects.brightness import Exposure
from app.effects.portrait_light import found_head
from app.effects.table import Effects
from app.matting.cpu.cpu_backend import RefinedCells
from app.matting.interface import StepGeometry, StepRequest
from app.settings import Settings
from tests.matting.stubs import EDGES, STUBS, Fixed, StubCpu, showing

SIZE = WIDTH, HEIGHT = 160, 96
ALL = {"match": 100, "portrait": 100}


def person_alpha(width: int, height: int) -> Floats:
    """Return the soft-edged alpha of a head and shoulders."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    head = np.hypot((x / width - 0.5) * 3.2, y / height - 0.35) < 0.22
    body = (y / height > 0.55) & (np.abs(x / width - 0.5) < 0.25)
    alpha: Floats = (head | body).astype(np.float32)
    return alpha


GRID = GRID_WIDTH, GRID_HEIGHT = light.grid_size(*SIZE)
PERSON = person_alpha(*GRID)


def scene(seed: int, width: int = WIDTH, height: int = HEIGHT, level: float = 0.5) -> BgrImage:
    """Return a picture of many surfaces with this mean level."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.3, 1.7, (6, 10, 3)) * level * 255
    picture: BgrImage = np.clip(
        np.kron(coarse, np.ones((height // 6, width // 10, 1))), 0, 255
    ).astype(np.uint8)
    return picture


MATCH = {"match": 100}
PORTRAIT = {"portrait": 100}


@given(seed=st.integers(0, 999), level=st.floats(0.0, 1.0), behind=st.floats(0.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_gains_keep_within_their_limits(seed: int, level: float, behind: float) -> None:
    image, backdrop = (
        light_match.rgb_on_grid(scene(seed + i, level=part), *GRID)
        for i, part in enumerate((level, behind))
    )
    tone = light_match.measured_tone(image, PERSON, backdrop)
    if tone is not None:
        assert (
            np.abs(tone.log_gains).max() <= light_match.MAX_EXPOSURE + light_match.MAX_CHROMA + 1e-5
        )
        assert abs(tone.log_contrast) <= light_match.MAX_CONTRAST
        assert np.isfinite(tone).all()


def test_a_person_of_another_light_than_the_scene_moves_towards_it() -> None:
    """The person under the true light is known: the same surfaces, dimmed and warmed as the scene is."""
    surfaces, room = scene(3), scene(4)
    true, backdrop = (image * np.array([0.6, 0.7, 0.8]) for image in (surfaces, room))
    tone = light_match.measured_tone(
        light_match.rgb_on_grid(surfaces, *GRID),
        PERSON,
        light_match.rgb_on_grid(backdrop.astype(np.uint8), *GRID),
    )
    assert tone is not None
    found = surfaces * np.exp(tone.log_gains)[::-1]
    assert np.abs(found - true).mean() < 0.85 * np.abs(surfaces - true).mean()


def test_in_the_same_light_a_person_gets_the_usual_difference_between_people_and_rooms() -> None:
    """Persons and their surroundings differ also in the same light: skin is red, and darker."""
    grey = np.full((GRID_HEIGHT, GRID_WIDTH, 3), 0.4, np.float32)

    tone = light_match.measured_tone(grey, PERSON, grey)

    assert tone is not None
    np.testing.assert_allclose(
        tone.log_gains,
        0.5 * 0.12 - 0.35 * light_match.USUAL_CHROMA,
        atol=1e-4,
    )
    assert tone.mean == pytest.approx(0.4, abs=1e-4)
    assert tone.highlight == pytest.approx(0.4, abs=1e-4)


def test_the_tone_is_that_of_the_person_alone() -> None:
    image = np.full((GRID_HEIGHT, GRID_WIDTH, 3), 0.8, np.float32)
    image[PERSON > 0.5] = 0.3

    tone = light_match.measured_tone(image, PERSON, None)

    assert tone is not None
    assert tone.log_gains == pytest.approx(0)
    assert tone.mean == pytest.approx(0.3, abs=1e-4)
    assert tone.highlight == pytest.approx(0.3, abs=1e-4)


def test_the_gains_towards_another_light_are_limited() -> None:
    dark = np.full((GRID_HEIGHT, GRID_WIDTH, 3), 0.05, np.float32)
    bright = np.full((GRID_HEIGHT, GRID_WIDTH, 3), 0.4, np.float32)

    to_bright = light_match.measured_tone(dark, PERSON, bright)
    to_dark = light_match.measured_tone(bright, PERSON, dark)

    chroma = -0.35 * light_match.USUAL_CHROMA
    assert to_bright is not None and to_dark is not None
    np.testing.assert_allclose(to_bright.log_gains, 0.3 + chroma, atol=1e-4)
    np.testing.assert_allclose(to_dark.log_gains, -0.3 + chroma, atol=1e-4)


class LitStream:
    """The effects on one stream of frames of which the light alone changes."""

    def __init__(self, **strengths: float) -> None:
        self._settings = Settings().replaced_at(["light"], **strengths)
        self._effects = Effects()

    def maps(self, image: Floats, alpha: Floats, backdrop: BgrImage | None) -> Floats:
        """Return what the engines apply to the next frame. backdrop: None for a blur of the person's own room."""
        frame = FrameContext(
            self._settings, SIZE, 0.0, BlurredBackground(50) if backdrop is None else backdrop
        )
        editor = self._effects.begin_frame(frame)
        assert editor is not None
        (maps,) = editor.edit(np.ascontiguousarray(image.transpose(2, 0, 1)), alpha).lights
        return maps


def maps_of(alpha: Floats, backdrop: BgrImage | None, strengths: Mapping[str, float]) -> Floats:
    return LitStream(**strengths).maps(light_match.rgb_on_grid(scene(5), *GRID), alpha, backdrop)


@pytest.mark.parametrize("colour", [(64, 177, 0), (255, 255, 255), (0, 0, 0)])
def test_one_colour_has_no_light_to_follow(colour: tuple[int, int, int]) -> None:
    """A green screen must stay one: the match does not tint the person; neither does the own room."""
    for backdrop in (np.full((HEIGHT, WIDTH, 3), colour, np.uint8), None):
        found = maps_of(PERSON, backdrop, MATCH)
        np.testing.assert_allclose(found[:3], 1, atol=1e-6)
        np.testing.assert_allclose(found[3:], 0, atol=1e-6)


def test_the_portrait_light_is_on_the_face_and_follows_it() -> None:
    head = found_head(PERSON)
    assert head is not None and abs(head[0] - GRID_WIDTH / 2) < 2
    found = maps_of(PERSON, scene(8), PORTRAIT)
    moved = maps_of(np.roll(PERSON, 20, axis=1), scene(8), PORTRAIT)
    brightest, then = (int(found_[1].max(axis=0).argmax()) for found_ in (found, moved))
    assert abs(brightest - GRID_WIDTH / 2) < GRID_WIDTH / 4
    assert then == pytest.approx(brightest + 20, abs=2)
    assert found[1, GRID_HEIGHT // 3, GRID_WIDTH // 2] > 1.05


@pytest.mark.parametrize("strengths", [PORTRAIT, ALL], ids=["lamp", "lamp and light match"])
def test_a_face_that_tells_no_colours_is_lit_like_a_usual_one(strengths: dict[str, float]) -> None:
    """All of it is clipped by the camera, so that nothing is measured on it."""
    white = np.ones((GRID_HEIGHT, GRID_WIDTH, 3), np.float32)

    found = LitStream(**strengths).maps(white, PERSON, scene(8))

    assert found[1].max() > 1.2


def test_highlights_are_not_clipped() -> None:
    bright = np.full((GRID_HEIGHT, GRID_WIDTH, 3), 0.9, np.float32)
    found = LitStream(**ALL).maps(bright, PERSON, scene(9, level=1.0))
    assert (0.9 * found[:3] + found[3:]).max() <= 1.01 + light_match.MAX_CHROMA


def test_a_sudden_backdrop_changes_the_light_slowly() -> None:
    stream, image = LitStream(**MATCH), light_match.rgb_on_grid(scene(10), *GRID)
    first = stream.maps(image, PERSON, scene(11, level=0.9))
    dark = scene(12, level=0.1)
    gains = [stream.maps(image, PERSON, dark)[1, 0, 0] for _ in range(120)]
    changes = np.abs(np.diff([first[1, 0, 0], *gains]))
    assert changes.max() < 0.04, "no step of the brightness is visible"
    assert gains[-1] == pytest.approx(gains[-2], abs=1e-3), "it arrives"
    assert gains[-1] < first[1, 0, 0] - 0.1
    empty = stream.maps(image, np.zeros_like(PERSON), scene(13))
    assert empty[1, 0, 0] == gains[-1], "nobody keeps the last light"


GEOMETRY = StepGeometry(WIDTH, HEIGHT, 0.5)


@pytest.mark.torch
@pytest.mark.parametrize(
    "backdrop", [scene(19, level=0.3), BlurredBackground(70)], ids=["image", "blur"]
)
def test_both_backends_give_the_same_light(backdrop: Backdrop) -> None:
    frame = scene(18)
    small = np.ascontiguousarray(
        frame[::2, ::2, ::-1].transpose(2, 0, 1), dtype=np.float32
    ) / np.float32(255)
    person = showing(person_alpha(GEOMETRY.small_width, GEOMETRY.small_height), small)
    mattes = []
    for stub in STUBS.values():
        engine = stub(GEOMETRY, person)
        settings_ = Settings().replaced_at(["light"], **ALL)
        editor = Effects().begin_frame(FrameContext(settings_, SIZE, 0.0, backdrop))
        mattes.append(
            engine.step(StepRequest(frame, backdrop, EDGES, "off", editor, want_foreground=True))
        )
        dark = engine.step(StepRequest(frame, backdrop, EDGES, "off"))
        engine.close()
        assert (mattes[-1].composite.astype(int) - dark.composite)[mattes[-1].alpha > 200].any(), (
            "the person is relit"
        )
        assert not (mattes[-1].composite.astype(int) - dark.composite)[
            mattes[-1].alpha == 0
        ].any(), "nothing else is"
    one, other = mattes
    np.testing.assert_allclose(one.alpha.astype(int), other.alpha, atol=1)
    inner = one.alpha == 255
    difference = np.abs(one.composite.astype(int) - other.composite)[inner]
    assert difference.max() <= 3
    assert difference.mean() < 1
    assert one.foreground is not None and other.foreground is not None


@pytest.mark.parametrize("refined", [False, True], ids=["coefficients", "refined-cells"])
def test_the_whole_foreground_is_lit_as_one_piece(refined: bool) -> None:
    """A network with a plate refines some cells."""
    rng = np.random.default_rng(23)
    frame = rng.integers(60, 190, (24, 40, 3), dtype=np.uint8)
    y, x = np.mgrid[0:4, 0:7]
    lit = np.stack([*[0.7 + 0.006 * x + 0.003 * y] * 3, *[0.003 * y] * 3]).astype(np.float32)
    residual = rng.normal(0, 0.05, (24, 40, 3)).astype(np.float32)
    coefficients = showing(np.ones((24, 40), np.float32))
    if refined:
        matte = (
            np.dstack([np.ones((24, 40)), residual])
            .reshape(6, 4, 10, 4, 4)
            .transpose(0, 2, 1, 3, 4)
        )
        cells = RefinedCells(
            np.arange(60), np.ascontiguousarray(matte.reshape(60, 4, 4, 4), np.float32)
        )
        coefficients = replace(coefficients, cells=cells)
    else:
        coefficients.offset[:3] = residual.transpose(2, 0, 1)
    with closing(StubCpu(StepGeometry(40, 24, 1.0), coefficients)) as backend:
        edit = Fixed(MatteEdit(lights=(lit,)))
        matted = backend.step(
            StepRequest(frame, np.zeros_like(frame), EDGES, "off", edit, want_foreground=True)
        )
    gain, bias = np.split(np.dstack([cv2.resize(plane, (40, 24)) for plane in lit]), 2, axis=2)
    expected = gain * (frame[..., ::-1] / 255 + residual) + bias
    assert matted.foreground is not None
    np.testing.assert_allclose(
        matted.foreground[..., ::-1] / 255, expected, atol=(1.5 if refined else 0.6) / 255
    )


LIT = Exposure(mean=0.2, highlight=0.5, white=0.9, noise=0.005)
DIM = LIT._replace(highlight=0.1)


@pytest.mark.parametrize(
    ("exposure", "ev"),
    [
        pytest.param(LIT._replace(mean=0.5), np.log2(0.42 / 0.5), id="overexposed"),
        pytest.param(LIT._replace(mean=1.0), -1, id="far overexposed"),
        pytest.param(DIM._replace(mean=0.08), 1.8 * np.log2(0.11 / 0.08), id="backlit"),
        pytest.param(DIM._replace(mean=0.02), 2, id="far backlit"),
        pytest.param(DIM._replace(white=0.35), 1, id="a dark room"),
        pytest.param(DIM._replace(mean=0.05, highlight=0.3), np.log2(0.5 / 0.3), id="highlights"),
        pytest.param(DIM._replace(mean=0.05, noise=0.02), 2.2 * np.log2(0.025 / 0.02), id="noise"),
    ],
)
def test_the_gain_of_an_exposure_in_ev(exposure: Exposure, ev: float) -> None:
    assert brightness.wanted_ev(exposure) == pytest.approx(ev)


BLOCK = np.zeros((60, 80), np.float32)
BLOCK[10:, 25:55] = 1
luminances = st.floats(0, 1)


def portrait(person: float, room: float, noise: float = 0.0) -> Floats:
    """Return an image of these linear luminances, with noise of gamma-encoded values."""
    linear = np.where(BLOCK > 0.5, person, room)[..., None].repeat(3, 2)
    noisy = linear ** (1 / brightness.GAMMA) + np.random.default_rng(0).normal(
        0, noise, linear.shape
    )
    return np.clip(noisy, 0, 1).astype(np.float32)


@given(mean=luminances, highlight=luminances, white=luminances, noise=st.floats(0, 0.2))
def test_brightness_keeps_within_its_limits(
    mean: float, highlight: float, white: float, noise: float
) -> None:
    ev = brightness.wanted_ev(Exposure(mean, highlight, white, noise))
    assert brightness.LEAST_EV <= ev <= brightness.MOST_EV
    if ev > 0:
        assert highlight * 2**ev <= brightness.HIGHLIGHT * 1.001
        assert noise * 2 ** (ev / brightness.GAMMA) <= brightness.NOISE * 1.001
        assert (
            mean * 2**ev <= brightness.MIDDLE * 1.001 or white * 2**ev <= brightness.WHITE * 1.001
        )


@given(
    mean=st.floats(brightness.LOW, brightness.HIGH),
    white=st.floats(brightness.WHITE, 1),
    highlight=luminances,
)
def test_skin_of_every_tone_keeps_its_tone_where_it_is_well_lit(
    mean: float, white: float, highlight: float
) -> None:
    assert brightness.wanted_ev(LIT._replace(mean=mean, white=white, highlight=highlight)) == 0


def test_a_backlit_face_is_raised_an_overexposed_one_lowered_and_dark_skin_is_not_made_pale() -> (
    None
):
    assert brightness.wanted_ev(LIT._replace(mean=0.04, highlight=0.1)) > 1
    assert brightness.wanted_ev(LIT._replace(mean=0.6)) < -0.3
    dark_skin = Exposure(
        mean=0.08, highlight=0.4, white=0.9, noise=0.005
    )  # its highlights are of a well-lit face
    assert brightness.wanted_ev(dark_skin) < 0.4


def test_exposure_is_that_of_head_and_shoulders() -> None:
    dark_face = portrait(0.5, 0.8)
    dark_face[10:26, 25:55] = 0.05 ** (1 / brightness.GAMMA)
    found = brightness.measured_exposure(dark_face, BLOCK)
    assert found is not None and found.mean < 0.25
    assert found.white == pytest.approx(0.8, abs=0.01)
    assert brightness.measured_exposure(dark_face, np.zeros_like(BLOCK)) is None


def test_noise_is_measured_and_edges_are_not() -> None:
    for noise in (0.0, 0.01, 0.03):
        found = brightness.measured_exposure(portrait(0.2, 0.8, noise), BLOCK)
        assert found is not None and found.noise == pytest.approx(noise, rel=0.15, abs=0.001)


@given(ev=st.floats(brightness.LEAST_EV, brightness.MOST_EV), value=st.floats(0, 1))
def test_nothing_clips_that_did_not_and_order_stays(ev: float, value: float) -> None:
    values = np.sort(np.array([value, min(1, value + 0.01)], np.float32))
    lit = [
        float(v * brightness.gains_of(np.full((5, 5, 3), v, np.float32), ev)[2, 2]) for v in values
    ]
    assert lit[1] <= 1.001 and lit[0] <= lit[1] + 1e-6


def test_a_highlight_in_a_cell_does_not_clip() -> None:
    image = portrait(0.05, 0.05)
    image[30, 40] = 0.99
    lit = image * brightness.gains_of(image, brightness.MOST_EV)[..., None]
    assert lit.max() <= 1
    assert lit[50, 40, 0] > 1.7 * image[50, 40, 0]


DARK_FACE = LIT._replace(mean=0.04, highlight=0.1)


def evs(exposures: Iterable[Exposure | None]) -> list[float]:
    """Return the gains of a stream of frames in which a person is seen at first."""
    gain, found = None, []
    for exposure in exposures:
        gain = brightness.next_gain(gain, exposure)
        assert gain is not None
        found.append(gain.ev)
    return found


def test_the_first_frame_is_exposed_at_once_and_the_next_ones_without_pumping() -> None:
    rng = np.random.default_rng(1)
    noisy = [DARK_FACE._replace(mean=0.04 * float(rng.uniform(0.97, 1.03))) for _ in range(120)]
    found = evs([DARK_FACE, *noisy, None])
    assert found[0] == pytest.approx(brightness.wanted_ev(DARK_FACE))
    moved = np.abs(np.diff(found))
    assert moved.max() <= brightness.REST_EV + 1e-9 and moved.sum() < 0.05
    assert found[-1] == found[-2], "nobody is visible"


def test_a_change_of_the_light_is_followed_faster() -> None:
    found = evs([LIT, *[DARK_FACE] * 400])
    steps = np.diff(found)
    assert steps[: brightness.FAR_FRAMES - 1].max() <= brightness.REST_EV + 1e-9
    assert steps.max() == pytest.approx(brightness.FAST_EV)
    assert found[-1] == pytest.approx(brightness.wanted_ev(DARK_FACE), abs=0.1)
