"""Every way from the network to a matte tells whether the strict level hides a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pytest

from app.core.matte_edit import MatteEdit, View
from app.core.settings import EdgeSettings, PlacementSettings
from app.core.types import BgrImage, Matte
from app.matting.base.interface import StepGeometry
from app.matting.cpu.compositor import Coefficients
from app.matting.region.coefficients import RegionCoefficients
from app.matting.region.tracker import Roi
from tests.matting.stubs import STUBS, Fixed, Stub, showing

GEOMETRY = StepGeometry(320, 192, 0.5)
STRICT = EdgeSettings(strict="strict", person_region=False)
FRAME: BgrImage = np.full((192, 320, 3), 90, np.uint8)
BACKDROP: BgrImage = np.full_like(FRAME, 30)
FRAMES = 8
"""More than the first ones, in which nobody is said to be hidden."""


def still_person(roi: Roi | None = None) -> Coefficients:
    """Return coefficients of a network that is certain of somebody who does not move."""
    height, width = GEOMETRY.small_height, GEOMETRY.small_width
    alpha = np.zeros((height, width), np.float32)
    alpha[height // 4 :, width // 3 : 2 * width // 3] = 1
    shown = showing(alpha, np.full((3, height, width), 0.35, np.float32))
    return shown if roi is None else RegionCoefficients(**vars(shown), roi=roi)


@pytest.fixture(params=STUBS)
def backend(request: pytest.FixtureRequest) -> Iterator[Stub]:
    with closing(STUBS[request.param](GEOMETRY, still_person())) as backend:
        yield backend


def last(step: Callable[[], Matte]) -> Matte:
    """Return the matte of the last of some frames."""
    return [step() for _ in range(FRAMES)][-1]


EDGES = {
    "plain": STRICT,
    "light": STRICT.replace(portrait_light=60, light_match=50),
    "edges": STRICT.replace(contrast=0.5, grow_px=3, feather_px=4, temporal_smoothing=0.5, despill=0.5),
}


@pytest.mark.parametrize("edges", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("want_foreground", [False, True])
def test_steps_tell(backend: Stub, edges: EdgeSettings, want_foreground: bool) -> None:
    first = backend.step(FRAME, BACKDROP, edges, want_foreground=want_foreground).result()

    assert not first.hides_person, "nobody is known in the first frames"
    assert last(lambda: backend.step(FRAME, BACKDROP, edges, want_foreground=want_foreground).result()).hides_person
    assert (
        not backend.step(FRAME, BACKDROP, edges.replace(strict="balanced"), want_foreground=want_foreground)
        .result()
        .hides_person
    )


def test_a_reset_forgets_who_was_known_and_takes_who_was_seen(backend: Stub) -> None:
    for seen in (None, np.full((192, 320), 255, np.uint8), None):
        backend.reset(seen)
        assert last(lambda: backend.step(FRAME, BACKDROP, STRICT).result()).alpha.any() == (seen is not None)


PLANE = np.ones((GEOMETRY.small_height, GEOMETRY.small_width), np.float32)
EDITS = {
    "view": MatteEdit(view=View(0.1, 0.1, 0.7)),
    "gain": MatteEdit(gain=PLANE),
    "all": MatteEdit(PLANE, View(0.1, 0.1, 0.7), PlacementSettings(x=0.2)),
    "moved": MatteEdit(placement=PlacementSettings(x=0.2, scale=0.7)),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize(
    ("backend", "roi"),
    [
        ("cpu", None),
        ("cpu", Roi(0, 0, 288, 192, 320, 192)),
        pytest.param("torch", None, marks=pytest.mark.torch),
    ],
    indirect=["backend"],
    ids=["cpu", "cpu-roi", "torch"],
)
def test_edited_steps_tell(backend: Stub, edit: MatteEdit, roi: Roi | None) -> None:
    backend.coefficients = still_person(roi)
    assert last(
        lambda: backend.step(FRAME, BACKDROP, EDGES["light"], Fixed(edit), want_foreground=True).result()
    ).hides_person
