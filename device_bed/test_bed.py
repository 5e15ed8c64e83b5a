"""The device checks in the virtual machine, and tests of their helpers without a device."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from device_bed import marks

HERE = Path(__file__).resolve().parent
NO_BED = 3
NEWER_LOOPBACKS = ("0.13.2-1~bpo12+1", "0.15.4-2")


@pytest.mark.vm
@pytest.mark.timeout(int(os.environ.get("VM_TIMEOUT", "3600")) + 1800)
@pytest.mark.parametrize("loopback", ["", *NEWER_LOOPBACKS])
def test_everything_in_the_bed(loopback: str) -> None:
    if os.environ.get("MATTECAM_VM") != "1":
        pytest.skip(
            "the checks on real devices run only with MATTECAM_VM=1 (minutes; needs root and the "
            "test bed)"
        )
    environment = {**os.environ, "PYTHON": sys.executable, "LOOPBACK": loopback}
    code = subprocess.run([HERE / "run.sh"], env=environment, check=False).returncode
    if code == NO_BED:
        pytest.skip("there is no test bed beside the repository")
    assert code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="runs on Linux")
def test_a_bed_gets_the_packages_and_folders_of_the_checks(tmp_path: Path) -> None:
    for script, line in (("build.sh", "true"), ("run.sh", 'echo "$VM_PIP|$LEND|$VM_ENV"')):
        (tmp_path / script).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / script).chmod(0o755)
    own = {
        "MATTECAM_BED": str(tmp_path),
        "VM_DIR": str(tmp_path),
        "PACKAGE": f"{tmp_path}/mattecam.deb",
    }
    environment = {**os.environ, "PYTHON": sys.executable, "LOOPBACK": "", **own}
    done = subprocess.run(
        [HERE / "run.sh"], env=environment, capture_output=True, text=True, check=True
    )
    wheels, lent, passed_on = done.stdout.split("|")
    assert {"aiohttp", "numpy", "pytest", "pyvirtualcam"} <= {
        wheel.partition("==")[0] for wheel in wheels.split()
    }
    assert str(tmp_path) in lent.split() and "PACKAGE" in passed_on.split()


def test_marks_survive_and_noise_is_no_mark() -> None:
    image = np.full((480, 640, 3), 96, np.uint8)
    marks.draw(image, 1234567)
    found = marks.read(image)
    assert found is not None and found[0] == 1234567 and 0 <= found[1] < 5000
    assert marks.read(np.full((480, 640, 3), 96, np.uint8)) is None
    assert marks.read(np.zeros((480, 640, 3), np.uint8)) is None
