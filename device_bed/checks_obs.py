"""The virtual camera in OBS Studio: the picture, and the person with alpha through the filter of the script."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.core.types import BgrImage
from app.doctor.proof import bar_error
from app.output.virtual_camera import VirtualCamera
from device_bed import marks
from device_bed.obs import Obs, prepare
from device_bed.producer import backend
from device_bed.program import SLACK
from device_bed.tools import DEVICE, LABEL, ended_process, expect, load, needs, say
from tests.output.pictures import FPS, marked_bars, sender

START_LIMIT_S = 120.0
SCREENSHOTS = 20
ERROR_AS_BT709 = 36
"""OBS takes every V4L2 device for BT.709; saturated colours are 34 of 255 off then."""
WIDTH, HEIGHT = 640, 480


def picture() -> None:
    """Check that OBS lists the camera, its size, and the age of frames; its colours are those of BT.709."""
    load()
    with sender(marked_bars(WIDTH, HEIGHT), _camera()), _running() as obs:
        items = obs.ask("GetInputPropertiesListPropertyItems", inputName="camera", propertyName="device_id")
        listed = [item["itemName"] for item in items["propertyItems"]]
        obs.wait_for_frames(START_LIMIT_S * SLACK)
        found, errors = [], []
        for _ in range(SCREENSHOTS):
            image = _seen(obs)
            mark = marks.read(image)
            if mark is not None:
                found.append(mark)
            errors.append(bar_error(image))
    say(f"listed {listed}; {image.shape[1]}x{image.shape[0]}, largest error {max(errors):.1f} of 255")
    expect(any(LABEL in name for name in listed), "OBS does not list it")
    expect(image.shape == (HEIGHT, WIDTH, 3), "unexpected size")
    expect(max(errors) <= ERROR_AS_BT709, "wrong colours")
    expect(len(found) > SCREENSHOTS // 2, f"only {len(found)} of {SCREENSHOTS} marks can be read")
    expect(len({number for number, _ in found}) > 1, "the picture stands still")
    say(f"with the time of a screenshot, age median {np.median([age for _, age in found]):.0f} ms")


def _camera() -> VirtualCamera:
    return VirtualCamera(DEVICE, WIDTH, HEIGHT, FPS, backend=backend())


def _seen(obs: Obs) -> BgrImage:
    return np.ascontiguousarray(obs.screenshot("camera")[..., :3], np.uint8)


@contextmanager
def _running() -> Iterator[Obs]:
    needs("obs", "Xvfb")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        prepare(home, "v4l2_input", {"device_id": DEVICE})
        environment = {
            **os.environ,
            "HOME": folder,
            "XDG_CONFIG_HOME": f"{folder}/.config",
            "DISPLAY": ":87",
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }
        display = ["Xvfb", ":87", "-screen", "0", "640x480x24"]
        studio = ["obs", "--multi", "--disable-shutdown-check"]
        with (home / "log").open("wb") as log, ended_process(display, env=environment, stdout=log, stderr=log):
            until_s = time.monotonic() + 60
            while not Path("/tmp/.X11-unix/X87").exists():
                expect(time.monotonic() < until_s, "the display does not start")
                time.sleep(0.1)
            with ended_process(studio, env=environment, stdout=log, stderr=log):
                obs = Obs()
                try:
                    obs.connect(START_LIMIT_S * SLACK)
                    yield obs
                except (AssertionError, TimeoutError) as error:
                    said = (home / "log").read_text(errors="replace")[-2000:]
                    expect(False, f"{type(error).__name__}: {error}; OBS says: {said}")
                finally:
                    obs.close()


CHECKS = {"obs": picture}
