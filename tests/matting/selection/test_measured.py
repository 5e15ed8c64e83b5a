"""The precision that `auto` takes by measurement: the rule, what is kept, what makes it measure again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from app.cli.bench.choose import choices_table, choose_again
from app.cli.main import main
from app.core.files import paths
from app.core.settings import EngineSettings, MattingSettings
from app.matting.preparation.preparation import needed, note_prepared
from app.matting.selection import hardware, measured, trial
from app.matting.selection.choice import choose
from app.matting.selection.measured import (
    EDGE_BOUND,
    MEAN_BOUND,
    Trial,
    described,
    fastest,
    measurable,
    measurement_missing,
    note_trials,
    trials_of,
)
from app.matting.selection.trial import differences, measure
from models.int8 import SOURCE, int8_file
from models.mattecam.paths import BUNDLED
from models.weights import sha256_of

FLOAT32, BFLOAT16, INT8 = Trial(19.0), Trial(13.0), Trial(12.0, 1e-4, 2e-3)


@pytest.mark.parametrize(
    ("trials", "precision"),
    [
        ({}, None),
        ({"float32": FLOAT32}, "float32"),
        ({"float32": FLOAT32, "bfloat16": BFLOAT16, "int8": INT8}, "int8"),
        ({"float32": FLOAT32, "bfloat16": BFLOAT16, "int8": Trial(12.9)}, "bfloat16"),
        ({"float32": FLOAT32, "bfloat16": Trial(26.0), "int8": Trial(20.0)}, "float32"),
        ({"float32": FLOAT32, "int8": Trial(5.0, 2 * MEAN_BOUND, 0.0)}, "float32"),
        ({"float32": FLOAT32, "int8": Trial(5.0, 0.0, 2 * EDGE_BOUND)}, "float32"),
    ],
    ids=["nothing", "one", "fastest", "within-the-noise", "slower", "mean-too-different", "edge-too-different"],
)
def test_the_fastest_accurate_precision_is_taken(trials: dict[str, Trial], precision: str | None) -> None:
    assert fastest(trials) == precision


def test_times_are_described_without_what_is_not_accurate() -> None:
    assert described({"float32": FLOAT32, "bfloat16": Trial(1.0, 1.0), "int8": INT8}) == "int8 12.0 ms, float32 19.0 ms"


@pytest.mark.parametrize("taken", ["float32", "bfloat16", "int8"])
def test_auto_follows_the_measurement_and_not_the_instructions(taken: str) -> None:
    trials = {precision: Trial(10.0 if precision == taken else 30.0) for precision in ("float32", "bfloat16", "int8")}
    note_trials("mattecam", BUNDLED, trials)
    choice = choose(EngineSettings(model="mattecam", device="cpu", executor="openvino"))
    assert choice.precision == taken
    assert choice.int8 == (int8_file(BUNDLED) if taken == "int8" else None)
    assert choose(EngineSettings(model="mattecam", device="cpu", executor="eager")).precision == "float32"
    forced = EngineSettings(model="mattecam", device="cpu", executor="openvino", precision="float32")
    assert choose(forced).precision == "float32", "what the user asks for goes first"


def test_a_change_of_what_it_depends_on_measures_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "measurable", lambda: {"mattecam": BUNDLED})
    note_prepared([])
    assert measurement_missing() and needed()
    note_trials("mattecam", BUNDLED, {"float32": FLOAT32})
    assert not measurement_missing() and not needed()
    monkeypatch.setattr(measured, "_dependencies", lambda: "another processor")
    assert trials_of("mattecam", BUNDLED) == {} and measurement_missing() and needed()


def test_other_weights_have_no_measurement(tmp_path: Path) -> None:
    other = tmp_path / "student.safetensors"
    other.write_bytes(BUNDLED.read_bytes()[:-1])
    note_trials("mattecam", BUNDLED, {"float32": FLOAT32})
    assert trials_of("mattecam", BUNDLED) == {"float32": FLOAT32}
    assert trials_of("mattecam", other) == {}
    note_trials("mattecam", other, {"int8": INT8})
    assert trials_of("mattecam", BUNDLED) == {"float32": FLOAT32}, "kept beside each other"


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"depends_on": 1, "networks": {}}', '{"networks": {"mattecam": 3}}', "[" * 100_000],
)
def test_a_damaged_file_is_no_measurement(content: str) -> None:
    file = note_trials("mattecam", BUNDLED, {"float32": FLOAT32})
    file.write_text(content, "utf-8")
    assert trials_of("mattecam", BUNDLED) == {}


def test_a_network_without_a_choice_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: False)
    monkeypatch.setattr(hardware, "cpu_has_vnni", lambda: False)
    assert measurable() == {}
    assert not measurement_missing()


@pytest.fixture
def _small_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure a quarter of the pixels and half of the frames."""
    for name, value in (("WIDTH", 640), ("HEIGHT", 360), ("FRAMES", 8)):
        monkeypatch.setattr(trial, name, value)


@pytest.mark.usefixtures("_small_trial")
def test_the_trial_runs_every_precision_and_float32_differs_from_nothing() -> None:
    times_s = iter(range(10_000))
    trials = measure("mattecam", BUNDLED, 0.0, lambda: float(next(times_s)))
    assert list(trials) == measured.cpu_precisions("mattecam", BUNDLED)
    assert trials["float32"] == Trial(1000.0)
    assert all(each.accurate for each in trials.values()), "what ships is within the bounds"
    if "int8" in trials:
        assert 0 < trials["int8"].mean_difference < trials["int8"].edge_difference, "0 is float32 under another name"


@pytest.mark.usefixtures("_small_trial")
def test_int8_with_wrong_scales_is_not_accurate(tmp_path: Path) -> None:
    if not hardware.cpu_has_vnni():
        pytest.skip("this processor has no VNNI")
    weights = Path(shutil.copy(BUNDLED, tmp_path))
    tensors = load_file(int8_file(BUNDLED))
    scale = next(name for name in tensors if name.endswith("scale"))
    save_file({**tensors, scale: np.asarray(tensors[scale] / 3)}, int8_file(weights), {SOURCE: sha256_of(weights)})
    trials = measure("mattecam", weights, 0.0)
    assert not trials["int8"].accurate
    assert fastest({**trials, "int8": Trial(0.1, trials["int8"].mean_difference)}) != "int8"


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
    monkeypatch.setattr("app.cli.bench.choose.measurable", lambda: {"mattecam": BUNDLED})
    monkeypatch.setattr(
        "app.cli.bench.choose.measure", lambda model, weights, seconds: {"float32": FLOAT32, "int8": INT8}
    )
    lines: list[str] = []
    result = choose_again(MattingSettings(), 8.0, lines.append)
    assert lines == ["mattecam: measuring for 8 s"]
    assert json.loads(json.dumps(result))["choices"][0]["precision"] == "int8"
    table = choices_table(result).splitlines()
    assert "| mattecam | int8 | 12.0 | 0.00010 | 0.0020 |" in table
    assert table[-1] == "auto takes int8 for mattecam."
    assert trials_of("mattecam", BUNDLED) == {"float32": FLOAT32, "int8": INT8}


def test_bench_choose_measures_the_weights_that_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only installed networks were measured; with other weights `auto` always followed the instructions."""
    named = tmp_path / "own.safetensors"
    monkeypatch.setattr(hardware, "cpu_has_bfloat16", lambda: True)
    monkeypatch.setattr(
        "app.cli.bench.choose.measure",
        lambda model, weights, seconds: {"float32": FLOAT32, "bfloat16": Trial(26.0)} if weights == named else {},
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


def test_bench_choose_says_where_there_is_no_choice() -> None:
    lines: list[str] = []
    assert choose_again(MattingSettings(model="bgmv2-resnet50", weights=BUNDLED), 8.0, lines.append) == {"choices": []}
    assert lines == ["Nothing to measure: auto has no choice of precisions here"]


def test_without_a_choice_bench_choose_prints_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--choose", "--model", "bgmv2-resnet50", "--weights", str(BUNDLED)]) == 0
    told = capsys.readouterr()
    assert told.out == "" and "Nothing to measure" in told.err


def test_a_measurement_that_cannot_be_kept_is_shown_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(paths, "data_dir", lambda: tmp_path / "file")
    monkeypatch.setattr("app.cli.bench.choose.measurable", lambda: {"mattecam": BUNDLED})
    monkeypatch.setattr("app.cli.bench.choose.measure", lambda model, weights, seconds: {"float32": FLOAT32})
    lines: list[str] = []
    assert choose_again(MattingSettings(), 8.0, lines.append)["choices"][0]["precision"] == "float32"
    assert "cannot be kept: " in lines[-1]
