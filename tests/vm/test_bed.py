"""The device checks in the virtual machine, and tests of their helpers without a device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.vm import marks

HERE = Path(__file__).resolve().parent
NO_BED = 3


NEWER_LOOPBACK = "0.15.0-2"


@pytest.mark.vm
@pytest.mark.timeout(int(os.environ.get("VM_TIMEOUT", "3600")) + 1800)
@pytest.mark.parametrize("loopback", ["", NEWER_LOOPBACK])
def test_everything_in_the_bed(loopback: str) -> None:
    if os.environ.get("MATTECAM_VM") != "1":
        pytest.skip("the checks on real devices run only with MATTECAM_VM=1 (minutes; needs root and the test bed)")
    done = subprocess.run(
        [str(HERE / "run.sh")],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHON": sys.executable, "LOOPBACK": loopback},
    )
    if done.returncode == NO_BED:
        pytest.skip("there is no test bed beside the repository")
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stdout
    assert "all passed" in done.stdout


def test_marks_survive_and_noise_is_no_mark() -> None:
    image = np.full((480, 640, 3), 96, np.uint8)
    marks.draw(image, 1234567)
    found = marks.read(image)
    assert found is not None and found[0] == 1234567 and 0 <= found[1] < 5000
    assert marks.read(np.full((480, 640, 3), 96, np.uint8)) is None
    assert marks.read(np.zeros((480, 640, 3), np.uint8)) is None
