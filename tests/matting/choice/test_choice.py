"""What `auto` takes: models, devices, precisions, threads and cards; the rule for trials, and what is kept of them."""

from __future__ import annotations

import ctypes
import platform
import sys
from functools import partial
from pathlib import Path
from typing import get_args
from unittest.mock import Mock

import pytest

from app.core.errors import ModelChoiceError, ModelError, WeightsMissingError
from app.core.settings import EngineSettings, MattingSettings
from app.core.targets import DEVICES, DeviceKind, Executor, Target
from app.core.types import AlphaImage
from app.matting import build_engine, choose_model
from app.matting.choice import choice, hardware, trials
from app.matting.choice.choice import Choice, choose
from app.matting.choice.hardware import CudaCards, cuda_cards
from app.matting.choice.trials import MEAN_BOUND, Trial, best, save_prepared, save_trials, trials_of
from app.matting.cpu.cpu_backend import CpuBackend
from app.matting.engine import FrameEngine
from app.matting.interface import StepGeometry, StepRequest, auto_ratio
from models import weights as registered
from models.table import BUNDLED, NETWORKS
from models.weights import SHIPPED_SHA256, find_int8, int8_file
from tests.matting.stubs import NO_CODE, BuildEngine, frames, simulated_cards
from tests.published import install
from tests.stand_ins import always


@pytest.fixture(autouse=True)
def _cpu_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "cuda_cards", always(CudaCards(None)))


def test_auto_takes_the_best_on_hand_whose_weights_are_not_damaged(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_model(MattingSettings()) == "mattecam"
    file = install(weights["rvm-mobilenetv3"], "rvm-mobilenetv3", monkeypatch)
    assert choose_model(MattingSettings()) == "rvm-mobilenetv3"
    assert choose_model(MattingSettings(model="mattecam")) == "mattecam"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)

    assert choose(MattingSettings()).model == "mattecam"
    assert "rvm_mobilenetv3.pth differs from the published file (checksum)" in caplog.text
    with pytest.raises(
        WeightsMissingError, match=r"rvm_mobilenetv3\.pth differs.*weights download rvm-mobilenetv3"
    ):
        choose(MattingSettings(model="rvm-mobilenetv3"))
    assert choose(MattingSettings(model="rvm-mobilenetv3", weights=file)).weights == file, (
        "named by the user"
    )


HEAVY_MS = 30.0
LIGHT_MS = 10.0
"""Processor time of a step, on 2 cores at 30 fps: 45 % and 15 % of theirs."""


@pytest.mark.parametrize(
    ("measured", "in_a_call"),
    [
        pytest.param([], "mattecam", id="not measured yet"),
        pytest.param([Trial("int8", None, 10.0, LIGHT_MS)], "rvm-mobilenetv3", id="affordable"),
        pytest.param(
            [Trial("int8", None, 10.0, HEAVY_MS)], "mattecam", id="more than a third of the cores"
        ),
        pytest.param([Trial("int8", None, 40.0, LIGHT_MS)], "mattecam", id="too slow for 30 fps"),
        pytest.param(
            [Trial("int8", None, 10.0, LIGHT_MS, mean_difference=1.0)], "mattecam", id="inaccurate"
        ),
    ],
)
def test_in_a_call_auto_takes_the_finer_network_where_it_was_measured_to_be_affordable(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch, measured: list[Trial], in_a_call: str
) -> None:
    file = install(weights["rvm-mobilenetv3"], "rvm-mobilenetv3", monkeypatch)
    monkeypatch.setattr(trials, "usable_cores", always(2))
    save_trials("rvm-mobilenetv3", file, measured)

    chosen = choose(EngineSettings(), live=True).model

    assert chosen == in_a_call
    assert choose(EngineSettings()).model == "rvm-mobilenetv3", "in films nobody waits for a frame"
    assert choose(EngineSettings(model="rvm-mobilenetv3"), live=True).model == "rvm-mobilenetv3", (
        "asked for by name"
    )


@pytest.mark.parametrize(
    ("cores", "in_a_call"), [(2, "mattecam"), (4, "rvm-mobilenetv3"), (8, "rvm-mobilenetv3")]
)
def test_what_auto_takes_follows_the_usable_cores(
    weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch, cores: int, in_a_call: str
) -> None:
    file = install(weights["rvm-mobilenetv3"], "rvm-mobilenetv3", monkeypatch)
    monkeypatch.setattr(trials, "usable_cores", always(cores))
    save_trials("rvm-mobilenetv3", file, [Trial("int8", None, 15.0, HEAVY_MS)])

    assert choose(EngineSettings(), live=True).model == in_a_call


def test_other_weights_in_the_folder_that_the_user_named_are_theirs(
    weights: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = tmp_path / NETWORKS["rvm-mobilenetv3"].weights.file
    file.write_bytes(weights["rvm-mobilenetv3"].read_bytes())
    monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(tmp_path))
    assert [choose(MattingSettings()).weights for _ in range(2)] == [file] * 2
    (record,) = caplog.records
    said = record.getMessage()
    assert str(file) in said
    assert "differ from the published ones of rvm-mobilenetv3 and are used as your own" in said
    assert "run.py weights download rvm-mobilenetv3" in said
    registered.hash_record(file).write_text("0" * 64)
    assert choose(MattingSettings()).model == "mattecam", "a recorded SHA-256 counts"


def test_damaged_weights_of_the_program_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_int8(registered.find("mattecam")) is not None, "intact, and remembered as such"
    monkeypatch.setitem(SHIPPED_SHA256, "mattecam/student-int8.safetensors", "0" * 64)
    assert find_int8(registered.find("mattecam")) is None
    monkeypatch.setitem(SHIPPED_SHA256, "mattecam/student.safetensors", "0" * 64)
    with pytest.raises(
        WeightsMissingError, match=r"student\.safetensors, which is part of the program, is damaged"
    ):
        choose(MattingSettings())


def test_auto_ratio_aims_at_270_pixels_a_given_one_counts_and_a_tiny_one_is_refused(
    weights: dict[str, Path], engines: BuildEngine
) -> None:
    for size, small in (
        ((1280, 720), (480, 270)),
        ((1920, 1080), (480, 270)),
        ((240, 180), (240, 180)),
    ):
        geometry = choice.geometry_for(MattingSettings(), "rvm-mobilenetv3", *size)
        assert (geometry.small_width, geometry.small_height) == small
    assert auto_ratio(720, 1280) == auto_ratio(1280, 720)
    settings = MattingSettings(model="mattecam", weights=weights["mattecam"], executor="eager")
    assert engines(settings.replace(downsample_ratio=0.4), 320, 200).info.downsample_ratio == 0.4
    with pytest.raises(ModelError, match="more detail"):
        engines(settings.replace(downsample_ratio=0.05), 320, 200)


@pytest.mark.parametrize("executor", ["eager", "openvino"])
def test_weights_of_something_else_are_refused(
    weights: dict[str, Path], tmp_path: Path, engines: BuildEngine, executor: str
) -> None:
    broken = tmp_path / "broken.pth"
    broken.write_bytes(weights["mattecam"].read_bytes()[:5000])
    for file in (weights["mattecam"], broken):
        with pytest.raises(ModelError, match=str(file.name)):
            engines(
                MattingSettings(model="rvm-mobilenetv3", weights=file, executor=executor), 160, 96
            )


def test_refiner_follows_the_weights_or_the_user(
    weights: dict[str, Path], engines: BuildEngine
) -> None:
    settings = MattingSettings(
        model="rvm-mobilenetv3",
        weights=weights["rvm-mobilenetv3"],
        executor="eager",
        downsample_ratio=0.5,
    )
    frame, backdrop = frames(160, 96, 2)

    def alpha(refiner: str) -> AlphaImage:
        engine = engines(settings.replace(refiner=refiner), 160, 96)
        return engine.step(StepRequest(frame, backdrop, settings.edges, "off")).alpha

    deep, same, fast = map(alpha, ("auto", "deep-guided-filter", "fast-guided-filter"))
    assert (deep == same).all()
    assert (deep != fast).any()


def made(
    precision: str,
    ms: float,
    threads: int | None = None,
    cpu_ms: float | None = None,
    *,
    mean: float = 0.0,
) -> Trial:
    return Trial(precision, threads, ms, ms if cpu_ms is None else cpu_ms, mean)


FLOAT32 = made("float32", 19.0)
BFLOAT16 = made("bfloat16", 13.0)
INT8 = made("int8", 12.0, mean=1e-4)
INT8_ONE = made("int8", 15.0, 1, mean=1e-4)


MEASURED: dict[str, tuple[list[Trial], tuple[str, int | None] | None]] = {
    "nothing": ([], None),
    "one": ([FLOAT32], ("float32", None)),
    "least CPU": ([FLOAT32, BFLOAT16, INT8], ("int8", None)),
    "within the noise": ([FLOAT32, BFLOAT16, made("int8", 12.9)], ("bfloat16", None)),
    "slower": ([FLOAT32, made("bfloat16", 26.0), made("int8", 20.0)], ("float32", None)),
    "too different": ([FLOAT32, made("int8", 5.0, mean=2 * MEAN_BOUND)], ("float32", None)),
    "one thread": ([made("int8", 12.0, None, 22.0), made("int8", 15.0, 1)], ("int8", 1)),
    "two threads seem to cost less": (
        [made("int8", 10.0, None, 14.0), made("int8", 15.0, 1)],
        ("int8", 1),
    ),
    "one thread just holds the rate": (
        [made("int8", 17.5, None, 41.7), made("int8", 27.0, 1, 34.0)],
        ("int8", 1),
    ),
    "one thread is too slow": (
        [made("int8", 12.0, None, 48.0), made("int8", 38.0, 1)],
        ("int8", None),
    ),
    "none fits, all are faster": (
        [made("float32", 40.0, None, 80.0), made("float32", 66.0, 1)],
        ("float32", None),
    ),
    "accurate but too slow": (
        [made("float32", 19.0, None, 38.0), made("int8", 60.0, 1, 10.0)],
        ("float32", None),
    ),
}


@pytest.mark.parametrize("name", MEASURED)
def test_the_least_cpu_time_that_holds_the_frame_rate_is_taken(name: str) -> None:
    measured, expected = MEASURED[name]
    taken = best(measured)

    assert (taken and (taken.precision, taken.threads)) == expected


def test_times_are_described_without_what_is_not_accurate() -> None:
    assert trials.described([FLOAT32, made("bfloat16", 1.0, mean=1.0), INT8, INT8_ONE]) == (
        "int8 on all cores 12.0 ms (CPU 12.0 ms)",
        "int8 on one thread 15.0 ms (CPU 15.0 ms)",
        "float32 on all cores 19.0 ms (CPU 19.0 ms)",
    )


@pytest.mark.torch
@pytest.mark.parametrize("taken", ["float32", "bfloat16", "int8"])
def test_auto_follows_the_measurement_and_not_the_instructions(taken: str) -> None:
    trials = [
        made(precision, 10.0 if precision == taken else 30.0)
        for precision in ("float32", "bfloat16", "int8")
    ]
    save_trials("mattecam", BUNDLED, trials)
    settings = EngineSettings(model="mattecam", device="cpu", executor="openvino")
    found = choose(settings)

    assert (found.target.precision, found.int8) == (
        taken,
        int8_file(BUNDLED) if taken == "int8" else None,
    )
    assert choose(settings.replace(executor="eager")).target.precision == "float32"
    assert choose(settings.replace(precision="float32")).target.precision == "float32", (
        "what the user asks for goes first"
    )


@pytest.mark.parametrize("cores", [2, 16])
def test_the_number_of_threads_follows_the_measurement_at_the_size_in_use(
    monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    def threads_at(
        precision: str, width: int = 1280, height: int = 720, ratio: float = 0.25
    ) -> int | None:
        of_openvino = Choice("mattecam", BUNDLED, Target("cpu", "openvino", precision))
        return choice.openvino_threads(of_openvino, StepGeometry(width, height, ratio))

    monkeypatch.setattr(choice, "usable_cores", always(cores))
    assert threads_at("int8") == (1 if cores == 2 else None), "until it is measured"
    all_int8 = made("int8", 9.0, None, 18.0)
    one_int8 = made("int8", 15.0, 1)
    all_float32 = made("float32", 15.0, None, 16.0)
    one_float32 = made("float32", 16.0, 1)
    save_trials("mattecam", BUNDLED, [all_float32, one_float32, all_int8, one_int8])
    assert threads_at("int8") == 1
    assert threads_at("float32") == 1, "beside a camera and a preview, one thread costs less"
    assert threads_at("int8", ratio=0.5) is None, "the network's input has four times the pixels"
    assert threads_at("int8", 3840, 2160, 0.0833) is None, "the composite is nine times as large"


def test_engines_beside_other_work_run_on_the_threads_that_were_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.core.threads.usable_cores", always(2))
    settings = EngineSettings(
        model="mattecam", device="cpu", executor="openvino", precision="float32"
    )
    for threads in (1, None):
        save_trials("mattecam", BUNDLED, [made("float32", 10.0, threads)])
        for shared in (True, False):
            engine = build_engine(settings, 160, 96, shared=shared)
            assert isinstance(engine, FrameEngine) and isinstance(engine.backend, CpuBackend)
            assert (engine.backend.strips.threads == 1) == (shared and threads == 1)
            engine.close()


def test_a_change_of_what_it_depends_on_measures_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "student.safetensors"
    other.write_bytes(BUNDLED.read_bytes()[:-1])
    assert list(trials.unmeasured()) == ["mattecam"] and not trials.is_prepared()
    save_trials("mattecam", BUNDLED, [FLOAT32])
    assert trials_of("mattecam", other) == [], "other weights have their own"
    save_trials("mattecam", other, [INT8])
    save_prepared(True)
    assert not trials.unmeasured() and trials.is_prepared()
    save_prepared(False)
    assert not trials.is_prepared() and trials_of("mattecam", BUNDLED) == [FLOAT32]
    save_prepared(True)
    monkeypatch.setattr(trials, "_fingerprint", always("another processor"))
    assert trials_of("mattecam", BUNDLED) == [] and trials.unmeasured() and not trials.is_prepared()


def test_a_copy_without_its_kernels_is_not_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was unpacked again in the same place compiled beside its first picture, and did not say so."""
    folder = tmp_path / "a copy" / "__pycache__"
    kernel = folder / "composite.compose_rows-1.py311.nbi"
    folder.mkdir(parents=True)
    kernel.touch()
    monkeypatch.setattr("app.core.compiling.folders", lambda: {folder})

    save_prepared(True)

    assert trials.is_prepared()
    kernel.unlink()
    assert not trials.is_prepared()
    folder.rmdir()
    assert not trials.is_prepared()


def test_a_copy_with_other_kernels_is_not_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update within a version, they were compiled without a word as well."""
    source = tmp_path / "kernels_of_a_test.py"
    source.write_text("NUMBER = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(trials, "KERNELS", (source.stem,))
    digest = trials._fingerprint.__wrapped__  # noqa: SLF001 - it is kept for the process
    before = digest()

    source.write_text("NUMBER = 10\n")

    assert digest() != before


@pytest.mark.parametrize("content", ["{", '{"prepared": 3}'])
def test_a_damaged_file_is_no_measurement_and_no_preparation(content: str) -> None:
    save_prepared(True)
    trials.kept_file().write_text(content, "utf-8")
    assert not trials_of("mattecam", BUNDLED) and not trials.is_prepared()

    save_trials("mattecam", BUNDLED, [FLOAT32])

    assert (
        trials.kept_file().with_name(f"{trials.kept_file().name}.bad").read_text("utf-8") == content
    )
    assert trials_of("mattecam", BUNDLED) == [FLOAT32]


def test_a_network_without_a_choice_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without VNNI, int8 was not measured, where it takes 0.7 of the time."""
    assert "int8" in trials.cpu_precisions("mattecam", BUNDLED)
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", always(False))
    monkeypatch.setattr(trials, "find_int8", always(None))
    for cores in (2, 1):
        monkeypatch.setattr(trials, "usable_cores", always(cores))
        assert (
            ("mattecam" in trials.measurable())
            == ("mattecam" in trials.unmeasured())
            == (cores == 2)
        )


def test_auto_takes_the_first_card_that_torch_supports() -> None:
    without_card = simulated_cards(NO_CODE), simulated_cards(), CudaCards(None)
    assert [simulated_cards(*errors).first() for errors in ((NO_CODE, "", ""), ("",))] == [
        "cuda:1",
        "cuda",
    ]
    assert [cards.first() for cards in without_card] == [None] * 3


def test_a_card_is_tested_once_and_not_used_again_once_it_is_lost() -> None:
    test = Mock(return_value=True)
    cards = CudaCards(Mock(device_count=always(1)), test)
    assert [cards.first() for _ in range(3)] == ["cuda"] * 3
    test.assert_called_once_with(0)
    cards.give_up()
    assert cards.first() is None and cards.named() == ()
    with pytest.raises(ModelError, match="stopped working"):
        cards.find("cuda")


def test_a_card_by_number_must_exist_and_fit() -> None:
    cards = simulated_cards("", NO_CODE, "")
    assert [cards.find(name) for name in ("cuda", "cuda:0", "cuda:2")] == ["cuda", "cuda", "cuda:2"]
    for name in ("cuda:7", "cuda:1"):
        with pytest.raises(
            ModelError, match=f"no GPU {name}, or the installed torch cannot use it"
        ):
            cards.find(name)
    with pytest.raises(ModelError, match="no usable NVIDIA GPU"):
        CudaCards(None).find("cuda")


@pytest.mark.torch
def test_wrong_values_in_half_precision_lead_to_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from app.matting.torch import torch_backend

    for cards, precision in (
        (simulated_cards("", half=False), "float32"),
        (simulated_cards(""), "float16"),
    ):
        monkeypatch.setattr(hardware, "cuda_cards", always(cards))
        found = choice.choose(MattingSettings(model="mattecam"))
        assert (found.target.device, found.target.executor, found.target.precision) == (
            "cuda",
            "eager",
            precision,
        )
    assert torch_backend.convolves_in_half(torch.device("cpu")), "the check passes where it works"
    cards.avoid_half("cuda")
    assert choice.choose(MattingSettings(model="mattecam")).target.precision == "float32"


@pytest.mark.torch
def test_memory_of_card_and_host_is_released_only_where_cuda_is_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    from app.matting.torch.torch_backend import release_memory

    calls: list[str] = []
    release_memory()
    assert not torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(torch.cuda, "is_initialized", always(True))
    monkeypatch.setattr(torch.cuda, "empty_cache", partial(calls.append, "card"))
    # Builds without CUDA lack the function; torch 2.9 and 2.13 with CUDA have it.
    monkeypatch.setattr("torch._C._host_emptyCache", partial(calls.append, "pinned"), raising=False)
    release_memory()
    assert calls == ["card", "pinned"]


def test_cards_are_listed_without_a_test_which_needs_a_kernel_on_every_card() -> None:
    cuda = Mock(device_count=always(2), get_device_name="card {}".format)
    test = Mock()
    assert CudaCards(cuda, test).named() == (("cuda:0", "card 0"), ("cuda:1", "card 1"))
    cuda.get_device_name = Mock(side_effect=RuntimeError("CUDA driver version is insufficient"))
    assert CudaCards(cuda, test).named() == CudaCards(None).named() == ()
    test.assert_not_called()


def test_a_driver_does_not_help_torch_that_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The networks then run in OpenVINO."""
    monkeypatch.setattr(ctypes, "CDLL", always(None))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert cuda_cards.__wrapped__().first() is None
    monkeypatch.setattr(platform, "system", always("Darwin"))
    assert not hardware.apple_gpu_usable()


def test_settings_take_the_devices_of_the_table_and_name_them() -> None:
    """The help named them a second time, and the check a third time."""
    told = str(EngineSettings.model_fields["device"].description)
    for kind in DEVICES:
        for device in (kind.name, *([f"{kind.name}:1"] if kind.numbered else [])):
            assert EngineSettings(device=device).device == device
        assert kind.name in told
    for device in ("rocm", "cpu:1", "cuda:x"):
        with pytest.raises(ValueError, match="it must be auto, cpu, cuda, cuda:N, mps or intel"):
            EngineSettings(device=device)


def wrong_pairs() -> list[tuple[DeviceKind, str]]:
    """Return each device of the table with each executor that does not run there."""
    executors = get_args(Executor)
    return [
        (device, executor)
        for device in DEVICES
        for executor in executors
        if executor not in device.executors
    ]


@pytest.mark.parametrize(("device", "executor"), wrong_pairs())
def test_an_executor_is_refused_on_a_device_where_it_does_not_run(
    device: DeviceKind, executor: str
) -> None:
    """`--device intel --executor eager` ran eager on the CPU without a word."""
    settings = MattingSettings(model="mattecam", device=device.name, executor=executor)

    with pytest.raises(ModelChoiceError) as caught:
        choose(settings)

    assert f"The executor {executor} does not run on the device {device.name}; choose" in str(
        caught.value
    )
    assert f"choose the executor {device.executors[0]}, or one of the devices cpu" in str(
        caught.value
    )


def test_a_machine_without_performance_counters_is_described(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On Windows they can be switched off: `bench` was an internal error."""
    disabled = Mock(side_effect=RuntimeError("Performance counters may be disabled."))
    monkeypatch.setattr("psutil.getloadavg", disabled)

    assert hardware.machine()["load_before"] is None
