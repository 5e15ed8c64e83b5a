"""Kernels: the blur of the room, and loading without a collection of everything."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.core.settings import HIDES_TEXT
from app.core.types import BgrImage, Floats
from app.matting.base import parameters
from app.matting.base.interface import StepGeometry
from app.matting.cpu.cpu_backend import blurred_background
from tests.fresh_python import printed_by
from tests.matting.networks import small_of
from tests.matting.stubs import amplitude

GEOMETRY = StepGeometry(1280, 720, 0.375)
ROWS, COLUMNS = GEOMETRY.small_height, GEOMETRY.small_width
EMPTY = np.zeros((ROWS, COLUMNS), np.float32)


def blurred(
    image: BgrImage | Floats,
    strength: float,
    alpha: Floats = EMPTY,
    *,
    bokeh: bool = False,
) -> BgrImage:
    """Return the room of an image, (720, 1280, 3) BGR or a small frame (3, h, w), as the background shows it."""
    if image.dtype == np.uint8:
        image = small_of(np.asarray(cv2.resize(image, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.uint8))
    small = np.asarray(image, np.float32)
    return blurred_background(small, alpha, strength, GEOMETRY.blur_factor, 1280, 720, bokeh=bokeh)


@pytest.mark.torch
@pytest.mark.parametrize("strength", [0, 25, 50, 75, 100])
def test_blurred_room_holds_nothing_of_the_person_as_in_torch(strength: float) -> None:
    import torch

    from app.matting.torch import frame_step

    picture = np.repeat(np.linspace(60, 180, 200)[None, :, None], 120, 0).repeat(3, 2).astype(np.uint8)
    alpha = np.zeros((120, 200), np.float32)
    cv2.ellipse(alpha, (100, 120), (40, 80), 0, 0, 360, 1, -1)
    picture[alpha > 0] = (0, 0, 255)
    small = small_of(picture)

    room = blurred_background(small, alpha, strength, 1, 200, 120)

    # The room is grey, brighter to the right: a red cast would come from the person.
    assert np.abs(room[..., 2].astype(int) - room[..., 0]).max() <= 1
    assert room.min() >= 50 and room.max() <= 190
    taps = torch.from_numpy(parameters.strength_taps(strength, 120))
    image, matte = torch.from_numpy(small)[None], torch.from_numpy(alpha)[None, None]
    reference = frame_step.blurred_background(image, matte, taps, 1)
    assert np.abs(room - reference[0].permute(1, 2, 0).numpy()[..., ::-1] * 255).max() <= 1


def test_a_lamp_stays_bright_and_becomes_a_disc() -> None:
    room = np.full((720, 1280, 3), 40, np.uint8)
    cv2.circle(room, (640, 360), 14, (255, 255, 255), -1)
    lens, usual = blurred(room, 30, bokeh=True)[..., 1].astype(float) - 40, blurred(room, 30)[..., 1].astype(float) - 40
    assert lens.sum() > 3 * usual.sum(), "the highlight prevails"
    radius = parameters.DISC_RADIUS * parameters.strength_sigma(30, 720)
    across = lens[360, 640:] / lens[360, 640]
    assert across[int(0.5 * radius)] > 0.75, "nearly flat inside"
    assert across[int(1.8 * radius)] < 0.1, "dark outside"


def test_the_person_leaves_no_halo_in_a_uniform_room() -> None:
    """The colour of the person, who is brighter than the room, is nowhere in it."""
    room = np.full((720, 1280, 3), (30, 120, 60), np.uint8)
    alpha, shown = EMPTY.copy(), room.copy()
    alpha[ROWS // 4 :, COLUMNS // 3 : 2 * COLUMNS // 3] = 1
    shown[720 // 4 :, 1280 // 3 : 2 * 1280 // 3] = 255
    for strength in (0, 50, 100):
        assert np.abs(blurred(room, strength, bokeh=True).astype(int) - room).max() <= 2
        assert (blurred(shown, strength, alpha, bokeh=True) <= room + 10).all()


@pytest.mark.parametrize("period_px", [12, 20, 30, 40])
def test_at_the_least_strength_of_strict_mode_no_text_of_60_px_is_left(period_px: int) -> None:
    """The strokes of such text have periods of at most 40 px. A ramp lets the rounding to whole levels average out."""
    across, down = np.arange(1280) // (period_px / 2) % 2 * 120, np.linspace(30, 90, 720)[:, None]
    stripes = np.repeat((across + down)[..., None], 3, axis=2).astype(np.uint8)
    lens, usual = (amplitude(blurred(stripes, HIDES_TEXT, bokeh=bokeh), period_px) for bokeh in (True, False))
    assert lens < 0.05 and usual < 0.01, "of 255 levels"


LOAD_AND_COUNT = """
import gc, sys
import app.gui.application  # what a window keeps alive makes a collection of everything due
from app.matting.kernels.loading import start_loading

whole = []
gc.callbacks.append(lambda phase, info: whole.append(phase) if info["generation"] == 2 else None)
start_loading()
import app.matting.cpu
print("app.matting.kernels.composite" in sys.modules, len(whole), gc.isenabled(), gc.get_freeze_count() > 0)
"""


def test_the_kernels_are_loaded_without_a_collection_of_everything() -> None:
    assert printed_by(LOAD_AND_COUNT, limit_s=300).split() == ["True", "0", "True", "True"]
