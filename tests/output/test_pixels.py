"""The pixel formats of virtual cameras: which ones the sinks offer, and what readers see in them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app.core.types import BgrImage
from app.media.yuv import Layout, YuvConverter
from app.output.pipewire import PipeWireCamera, PipeWireNode
from app.output.virtual_camera import VirtualCamera
from app.system.pipewire.video_format import VideoFormat
from tests.output import fake_driver
from tests.output.pictures import bar_error, bars

READERS: dict[Layout, int] = {
    "I420": cv2.COLOR_YUV2BGR_I420,
    "YUYV": cv2.COLOR_YUV2BGR_YUY2,
    "UYVY": cv2.COLOR_YUV2BGR_UYVY,
}


def scene(width: int, height: int) -> BgrImage:
    """A smooth picture of many colours."""
    noise = np.random.default_rng(7).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


@pytest.mark.parametrize("layout", READERS)
@pytest.mark.parametrize("size", [(2, 2), (6, 4), (640, 480)])
def test_readers_see_the_colours(layout: Layout, size: tuple[int, int]) -> None:
    convert = YuvConverter(layout, *size).convert
    for grey in (0, 100, 255):
        image = np.full((size[1], size[0], 3), grey, np.uint8)
        assert np.abs(cv2.cvtColor(convert(image), READERS[layout]).astype(int) - grey).max() <= 1
    if size == (640, 480):
        assert bar_error(cv2.cvtColor(convert(bars(*size)), READERS[layout]).astype(np.uint8, copy=False)) <= 2
        error = np.abs(cv2.cvtColor(convert(scene(*size)), READERS[layout]).astype(int) - scene(*size))
        assert error.max() <= 6


def test_packed_layouts_have_the_chroma_of_i420() -> None:
    image = scene(64, 48)
    planes = YuvConverter("I420", 64, 48).convert(image)
    yuyv, uyvy = (YuvConverter(layout, 64, 48).convert(image) for layout in ("YUYV", "UYVY"))
    assert (yuyv[..., ::-1] == uyvy).all() and (yuyv[..., 0] == planes[:48]).all()
    for plane, first in ((planes[48:60], 0), (planes[60:72], 1)):
        assert (yuyv[0::2, first::2, 1] == plane.reshape(24, 32)).all()
        assert (yuyv[1::2, first::2, 1] == plane.reshape(24, 32)).all()


@pytest.mark.parametrize("backend", ["pyvirtualcam", "v4l2"])
@pytest.mark.parametrize("side_by_side", [False, True])
def test_a_virtual_camera_asks_for_yuyv_once(monkeypatch: pytest.MonkeyPatch, side_by_side: bool, backend: str) -> None:
    driver = fake_driver.install(monkeypatch)
    VirtualCamera("auto", 64, 48, 30, backend=backend, side_by_side=side_by_side).close()
    assert [one.fmt.name for one in driver.opened] == ["YUYV"], "OBS takes no I420 through the camera portal"
    assert driver.formats["/dev/video10"].fourcc == "YUYV"


def test_the_pipewire_camera_offers_the_same() -> None:
    offered: list[VideoFormat] = []

    def refuse(video: VideoFormat) -> PipeWireNode:
        offered.append(video)
        raise OSError("no PipeWire")

    with pytest.raises(Exception, match="PipeWire"):
        PipeWireCamera(64, 48, 30, make=refuse)
    assert [one.layout for one in offered] == ["YUY2"], "PipeWire's name of YUYV"
