"""Which executor `auto` takes: the trial over played executors, and what it leaves on disk."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.config import paths
from app.core.errors import ModelError
from app.core.settings import EdgeSettings, MattingSettings
from app.core.types import Backdrop, BgrImage, Matte
from app.matting.base import Executor, NotAMatteError
from app.matting.geometry import StepGeometry
from app.matting.selection import executor_memory, hardware, registry, trial
from app.matting.selection.executor_memory import Situation, Way, recall, remember
from app.matting.selection.registry import Choice

SIZE = (160, 96)
AUTO = MattingSettings(model="student", downsample_ratio=0.5)
EXACT, FAST = Way("openvino", "float32"), Way("openvino", "bfloat16")
EAGER, GRAPH = Way("eager", "float16"), Way("cuda-graph", "float16")


class PlayedExecutor:
    """Takes so long for a step, and gives an alpha that follows the frame."""

    device = "played"

    def __init__(self, way: Way, step_s: float, error: Exception | None = None, wrong: bool = False) -> None:
        self.name, self.precision = way.executor, way.precision
        self._step_s = step_s
        self._error = error
        self._wrong = wrong
        self.steps = 0
        self.closed = False

    def run(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, want_foreground: bool) -> Matte:
        assert not self.closed
        self.steps += 1
        if self._error is not None:
            raise self._error
        threading.Event().wait(self._step_s)
        alpha = frame[..., 0].copy()
        return Matte(frame.copy(), 255 - alpha if self._wrong else alpha)

    def reset(self) -> None:
        self.steps = 0

    def close(self) -> None:
        self.closed = True


class Machine:
    """A GPU or a CPU with played executors."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = "Processor A"
        self.executors: dict[Way, PlayedExecutor] = {}
        self.made: list[Way] = []
        monkeypatch.setattr(executor_memory, "machine", lambda device: self.name)
        monkeypatch.setattr(registry, "machine", lambda device: self.name)
        monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: True)
        monkeypatch.setattr(trial, "make_executor", self._make)
        monkeypatch.setattr(registry, "make_executor", self._make)

    def has(self, *executors: PlayedExecutor) -> None:
        self.executors = {Way(e.name, e.precision): e for e in executors}

    def _make(self, settings: MattingSettings, choice: Choice, geometry: StepGeometry) -> Executor:
        way = Way(choice.executor, choice.precision)
        self.made.append(way)
        if way not in self.executors:
            raise ModelError("It is not here; choose another.")
        return self.executors[way]


@pytest.fixture
def cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Machine]:
    """A CPU with bfloat16, whose memory is empty."""
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(hardware, "cuda_usable", lambda: False)
    machine = Machine(monkeypatch)
    yield machine
    assert all(executor.closed for executor in machine.executors.values() if executor.steps)


@pytest.fixture
def gpu(cpu: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """An NVIDIA GPU."""
    monkeypatch.setattr(hardware, "cuda_usable", lambda: True)
    return cpu


def go_on() -> bool:
    return False


def kept() -> Path:
    return paths.data_dir() / "cache" / "executors.json"


def test_the_faster_one_is_taken_and_remembered(gpu: Machine) -> None:
    assert registry.decide(AUTO, *SIZE).executor == "eager", "before it was tried"
    gpu.has(PlayedExecutor(EAGER, 0.004), PlayedExecutor(GRAPH, 0.001))
    assert trial.try_executors(AUTO, *SIZE, go_on)

    assert registry.decide(AUTO, *SIZE).executor == "cuda-graph"
    gpu.made.clear()
    assert not trial.try_executors(AUTO, *SIZE, go_on), "it is known"
    assert not gpu.made
    (entry,) = json.loads(kept().read_text()).values()
    assert (entry["executor"], entry["precision"]) == ("cuda-graph", "float16")
    assert set(entry["step_ms"]) == {"eager float16", "cuda-graph float16"}


def test_what_is_hardly_faster_is_not_worth_it(cpu: Machine) -> None:
    assert trial.best_of({EXACT: 10.0, FAST: 9.5}) == EXACT
    assert trial.best_of({EXACT: 10.0, FAST: 8.5}) == FAST
    cpu.has(PlayedExecutor(EXACT, 0.001), PlayedExecutor(FAST, 0.004))
    assert trial.try_executors(AUTO, *SIZE, go_on)
    assert registry.decide(AUTO, *SIZE).precision == "float32"


def test_a_clear_difference_ends_it_early(cpu: Machine) -> None:
    exact, fast = PlayedExecutor(EXACT, 0.02), PlayedExecutor(FAST, 0.002)
    cpu.has(exact, fast)
    assert not trial.try_executors(AUTO, *SIZE, go_on), "it is what runs already"
    assert exact.steps == trial.WARM_UPS + trial.EARLY_TURNS * trial.TURN_STEPS
    assert recall(registry.situation_of(AUTO, registry.choose(AUTO), StepGeometry(*SIZE, 0.5))) == FAST


@pytest.mark.parametrize(
    "graph",
    [
        PlayedExecutor(GRAPH, 0.0, wrong=True),
        PlayedExecutor(GRAPH, 0.0, RuntimeError("CUDA error: an illegal memory access was encountered")),
        PlayedExecutor(GRAPH, 0.0, NotAMatteError()),
        None,
    ],
    ids=["wrong", "fails", "not a number", "cannot be made"],
)
def test_one_that_is_wrong_or_fails_is_not_taken(gpu: Machine, graph: PlayedExecutor | None) -> None:
    gpu.has(PlayedExecutor(EAGER, 0.003), *([graph] if graph is not None else []))
    assert not trial.try_executors(AUTO, *SIZE, go_on)
    assert registry.decide(AUTO, *SIZE).executor == "eager"


def test_where_none_works_nothing_is_remembered(gpu: Machine) -> None:
    gpu.has(PlayedExecutor(EAGER, 0.0, NotAMatteError()), PlayedExecutor(GRAPH, 0.0, NotAMatteError()))
    assert not trial.try_executors(AUTO, *SIZE, go_on)
    gpu.has()
    assert not trial.try_executors(AUTO, *SIZE, go_on)
    assert not kept().exists()


def test_it_is_broken_off_at_once_and_tried_again(gpu: Machine) -> None:
    eager = PlayedExecutor(EAGER, 0.001)
    gpu.has(eager, PlayedExecutor(GRAPH, 0.001))
    assert not trial.try_executors(AUTO, *SIZE, lambda: eager.steps > trial.WARM_UPS)
    assert eager.steps == trial.WARM_UPS + 1
    assert not kept().exists()
    gpu.has(PlayedExecutor(EAGER, 0.004), PlayedExecutor(GRAPH, 0.001))
    assert trial.try_executors(AUTO, *SIZE, go_on)


@pytest.mark.parametrize("pinned", [{"executor": "openvino"}, {"precision": "float32"}, {"executor": "eager"}])
def test_what_the_user_chose_is_not_tried(cpu: Machine, pinned: dict[str, str]) -> None:
    assert not trial.try_executors(AUTO.replace(**pinned), *SIZE, go_on)
    assert not cpu.made


def test_another_machine_or_size_is_another_situation(gpu: Machine) -> None:
    gpu.has(PlayedExecutor(EAGER, 0.004), PlayedExecutor(GRAPH, 0.001))
    trial.try_executors(AUTO, *SIZE, go_on)
    assert not trial.try_executors(AUTO.replace(downsample_ratio=0.49), *SIZE, go_on), "hardly another size"
    other = AUTO.replace(downsample_ratio=0.25)
    assert registry.decide(other, *SIZE).executor == "cuda-graph", "until it was tried what was best at another size"
    gpu.has(PlayedExecutor(EAGER, 0.001), PlayedExecutor(GRAPH, 0.004))
    assert trial.try_executors(other, *SIZE, go_on), "this one was not tried yet"
    assert registry.decide(other, *SIZE).executor == "eager"
    assert registry.decide(AUTO, *SIZE).executor == "cuda-graph"
    gpu.name = "Processor B"
    assert registry.decide(AUTO, *SIZE).executor == "eager"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"KEY": 3}', '{"KEY": {"executor": "fast", "precision": "float16"}}', '{"KEY": {}}', "\0"],
)
def test_a_broken_file_is_made_anew(gpu: Machine, text: str) -> None:
    situation = registry.situation_of(AUTO, registry.choose(AUTO), StepGeometry(*SIZE, 0.5))
    kept().parent.mkdir()
    kept().write_text(text.replace("KEY", situation.key))
    assert recall(situation) is None
    assert registry.decide(AUTO, *SIZE).executor == "eager"
    gpu.has(PlayedExecutor(EAGER, 0.004), PlayedExecutor(GRAPH, 0.001))
    assert trial.try_executors(AUTO, *SIZE, go_on)
    assert registry.decide(AUTO, *SIZE).executor == "cuda-graph"


def test_a_way_that_there_is_not_on_this_device_is_left_alone(cpu: Machine) -> None:
    situation = registry.situation_of(AUTO, registry.choose(AUTO), StepGeometry(*SIZE, 0.5))
    remember(situation, GRAPH, {GRAPH: 1.0})
    assert registry.decide(AUTO, *SIZE).executor == "openvino"


def test_the_file_stays_small_and_may_be_unwritable(cpu: Machine, tmp_path: Path) -> None:
    for number in range(executor_memory.MOST + 5):
        remember(Situation(f"m{number}", "student", "auto", (9, 9), (9, 9)), FAST, {FAST: 1.0})
    assert len(json.loads(kept().read_text())) == executor_memory.MOST
    assert recall(Situation("m0", "student", "auto", (9, 9), (9, 9))) is None
    kept().unlink()
    kept().mkdir()
    remember(Situation("m", "student", "auto", (9, 9), (9, 9)), FAST, {FAST: 1.0})
    assert recall(Situation("m", "student", "auto", (9, 9), (9, 9))) is None


def test_an_engine_whose_best_executor_fails_takes_the_usual_one(gpu: Machine) -> None:
    gpu.has(PlayedExecutor(EAGER, 0.0))
    situation = registry.situation_of(AUTO, registry.choose(AUTO), StepGeometry(*SIZE, 0.5))
    remember(situation, GRAPH, {GRAPH: 1.0})
    engine = registry.build_engine(AUTO, *SIZE)
    assert gpu.made == [GRAPH, EAGER]
    assert engine.info.executor == "eager"
    engine.close()


def test_real_executors_are_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(hardware, "cuda_usable", lambda: False)
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: True)
    found = trial.run_trial(AUTO, *SIZE)
    assert found is not None
    assert set(found.step_ms) == {EXACT, FAST}
    assert recall(found.situation) == found.best
    assert np.all(np.array(list(found.step_ms.values())) > 0)
    assert hardware.processor() in found.situation.machine
