"""A network on a GPU of Intel, for which OpenVINO's plugin for the CPU stands under a second name."""

from __future__ import annotations

import functools
import itertools
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.cli.bench import measure_models
from app.core.errors import ModelChoiceError, Stage
from app.core.settings import (
    CaptureSettings,
    EdgeSettings,
    EngineSettings,
    MattingSettings,
    OutputSettings,
)
from app.core.targets import INTEL, Target
from app.core.types import BgrImage, Matte
from app.matting import build_engine
from app.matting.choice import hardware, preparation
from app.matting.choice.choice import Choice, choose, fine_quality
from app.matting.choice.hardware import CudaCards
from app.matting.choice.preparation import measure_on_gpu, trial_frames
from app.matting.choice.trials import (
    Trial,
    failed_trial,
    save_prepared,
    save_trials,
    trials_of,
    unmeasured,
)
from app.matting.engine import FrameEngine, network_engine
from app.matting.interface import StepRequest
from app.matting.openvino import gpu as module
from app.matting.openvino import openvino_backend as backend
from app.matting.openvino.conversion import NetworkStage, bound, core, ov
from app.matting.openvino.gpu import IntelGpu, list_intel_gpus
from app.runtime.pipeline import Pipeline
from app.settings import Settings
from models.table import BUNDLED
from tests.fakes.states import has_sent_frames
from tests.published import install
from tests.stand_ins import always
from tests.waiting import eventually, no_longer

pytestmark = pytest.mark.linux("app.matting.openvino.gpu")
PLUGIN = "IGPU_CPU"
GPU = IntelGpu(PLUGIN, "Intel test")
SETTINGS = MattingSettings(model="mattecam")
READ_DRIVER = hardware.intel_driver
FRAMES = trial_frames(320, 180, 8)


@functools.cache
def register() -> None:
    core().register_plugin("openvino_intel_cpu_plugin", PLUGIN)


@pytest.fixture(autouse=True)
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    register()
    monkeypatch.setattr(hardware, "cuda_cards", always(CudaCards(None)))
    monkeypatch.setattr(hardware, "intel_driver", always("a driver"))
    monkeypatch.setattr(
        module, "TIMEOUT_MS", 60_000
    )  # on a busy computer, the processor takes long
    yield


def engine(plugin: str = PLUGIN, precision: str = "float32", *, live: bool = False) -> FrameEngine:
    target = (
        Target(INTEL, "openvino", precision) if plugin else Target("cpu", "openvino", "float32")
    )
    return network_engine(
        SETTINGS, Choice("mattecam", BUNDLED, target, plugin), 320, 180, live=live
    )


def step(engine: FrameEngine, frame: BgrImage) -> Matte:
    return engine.step(StepRequest(frame, np.zeros_like(frame), EdgeSettings(), "off"))


def steps(engine: FrameEngine) -> list[Matte]:
    return [step(engine, frame) for frame in FRAMES]


@functools.cache
def right(forgets_at: int = 0) -> tuple[BgrImage, ...]:
    """The composites of the CPU, whose network forgets the frames before this one."""
    cpu = engine("")
    own = cpu.backend
    assert isinstance(own, backend.OpenVinoBackend)
    composites = []
    for index, frame in enumerate(FRAMES):
        if index == forgets_at:
            for state in own._whole.memory.states.values():  # noqa: SLF001 - as once a GPU fails
                state.fill(0)
        composites.append(step(cpu, frame).composite)
    cpu.close()
    return tuple(composites)


def test_the_network_on_the_gpu_returns_what_that_on_the_cpu_does() -> None:
    made = engine()

    composites = [matte.composite for matte in steps(made)]

    assert (made.info.device, made.info.precision, made.info.gpu_problem) == (INTEL, "float32", "")
    assert all((one == other).all() for one, other in zip(composites, right(), strict=True))
    made.close()


def test_a_live_picture_does_not_wait_for_the_compiler() -> None:
    made = engine(live=True)
    first = made.info.device

    eventually(lambda: bool(steps(made)) and made.info.device == INTEL)

    assert first == "cpu"
    made.close()


ERRORS = {
    "goes": RuntimeError("[GPU] CL_OUT_OF_RESOURCES"),
    "memory": MemoryError("std::bad_alloc"),
    "index": IndexError(),
}


class FaultyRequest:
    """A request of a GPU that breaks at a frame."""

    def __init__(self, stage: NetworkStage, request: ov.InferRequest, fault: str, at: int) -> None:
        self._stage = stage
        self._request = request
        self._fault = fault
        self._left = at
        # What it wrote last.
        self._outputs: dict[int, NDArray[np.float32]] = {}

    def infer(self) -> None:
        self._request.infer()

    def start_async(self) -> None:
        self._left -= 1
        if self._left < 0 and self._fault in ERRORS:
            raise ERRORS[self._fault]
        self._request.start_async()

    def wait_for(self, timeout_ms: int) -> bool:
        is_hanging = self._left < 0 and self._fault == "hangs"
        return bool(self._request.wait_for(timeout_ms)) and not is_hanging

    def get_output_tensor(self, index: int) -> ov.Tensor:
        values = self._request.get_output_tensor(index).data
        if self._left < 0:
            values = self._broken(index, values.copy())
        self._outputs[index] = values.copy()
        return ov.Tensor(values)

    def _broken(self, index: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._fault == "NaN":
            values.flat[values.size // 2] = np.nan
        elif self._fault == "garbage":
            values = np.roll(values, 9, axis=-2)
        elif self._fault == "shape":
            values = values[..., 1:].copy()
        elif self._fault == "inexact":
            values *= np.float32(1.2)
        elif self._fault == "freezes":
            values = self._outputs[index]
        elif self._fault == "forgets" and self._stage.writes[index].startswith("next"):
            values.fill(0)
        return values


def break_requests(monkeypatch: pytest.MonkeyPatch, fault: str, at: int) -> None:
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


@pytest.mark.parametrize(
    ("fault", "at"),
    [
        *itertools.product(["goes", "hangs", "NaN", "garbage"], [0, 3]),
        *itertools.product(["memory", "index", "shape", "freezes", "forgets"], [3]),
    ],
)
def test_the_cpu_takes_over_in_the_frame_in_which_the_gpu_fails(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str, at: int
) -> None:
    if fault == "forgets":
        monkeypatch.setattr(module, "CHECK_EVERY", 3)  # else it is compared later
    break_requests(monkeypatch, fault, at)
    made = engine()

    composites = [matte.composite for matte in steps(made)]

    assert made.info.device == "cpu" and made.info.gpu_problem
    assert caplog.text.count("the network runs on the CPU") == 1
    expected = right(forgets_at=at)
    assert all((one == other).all() for one, other in zip(composites, expected, strict=True)), (
        "no frame shows it"
    )
    made.close()


def test_a_compiler_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network ran on the CPU as if it would be on the GPU in a moment, at each start."""
    ends = threading.Event()
    monkeypatch.setattr(module, "compiled", lambda *_, **__: ends.wait())
    monkeypatch.setattr(module, "COMPILE_LIMIT_S", 0.0)

    live = engine(live=True)
    of_a_film = engine()

    for made in (live, of_a_film):
        assert (steps(made)[-1].composite == right()[-1]).all()
        assert (made.info.device, made.info.gpu_problem) == ("cpu", "its compiler does not end")
        made.close()
    ends.set()
    no_longer(is_compiling)


def is_compiling() -> bool:
    return any(thread.name == "gpu-compiler" for thread in threading.enumerate())


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


def test_values_that_become_wrong_slowly_are_found_at_the_next_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_requests(monkeypatch, "garbage", 3)
    monkeypatch.setattr(module, "SUDDEN_CHANGE", 1.0)  # so that no change is taken for a sudden one
    monkeypatch.setattr(module, "CHECK_EVERY", 5)
    made = engine()

    same = [
        (matte.composite == expected).all()
        for matte, expected in zip(steps(made), right(), strict=True)
    ]

    assert made.info.device == "cpu"
    assert same[:3] == [True] * 3
    assert not any(same[3:5])
    made.close()


def test_no_network_for_fewer_columns_is_made_while_the_gpu_runs_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backend, "FRAMES_BEFORE_OWN", 0)
    widths = list[int]()
    make_network = backend.OpenVinoBackend.make_network

    def note_width(
        self: backend.OpenVinoBackend, width: int, *, for_any_size: bool = False
    ) -> backend.RecurrentNetwork:
        widths.append(width)
        return make_network(self, width, for_any_size=for_any_size)

    monkeypatch.setattr(backend.OpenVinoBackend, "make_network", note_width)
    made = engine(live=True)
    eventually(lambda: bool(steps(made)) and made.info.device == INTEL)
    steps(made)
    assert len(widths) == 1

    own = made.backend
    assert isinstance(own, backend.OpenVinoBackend)
    assert own._whole.gpu is not None  # noqa: SLF001
    own._whole.gpu.problem = "it does not answer"  # noqa: SLF001 - as after a failure
    steps(made)

    assert len(widths) > 1
    assert widths[1] == widths[0], "the network for all columns comes first"
    made.close()


def test_a_gpu_that_cannot_compile_leaves_the_network_on_the_cpu(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = engine("NO_SUCH_PLUGIN")

    assert made.info.device == "cpu"
    assert (steps(made)[-1].composite == right()[-1]).all()
    assert "the network runs on the CPU" in caplog.text
    made.close()


def test_the_gpu_is_measured_and_auto_takes_it_where_it_costs_the_least_processor_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dear = Trial("float32", None, 10.0, 900.0)
    save_trials("mattecam", BUNDLED, [dear])
    assert unmeasured(INTEL) == {"mattecam": BUNDLED}

    measure_on_gpu("mattecam", BUNDLED, always([GPU]), 0.0)

    assert not unmeasured(INTEL)
    trials = trials_of("mattecam", BUNDLED, INTEL)
    assert trials and [(each.precision, each.plugin, each.accurate) for each in trials] == [
        ("float32", PLUGIN, True),
        ("float16", PLUGIN, True),
    ]
    save_trials(
        "mattecam", BUNDLED, [replace(each, step_ms=9.0, cpu_ms=2.0) for each in trials], INTEL
    )
    found = choose(EngineSettings(model="mattecam"))
    assert (found.target, found.plugin) == (Target(INTEL, "openvino", "float32"), PLUGIN)
    assert choose(EngineSettings(model="mattecam", device="cpu")).target.device == "cpu"
    save_trials("mattecam", BUNDLED, [replace(dear, cpu_ms=1.0)])
    assert choose(EngineSettings(model="mattecam")).target.device == "cpu", "the CPU costs less"
    assert choose(EngineSettings(model="mattecam", device=INTEL)).target.device == INTEL, (
        "asked for by name"
    )

    monkeypatch.setattr(hardware, "intel_driver", always("another driver"))

    assert unmeasured(INTEL) == {"mattecam": BUNDLED}
    assert choose(EngineSettings(model="mattecam", device=INTEL)).target.device == "cpu", (
        "until it is measured"
    )


def test_a_gpu_that_is_a_little_inexact_is_not_accurate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of sudden changes put the alpha of the CPU in its place, and took the CPU's time."""
    monkeypatch.setattr(preparation, "trial_frames", always(FRAMES))
    break_requests(monkeypatch, "inexact", 0)

    measure_on_gpu("mattecam", BUNDLED, always([GPU]), 0.0)

    for trial in trials_of("mattecam", BUNDLED, INTEL):
        assert not trial.problem and not trial.accurate and trial.mean_difference < 0.05


def test_weights_of_the_user_are_refused_on_the_gpu(tmp_path: Path) -> None:
    """They were never measured there: the CPU ran them, and nothing said so."""
    own = Path(shutil.copy(BUNDLED, tmp_path / "own.safetensors"))

    with pytest.raises(
        ModelChoiceError,
        match=r"Only installed models .* not the weights .*own\.safetensors; choose",
    ):
        choose(SETTINGS.replace(weights=own, device=INTEL))

    assert choose(SETTINGS.replace(weights=own)).target.device == "cpu"


def test_a_gpu_that_failed_is_not_tried_again_with_this_driver() -> None:
    save_trials("mattecam", BUNDLED, [Trial("float32", None, 10.0, 10.0)])

    measure_on_gpu("mattecam", BUNDLED, lambda: [IntelGpu("NO_SUCH_PLUGIN", "Intel none")], 0.0)

    failed = trials_of("mattecam", BUNDLED, INTEL)
    assert len(failed) == 2 and all(
        "NO_SUCH_PLUGIN" in each.problem and not each.accurate for each in failed
    )
    assert not unmeasured(INTEL)
    assert choose(EngineSettings(model="mattecam")).target.device == "cpu"
    with pytest.raises(ModelChoiceError, match="The GPU of Intel cannot run the model mattecam"):
        choose(EngineSettings(model="mattecam", device=INTEL))


def test_in_a_call_auto_takes_the_finer_network_that_the_gpu_makes_affordable(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = install(weights["rvm-mobilenetv3"], "rvm-mobilenetv3", monkeypatch)
    monkeypatch.setattr(preparation, "trial_frames", always(FRAMES))
    save_trials("rvm-mobilenetv3", file, [Trial("float32", None, 25.0, 900.0)])
    assert choose(EngineSettings(), live=True).model == "mattecam"
    measure_on_gpu("rvm-mobilenetv3", file, always([GPU]), 0.0)
    measured = trials_of("rvm-mobilenetv3", file, INTEL)
    assert [(each.plugin, each.problem) for each in measured] == [(PLUGIN, "")] * 2 and measured[
        0
    ].accurate

    save_trials(
        "rvm-mobilenetv3",
        file,
        [replace(each, step_ms=20.0, cpu_ms=2.0) for each in measured],
        INTEL,
    )

    found = choose(EngineSettings(), live=True)
    assert (found.model, found.target, found.plugin) == (
        "rvm-mobilenetv3",
        Target(INTEL, "openvino", "float32"),
        PLUGIN,
    )
    assert fine_quality(EngineSettings()).recommended
    assert choose(EngineSettings(device="cpu"), live=True).model == "mattecam", (
        "the CPU is as slow as before"
    )
    assert not fine_quality(EngineSettings(device="cpu")).recommended


def test_a_compiler_that_fails_beside_the_picture_is_named_once_and_not_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    save_prepared(True)
    save_trials("mattecam", BUNDLED, [Trial("float32", None, 10.0, 900.0)])
    save_trials(
        "mattecam",
        BUNDLED,
        [Trial("float16", None, 9.0, 2.0, 0.0, "NO_SUCH_PLUGIN", "Intel none")],
        INTEL,
    )
    settings = Settings(
        capture=CaptureSettings(source="demo", width=320, height=180),
        matting=SETTINGS,
        output=OutputSettings(virtual_camera="off"),
    )

    first = problems_of_a_start(settings, at_least=1)
    second = problems_of_a_start(settings, at_least=0)

    assert first == ["The GPU failed with the model mattecam; matting continues on the CPU."]
    assert second == [] and choose(SETTINGS).target.device == "cpu"
    assert caplog.text.count("NO_SUCH_PLUGIN") == 1


def test_a_compiler_that_fails_for_a_film_is_not_tried_for_the_next_one() -> None:
    save_prepared(True)
    trial = Trial("float16", None, 9.0, 2.0, 0.0, "NO_SUCH_PLUGIN", "Intel none")
    save_trials("mattecam", BUNDLED, [trial], INTEL)
    assert choose(SETTINGS).target.device == INTEL

    made = build_engine(SETTINGS, 320, 180)

    assert made.info.device == "cpu"
    assert choose(SETTINGS).target.device == "cpu"
    made.close()


def problems_of_a_start(settings: Settings, at_least: int) -> list[str]:
    """Return what a live picture said of matting until it had sent some frames, and had so many problems."""
    pipeline = Pipeline(settings)
    pipeline.start()

    def problems() -> list[str]:
        return [
            problem.message
            for problem in pipeline.status().problems
            if problem.stage is Stage.MATTING
        ]

    def has_enough_problems() -> bool:
        return len(problems()) >= at_least

    eventually(has_sent_frames, pipeline, 20)
    eventually(has_enough_problems)
    said = problems()
    assert pipeline.stop()
    return said


@pytest.mark.torch
def test_the_benchmark_measures_the_gpu_or_says_that_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It measured the CPU in its place."""
    settings = SETTINGS.replace(device=INTEL)
    save_trials(
        "mattecam", BUNDLED, [Trial("float32", None, 9.0, 2.0, 0.0, PLUGIN, "Intel test")], INTEL
    )

    rows = measure_models(settings, (192, 144), 0.1, always(None))["results"]

    steps = {
        (row["executor"], row["precision"], row["device"]) for row in rows if row["what"] == "step"
    }
    assert steps == {("openvino", "float32", INTEL)}
    save_trials("mattecam", BUNDLED, [failed_trial("it does not answer")], INTEL)
    with pytest.raises(ModelChoiceError, match="The GPU of Intel cannot run the model mattecam"):
        measure_models(settings, (192, 144), 0.1, always(None))
    monkeypatch.setattr(hardware, "intel_driver", always(""))
    with pytest.raises(
        ModelChoiceError, match="There is no GPU of Intel with an OpenCL driver on this computer"
    ):
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
    first = digest(drivers / "intel.icd", str(tmp_path / "library"))
    second = digest(tmp_path / "library", "of the next version")
    third = digest(cards / "1" / "class", "0x030000\n")  # a card that changes the order
    (drivers / "intel.icd").unlink()

    assert len({"", first, second, third}) == 4
    assert READ_DRIVER.__wrapped__() == ""


def test_other_plugins_are_not_listed_as_gpus_of_intel() -> None:
    assert PLUGIN in core().available_devices
    assert list_intel_gpus() == ()


class ListedDevices:
    """What OpenVINO lists on a computer: by name, the maker, or none where its driver refuses."""

    def __init__(self, makers: Mapping[str, str]) -> None:
        self._makers = makers

    @property
    def available_devices(self) -> list[str]:
        return ["CPU", *self._makers, "NPU"]

    def get_property(self, device: str, name: str) -> str:
        maker = self._makers.get(device) or self._makers[device.partition(".")[0]]
        if maker == "broken":
            raise RuntimeError("[GPU] clGetDeviceInfo, error code: -33")
        return (
            f"GPU: vendor={maker} arch=v12.3.0"
            if name == "DEVICE_ARCHITECTURE"
            else f"card of {maker}"
        )


@pytest.mark.parametrize(
    ("makers", "of_intel"),
    [
        ({"GPU": "0x8086"}, ["GPU.0"]),
        ({"GPU": "0x1002"}, []),
        (
            {"GPU.0": "0x10de", "GPU.1": "0x8086", "GPU.2": "0x1002", "GPU.3": "0x8086"},
            ["GPU.1", "GPU.3"],
        ),
        ({"GPU.0": "broken", "GPU.1": "0x8086"}, ["GPU.1"]),
        ({"GPU.0": "0x80860", "GPU.1": "broken"}, []),
    ],
)
def test_of_several_gpus_those_of_intel_are_taken_by_name(
    monkeypatch: pytest.MonkeyPatch, makers: dict[str, str], of_intel: list[str]
) -> None:
    monkeypatch.setattr(module, "core", always(ListedDevices(makers)))

    listed = list_intel_gpus()

    assert listed == tuple(IntelGpu(name, "card of 0x8086") for name in of_intel)
