"""OBS Studio shows the PipeWire camera: its picture, and the person with alpha over a scene; a minute long.

It needs OBS 30 or later with its PipeWire plugin (packages obs-studio and obs-plugins) beside what the browsers need.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.types import BgrImage, Outgoing, Picture, PictureKind
from app.doctor.proof import bar_error
from app.output.pipewire import PipeWireCamera
from tests.output.pictures import picture, sender
from tests.output.pipewire.desktop import desktop
from tests.pipewire_session import PrivateSession
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.output.pipewire.obs import Obs

__all__ = ["desktop"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
KIND = "pipewire-camera-source"
WIDTH, HEIGHT = 320, 240


@pytest.fixture
def obs(desktop: PrivateSession, monkeypatch: pytest.MonkeyPatch) -> Obs:
    if shutil.which("obs") is None:
        pytest.skip("needs obs-studio and obs-plugins, version 30 or later")
    pytest.importorskip("aiohttp")
    from tests.output.pipewire.obs import Obs, prepare

    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(desktop.folder))
    prepare(Path(desktop.environment["HOME"]), KIND, {"device_id": "mattecam"})
    desktop.environment["LIBGL_ALWAYS_SOFTWARE"] = "1"
    return Obs()


def test_the_picture_of_the_camera(desktop: PrivateSession, obs: Obs) -> None:
    camera = PipeWireCamera(WIDTH, HEIGHT, 30)
    with sender(picture(WIDTH, HEIGHT), camera), running(desktop, obs):
        items = obs.ask("GetInputPropertiesListPropertyItems", inputName="camera", propertyName="device_id")
        assert {"itemEnabled": True, "itemName": "Mattecam", "itemValue": "mattecam"} in items["propertyItems"]
        obs.wait_for_frames()
        eventually(lambda: bar_error(bgr_of(obs.screenshot("camera"))) <= 2)
        assert obs.screenshot("camera").shape == (HEIGHT, WIDTH, 4) and camera.readers == 1


def test_the_person_over_a_scene(desktop: PrivateSession, obs: Obs) -> None:
    """OBS reads the alpha exactly and blends the colours by it, before white."""
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    person = np.full((HEIGHT, WIDTH, 3), (40, 120, 220), np.uint8)
    one = Outgoing(Picture(person, PictureKind.COMPOSITE, alpha=alpha, foreground=person))
    with sender(one, PipeWireCamera(WIDTH, HEIGHT, 30, alpha=True)), running(desktop, obs):
        obs.wait_for_frames()
        eventually(lambda: bool(obs.screenshot("camera").any()))
        seen = obs.screenshot("camera").astype(int)
        assert np.abs(seen[..., 3] - alpha).max() <= 1
        assert np.abs(seen[..., :3] - person)[alpha > 0].max() <= 1 and not seen[alpha == 0].any()
        scene = obs.screenshot("Scene")[:HEIGHT, :WIDTH, :3].astype(float)
    weight = (alpha / 255)[..., None]
    blended = _encoded(_linear(person * weight) + (1 - weight))  # OBS multiplies by alpha, then adds light
    assert np.abs(scene - blended).max() <= 2


def _linear(values: NDArray[np.float64]) -> NDArray[np.float64]:
    share = values / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def _encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def bgr_of(image: NDArray[np.uint8]) -> BgrImage:
    return np.ascontiguousarray(image[..., :3])


@contextmanager
def running(desktop: PrivateSession, obs: Obs) -> Iterator[None]:
    desktop.launch("obs", "--multi", "--disable-shutdown-check")
    try:
        obs.connect()
        yield
    finally:
        obs.close()
        desktop.end("obs")
