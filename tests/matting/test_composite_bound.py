"""Every composite shows at most alpha of the frame; edge controls, edits, and a room whose blur is magnified too."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backgrounds.kinds import BlurBackground
from app.core.edits import MatteEdit
from app.core.geometry import View, viewed
from app.core.settings import (
    HIDES_TEXT,
    BackgroundSettings,
    EdgeSettings,
    FramingSettings,
    MattingSettings,
    Settings,
    StrictLevel,
    shown_strength,
)
from app.core.types import AlphaImage, BgrImage, BlurredBackground, Floats, Matte, magnified
from app.matting.base.interface import NotAMatteError, StepGeometry
from app.matting.base.parameters import plan
from app.matting.cpu.cpu_backend import Coefficients
from app.matting.engine import FrameEngine
from app.offline.convert import FilmStep
from tests.matting.stubs import (
    OFF,
    STUBS,
    Case,
    Fixed,
    StubCpu,
    amplitude,
    assert_bounded,
    edge_settings,
    few_examples,
    nobody,
    random_edit,
    showing,
)

NOT_NUMBERS = (np.nan, np.inf, -np.inf)

backdrops = st.sampled_from(["picture", "frame", "black", "white", "blur:0", "blur:60", "bokeh:60"])


BACKENDS = ["network", "plate", pytest.param("torch", marks=pytest.mark.torch)]


@pytest.mark.parametrize("edited", [False, True], ids=["as-it-is", "edited"])
@pytest.mark.parametrize("backend", BACKENDS)
@few_examples
@given(
    width=st.integers(9, 70),
    height=st.integers(9, 50),
    ratio=st.sampled_from([0.3, 0.5, 1.0]),
    seed=st.integers(0, 1 << 30),
    edges=edge_settings,
    kind=backdrops,
)
def test_composites_are_bounded(
    backend: str, edited: bool, width: int, height: int, ratio: float, seed: int, edges: EdgeSettings, kind: str,
) -> None:  # fmt: skip
    """Checks three frames of a stream: smoothing needs more than one."""
    case = Case(width, height, ratio, seed, padded=backend == "plate")
    make = case.refined if backend == "plate" else case.coefficients
    editor = Fixed(random_edit(case)) if edited else None
    kind = "picture" if edited and ":" in kind else kind  # the part of the frame is what is blurred
    if editor is not None or backend == "plate" or ":" in kind:
        edges = edges.replace(strict="off")  # strict mode changes the coarse alpha, around which it is blurred
    with closing(STUBS["torch" if backend == "torch" else "cpu"](case.geometry)) as stub:
        for _ in range(3):
            frame, coefficients = case.frame(), make()
            backdrop = shown = case.backdrop(kind, frame)
            if isinstance(backdrop, BlurredBackground):
                stub.coefficients = nobody(coefficients)
                shown = stub.step(frame, backdrop, OFF).composite
            stub.coefficients = coefficients
            matte = stub.step(frame, backdrop, edges, editor, want_foreground=editor is not None)
            assert isinstance(shown, np.ndarray)
            assert_bounded(matte, shown)
            if editor is not None:
                assert matte.foreground is not None and matte.foreground.shape == frame.shape


def spoiled(case: Case, coefficients: Coefficients, value: float) -> Coefficients:
    """Return the coefficients with one value that is not a number."""
    arrays = [coefficients.slope, coefficients.offset]
    if coefficients.cells is not None and len(coefficients.cells.indices):
        arrays.append(coefficients.cells.matte)
    array = arrays[case.rng.integers(len(arrays))]
    array.flat[case.rng.integers(array.size)] = value
    return coefficients


@pytest.mark.parametrize("backend", BACKENDS)
@few_examples
@given(seed=st.integers(0, 1 << 30), value=st.sampled_from(NOT_NUMBERS), edges=edge_settings)
def test_what_is_not_a_number_never_passes(backend: str, seed: int, value: float, edges: EdgeSettings) -> None:
    case = Case(33, 21, 0.5, seed, padded=backend == "plate")
    make = case.refined if backend == "plate" else case.coefficients
    intact, broken, frame = make(), spoiled(case, make(), value), case.frame()
    with closing(STUBS["torch" if backend == "torch" else "cpu"](case.geometry, intact)) as stub:
        stub.step(frame, np.zeros_like(frame), edges)  # smoothing begins with this frame
        stub.coefficients = broken
        with pytest.raises(NotAMatteError):
            stub.step(frame, np.zeros_like(frame), edges)


def composited(frame: BgrImage, alpha: Floats, backdrop: BgrImage, edges: EdgeSettings) -> Matte:
    """Return the matte of coefficients that give `alpha` (H, W) in 0..1, with its foreground."""
    height, width = alpha.shape
    with closing(StubCpu(StepGeometry(width, height, 1.0), showing(alpha))) as backend:
        return backend.step(frame, backdrop, edges.replace(strict="off"), want_foreground=True)


def treated(alpha: AlphaImage, edges: EdgeSettings) -> AlphaImage:
    """Return the alpha after the edge controls, from coefficients that give `alpha`."""
    frame = np.full((*alpha.shape, 3), 128, np.uint8)
    return composited(frame, (alpha / 255).astype(np.float32), frame, edges).alpha


def disc(radius: int) -> AlphaImage:
    y, x = np.mgrid[-50:51, -50:51]
    return np.where(np.hypot(x, y) <= radius, 255, 0).astype(np.uint8)


def test_full_contrast_is_a_hard_mask() -> None:
    alpha = np.arange(256, dtype=np.uint8)[None].repeat(4, 0)
    hard = treated(alpha, EdgeSettings(contrast=1, threshold=0.5))
    assert set(np.unique(hard)) == {0, 255}
    assert abs(int((hard[0] == 0).sum()) - 128) <= 1


@given(st.floats(0.01, 1))
def test_temporal_smoothing_arrives_and_lets_motion_pass(temporal_smoothing: float) -> None:
    steps = plan(EdgeSettings(temporal_smoothing=temporal_smoothing)).temporal_smoothing
    assert steps is not None
    difference = np.arange(-255, 256)
    assert (np.abs(steps) <= np.abs(difference)).all()
    assert (np.sign(steps) == np.sign(difference)).all()
    np.testing.assert_array_equal(steps, -steps[::-1])
    assert steps[255 + 200] >= 199
    assert steps[255 + 4] <= 4 - 2 * (temporal_smoothing > 0.9)


@pytest.mark.parametrize("pixels", [1, 3, 8, 20])
def test_growing_and_shrinking_move_the_edge_by_pixels(pixels: int) -> None:
    alpha = disc(25)
    radius = 25.5
    grown = (treated(alpha, EdgeSettings(grow_px=pixels)) > 127).sum()
    shrunk = (treated(alpha, EdgeSettings(grow_px=-pixels)) > 127).sum()
    assert np.sqrt(grown / np.pi) == pytest.approx(radius + pixels, abs=1 + 0.05 * pixels)
    assert np.sqrt(shrunk / np.pi) == pytest.approx(radius - pixels, abs=1.1 + 0.05 * pixels)


@pytest.mark.parametrize("pixels", [2, 5, 12, 20])
def test_feather_goes_outward_only_and_shows_nothing_of_the_old_room(pixels: int) -> None:
    """For a red person in a white room on black, the feathered rim is red, not pink."""
    alpha = disc(25)
    frame = np.full((*alpha.shape, 3), 255, np.uint8)
    frame[alpha > 0] = (0, 0, 200)
    matte = composited(frame, (alpha / 255).astype(np.float32), np.zeros_like(frame), EdgeSettings(feather_px=pixels))
    assert (matte.alpha[alpha == 255] == 255).all()
    row = matte.alpha[50, 76:]
    assert (np.diff(row.astype(int)) <= 0).all()
    assert 0.5 * pixels <= int((row > 0).sum()) <= pixels + 2
    rim = (alpha == 0) & (matte.alpha > 0)
    assert matte.composite[rim][:, :2].max() <= 2
    assert matte.composite[rim][:, 2].max() > 100


def test_despill_takes_green_from_the_edge_only() -> None:
    frame = np.full((1, 4, 3), (50, 200, 60), np.uint8)
    matte = composited(frame, np.array([[0.0, 0.5, 0.9, 1.0]], np.float32), frame, EdgeSettings(despill=1))
    assert matte.foreground is not None
    green = matte.foreground[0, :, 1].astype(int)
    assert green[1] == 60
    assert 60 < green[2] < 200
    assert green[3] == 200


@pytest.mark.torch
@few_examples
@given(st.integers(9, 70), st.integers(9, 50), st.integers(0, 1 << 30))
def test_torch_and_the_cpu_edit_alike(width: int, height: int, seed: int) -> None:
    case = Case(width, height, 0.5, seed)
    # Coefficients of the size that networks give: larger ones multiply the rounding of the frame.
    large = case.coefficients()
    small = replace(large, slope=np.clip(large.slope, -0.1, 0.1), offset=np.clip(large.offset, -1, 1))
    frame = np.ascontiguousarray(case.rng.integers(80, 120, (height, width, 3), dtype=np.uint8))
    edit, mattes = random_edit(case), []
    for stub in STUBS.values():
        with closing(stub(case.geometry, small)) as backend:
            mattes.append(backend.step(frame, np.zeros_like(frame), OFF, Fixed(edit)))
    for one, other in zip(*((matte.alpha, matte.composite, matte.frame) for matte in mattes), strict=True):
        assert one is not None and other is not None
        np.testing.assert_allclose(one.astype(int), other, atol=3)  # OpenCV and torch round differently


@pytest.mark.parametrize("maker", STUBS)
@pytest.mark.parametrize("kind", ["picture", "blur:60"])
def test_nobody_is_shown_where_an_edit_says_so(maker: str, kind: str) -> None:
    case = Case(160, 96, 0.5, 1)
    width, height = case.geometry.small_width, case.geometry.small_height
    frame, gain, view = case.frame(), np.ones((height, width), np.float32), View(0.25, 0.4, 0.5)
    backdrop = case.backdrop(kind, frame)
    gain[:, : width // 2] = 0
    with closing(STUBS[maker](case.geometry, showing(np.ones((height, width), np.float32)))) as backend:
        plain, half, close = (
            backend.step(frame, backdrop, OFF, Fixed(edit))
            for edit in (MatteEdit(), MatteEdit(gain), MatteEdit(gain, view))
        )
    assert plain.alpha.min() == 255
    assert half.alpha[:, :76].max() == 0 and half.alpha[:, 84:].min() >= 254
    np.testing.assert_allclose(half.composite[:, 84:].astype(int), plain.composite[:, 84:], atol=1)
    if isinstance(backdrop, np.ndarray):
        np.testing.assert_array_equal(half.composite[:, :76], backdrop[:, :76])
    assert close.frame is not None
    np.testing.assert_allclose(close.frame.astype(int), viewed(frame, view), atol=2)
    assert close.alpha[:, :70].max() == 0


WIDTH, HEIGHT = 640, 360
GEOMETRY = StepGeometry(WIDTH, HEIGHT, 0.5)
ZOOM = 4
PERIOD = 25
"""Of strokes, in pixels of the camera: those of letters of 30 px at 720p are closer."""
LEFT = 0.5
"""Amplitude, of 255, of what may be left of the strokes."""


def strokes(period: float) -> BgrImage:
    across = (127.5 + 127.5 * np.sin(2 * np.pi * np.arange(WIDTH) / period)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(across[None, :, None], (HEIGHT, WIDTH, 3)))


def engine_of(maker: str, frame: BgrImage) -> FrameEngine:
    """Return an engine that sees nobody in a frame."""
    small = np.ascontiguousarray(frame[::2, ::2, ::-1].transpose(2, 0, 1), np.float32) / np.float32(255)
    nobody = showing(np.zeros(small.shape[1:], np.float32), small)
    return FrameEngine("stub", lambda _: STUBS[maker](GEOMETRY, nobody), lambda *_: GEOMETRY, WIDTH, HEIGHT)


@pytest.mark.parametrize("maker", STUBS)
@pytest.mark.parametrize("bokeh", [False, True])
def test_no_letter_is_left_of_a_magnified_room(maker: str, bokeh: bool) -> None:
    frame, edges = strokes(ZOOM * PERIOD), EdgeSettings()
    engine = engine_of(maker, frame)
    blur = BlurredBackground(0, bokeh)
    assert amplitude(frame, ZOOM * PERIOD) > 100
    unaware = engine.step(frame, blur, edges).composite
    aware = engine.step(frame, magnified(blur, ZOOM), edges).composite
    assert amplitude(unaware, ZOOM * PERIOD) > 4 * LEFT, "the blur of the camera's frame does not hide them"
    assert amplitude(aware, ZOOM * PERIOD) <= LEFT
    engine.close()


@pytest.mark.parametrize("maker", STUBS)
@pytest.mark.parametrize("bokeh", [False, True])
def test_no_letter_is_left_where_auto_framing_comes_close(maker: str, bokeh: bool) -> None:
    frame, size = strokes(PERIOD), 0.3
    engine = engine_of(maker, frame)
    edit = MatteEdit(view=View(0.3, 0.35, size))
    matte: Matte = engine.step(frame, BlurredBackground(0, bokeh), EdgeSettings(), Fixed(edit))
    assert amplitude(matte.composite, PERIOD / size) <= LEFT
    engine.close()


def test_a_film_is_blurred_as_its_zoom_asks() -> None:
    camera = strokes(PERIOD)
    settings = Settings(framing=FramingSettings(zoom=ZOOM), matting=MattingSettings(edges=EdgeSettings()))
    crop = np.ascontiguousarray(strokes(ZOOM * PERIOD))
    film = FilmStep(engine_of("cpu", crop), BlurBackground(0), settings, False, False)
    composite = np.asarray(film(camera, 0.0)[0], np.uint8)
    assert amplitude(composite, ZOOM * PERIOD) <= LEFT


def test_only_without_strict_mode_a_blur_may_show_text() -> None:
    strengths = [0, 69, 70, 85, 100]
    levels: dict[StrictLevel, tuple[list[int], list[bool]]] = {
        "off": (strengths, [True, True, False, False, False]),
        "balanced": ([70, 70, 70, 85, 100], [False] * 5),
    }
    for level, (shown, readable) in levels.items():
        blurred = Settings().replaced_at(["matting", "edges"], strict=level).replaced_at(["background"], kind="blur")
        assert [shown_strength(strength, level) for strength in strengths] == shown
        found = [blurred.replaced_at(["background"], blur_strength=strength).text_is_readable for strength in strengths]
        assert found == readable
    assert BackgroundSettings().blur_strength == 85, "which hides it at every level"


def test_an_engine_blurs_at_least_as_its_level_says() -> None:
    backend, frame = Mock(StubCpu, precision="float32"), np.zeros((64, 96, 3), np.uint8)
    engine = FrameEngine("bundled", lambda geometry: backend, lambda *_: StepGeometry(96, 64, 0.5), 96, 64)

    def given(strength: float, level: StrictLevel) -> object:
        engine.step(frame, BlurredBackground(strength), EdgeSettings(strict=level))
        return backend.step.call_args.args[1]

    assert given(40, "off") == BlurredBackground(40)
    assert given(0, "balanced") == BlurredBackground(HIDES_TEXT)
    assert given(85, "balanced") == BlurredBackground(85)
