"""Zoom and auto-framing magnify the room; its blur is magnified as well, so that text that was hidden stays hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from app.compositing.backgrounds import BlurBackground
from app.core.framing import MatteEdit, View
from app.core.settings import EdgeSettings, FramingSettings, MattingSettings, Settings
from app.core.types import BgrImage, BlurredBackground, Matte, magnified
from app.matting.base.interface import StepGeometry
from app.matting.cpu.compositor import Coefficients
from app.matting.engine import FrameEngine
from app.offline.film_step import FilmStep
from tests.matting.stubs import STUBS, Fixed, amplitude, showing

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


def nobody_of(frame: BgrImage) -> Coefficients:
    """Return coefficients of a frame with nobody in it."""
    small = frame[::2, ::2, ::-1].transpose(2, 0, 1).astype(np.float32) / 255
    return showing(np.zeros(small.shape[1:], np.float32), np.ascontiguousarray(small))


def engine_of(maker: str, frame: BgrImage) -> FrameEngine:
    return FrameEngine("stub", lambda _: STUBS[maker](GEOMETRY, nobody_of(frame)), lambda *_: GEOMETRY, WIDTH, HEIGHT)


Look = Callable[[BlurredBackground], BlurredBackground]
LOOKS: dict[str, Look] = {
    "blur": lambda blur: blur,
    "bokeh": lambda blur: replace(blur, bokeh=True),
}


@pytest.mark.parametrize("maker", STUBS)
@pytest.mark.parametrize("look", LOOKS)
def test_no_letter_is_left_of_a_magnified_room(maker: str, look: str) -> None:
    frame, edges = strokes(ZOOM * PERIOD), EdgeSettings()
    engine = engine_of(maker, frame)
    blur = LOOKS[look](BlurredBackground(0))
    assert amplitude(frame, ZOOM * PERIOD) > 100
    unaware = engine.step(frame, blur, edges).composite
    aware = engine.step(frame, magnified(blur, ZOOM), edges).composite
    assert amplitude(unaware, ZOOM * PERIOD) > 4 * LEFT, "the blur of the camera's frame does not hide them"
    assert amplitude(aware, ZOOM * PERIOD) <= LEFT
    engine.close()


@pytest.mark.parametrize("maker", STUBS)
@pytest.mark.parametrize("look", LOOKS)
def test_no_letter_is_left_where_auto_framing_comes_close(maker: str, look: str) -> None:
    frame, size = strokes(PERIOD), 0.3
    engine = engine_of(maker, frame)
    edit = MatteEdit(view=View(0.3, 0.35, size))
    matte: Matte = engine.step(frame, LOOKS[look](BlurredBackground(0)), EdgeSettings(), Fixed(edit))
    assert amplitude(matte.composite, PERIOD / size) <= LEFT
    engine.close()


def test_a_film_is_blurred_as_its_zoom_asks() -> None:
    camera = strokes(PERIOD)
    settings = Settings(framing=FramingSettings(zoom=ZOOM), matting=MattingSettings(edges=EdgeSettings()))
    crop = np.ascontiguousarray(strokes(ZOOM * PERIOD))
    film = FilmStep(engine_of("cpu", crop), BlurBackground(0), settings, False, False)
    composite = np.asarray(film(camera, 0.0)[0], np.uint8)
    assert amplitude(composite, ZOOM * PERIOD) <= LEFT


def test_pictures_are_not_magnified() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    assert magnified(picture, 3) is picture
    assert magnified(magnified(BlurredBackground(5), 2), 1.5) == BlurredBackground(5, zoom=3)
