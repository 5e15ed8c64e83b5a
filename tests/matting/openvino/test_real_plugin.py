"""OpenVINO's own plugin for GPUs, on an OpenCL driver for processors that stands in for a GPU; takes minutes.

The processes that use it have other libraries, and are not that of the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from app.matting.choice.preparation import measure, trial_frames
from app.matting.choice.trials import Trial
from app.matting.openvino import gpu as module
from models.table import BUNDLED
from tests.paths import ROOT, shared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TRIALS = TypeAdapter(list[Trial])
OPENCL = Path(__file__).parent / "opencl"


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the driver; `env.sh` there makes it known to a process."""
    folder = tmp_path_factory.mktemp("opencl")
    environment = os.environ | {"PYTHON": sys.executable}
    made = subprocess.run(
        [OPENCL / "setup.sh", folder],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    if made.returncode:
        pytest.skip(
            f"the OpenCL driver for processors cannot be had: {made.stderr.strip().splitlines()[-1]}"
        )
    return folder


def trials_on(stand_in: Path, model: str, weights: Path, *, is_bad: bool = False) -> list[Trial]:
    """Return the trials on the GPU, of a process of their own. is_bad: the GPU convolves wrong."""
    hidden = "export SHIM_HIDE=; " if is_bad else ""
    script = f'. "{stand_in}/env.sh"; {hidden}exec "$@"'
    command = ["bash", "-c", script, "bash", sys.executable, "-m", __name__, model, str(weights)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return TRIALS.validate_json(done.stdout)


@pytest.mark.parametrize("model", ["mattecam", "rvm-mobilenetv3", "u2netp"])
def test_the_plugin_returns_what_the_cpu_does(
    model: str, stand_in: Path, request: pytest.FixtureRequest
) -> None:
    weights = BUNDLED
    if model == "rvm-mobilenetv3":
        weights = shared("weights/rvm_mobilenetv3.pth")
    elif model == "u2netp":
        weights = request.getfixturevalue("weights")[model]

    trials = trials_on(stand_in, model, weights)

    assert [(each.precision, each.problem) for each in trials] == [("float32", ""), ("float16", "")]
    assert trials[0].mean_difference < 1e-5
    # U²-Net with weights that were never trained has 4e-4, and is not taken in half precision.
    assert trials[1].mean_difference < 1e-3


def test_a_gpu_that_computes_plausible_garbage_is_not_accurate(stand_in: Path) -> None:
    trials = trials_on(stand_in, "mattecam", BUNDLED, is_bad=True)

    assert not [each for each in trials if each.accurate]


def main() -> None:
    """Print the trials of a model, with these weights, on the GPU that OpenVINO lists."""
    module.TIMEOUT_MS = 600_000  # a processor is slower than any GPU
    model = sys.argv[1]
    weights = Path(sys.argv[2])
    trials = measure(model, weights, 0.0, trial_frames(320, 180, 5), plugin="GPU")
    sys.stdout.write(TRIALS.dump_json(list(trials)).decode())


if __name__ == "__main__":
    main()
