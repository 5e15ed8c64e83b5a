"""Every composite shows at most alpha of the frame; edge controls, edits, and a room whose blur is magnified too."""

from __future__ import annotations

import gc
from contextlib import closing
from dataclasses import replace
from typing import get_args
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.backgrounds.kinds import BlurBackground
from app.core.compiling import loading
from app.core.geometry import viewed
from app.core.settings import (
    HIDES_TEXT,
    BackgroundSettings,
    EdgeSettings,
    FramingSettings,
    MattingSettings,
    StrictLevel,
    shown_strength,
)
from app.core.types import (
    AlphaImage,
    BgrImage,
    BlurredBackground,
    Floats,
    Matte,
    MatteEdit,
    View,
    magnified,
)
from app.matting import blur
from app.matting.blur import blurred_background
from app.matting.cpu.cpu_backend import RefinedCells
from app.matting.edges import plan
from app.matting.engine import FrameEngine
from app.matting.interface import NotAMatteError, StepGeometry, StepRequest
from app.offline.convert import FilmStep
from app.settings import Settings
from tests.fresh_python import printed_by
from tests.matting.stubs import EDGES, STUBS, Case, Fixed, StubCpu, few_examples, showing, small_of
from tests.stand_ins import always

ROUNDING = 1
"""Alpha and composite are each rounded by up to half a level of 255."""


edge_settings = st.builds(
    EdgeSettings,
    threshold=st.floats(0, 1),
    contrast=st.sampled_from([0.0, 0.3, 1.0]),
    grow_px=st.sampled_from([0, 0, -7, -1, 1, 12]),
    feather_px=st.sampled_from([0, 0, 1, 9, 40]),
    temporal_smoothing=st.sampled_from([0.0, 0.5, 1.0]),
    despill=st.sampled_from([0.0, 0.4, 1.0]),
)
strict_levels = st.sampled_from(get_args(StrictLevel))


def random_edit(case: Case) -> MatteEdit:
    rng = case.rng
    size = (case.geometry.small_height, case.geometry.small_width)
    gain = rng.choice([0, 0.5, 1], size).astype(np.float32)
    view_size = rng.uniform(0.2, 1)
    left, top = rng.uniform(0, 1 - view_size, 2)
    lights = tuple(
        np.concatenate([rng.uniform(0, 1.4, (3, 4, 5)), rng.uniform(-0.5, 0.5, (3, 4, 5))]).astype(
            np.float32
        )
        for _ in range(rng.integers(3))
    )
    return MatteEdit(gain, View(left, top, view_size), lights)


def amplitude(image: BgrImage, period: float) -> float:
    """Return the amplitude of a period along the rows in the middle of an image, of 255."""
    height, width = image.shape[:2]
    count = int(0.6 * width // period * period)
    row = (
        image[height // 3 : 2 * height // 3, width // 5 : width // 5 + count, 1]
        .astype(float)
        .mean(axis=0)
    )
    wave = np.exp(2j * np.pi * np.arange(count) / period)
    return float(2 * np.abs(((row - row.mean()) * np.hanning(count) * wave).sum()) / (count / 2))


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
    strict=strict_levels,
    kind=st.sampled_from(["picture", "frame", "black", "white", "blur:0", "blur:60", "bokeh:60"]),
)
def test_composites_are_bounded(
    backend: str,
    edited: bool,
    width: int,
    height: int,
    ratio: float,
    seed: int,
    edges: EdgeSettings,
    strict: StrictLevel,
    kind: str,
) -> None:
    """Checks three frames of a stream: smoothing needs more than one."""
    case = Case(width, height, ratio, seed, padded=backend == "plate")
    make = case.refined if backend == "plate" else case.coefficients
    editor = Fixed(random_edit(case)) if edited else None
    kind = "picture" if edited and ":" in kind else kind  # the part of the frame is what is blurred
    if editor is not None or backend == "plate" or ":" in kind:
        strict = "off"  # strict mode changes the coarse alpha, around which it is blurred
    with closing(STUBS["torch" if backend == "torch" else "cpu"](case.geometry)) as stub:
        for _ in range(3):
            frame = case.frame()
            coefficients = make()
            backdrop = shown = case.backdrop(kind, frame)
            if isinstance(backdrop, BlurredBackground):
                slope = coefficients.slope.copy()
                offset = coefficients.offset.copy()
                slope[3] = 0
                offset[3] = -1  # alpha is 0 everywhere: the composite is the backdrop
                none = coefficients.cells and RefinedCells(
                    coefficients.cells.indices[:0], coefficients.cells.matte[:0]
                )
                stub.coefficients = replace(coefficients, slope=slope, offset=offset, cells=none)
                shown = stub.step(StepRequest(frame, backdrop, EDGES, "off")).composite
            stub.coefficients = coefficients
            matte = stub.step(
                StepRequest(
                    frame, backdrop, edges, strict, editor, want_foreground=editor is not None
                )
            )
            assert isinstance(shown, np.ndarray)
            difference = np.abs(matte.composite.astype(int) - shown).max(2)
            assert (difference <= matte.alpha.astype(int) + ROUNDING).all()
            assert not difference[matte.alpha == 0].any()
            if editor is not None:
                assert matte.foreground is not None and matte.foreground.shape == frame.shape


@pytest.mark.parametrize("backend", BACKENDS)
@few_examples
@given(
    seed=st.integers(0, 1 << 30),
    value=st.sampled_from([np.nan, np.inf, -np.inf]),
    edges=edge_settings,
    strict=strict_levels,
)
def test_what_is_not_a_number_never_passes(
    backend: str, seed: int, value: float, edges: EdgeSettings, strict: StrictLevel
) -> None:
    case = Case(33, 21, 0.5, seed, padded=backend == "plate")
    make = case.refined if backend == "plate" else case.coefficients
    intact = make()
    broken = make()
    frame = case.frame()
    arrays = [broken.slope, broken.offset]
    if broken.cells is not None and len(broken.cells.indices):
        arrays.append(broken.cells.matte)
    array = arrays[case.rng.integers(len(arrays))]
    array.flat[case.rng.integers(array.size)] = value
    with closing(STUBS["torch" if backend == "torch" else "cpu"](case.geometry, intact)) as stub:
        stub.step(
            StepRequest(frame, np.zeros_like(frame), edges, strict)
        )  # smoothing begins with this frame
        stub.coefficients = broken
        with pytest.raises(NotAMatteError):
            stub.step(StepRequest(frame, np.zeros_like(frame), edges, strict))


def composited(frame: BgrImage, alpha: Floats, backdrop: BgrImage, edges: EdgeSettings) -> Matte:
    """Return the matte of coefficients that give `alpha` (H, W) in 0..1, with its foreground."""
    height, width = alpha.shape
    with closing(StubCpu(StepGeometry(width, height, 1.0), showing(alpha))) as backend:
        return backend.step(StepRequest(frame, backdrop, edges, "off", want_foreground=True))


def treated(alpha: AlphaImage, edges: EdgeSettings) -> AlphaImage:
    """Return the alpha after the edge controls, from coefficients that give `alpha`."""
    frame = np.full((*alpha.shape, 3), 128, np.uint8)
    return composited(frame, (alpha / 255).astype(np.float32), frame, edges).alpha


DISC = np.where(np.hypot(*np.mgrid[-50:51, -50:51]) <= 25, 255, 0).astype(np.uint8)


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
    for grow_px in (pixels, -pixels):
        shown = (treated(DISC, EdgeSettings(grow_px=grow_px)) > 127).sum()
        assert np.sqrt(shown / np.pi) == pytest.approx(25.5 + grow_px, abs=1.1 + 0.05 * pixels)


@pytest.mark.parametrize("pixels", [2, 5, 12, 20])
def test_feather_goes_outward_only_and_shows_nothing_of_the_old_room(pixels: int) -> None:
    """For a red person in a white room on black, the feathered rim is red, not pink."""
    frame = np.full((*DISC.shape, 3), 255, np.uint8)
    frame[DISC > 0] = (0, 0, 200)
    matte = composited(
        frame,
        (DISC / 255).astype(np.float32),
        np.zeros_like(frame),
        EdgeSettings(feather_px=pixels),
    )
    assert (matte.alpha[DISC == 255] == 255).all()
    row = matte.alpha[50, 76:]
    assert (np.diff(row.astype(int)) <= 0).all()
    assert 0.5 * pixels <= int((row > 0).sum()) <= pixels + 2
    rim = (DISC == 0) & (matte.alpha > 0)
    assert matte.composite[rim][:, :2].max() <= 2
    assert matte.composite[rim][:, 2].max() > 100


def test_despill_takes_green_from_the_edge_only() -> None:
    frame = np.full((1, 4, 3), (50, 200, 60), np.uint8)
    matte = composited(
        frame, np.array([[0.0, 0.5, 0.9, 1.0]], np.float32), frame, EdgeSettings(despill=1)
    )
    assert matte.foreground is not None
    green = matte.foreground[0, :, 1].astype(int)
    assert green[1] == 60 < green[2] < green[3] == 200


@pytest.mark.torch
@few_examples
@given(st.integers(9, 70), st.integers(9, 50), st.integers(0, 1 << 30))
def test_torch_and_the_cpu_edit_alike(width: int, height: int, seed: int) -> None:
    case = Case(width, height, 0.5, seed)
    # Coefficients of the size that networks give: larger ones multiply the rounding of the frame.
    large = case.coefficients()
    small = replace(
        large, slope=np.clip(large.slope, -0.1, 0.1), offset=np.clip(large.offset, -1, 1)
    )
    frame = np.ascontiguousarray(case.rng.integers(80, 120, (height, width, 3), dtype=np.uint8))
    edit = random_edit(case)
    mattes = []
    for stub in STUBS.values():
        with closing(stub(case.geometry, small)) as backend:
            mattes.append(
                backend.step(StepRequest(frame, np.zeros_like(frame), EDGES, "off", Fixed(edit)))
            )

    for one, other in zip(
        *((matte.alpha, matte.composite, matte.frame) for matte in mattes), strict=True
    ):
        assert one is not None and other is not None
        np.testing.assert_allclose(
            one.astype(int), other, atol=3
        )  # OpenCV and torch round differently


@pytest.mark.parametrize("maker", STUBS)
@pytest.mark.parametrize("kind", ["picture", "blur:60"])
def test_nobody_is_shown_where_an_edit_says_so(maker: str, kind: str) -> None:
    case = Case(160, 96, 0.5, 1)
    width = case.geometry.small_width
    height = case.geometry.small_height
    frame = case.frame()
    gain = np.ones((height, width), np.float32)
    view = View(0.25, 0.4, 0.5)
    backdrop = case.backdrop(kind, frame)
    gain[:, : width // 2] = 0
    with closing(
        STUBS[maker](case.geometry, showing(np.ones((height, width), np.float32)))
    ) as backend:
        plain, half, close = (
            backend.step(StepRequest(frame, backdrop, EDGES, "off", Fixed(edit)))
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


WIDTH = 640
HEIGHT = 360
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
    small = np.ascontiguousarray(frame[::2, ::2, ::-1].transpose(2, 0, 1), np.float32) / np.float32(
        255
    )
    nobody = showing(np.zeros(small.shape[1:], np.float32), small)
    return FrameEngine(
        "stub", lambda _: STUBS[maker](GEOMETRY, nobody), always(GEOMETRY), WIDTH, HEIGHT
    )


@pytest.mark.parametrize("maker", STUBS)
@pytest.mark.parametrize("bokeh", [False, True])
def test_no_letter_is_left_of_a_magnified_room_or_where_auto_framing_comes_close(
    maker: str, bokeh: bool
) -> None:
    blur = BlurredBackground(0, bokeh)
    frame = strokes(ZOOM * PERIOD)
    view = View(0.3, 0.35, 0.3)
    with closing(engine_of(maker, frame)) as engine:
        unaware, aware = (
            engine.step(StepRequest(frame, room, EdgeSettings())).composite
            for room in (blur, magnified(blur, ZOOM))
        )
    assert amplitude(frame, ZOOM * PERIOD) > 100
    assert amplitude(unaware, ZOOM * PERIOD) > 4 * LEFT, (
        "the blur of the camera's frame does not hide them"
    )
    assert amplitude(aware, ZOOM * PERIOD) <= LEFT
    with closing(engine_of(maker, strokes(PERIOD))) as engine:
        request = StepRequest(
            strokes(PERIOD), blur, EdgeSettings(), edit=Fixed(MatteEdit(view=view))
        )
        framed = engine.step(request).composite
    assert amplitude(framed, PERIOD / view.size) <= LEFT


def test_a_film_is_blurred_as_its_zoom_asks() -> None:
    camera = strokes(PERIOD)
    settings = Settings(
        framing=FramingSettings(zoom=ZOOM), matting=MattingSettings(edges=EdgeSettings())
    )
    film = FilmStep(
        engine_of("cpu", strokes(ZOOM * PERIOD)), BlurBackground(0), settings, False, False
    )

    assert amplitude(np.asarray(film(camera, 0.0)[0], np.uint8), ZOOM * PERIOD) <= LEFT


def test_only_without_strict_mode_a_blur_may_show_text() -> None:
    strengths = [0, 69, 70, 85, 100]
    levels: dict[StrictLevel, tuple[list[int], list[bool]]] = {
        "off": (strengths, [True, True, False, False, False]),
        "balanced": ([70, 70, 70, 85, 100], [False] * 5),
    }
    for level, (shown, readable) in levels.items():
        blurry = (
            Settings().replaced_at(["strict"], level=level).replaced_at(["background"], kind="blur")
        )
        assert [shown_strength(strength, level) for strength in strengths] == shown
        found = [
            blurry.replaced_at(["background"], blur_strength=strength).text_is_readable
            for strength in strengths
        ]
        assert found == readable
    assert BackgroundSettings().blur_strength == 85, "which hides it at every level"


def test_an_engine_blurs_at_least_as_its_level_says() -> None:
    backend = Mock(StubCpu, precision="float32")
    frame = np.zeros((64, 96, 3), np.uint8)
    engine = FrameEngine("bundled", always(backend), always(StepGeometry(96, 64, 0.5)), 96, 64)

    def given(strength: float, level: StrictLevel) -> object:
        engine.step(StepRequest(frame, BlurredBackground(strength), EDGES, level))
        return backend.step.call_args.args[0].backdrop

    assert given(40, "off") == BlurredBackground(40)
    assert given(0, "balanced") == BlurredBackground(HIDES_TEXT)
    assert given(85, "balanced") == BlurredBackground(85)


HD = StepGeometry(1280, 720, 0.375)
ROWS = HD.small_height
COLUMNS = HD.small_width
EMPTY = np.zeros((ROWS, COLUMNS), np.float32)


def blurred(
    image: BgrImage, strength: float, alpha: Floats = EMPTY, *, bokeh: bool = False
) -> BgrImage:
    """Return the room of an image, (720, 1280, 3) BGR, as the background shows it."""
    small = small_of(
        np.asarray(cv2.resize(image, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.uint8)
    )
    return blurred_background(small, alpha, strength, HD.blur_factor, 1280, 720, bokeh=bokeh)


@pytest.mark.torch
@pytest.mark.parametrize("strength", [0, 25, 50, 75, 100])
def test_blurred_room_holds_nothing_of_the_person_as_in_torch(strength: float) -> None:
    import torch

    from app.matting.torch import frame_step

    picture = (
        np.repeat(np.linspace(60, 180, 200)[None, :, None], 120, 0).repeat(3, 2).astype(np.uint8)
    )
    alpha = np.zeros((120, 200), np.float32)
    cv2.ellipse(alpha, (100, 120), (40, 80), 0, 0, 360, 1, -1)
    picture[alpha > 0] = (0, 0, 255)
    small = small_of(picture)
    room = blurred_background(small, alpha, strength, 1, 200, 120)
    # The room is grey, brighter to the right: a red cast would come from the person.
    assert np.abs(room[..., 2].astype(int) - room[..., 0]).max() <= 1
    assert room.min() >= 50 and room.max() <= 190
    taps = torch.from_numpy(blur.strength_taps(strength, 120))
    image = torch.from_numpy(small)[None]
    matte = torch.from_numpy(alpha)[None, None]
    reference = frame_step.blurred_background(image, matte, taps, 1)
    assert np.abs(room - reference[0].permute(1, 2, 0).numpy()[..., ::-1] * 255).max() <= 1


@pytest.mark.parametrize("channel", range(3))
def test_a_lamp_of_any_colour_stays_bright_and_becomes_a_disc(channel: int) -> None:
    room = np.full((720, 1280, 3), 40, np.uint8)
    cv2.circle(room, (640, 360), 14, np.where(np.arange(3) == channel, 255, 40).tolist(), -1)
    lens, usual = (
        blurred(room, 30, bokeh=bokeh)[..., channel].astype(float) - 40 for bokeh in (True, False)
    )
    assert lens.sum() > 3 * usual.sum(), "the highlight prevails"
    radius = blur.DISC_RADIUS * blur.strength_sigma(30, 720)
    across = lens[360, 640:] / lens[360, 640]
    assert across[int(0.5 * radius)] > 0.75, "nearly flat inside"
    assert across[int(1.8 * radius)] < 0.1, "dark outside"


def test_the_person_leaves_no_halo_in_a_uniform_room() -> None:
    """The colour of the person, who is brighter than the room, is nowhere in it."""
    room = np.full((720, 1280, 3), (30, 120, 60), np.uint8)
    alpha = EMPTY.copy()
    shown = room.copy()
    alpha[ROWS // 4 :, COLUMNS // 3 : 2 * COLUMNS // 3] = 1
    shown[720 // 4 :, 1280 // 3 : 2 * 1280 // 3] = 255

    for strength in (0, 50, 100):
        assert np.abs(blurred(room, strength, bokeh=True).astype(int) - room).max() <= 2
        assert (blurred(shown, strength, alpha, bokeh=True) <= room + 10).all()


@pytest.mark.parametrize("period_px", [12, 20, 30, 40])
def test_at_the_least_strength_of_strict_mode_no_text_of_60_px_is_left(period_px: int) -> None:
    """The strokes of such text have periods of at most 40 px. A ramp lets the rounding to whole levels average out."""
    across = np.arange(1280) // (period_px / 2) % 2 * 120
    down = np.linspace(30, 90, 720)[:, None]
    stripes = np.repeat((across + down)[..., None], 3, axis=2).astype(np.uint8)
    lens, usual = (
        amplitude(blurred(stripes, HIDES_TEXT, bokeh=bokeh), period_px) for bokeh in (True, False)
    )

    assert lens < 0.05 and usual < 0.01, "of 255 levels"


LOAD_AND_COUNT = """
import gc, sys, threading
import app.gui.application  # what a window keeps alive makes a collection of everything due
from app.matting.engine import start_loading
from app.settings import Settings
from app.output.table import SINKS

whole = []
gc.callbacks.append(lambda phase, info: whole.append(phase) if info["generation"] == 2 else None)
{load}
print("{kernels}" in sys.modules, len(whole), gc.isenabled(), gc.get_freeze_count() > 0)
"""
STEP = """
start_loading()
import app.matting.cpu
for thread in threading.enumerate():  # it may end a little later than the import that it shares
    if thread.name == "kernel-compiler":
        thread.join()
"""
CAMERA = """
spec = next(spec for spec in SINKS if spec.name == "{name}")
spec.load(spec.wanted(Settings().replaced_at(["output"], {name}="{named}")))
"""


def test_kernels_may_be_loaded_while_others_are() -> None:
    """By another thread, or by a module that is imported for them."""
    with loading():
        with loading():
            pass
        assert not gc.isenabled()
    gc.unfreeze()
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("load", "kernels"),
    [
        (STEP, "app.matting.kernels.composite"),
        pytest.param(
            CAMERA.format(name="virtual_camera", named="auto"),
            "app.media.yuv_kernels",
            marks=pytest.mark.posix("a virtual camera that takes YUV"),
        ),
        (CAMERA.format(name="pipewire", named="on"), "app.media.yuv_kernels"),
    ],
    ids=["step", "virtual camera", "pipewire"],
)
def test_kernels_are_loaded_without_a_collection_of_everything(load: str, kernels: str) -> None:
    printed = printed_by(LOAD_AND_COUNT.format(load=load, kernels=kernels), limit_s=300)
    assert printed.split() == ["True", "0", "True", "True"]
