"""Pixel formats of virtual cameras and pictures with alpha: what is offered, and what readers see in it."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction

import numpy as np
import pytest

from app.core.types import Outgoing, Picture, PictureKind
from app.media.yuv import Layout, YuvConverter
from app.output.packing import person_on_black, to_bgra
from app.output.pipewire import PipeWireCamera
from app.output.virtual_camera import VirtualCamera
from app.system.pipewire.reader import RAW_LAYOUTS, NodeReader, RawFrame
from app.system.pipewire.video_format import Layout as NodeLayout
from tests.output import fake_driver
from tests.pipewire_session import PrivateSession
from tests.waiting import eventually

LAYOUTS: tuple[Layout, ...] = ("I420", "YUYV", "UYVY")


@pytest.mark.parametrize(("width", "height"), [(2, 2), (6, 4), (64, 48)])
def test_packed_layouts_have_the_chroma_of_i420(width: int, height: int) -> None:
    image = np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)
    planes, yuyv, uyvy = (YuvConverter(layout, width, height).convert(image) for layout in LAYOUTS)
    assert (yuyv[..., ::-1] == uyvy).all() and (yuyv[..., 0] == planes[:height]).all()
    for first, plane in enumerate(planes[height:].reshape(2, height // 2, width // 2)):
        assert (yuyv[0::2, first::2, 1] == plane).all()
        assert (yuyv[1::2, first::2, 1] == plane).all()


@pytest.mark.parametrize("backend", ["pyvirtualcam", "v4l2"])
def test_a_virtual_camera_asks_for_yuyv_once(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    driver = fake_driver.install(monkeypatch)
    VirtualCamera("auto", 64, 48, 30, backend=backend).close()
    assert [one.fmt.name for one in driver.opened] == ["YUYV"], "OBS takes no I420 through the camera portal"
    assert driver.formats["/dev/video10"].fourcc == "YUYV"


WIDTH, HEIGHT = 64, 48


def matted(seed: int = 1) -> Outgoing:
    """A person of random colours before a white background; every alpha occurs."""
    dice = np.random.default_rng(seed)
    foreground = dice.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    alpha = np.resize(np.arange(256, dtype=np.uint8), (HEIGHT, WIDTH))
    composite = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    return Outgoing(Picture(composite, PictureKind.COMPOSITE, alpha=alpha, foreground=foreground))


def expected(picture: Picture) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    assert picture.foreground is not None and picture.alpha is not None
    return picture.foreground * (picture.alpha[..., None] / 255)


def test_colours_are_premultiplied_and_clear_pixels_black() -> None:
    picture = matted()
    person, alpha = person_on_black(picture)
    assert np.abs(person - expected(picture)).max() <= 0.5 + 1e-9
    assert picture.foreground is not None
    assert (person[alpha == 0] == 0).all() and (person[alpha == 255] == picture.foreground[alpha == 255]).all()
    assert (person <= alpha[..., None]).all(), "a premultiplied colour is never above its alpha"


def test_a_picture_without_alpha_is_opaque() -> None:
    card = Picture(np.full((HEIGHT, WIDTH, 3), 40, np.uint8), PictureKind.STANDBY)
    assert (to_bgra(card, WIDTH, HEIGHT) == (40, 40, 40, 255)).all()


def test_bars_of_another_shape_are_clear() -> None:
    wide = to_bgra(matted(), 2 * WIDTH, HEIGHT)
    assert wide.shape == (HEIGHT, 2 * WIDTH, 4) and not wide[:, : WIDTH // 2].any()


def test_scaling_does_not_darken_the_edge() -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, : WIDTH // 2 + 1] = 255
    person = np.full((HEIGHT, WIDTH, 3), (40, 120, 220), np.uint8)
    half = to_bgra(Picture(person, PictureKind.COMPOSITE, alpha=alpha, foreground=person), WIDTH // 2, HEIGHT // 2)
    seen = half[half[..., 3] > 0]
    assert len(seen) < half[..., 3].size
    assert np.abs(seen[:, :3].astype(int) - (40, 120, 220)).max() <= 2


def test_clear_pixels_leave_black() -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    room = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    assert not to_bgra(Picture(room, PictureKind.COMPOSITE, alpha=alpha, foreground=room), WIDTH, HEIGHT).any()


@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (WIDTH // 2, HEIGHT // 2)])
@pytest.mark.parametrize("alpha", [1, 3, 12])
def test_faint_pixels_hold_no_more_of_the_room_than_a_composite(alpha: int, size: tuple[int, int]) -> None:
    room = np.arange(HEIGHT * WIDTH * 3, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3)
    faint = np.full((HEIGHT, WIDTH), alpha, np.uint8)
    sent = to_bgra(Picture(room, PictureKind.COMPOSITE, alpha=faint, foreground=room), *size)
    assert (sent[..., 3] == alpha).all()
    assert len(np.unique(sent[..., :3])) <= alpha + 1, "as many levels as alpha leaves in a composite"


@pytest.mark.parametrize(
    ("layouts", "chosen", "order"),
    [((RAW_LAYOUTS,), "BGRA", (0, 1, 2)), ((("RGBA", "YUY2"),), "RGBA", (2, 1, 0))],
)
def test_alpha_through_pipewire_is_exact(
    pipewire: PrivateSession, layouts: tuple[tuple[NodeLayout, ...]], chosen: str, order: tuple[int, ...]
) -> None:
    """OBS takes RGBA, and no BGRA, from a PipeWire camera."""
    picture, size = matted(), (WIDTH, HEIGHT)
    received: list[RawFrame] = []

    def arrives() -> bool:
        camera.send(picture)
        frame = reader.read(0.05)
        if frame is not None:
            received.append(frame)
        return bool(received)

    with (
        closing(PipeWireCamera(WIDTH, HEIGHT, 30, alpha=True)) as camera,
        closing(NodeReader("mattecam", size, Fraction(30), layouts=layouts, follows=True, name="obs")) as reader,
    ):
        eventually(arrives)
    frame = received[0]
    assert frame.video.layout == chosen
    pixels = np.frombuffer(frame.data, np.uint8).reshape(HEIGHT, WIDTH, 4)
    assert (pixels[..., 3] == picture.alpha).all()
    assert picture.foreground is not None and picture.alpha is not None
    multiplied = pixels[..., order] * (picture.alpha[..., None] / 255)
    assert np.abs(multiplied - expected(picture)).max() <= 1
    assert not pixels[picture.alpha == 0].any()
