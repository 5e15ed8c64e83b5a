"""The encoder learns the teacher's features of the clean picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.rvm.network import MattingNetwork
from tests.golden.fill import fill
from tests.training.samples import descended
from training.mimicry import CHANNELS, FeatureTeacher, Mimicry
from training.run import Run, Stage
from training.step import to_batch


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    network = MattingNetwork()
    torch.save(fill(network.state_dict()), tmp_path / "teacher.pth")
    return tmp_path / "teacher.pth"


@pytest.mark.parametrize("size", [(48, 64), (45, 75)])
def test_features_have_the_size_of_the_students(weights: Path, stage: Stage, size: tuple[int, int]) -> None:
    run = Run(stage, 0, 1, "")
    frames = torch.rand(1, 2, 3, *size)
    wanted = FeatureTeacher(weights, torch.device("cpu"), None)(frames)
    _, features, _ = run.learner.student.cells(frames.flatten(0, 1), None, None, None, 2)
    assert wanted.shape == (2, CHANNELS, *features[-1].shape[2:])
    assert not wanted.requires_grad


@torch.no_grad()
def test_the_error_is_relative_to_the_deviation_of_each_channel() -> None:
    torch.manual_seed(0)
    mimicry = Mimicry(192)
    torch.nn.init.zeros_(mimicry.project.weight)
    assert mimicry.project.bias is not None
    torch.nn.init.zeros_(mimicry.project.bias)
    wanted = torch.randn(4, CHANNELS, 6, 10) * torch.linspace(1, 50, CHANNELS).view(1, -1, 1, 1) + 7
    assert float(mimicry(torch.zeros(4, mimicry.project.in_channels, 6, 10), wanted)) == pytest.approx(1, abs=0.02)


def test_the_encoder_comes_nearer_to_the_teacher(weights: Path, stage: Stage) -> None:
    torch.manual_seed(0)
    run = Run(replace(stage, teacher=weights), 0, 1, "")
    assert run.teacher is not None
    batch = to_batch([run.source.draw(i) for i in range(2)], torch.device("cpu"))
    wanted = run.teacher(batch.clean)
    learner = run.learner.train()
    assert descended(learner.parameters(), lambda: learner(batch, dtype=None, wanted=wanted)["features"], 10) < 0.8
    run.train()
    assert run.step > 0


def test_the_teacher_sees_the_picture_before_the_camera_spoiled_it(stage: Stage) -> None:
    run = Run(stage, 0, 1, "")
    samples = [run.source.draw(i) for i in range(12)]
    assert all(sample.clean.shape == sample.src.shape for sample in samples)
    assert any((sample.clean != sample.src).any() for sample in samples)
    flawless = Run(replace(stage, unspoilt=1.0), 0, 1, "").source.draw(0)
    assert (flawless.clean == flawless.src).all()
