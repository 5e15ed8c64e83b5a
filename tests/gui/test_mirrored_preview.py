"""The mirrored preview: the person is mirrored, background and overlay are as others see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from itertools import product

import cv2
import numpy as np
import pytest

from app.compositing.overlay import Overlay, draw, overlaid, render_overlay, wanted_overlay
from app.core.settings import BackgroundSettings, OutputSettings, OverlaySettings, Settings
from app.core.types import AlphaImage, BgrImage, Frame, Layers, Picture, PictureKind
from app.gui.preview.mirroring import Sides, scaled
from app.gui.preview.rendering import Renderer, ViewMode, ViewRequest
from tests.gui.widgets import existing

WIDTH, HEIGHT = 160, 90


def words() -> BgrImage:
    """A background that is not its own mirror image."""
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    cv2.putText(image, "Left", (4, 40), cv2.FONT_HERSHEY_SIMPLEX, 1, (200, 180, 20), 2)
    return image


def person(left: int) -> tuple[BgrImage, AlphaImage]:
    """Foreground and soft alpha of somebody who raises one arm, with the left edge of the body."""
    colours, alpha = np.full((HEIGHT, WIDTH, 3), (90, 120, 200), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[30:, left : left + 30] = 255
    alpha[20:30, left : left + 8] = 255
    return colours, np.asarray(cv2.GaussianBlur(alpha, (0, 0), 1.5), np.uint8)


def over(colours: BgrImage, alpha: AlphaImage, backdrop: BgrImage) -> BgrImage:
    weight = alpha[..., None] / 255
    return np.rint(colours * weight + backdrop * (1 - weight)).astype(np.uint8)


def composite(left: int = 40) -> Picture:
    colours, alpha = person(left)
    image, frame = over(colours, alpha, words()), Frame(colours, 0, 0.0)
    return Picture(image, PictureKind.COMPOSITE, alpha, None, frame, Layers(words()))


def shown(picture: Picture, *, mirror: bool = True, output_mirror: bool = False) -> BgrImage:
    request = ViewRequest(WIDTH, HEIGHT, ViewMode.COMPOSITE, mirror, output_mirror=output_mirror)
    return Renderer().render(picture, request)[..., :3]


def difference(image: BgrImage, other: BgrImage) -> int:
    return int(np.abs(image.astype(int) - other).max())


def test_a_mirrored_output_is_seen_as_it_leaves_with_the_person_as_the_camera_sees_it() -> None:
    colours, alpha = person(40)
    expected = over(colours, alpha, np.ascontiguousarray(words()[:, ::-1]))
    assert difference(shown(composite(), mirror=False, output_mirror=True), expected) <= 2


@pytest.mark.parametrize("mirror", [False, True])
def test_the_preview_equals_the_output_where_both_are_mirrored_or_neither(mirror: bool) -> None:
    picture = overlaid(composite(), logo(mirrored=mirror))
    leaves = picture.image[:, ::-1] if mirror else picture.image
    assert np.array_equal(shown(picture, mirror=mirror, output_mirror=mirror), leaves)


def test_the_person_is_mirrored_over_the_unmirrored_background_where_others_see_it() -> None:
    colours, alpha = person(40)
    mirrored = np.ascontiguousarray(alpha[:, ::-1])
    assert difference(shown(composite()), over(colours, mirrored, words())) <= 2


def test_the_room_is_mirrored_with_the_person() -> None:
    """Where the background is the camera's own image there is nothing else to be mirrored."""
    blurred = replace(composite(), layers=Layers())
    assert np.array_equal(shown(blurred), blurred.image[:, ::-1])
    unmatted = Picture(words(), PictureKind.UNMATTED, frame=Frame(words(), 0, 0.0))
    assert np.array_equal(shown(unmatted), words()[:, ::-1])


def logo(*, mirrored: bool = False) -> Overlay:
    settings = OverlaySettings(text="Ann", text_place="bottom-left", size=200)
    return render_overlay(existing(wanted_overlay(settings, WIDTH, HEIGHT, mirrored, datetime.now)))


@pytest.mark.parametrize(("layers", "mirrored"), [(Layers(words()), False), (Layers(), False), (Layers(words()), True)])
def test_the_overlay_is_readable_and_in_its_corner(layers: Layers, mirrored: bool) -> None:
    """Also over the mirrored room. For a mirrored output it is drawn mirrored: the output is mirrored after it."""
    bare = replace(composite(), layers=layers)
    plain = shown(bare, mirror=not mirrored, output_mirror=mirrored)
    painted = shown(overlaid(bare, logo(mirrored=mirrored)), mirror=not mirrored, output_mirror=mirrored)
    expected = plain.copy()
    draw(logo(), expected)
    assert difference(painted, expected) <= 2
    assert difference(painted, plain) > 50


@pytest.mark.parametrize("size", [(119, 67), (60, 34), (80, 45), (53, 30), (320, 180), (233, 131)])
@pytest.mark.parametrize("left", [0, 37, 41, 130])
def test_views_of_other_sizes_show_the_same(size: tuple[int, int], left: int) -> None:
    """Only the part with the person is scaled, which must not move it."""
    picture = composite(left)
    colours, alpha = person(left)
    expected = scaled(over(colours, np.ascontiguousarray(alpha[:, ::-1]), words()), size)
    view = Renderer().render(picture, ViewRequest(*size))[..., :3]
    assert view.shape[1::-1] == size
    assert np.abs(view.astype(int) - expected).mean() < 1
    grown = np.asarray(cv2.dilate(alpha[:, ::-1].copy(), np.ones((9, 9), np.uint8)), np.uint8)
    beside = scaled(grown, size) == 0
    assert np.array_equal(view[beside], scaled(words(), size)[beside]), "the background itself"
    assert difference(view, expected) < 40, "at the edges of the letters behind the edges of the person"


def test_rendering_leaves_the_picture_as_it_is() -> None:
    picture = overlaid(composite(), logo())
    image, backdrop = picture.image.copy(), words()
    for mode, mirror in product(ViewMode, (False, True)):
        Renderer().render(picture, ViewRequest(WIDTH, HEIGHT, mode, mirror))
    assert np.array_equal(picture.image, image)
    assert picture.layers.backdrop is not None
    assert np.array_equal(picture.layers.backdrop, backdrop)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("output_mirror", [False, True])
@pytest.mark.parametrize("kind", ["image", "blur"])
def test_positions_in_the_preview_are_those_of_what_is_seen(mirror: bool, output_mirror: bool, kind: str) -> None:
    """Draws one column of a person and asks where it is in the preview and back."""
    settings = Settings(
        background=BackgroundSettings(kind=kind),
        output=OutputSettings(mirror=output_mirror),
    )
    sides = Sides.of(settings, mirror)
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    column = 120
    alpha[:, column - 2 : column + 3] = 255
    colours = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    layers = Layers(words() if kind == "image" else None)
    picture = Picture(over(colours, alpha, words()), PictureKind.COMPOSITE, alpha, layers=layers)
    seen = shown(picture, mirror=mirror, output_mirror=output_mirror)
    at = np.flatnonzero((seen == 255).all(axis=(0, 2))).mean() + 0.5
    assert sides.to_output(at / WIDTH) * WIDTH == pytest.approx(column + 0.5, abs=1)
    assert sides.from_output((column + 0.5) / WIDTH) * WIDTH == pytest.approx(at, abs=1)
