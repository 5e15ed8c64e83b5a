"""The virtual camera in OBS Studio (V4L2): listed, size, colours."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from app.doctor.proof import bar_error
from tests.vm.checks_program import SLACK
from tests.vm.tools import DEVICE, LABEL, expect, load, say, sending

KIND = "v4l2_input"
DISPLAY = ":87"
MAX_ERROR = 6
START_S = 300.0
"""OBS draws with a software renderer on a slow processor."""


def obs_studio() -> None:
    """Check that OBS lists the camera and shows its frames in their size and colours."""
    from tests.output.pipewire.obs import Obs, prepare

    load()
    with tempfile.TemporaryDirectory() as folder, sending():
        prepare(Path(folder), KIND, {"device_id": DEVICE})
        obs = Obs()
        with _running(Path(folder)):
            began_s = time.monotonic()
            obs.connect(START_S * SLACK)
            listed = obs.ask("GetInputPropertiesListPropertyItems", inputName="camera", propertyName="device_id")
            obs.wait_for_frames(START_S * SLACK)
            say(f"OBS {obs.ask('GetVersion')['obsVersion']}: frames {time.monotonic() - began_s:.0f} s after its start")
            error = 255.0
            while error > MAX_ERROR and time.monotonic() < began_s + START_S * SLACK:
                image = obs.screenshot("camera")  # the first frames may be torn
                error = bar_error(np.ascontiguousarray(image[..., :3]))
            obs.close()
    names = [item["itemName"] for item in listed["propertyItems"]]
    say(f"lists {names}; {image.shape[1]}x{image.shape[0]}, largest error {error:.1f} of 255")
    expect(any(LABEL in name for name in names), "OBS does not list the camera")
    expect(image.shape[:2] == (480, 640), "another size")
    expect(error <= MAX_ERROR, "wrong colours")


@contextmanager
def _running(home: Path) -> Iterator[None]:
    environment = {
        **os.environ,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "DISPLAY": DISPLAY,
        "LIBGL_ALWAYS_SOFTWARE": "1",
    }
    log = (home / "log").open("wb")
    commands = (
        ["Xvfb", DISPLAY, "-screen", "0", "800x600x24"],
        ["obs", "--multi", "--disable-shutdown-check"],
    )
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            time.sleep(3)
        yield
    except (AssertionError, TimeoutError):
        say((home / "log").read_text(errors="replace")[-1500:])
        raise
    finally:
        for process in reversed(processes):
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
        log.close()


CHECKS = {"obs": obs_studio}
