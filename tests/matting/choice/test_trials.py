"""Precision and threads that `auto` takes by measurement: the rule, what is kept, what makes it measure again."""

from __future__ import annotations

import itertools
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from app.cli.bench_run import TRIAL_COLUMNS, choose_again
from app.cli.main import main
from app.cli.terminal import markdown_table
from app.core import paths
from app.core.settings import EngineSettings, MattingSettings
from app.matting import build_engine
from app.matting.base.interface import StepGeometry
from app.matting.choice import choice as chosen
from app.matting.choice import hardware, preparation
from app.matting.choice import trials as kept
from app.matting.choice.choice import Choice, choose, openvino_threads
from app.matting.choice.preparation import differences, measure
from app.matting.choice.trials import (
    EDGE_BOUND,
    MEAN_BOUND,
    Trial,
    best,
    described,
    is_prepared,
    keep_prepared,
    keep_trials,
    measurable,
    trials_of,
    unmeasured,
)
from app.matting.cpu.cpu_backend import CpuBackend
from app.matting.engine import FrameEngine
from models.table import BUNDLED
from models.weights import SOURCE, int8_file, sha256_of


def made(
    precision: str, ms: float, threads: int | None = None, cpu_ms: float | None = None, *, mean: float = 0.0,
    edge: float = 0.0,
) -> Trial:  # fmt: skip
    return Trial(precision, threads, ms, ms if cpu_ms is None else cpu_ms, mean, edge)


FLOAT32, BFLOAT16, INT8 = made("float32", 19.0), made("bfloat16", 13.0), made("int8", 12.0, mean=1e-4, edge=2e-3)
INT8_ONE = made("int8", 15.0, 1, mean=1e-4, edge=2e-3)


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        ([], None),
        ([FLOAT32], ("float32", None)),
        ([FLOAT32, BFLOAT16, INT8], ("int8", None)),
        ([FLOAT32, BFLOAT16, made("int8", 12.9)], ("bfloat16", None)),
        ([FLOAT32, made("bfloat16", 26.0), made("int8", 20.0)], ("float32", None)),
        ([FLOAT32, made("int8", 5.0, mean=2 * MEAN_BOUND)], ("float32", None)),
        ([FLOAT32, made("int8", 5.0, edge=2 * EDGE_BOUND)], ("float32", None)),
        ([made("int8", 12.0, None, 22.0), made("int8", 15.0, 1, 15.0)], ("int8", 1)),
        ([made("int8", 12.0, None, 15.2), made("int8", 15.0, 1, 15.0)], ("int8", None)),
        ([made("int8", 12.0, None, 48.0), made("int8", 38.0, 1, 38.0)], ("int8", None)),
        ([made("float32", 40.0, None, 80.0), made("float32", 66.0, 1, 66.0)], ("float32", None)),
        ([made("float32", 19.0, None, 38.0), made("int8", 60.0, 1, 10.0)], ("float32", None)),
    ],
    ids=["nothing", "one", "least-cpu", "within-the-noise", "slower", "mean-too-different", "edge-too-different",
         "one-thread", "threads-within-the-noise", "one-thread-is-too-slow", "none-fits-all-are-faster",
         "accurate-but-too-slow"],
)  # fmt: skip
def test_the_least_cpu_time_that_holds_the_frame_rate_is_taken(
    trials: list[Trial], expected: tuple[str, int | None] | None
) -> None:
    taken = best(trials)
    assert (taken and (taken.precision, taken.threads)) == expected


def test_times_are_described_without_what_is_not_accurate() -> None:
    trials = [FLOAT32, made("float32", 24.0, 1), made("bfloat16", 1.0, mean=1.0), INT8, INT8_ONE]
    assert described(trials, INT8) == (
        "int8 on all cores 12.0 ms (CPU 12.0 ms)",
        "int8 on one thread 15.0 ms (CPU 15.0 ms)",
        "float32 on all cores 19.0 ms (CPU 19.0 ms)",
    )


@pytest.mark.torch
@pytest.mark.parametrize("taken", ["float32", "bfloat16", "int8"])
def test_auto_follows_the_measurement_and_not_the_instructions(taken: str) -> None:
    trials = [made(precision, 10.0 if precision == taken else 30.0) for precision in ("float32", "bfloat16", "int8")]
    keep_trials("mattecam", BUNDLED, trials)
    choice = choose(EngineSettings(model="mattecam", device="cpu", executor="openvino"))
    assert choice.precision == taken
    assert choice.int8 == (int8_file(BUNDLED) if taken == "int8" else None)
    assert choose(EngineSettings(model="mattecam", device="cpu", executor="eager")).precision == "float32"
    forced = EngineSettings(model="mattecam", device="cpu", executor="openvino", precision="float32")
    assert choose(forced).precision == "float32", "what the user asks for goes first"


def threads_at(precision: str, width: int = 1280, height: int = 720, ratio: float = 0.25) -> int | None:
    choice = Choice("mattecam", BUNDLED, "cpu", "openvino", precision)
    return openvino_threads(choice, StepGeometry(width, height, ratio))


@pytest.mark.parametrize("cores", [2, 16])
def test_the_number_of_threads_follows_the_measurement_at_the_size_in_use(
    monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    monkeypatch.setattr(chosen, "usable_cores", lambda: cores)
    assert threads_at("int8") == (1 if cores == 2 else None), "until it is measured"
    all_int8, one_int8 = made("int8", 9.0, None, 18.0), made("int8", 15.0, 1)
    all_float32, one_float32 = made("float32", 15.0, None, 16.0), made("float32", 16.0, 1)
    keep_trials("mattecam", BUNDLED, [all_float32, one_float32, all_int8, one_int8])
    assert threads_at("int8") == 1
    assert threads_at("float32") is None, "one thread saves nothing"
    assert threads_at("int8", ratio=0.5) is None, "the network's input has four times the pixels"
    assert threads_at("int8", 3840, 2160, 0.0833) is None, "the composite is nine times as large"


def test_engines_beside_other_work_run_on_the_threads_that_were_measured() -> None:
    settings = EngineSettings(model="mattecam", device="cpu", executor="openvino", precision="float32")
    for threads in (1, None):
        keep_trials("mattecam", BUNDLED, [made("float32", 10.0, threads)])
        for shared in (True, False):
            engine = build_engine(settings, 160, 96, shared=shared)
            assert isinstance(engine, FrameEngine) and isinstance(engine.backend, CpuBackend)
            assert (engine.backend.strips.threads == 1) == (shared and threads == 1)
            engine.close()


def test_a_change_of_what_it_depends_on_measures_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "measurable", lambda: {"mattecam": BUNDLED})
    assert list(unmeasured()) == ["mattecam"] and not is_prepared()
    keep_trials("mattecam", BUNDLED, [FLOAT32])
    keep_prepared(True)
    assert not unmeasured() and is_prepared()
    keep_prepared(False)
    assert not is_prepared() and trials_of("mattecam", BUNDLED) == [FLOAT32]
    keep_prepared(True)
    monkeypatch.setattr(kept, "_dependencies", lambda: "another processor")
    assert trials_of("mattecam", BUNDLED) == [] and unmeasured() and not is_prepared()


def test_other_weights_have_no_measurement(tmp_path: Path) -> None:
    other = tmp_path / "student.safetensors"
    other.write_bytes(BUNDLED.read_bytes()[:-1])
    keep_trials("mattecam", BUNDLED, [FLOAT32])
    assert trials_of("mattecam", BUNDLED) == [FLOAT32]
    assert trials_of("mattecam", other) == []
    keep_trials("mattecam", other, [INT8])
    assert trials_of("mattecam", BUNDLED) == [FLOAT32], "kept beside each other"


def test_no_reader_sees_a_part_of_what_is_written() -> None:
    """The measurement writes beside a live picture, whose engine may be chosen at that moment."""
    keep_trials("mattecam", BUNDLED, [FLOAT32])
    with ThreadPoolExecutor(1) as thread:
        writes = [thread.submit(keep_trials, "mattecam", BUNDLED, [FLOAT32]) for _ in range(20)]
        while not all(write.done() for write in writes):
            assert trials_of("mattecam", BUNDLED) == [FLOAT32]
        for write in writes:
            write.result()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"depends_on": 1, "prepared": true, "networks": {}}',
        '{"networks": {"mattecam": 3}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_file_is_no_measurement_and_no_preparation(content: str) -> None:
    file = keep_trials("mattecam", BUNDLED, [FLOAT32])
    keep_prepared(True)
    file.write_text(content, "utf-8")
    assert trials_of("mattecam", BUNDLED) == [] and not is_prepared()


def test_a_network_without_a_choice_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: False)
    monkeypatch.setattr(kept, "find_int8", lambda *_: None)
    monkeypatch.setattr(kept, "usable_cores", lambda: 2)
    assert "mattecam" in measurable(), "a choice of threads"
    monkeypatch.setattr(kept, "usable_cores", lambda: 1)
    assert measurable() == {}
    assert not unmeasured()


@pytest.mark.parametrize("vnni", [True, False])
def test_int8_is_measured_whatever_the_processor_lists(monkeypatch: pytest.MonkeyPatch, vnni: bool) -> None:
    """Without VNNI it was not, where it takes 0.7 of the time."""
    monkeypatch.setattr(hardware, "cpu_has_vnni", lambda: vnni)
    assert "int8" in kept.cpu_precisions("mattecam", BUNDLED)


@pytest.fixture
def _small_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure a quarter of the pixels and half of the frames."""
    for name, value in (("WIDTH", 640), ("HEIGHT", 360), ("FRAMES", 8)):
        monkeypatch.setattr(preparation, name, value)


@pytest.mark.torch
@pytest.mark.usefixtures("_small_trial")
def test_the_trial_runs_every_precision_on_all_cores_and_one_thread() -> None:
    times_s, cpu_s = itertools.count(0, 3), itertools.count(0, 7)
    trials = measure("mattecam", BUNDLED, 0.0, (lambda: float(next(times_s)), lambda: float(next(cpu_s))))
    precisions = kept.cpu_precisions("mattecam", BUNDLED)
    assert [(each.precision, each.threads) for each in trials] == [(p, t) for p in precisions for t in (None, 1)]
    assert trials[0] == Trial("float32", None, 3000.0, 7000.0), "float32 differs from nothing"
    assert trials[1].step_ms == trials[1].cpu_ms == 7000.0, "on one thread, CPU time is the time of a step"
    assert all(each.accurate for each in trials), "what ships is within the bounds"
    for each in trials:
        if each.precision == "int8":
            assert 0 < each.mean_difference < each.edge_difference, "0 is float32 under another name"


@pytest.mark.torch
@pytest.mark.long
@pytest.mark.usefixtures("_small_trial")
def test_int8_with_wrong_scales_is_not_accurate(tmp_path: Path) -> None:
    weights = Path(shutil.copy(BUNDLED, tmp_path))
    tensors = load_file(int8_file(BUNDLED))
    scale = next(name for name in tensors if name.endswith("scale"))
    save_file({**tensors, scale: np.asarray(tensors[scale] / 3)}, int8_file(weights), {SOURCE: sha256_of(weights)})
    trials = measure("mattecam", weights, 0.0)
    differing = [each for each in trials if each.precision == "int8"]
    assert differing and not any(each.accurate for each in differing)
    cheap = [replace(each, cpu_ms=0.1) if each in differing else each for each in trials]
    taken = best(cheap)
    assert taken is not None and taken.precision != "int8"


def test_differences_count_all_pixels_and_those_near_edges() -> None:
    reference = np.zeros((1, 40, 40), np.float32)
    reference[:, :, 20] = 0.5
    far, near = reference.copy(), reference.copy()
    far[:, :, 2] = 1.0
    near[:, :, 21] = 1.0
    assert differences(reference, reference) == (0.0, 0.0)
    assert differences(far, reference) == pytest.approx((1 / 40, 0.0))
    assert differences(near, reference) == pytest.approx((1 / 40, 1 / 9))


def test_bench_choose_measures_again_and_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.bench_run.measurable", lambda: {"mattecam": BUNDLED})
    monkeypatch.setattr("app.cli.bench_run.measure", lambda model, weights, seconds: [FLOAT32, INT8, INT8_ONE])
    lines: list[str] = []
    result = choose_again(MattingSettings(), 8.0, lines.append)
    assert lines == ["mattecam: measuring for 8 s", "auto takes int8 on all cores for mattecam"]
    choice = json.loads(json.dumps(result))["choices"][0]
    assert (choice["precision"], choice["threads"]) == ("int8", None)
    rows = markdown_table(choice["trials"], TRIAL_COLUMNS).splitlines()
    assert "| int8 |  | 12 | 12 | 0.0001 | 0.002 | True |" in rows
    assert "| int8 | 1 | 15 | 15 | 0.0001 | 0.002 | False |" in rows
    assert trials_of("mattecam", BUNDLED) == [FLOAT32, INT8, INT8_ONE]


def test_bench_choose_says_where_nothing_could_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """It said "auto takes None"."""
    monkeypatch.setattr("app.cli.bench_run.measurable", lambda: {"mattecam": BUNDLED})
    monkeypatch.setattr("app.cli.bench_run.measure", lambda model, weights, seconds: [])
    lines: list[str] = []
    choose_again(MattingSettings(), 8.0, lines.append)
    assert lines[-1] == "Nothing could be measured for mattecam; the processor's instructions decide"


def test_bench_choose_measures_the_weights_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only installed networks were measured; with other weights `auto` always followed the instructions."""
    named = tmp_path / "own.safetensors"
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: True)
    monkeypatch.setattr(
        "app.cli.bench_run.measure",
        lambda model, weights, seconds: [FLOAT32, made("bfloat16", 26.0)] if weights == named else [],
    )
    save_file(load_file(BUNDLED), named, {"of": "the user"})
    settings = MattingSettings(model="mattecam", weights=named, device="cpu", executor="openvino")
    assert choose(settings).precision == "bfloat16", "by the instructions"
    lines: list[str] = []
    measured_now = choose_again(settings, 8.0, lines.append)["choices"]
    assert [(each["model"], each["precision"]) for each in measured_now] == [("mattecam", "float32")]
    assert choose(settings).precision == "float32"
    moved = settings.replace(weights=named.rename(tmp_path / "renamed.safetensors"))
    assert choose(moved).precision == "float32", "known by the content"
    assert choose(settings.replace(weights=None)).precision == "bfloat16", "not that of the bundled ones"


def test_without_a_choice_bench_choose_prints_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--choose", "--model", "bgmv2-resnet50", "--weights", str(BUNDLED)]) == 0
    told = capsys.readouterr()
    assert told.out == "" and "Nothing to measure" in told.err


def test_a_measurement_that_cannot_be_kept_is_shown_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path / "file")
    monkeypatch.setattr("app.cli.bench_run.measurable", lambda: {"mattecam": BUNDLED})
    monkeypatch.setattr("app.cli.bench_run.measure", lambda model, weights, seconds: [FLOAT32])
    lines: list[str] = []
    assert choose_again(MattingSettings(), 8.0, lines.append)["choices"][0]["precision"] == "float32"
    assert any("cannot be kept: " in line for line in lines)
