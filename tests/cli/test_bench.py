"""The benchmark: its report, and that all contenders do the same work."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.cli.bench import COLUMNS, Contender, executor_choices, interleave, measure_models
from app.cli.terminal import markdown_table
from app.core.errors import ModelError
from app.core.settings import MattingSettings
from app.matting import build_engine
from app.matting.choice.choice import Choice
from models.table import BUNDLED
from tests.matting.networks import frames


def test_contenders_take_turns() -> None:
    calls: list[tuple[str, int]] = []
    contenders = [
        Contender(("step", "", name, ""), lambda index, name=name: calls.append((name, index)))  # type: ignore[misc]
        for name in ("a", "b")
    ]
    interleave(contenders, 0.0)
    assert [len(each.wall_ms) for each in contenders] == [10, 10]
    turns = [name for name, _ in calls[10:]]
    assert turns == ["a"] * 5 + ["b"] * 5 + ["a"] * 5 + ["b"] * 5


def test_figures() -> None:
    times = [10.0] * 90 + [50.0] * 10, [20.0] * 100
    assert Contender(("", "", "", ""), id, *times).figures() == {
        "median_ms": 10.0,
        "p95_ms": 50.0,
        "fps": 100.0,
        "cpu_ms_per_frame": 20.0,
    }


@pytest.mark.torch
def test_usual_loop_and_step_give_the_same_picture() -> None:
    from app.matting.torch.networks import usual_loop
    from models.mattecam.bundled import load_bundled

    frame, backdrop = frames(192, 144, 2)
    settings = MattingSettings(
        model="mattecam", device="cpu", executor="eager", precision="float32", downsample_ratio=0.5
    )
    engine = build_engine(settings, 192, 144)
    ours = engine.step(frame, backdrop, settings.edges).composite
    engine.close()
    theirs = usual_loop(load_bundled().eval(), backdrop, 0.5, "cpu")(frame)
    assert np.abs(theirs.astype(int) - ours).max() <= 2


@pytest.mark.torch
def test_bench_has_every_part_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    words = "bench --json --model mattecam --device cpu --size 192x144 --precision float32 --seconds 0.1"
    assert main.main(words.split()) == 0
    written = capsys.readouterr()
    result = json.loads(written.out)
    assert "mattecam: measuring" in written.err
    rows = result["results"]
    assert {"network", "step", "usual-loop"} == {row["what"] for row in rows}
    assert all(set(row) >= {*COLUMNS, "cpu_ms_per_frame"} for row in rows)
    assert all(row["median_ms"] > 0 and row["size"] == [192, 144] for row in rows)
    assert len(markdown_table(rows, COLUMNS).splitlines()) == 2 + len(rows)
    assert next(row["times_usual_loop"] for row in rows if row["what"] == "usual-loop") == 1


@pytest.mark.torch
def test_weights_of_another_model_are_told_in_one_sentence(tmp_path: Path) -> None:
    weights = tmp_path / "other.safetensors"
    weights.write_bytes(BUNDLED.read_bytes())
    lines: list[str] = []
    with pytest.raises(ModelError, match="does not contain weights of rvm-mobilenetv3"):
        measure_models(MattingSettings(model="rvm-mobilenetv3", weights=weights), (64, 48), 1.0, lines.append)
    assert lines == ["rvm-mobilenetv3: preparing"]


def test_a_card_is_measured_beside_the_processor() -> None:
    card = Choice("mattecam", BUNDLED, "cuda:0", "eager", "float16")
    beside = executor_choices(MattingSettings(), card)
    assert ("eager", "float16") in beside
    assert ("openvino", "float32") in beside
    alone = executor_choices(MattingSettings(device="cuda:0"), card)
    assert {executor for executor, _ in alone} == {"eager"}


def test_what_auto_takes_is_measured_before_the_benchmark_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After an update, the benchmark ran in the precision of the rule for machines that were not measured."""
    done: list[str] = []

    def measured(*_: object) -> dict[str, list[str]]:
        done.append("benchmark")
        return {"results": done}

    monkeypatch.setattr("app.cli.bench.prepare", lambda settings: done.append("preparation"))
    monkeypatch.setattr("app.cli.bench.measure_models", measured)
    assert main.main(["bench", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"results": ["preparation", "benchmark"]}
