"""The trainer: learning, resuming, starting from weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from models.mattecam.bundled import load, save
from models.mattecam.network import MattecamNetwork
from models.mattecam.spec import BUNDLED
from tests.training.samples import descended, make_cache
from training.export import averaged_student, blended
from training.run import Run, Stage, frames_of_step, size_of_step
from training.step import Learner, to_batch
from training.train import main


def test_a_few_steps_on_a_handful_of_samples_lower_the_loss(stage: Stage) -> None:
    torch.manual_seed(0)
    run = Run(stage, 0, 1, "")
    batch = to_batch([run.source.draw(i) for i in range(2)], torch.device("cpu"))
    learner = run.learner.train()
    assert descended(learner.parameters(), lambda: torch.stack([*learner(batch, dtype=None).values()]).sum(), 12) < 0.6


def test_sequences_teach_the_memory(stage: Stage) -> None:
    torch.manual_seed(0)
    run = Run(replace(stage, frames=3), 0, 1, "")
    batch = to_batch([run.source.draw(i) for i in range(2)], torch.device("cpu"))
    torch.autograd.backward(torch.stack(list(run.learner(batch, dtype=None).values())).sum())
    gates = run.learner.student.memory2.gates.weight.grad
    assert gates is not None
    assert float(gates[:, run.learner.student.memory2.channels :].abs().max()) > 0


def test_a_run_starts_from_exported_weights_without_the_heads_that_they_lack(stage: Stage) -> None:
    """Gradients of new heads would spoil a trained network."""
    run = Run(replace(stage, begin=BUNDLED), 0, 1, "")
    averaged = run.average.module
    assert isinstance(averaged, Learner) and run.step == 0
    for network in (run.learner.student, averaged.student):
        for mine, theirs in zip(network.parameters(), load(BUNDLED).parameters(), strict=True):
            torch.testing.assert_close(mine, theirs)
    batch = to_batch([run.source.draw(0)], torch.device("cpu"))
    losses = run.learner(batch, dtype=None)
    assert "hints" not in losses and "l1" in losses
    run.train()
    later = Run(replace(stage, begin=run.checkpoint, out=stage.out / "later"), 0, 1, "")
    assert not later.learner.hints, "the checkpoint of such a run has no trained heads either"


def test_some_steps_see_single_pictures(stage: Stage) -> None:
    mixed = replace(stage, frames=4, stills=0.5)
    frames = [frames_of_step(mixed, step) for step in range(40)]
    assert set(frames) == {1, 4}
    assert frames == [frames_of_step(mixed, step) for step in range(40)]


def test_a_run_goes_on_where_it_stopped_and_hands_its_weights_on(stage: Stage, tmp_path: Path) -> None:
    first = Run(stage, 0, 1, "")
    first.train()
    assert first.step > 0 and first.seconds >= stage.minutes * 60
    resumed = Run(stage, 0, 1, "")
    assert (resumed.step, resumed.seconds) == (first.step, first.seconds)
    for mine, theirs in zip(resumed.learner.parameters(), first.learner.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    onward = Run(replace(stage, out=tmp_path / "next", begin=first.checkpoint), 0, 1, "")
    assert onward.step == 0
    averaged = averaged_student(first.checkpoint)
    for mine, theirs in zip(onward.learner.student.parameters(), averaged.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    lines = [json.loads(line) for line in (stage.out / "log.jsonl").read_text().splitlines()]
    assert 0 <= lines[-1]["check"]["photo_iou"] <= 1 and lines[-1]["check"]["empty"] >= 0


def test_a_folder_that_was_not_filled_is_named(stage: Stage, tmp_path: Path) -> None:
    make_cache(tmp_path)
    (tmp_path / "views.json").unlink()
    command = typer.Typer()
    command.command()(main)
    wide = {"COLUMNS": "400"}  # a long path must not break the sentence into lines
    result = CliRunner(env=wide).invoke(command, ["--out", str(tmp_path / "run"), "--cache", str(tmp_path)])
    assert result.exit_code == 2
    assert "no views" in result.output and "training.cache" in result.output
    assert not (tmp_path / "run").exists()


def test_weights_survive_the_file_in_half_precision(tmp_path: Path) -> None:
    student = Learner().student.eval()
    save(student, tmp_path / "student.safetensors")
    loaded = load(tmp_path / "student.safetensors")
    image = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(student(image)[1], loaded(image)[1], atol=2e-2)


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    student = Learner().student
    del student.project.bias
    save(student, tmp_path / "student.safetensors")
    with pytest.raises(RuntimeError, match=r"project\.bias"):
        load(tmp_path / "student.safetensors")


def test_blended_weights_lie_between() -> None:
    torch.manual_seed(1)
    one, other = MattecamNetwork(), MattecamNetwork()
    first, second = one.project.weight.detach().clone(), other.project.weight.detach().clone()
    mixed = blended(one, other, 0.7)
    assert torch.allclose(mixed.project.weight, 0.3 * first + 0.7 * second, atol=1e-6)
    assert int(mixed.state_dict()["encode1.1.num_batches_tracked"]) == 0


def test_some_steps_have_frames_of_another_size(stage: Stage) -> None:
    varied = replace(stage, size=(288, 160), vary=0.4)
    sizes = [size_of_step(varied, step) for step in range(400)]
    assert sizes == [size_of_step(varied, step) for step in range(400)], "every process has the same"
    assert 0.5 < sizes.count((288, 160)) / len(sizes) < 0.7
    assert {(176, 96), (352, 192)} <= set(sizes)
    assert all(width % 16 == height % 16 == 0 for width, height in sizes)
    assert {size_of_step(stage, step) for step in range(50)} == {stage.size}


def test_it_learns_from_frames_of_several_sizes(stage: Stage) -> None:
    run = Run(replace(stage, vary=1.0, minutes=0.02), 0, 1, "")
    run.train()
    assert run.step > 1
    assert all(bool(torch.isfinite(p).all()) for p in run.learner.parameters())
