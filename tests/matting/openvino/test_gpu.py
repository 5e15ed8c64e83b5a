"""A network on a GPU of Intel, for which OpenVINO's plugin for the CPU stands under a second name."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.cli.bench import measure_models
from app.core.errors import ModelChoiceError, ModelError, Stage
from app.core.settings import CaptureSettings, EdgeSettings, MattingSettings, OutputSettings
from app.core.targets import INTEL, Target
from app.core.types import BgrImage
from app.matting import build_engine
from app.matting.choice import hardware, preparation
from app.matting.choice.choice import Choice, choose, fine_quality
from app.matting.choice.hardware import CudaCards
from app.matting.choice.preparation import measure_on_gpu, trial_frames
from app.matting.choice.trials import Trial, save_prepared, save_trials, trials_of, unmeasured
from app.matting.engine import FrameEngine, network_engine
from app.matting.interface import StepRequest
from app.matting.openvino import gpu as module
from app.matting.openvino import openvino_backend as backend
from app.matting.openvino.conversion import NetworkStage, bound, core, ov
from app.matting.openvino.gpu import list_intel_gpus
from app.runtime.pipeline import Pipeline
from app.settings import Settings
from models.table import BUNDLED
from tests.fakes.states import has_sent_frames
from tests.published import install
from tests.stand_ins import always
from tests.waiting import eventually, no_longer

pytestmark = pytest.mark.linux("app.matting.openvino.gpu")
PLUGIN = "IGPU_CPU"
SETTINGS = MattingSettings(model="mattecam")
READ_DRIVER = hardware.intel_driver
FRAMES = trial_frames(320, 180, 8)
ON_CPU = Trial("float32", None, 10.0, 900.0)
ON_GPU = Trial("float32", None, 9.0, 2.0, 0.0, PLUGIN, "Intel test")


@functools.cache
def register() -> None:
    core().register_plugin("openvino_intel_cpu_plugin", PLUGIN)


@pytest.fixture(autouse=True)
def computer_with_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    register()
    monkeypatch.setattr(hardware, "cuda_cards", always(CudaCards(None)))
    monkeypatch.setattr(hardware, "intel_driver", always("a driver"))
    monkeypatch.setattr(module, "list_intel_gpus", always({PLUGIN: "Intel test"}))
    monkeypatch.setattr(preparation, "trial_frames", always(FRAMES))
    # On a busy computer, the processor takes long.
    monkeypatch.setattr(module, "TIMEOUT_MS", 60_000)


def engine(plugin: str = PLUGIN, *, live: bool = False) -> FrameEngine:
    target = Target(INTEL if plugin else "cpu", "openvino", "float32", plugin)
    return network_engine(SETTINGS, Choice("mattecam", BUNDLED, target), 320, 180, live=live)


def step(engine: FrameEngine, frame: BgrImage) -> BgrImage:
    return engine.step(StepRequest(frame, np.zeros_like(frame), EdgeSettings(), "off")).composite


def steps(engine: FrameEngine) -> list[BgrImage]:
    return [step(engine, frame) for frame in FRAMES]


def own(engine: FrameEngine) -> backend.RecurrentNetwork:
    assert isinstance(engine.backend, backend.OpenVinoBackend)
    return engine.backend._whole  # noqa: SLF001


@functools.cache
def right(forgets_at: int = 0) -> list[BgrImage]:
    """The composites of the CPU, whose network forgets the frames before this one."""
    cpu = engine("")
    composites = []
    for index, frame in enumerate(FRAMES):
        if index == forgets_at:  # as once a GPU fails
            memory = own(cpu).memory
            for array in (*memory.states.values(), memory.last[backend.DECISION]):
                array.fill(0)
        composites.append(step(cpu, frame))
    cpu.close()
    return composites


class FaultyRequest:
    """A request of a GPU that breaks at a frame."""

    def __init__(self, stage: NetworkStage, request: ov.InferRequest, fault: object, at: int):
        self._stage = stage
        self._request = request
        self._fault = fault
        self._frames_left = at
        self._last_outputs: dict[int, NDArray[np.float32]] = {}

    def infer(self) -> None:
        self._request.infer()

    def start_async(self) -> None:
        self._frames_left -= 1
        if self._frames_left < 0 and isinstance(self._fault, Exception):
            raise self._fault
        self._request.start_async()

    def wait_for(self, timeout_ms: int) -> bool:
        is_hanging = self._frames_left < 0 and self._fault == "hangs"
        return bool(self._request.wait_for(timeout_ms)) and not is_hanging

    def get_output_tensor(self, index: int) -> ov.Tensor:
        values = self._request.get_output_tensor(index).data.copy()
        if self._frames_left < 0:
            values = self._broken(index, values)
        self._last_outputs[index] = values
        return ov.Tensor(values.copy())

    def _broken(self, index: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
        is_memory = self._stage.writes[index].startswith("next")
        if self._fault == "NaN":
            values.flat[values.size // 2] = np.nan
        elif self._fault == "garbage":
            values = np.roll(values, 9, axis=-2)
        elif self._fault == "wrong shape":
            values = values[..., 1:].copy()
        elif self._fault == "a little inexact" and not is_memory:
            values = np.float32(0.9) * values + np.float32(0.1) * np.roll(values, 1, axis=-2)
        elif self._fault == "frozen":
            values = self._last_outputs[index]
        elif self._fault == "wrong memory" and is_memory:
            values.fill(0)
        elif self._fault == "rounds":
            values += np.float32(1e-5)
        return values


def break_gpu(monkeypatch: pytest.MonkeyPatch, fault: object, at: int) -> None:
    """Let the GPU break at this frame, in all stages that run in each frame."""

    def faulty(
        stage: NetworkStage,
        network: ov.CompiledModel,
        arrays: Mapping[str, NDArray[np.float32]],
        *,
        outputs: bool,
    ) -> Any:
        request = bound(stage, network, arrays, outputs=outputs)
        return request if stage.steady else FaultyRequest(stage, request, fault, at)

    monkeypatch.setattr(module, "bound", faulty)


GOES = RuntimeError("[GPU] CL_OUT_OF_RESOURCES")


@pytest.mark.parametrize(
    ("fault", "at", "wrong_frames"),
    [
        pytest.param(GOES, 0, 0, id="goes at once"),
        pytest.param(GOES, 3, 0, id="goes"),
        pytest.param(MemoryError("std::bad_alloc"), 3, 0, id="out of memory"),
        pytest.param(IndexError(), 3, 0, id="raises without words"),
        ("hangs", 3, 0),
        ("NaN", 3, 0),
        ("garbage", 0, 0),
        ("garbage", 3, 0),
        ("wrong shape", 3, 0),
        ("frozen", 3, 0),
        ("wrong memory", 5, 0),
        # Values that become wrong slowly are found at the next comparison.
        pytest.param("garbage", 3, 2, id="wrong slowly"),
    ],
)
def test_the_cpu_takes_over_in_the_frame_in_which_the_gpu_fails(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: object,
    at: int,
    wrong_frames: int,
) -> None:
    monkeypatch.setattr(module, "CHECK_EVERY", 5)
    if wrong_frames:
        monkeypatch.setattr(module, "SUDDEN_CHANGE", 1.0)
    break_gpu(monkeypatch, fault, at)
    made = engine()
    device = made.info.device

    composites = steps(made)

    assert (device, made.info.device) == (INTEL, "cpu")
    assert made.info.gpu_problem
    assert caplog.text.count("the network runs on the CPU") == 1
    found_at = at + wrong_frames
    same = [(one == other).all() for one, other in zip(composites, right(found_at), strict=True)]
    assert same == [not at <= index < found_at for index in range(len(FRAMES))]
    made.close()


def test_a_live_picture_does_not_wait_for_the_gpu_which_returns_what_the_cpu_does() -> None:
    live = engine(live=True)
    assert live.info.device == "cpu"
    eventually(lambda: bool(steps(live)) and live.info.device == INTEL)
    film = engine()

    composites = steps(film)

    assert (film.info.device, film.info.gpu_problem) == (INTEL, "")
    assert np.array_equal(composites, right())
    live.close()
    film.close()


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("plugin", [PLUGIN, "NO_SUCH_PLUGIN"])
def test_a_compiler_that_fails_or_does_not_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, plugin: str, live: bool
) -> None:
    """The network ran on the CPU as if it would be on the GPU in a moment, at each start."""
    ends = threading.Event()
    if plugin == PLUGIN:
        monkeypatch.setattr(module, "compiled", lambda *_, **__: ends.wait())
        monkeypatch.setattr(module, "COMPILE_LIMIT_S", 0.0)
    made = engine(plugin, live=live)

    eventually(lambda: bool(steps(made)) and bool(made.info.gpu_problem))

    assert made.info.device == "cpu"
    made.reset()
    assert np.array_equal(steps(made), right())
    made.close()
    ends.set()
    no_longer(lambda: any(each.name == "gpu-compiler" for each in threading.enumerate()))


QUITS = """
import threading
from tests.matting.openvino import test_gpu
from app.matting.openvino import conversion
test_gpu.register()
conversion.gpu_options = lambda device: threading.Event().wait()
print(test_gpu.engine(live=True).info.device)
"""


def test_the_program_ends_while_a_network_is_compiled_for_the_gpu() -> None:
    """It waited for the compiler, which takes a minute."""
    done = subprocess.run(
        [sys.executable, "-c", QUITS], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout.split() == ["cpu"]


def test_no_other_network_is_made_while_the_gpu_runs_all_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend, "FRAMES_BEFORE_OWN", 0)
    made = engine(live=True)
    first = own(made)
    eventually(lambda: bool(steps(made)) and made.info.device == INTEL)
    steps(made)
    assert own(made) is first
    assert first.gpu is not None

    first.gpu.problem = "it does not answer"

    eventually(lambda: bool(steps(made)) and own(made) is not first)
    made.close()


def test_the_gpu_is_measured_and_auto_takes_it_where_it_costs_the_least_processor_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_trials("mattecam", BUNDLED, [ON_CPU])
    assert unmeasured(INTEL) == {"mattecam": BUNDLED}

    measure_on_gpu("mattecam", BUNDLED, 0.0)

    assert not unmeasured(INTEL)
    trials = trials_of("mattecam", BUNDLED, INTEL)
    assert [(each.precision, each.plugin, each.gpu, each.accurate) for each in trials] == [
        ("float32", PLUGIN, "Intel test", True),
        ("float16", PLUGIN, "Intel test", True),
    ]
    save_trials("mattecam", BUNDLED, [ON_GPU], INTEL)
    assert choose(SETTINGS).target == Target(INTEL, "openvino", "float32", PLUGIN)
    assert choose(SETTINGS.replace(device="cpu")).target.device == "cpu"
    save_trials("mattecam", BUNDLED, [replace(ON_CPU, cpu_ms=1.0)])
    assert choose(SETTINGS).target.device == "cpu", "the CPU costs less"
    assert choose(SETTINGS.replace(device=INTEL)).target.device == INTEL, "asked for by name"

    monkeypatch.setattr(hardware, "intel_driver", always("another driver"))

    assert unmeasured(INTEL) == {"mattecam": BUNDLED}
    assert choose(SETTINGS.replace(device=INTEL)).target.device == "cpu", "until it is measured"


def test_a_gpu_that_is_a_little_inexact_is_not_accurate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of sudden changes put the alpha of the CPU in its place, and took the CPU's time."""
    break_gpu(monkeypatch, "a little inexact", 0)

    measure_on_gpu("mattecam", BUNDLED, 0.0)

    for trial in trials_of("mattecam", BUNDLED, INTEL):
        assert not trial.problem
        assert not trial.accurate


def test_weights_of_the_user_are_refused_on_the_gpu(tmp_path: Path) -> None:
    """They were never measured there: the CPU ran them, and nothing said so."""
    own = Path(shutil.copy(BUNDLED, tmp_path / "own.safetensors"))

    with pytest.raises(
        ModelChoiceError,
        match=r"Only installed models .* not the weights .*own\.safetensors; choose",
    ):
        choose(SETTINGS.replace(weights=own, device=INTEL))

    assert choose(SETTINGS.replace(weights=own)).target.device == "cpu"


def test_a_gpu_that_failed_is_not_tried_again_with_this_driver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "list_intel_gpus", always({"NO_SUCH_PLUGIN": "Intel none"}))

    measure_on_gpu("mattecam", BUNDLED, 0.0)

    failed = trials_of("mattecam", BUNDLED, INTEL)
    assert ["NO_SUCH_PLUGIN" in each.problem for each in failed] == [True, True]
    assert not unmeasured(INTEL)
    assert choose(SETTINGS).target.device == "cpu"
    with pytest.raises(ModelChoiceError, match="No GPU of Intel can run the model mattecam"):
        choose(SETTINGS.replace(device=INTEL))


def test_a_computer_without_the_driver_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "intel_driver", always(""))

    with pytest.raises(ModelChoiceError, match="No GPU of Intel can run the model mattecam"):
        choose(SETTINGS.replace(device=INTEL))


def test_in_a_call_auto_takes_the_finer_network_that_the_gpu_makes_affordable(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = "rvm-mobilenetv3"
    file = install(weights[model], model, monkeypatch)
    save_trials(model, file, [ON_CPU])
    automatic = MattingSettings().engine
    assert choose(automatic, live=True).model == "mattecam"

    measure_on_gpu(model, file, 0.0)

    measured = trials_of(model, file, INTEL)
    assert [(each.plugin, each.problem) for each in measured] == [(PLUGIN, "")] * 2
    save_trials(model, file, [replace(measured[0], step_ms=20.0, cpu_ms=2.0)], INTEL)
    chosen = choose(automatic, live=True)
    assert (chosen.model, chosen.target.plugin) == (model, PLUGIN)
    assert fine_quality(automatic).recommended
    on_cpu = automatic.replace(device="cpu")
    assert choose(on_cpu, live=True).model == "mattecam", "the CPU is as slow as before"
    assert not fine_quality(on_cpu).recommended


@pytest.mark.parametrize("plugin", [PLUGIN, "NO_SUCH_PLUGIN"])
def test_a_gpu_that_fails_in_a_live_picture_is_named_once_and_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    """The engine's own CPU network goes on meanwhile, so that no card is shown."""
    save_prepared(True)
    save_trials("mattecam", BUNDLED, [ON_CPU])
    save_trials("mattecam", BUNDLED, [replace(ON_GPU, plugin=plugin)], INTEL)
    break_gpu(monkeypatch, GOES, 3)

    first = problems_of_a_start(at_least=1)
    second = problems_of_a_start(at_least=0)

    assert first == [
        "The model mattecam failed on the GPU intel; matting continues on the CPU. The log has the "
        "details."
    ]
    assert not second
    assert choose(SETTINGS).target.device == "cpu"


def problems_of_a_start(at_least: int) -> list[str]:
    """Return what a live picture said of matting until it had sent frames, and said so much."""
    settings = Settings(
        capture=CaptureSettings(source="demo", width=320, height=180),
        matting=SETTINGS,
        output=OutputSettings(virtual_camera="off"),
    )
    pipeline = Pipeline(settings)
    pipeline.start()

    def problems() -> list[str]:
        said = pipeline.status().problems
        return [problem.message for problem in said if problem.stage is Stage.MATTING]

    eventually(has_sent_frames, pipeline, 20)
    eventually(lambda: len(problems()) >= at_least)
    said = problems()
    assert pipeline.stop()
    return said


@pytest.mark.parametrize("plugin", [PLUGIN, "NO_SUCH_PLUGIN"])
def test_a_gpu_that_fails_in_a_film_is_not_tried_for_the_next_one(
    monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    """Only what failed before the first frame was remembered."""
    save_prepared(True)
    save_trials("mattecam", BUNDLED, [replace(ON_GPU, plugin=plugin)], INTEL)
    break_gpu(monkeypatch, GOES, 3)
    film = build_engine(SETTINGS, 320, 180)

    for frame in FRAMES:
        film.step(StepRequest(frame, np.zeros_like(frame), EdgeSettings(), "off"))

    film.close()
    assert choose(SETTINGS).target.device == "cpu"


def test_rounding_of_values_that_are_all_but_zero_is_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sigmoid is all but zero where nothing is: rounding is more than any share of that."""
    monkeypatch.setattr(module, "CHECK_EVERY", 1)
    monkeypatch.setattr(module, "SHARE_BOUND", 0.0)  # the share that is left of such values
    break_gpu(monkeypatch, "rounds", 0)
    made = engine()

    steps(made)

    assert not made.info.gpu_problem
    made.close()


@pytest.mark.torch
def test_the_benchmark_measures_the_gpu_or_says_that_it_cannot() -> None:
    """It measured the CPU in its place."""
    settings = SETTINGS.replace(device=INTEL)
    save_trials("mattecam", BUNDLED, [ON_GPU], INTEL)

    rows = measure_models(settings, (192, 144), 0.1, always(None))["results"]

    assert [row["device"] for row in rows if row["what"] == "step"] == [INTEL]
    save_trials("mattecam", BUNDLED, [replace(ON_GPU, plugin="NO_SUCH_PLUGIN")], INTEL)
    with pytest.raises(ModelError, match="The model mattecam does not run on the GPU of Intel"):
        measure_models(settings, (192, 144), 0.1, always(None))


def test_the_driver_is_told_from_another_without_loading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = tmp_path / "pci"
    drivers = tmp_path / "vendors"
    monkeypatch.setattr(hardware, "PCI", cards)
    monkeypatch.setattr(hardware, "OPENCL_DRIVERS", drivers)

    def digest(file: Path, text: str) -> str:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return READ_DRIVER.__wrapped__()  # without the cache

    assert digest(drivers / "nvidia.icd", str(tmp_path / "another")) == "", "no card"
    digest(cards / "0" / "class", "0x030000\n")
    assert digest(cards / "0" / "vendor", "0x1002\n") == "", "one of another maker"
    assert digest(cards / "0" / "vendor", "0x8086\n") == "", "a driver of another maker"
    assert digest(drivers / "intel64.icd", "libintelocl.so") == "", "one for processors"
    (drivers / "intel64.icd").unlink()
    first = digest(drivers / "intel.icd", str(tmp_path / "library"))
    second = digest(tmp_path / "library", "of the next version")
    third = digest(cards / "1" / "class", "0x030000\n")  # a card that changes the order
    (drivers / "intel.icd").unlink()

    assert len({"", first, second, third}) == 4
    assert READ_DRIVER.__wrapped__() == ""


class ListedDevices:
    """What OpenVINO lists on a computer with GPUs of several makers, of which one is broken."""

    def __init__(self, makers: Mapping[str, str]) -> None:
        self._makers = makers

    @property
    def available_devices(self) -> list[str]:
        return ["CPU", PLUGIN, *self._makers, "NPU"]

    def get_property(self, device: str, name: str) -> str:
        maker = self._makers[device]
        if maker == "broken":
            raise RuntimeError("[GPU] clGetDeviceInfo, error code: -33")
        return f"GPU: vendor={maker} arch=v12.3.0"


def test_of_several_gpus_those_of_intel_are_taken_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    makers = {"GPU.0": "0x10de", "GPU.1": "broken", "GPU.2": "0x8086", "GPU.3": "0x80860"}
    monkeypatch.setattr(module, "core", always(ListedDevices({**makers, "GPU": "0x8086"})))

    listed = list_intel_gpus()

    assert list(listed) == ["GPU.2", "GPU"]
