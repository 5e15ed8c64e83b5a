"""Deeper networks begin with the output of the network that they were made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.core.errors import UsageError
from models.student.bundled import BUNDLED, load, load_bundled, network_of, save
from models.student.network import BLOCKS, Blocks, StudentNetwork, blocks_of
from models.student.plate import with_plate
from models.student.quantized import quantized, save_quantized
from tests.training.samples import make_cache, short_stage
from training.depth import deepened
from training.export import averaged_student
from training.run import Run

DEEP: Blocks = (1, 2, 4, 3)


@torch.no_grad()
def test_new_blocks_change_nothing_at_first() -> None:
    network = load_bundled()
    deep = deepened(network, DEEP)
    assert blocks_of(network.state_dict()) == BLOCKS and blocks_of(deep.state_dict()) == DEEP
    image = torch.rand(1, 3, 45, 75)
    for before, after in zip(network(image), deep(image), strict=True):
        assert torch.equal(before, after)


def test_new_blocks_are_trained(tmp_path: Path) -> None:
    stage = replace(short_stage(tmp_path, make_cache(tmp_path / "cache")), begin=BUNDLED, blocks=DEEP)
    run = Run(stage, 0, 1, "")
    run.train()
    assert run.learner.student.get_parameter("encode4.3.body.1.1.weight").abs().max() > 0
    trained = averaged_student(run.checkpoint)
    assert blocks_of(trained.state_dict()) == DEEP
    onward = Run(replace(stage, out=tmp_path / "onward", begin=run.checkpoint), 0, 1, "")
    assert blocks_of(onward.learner.student.state_dict()) == DEEP


def test_weights_of_other_blocks_are_refused_with_the_blocks_that_they_have(tmp_path: Path) -> None:
    deep = deepened(load_bundled(), DEEP)
    with pytest.raises(UsageError, match="--blocks 1 2 4 3"):
        deepened(deep, (1, 1, 6, 6))
    stage = short_stage(tmp_path, make_cache(tmp_path / "cache"))
    first = Run(stage, 0, 1, "")
    first.train()
    with pytest.raises(UsageError, match="--blocks 1 1 2 1"):
        Run(replace(stage, blocks=DEEP), 0, 1, "")


def test_files_tell_how_deep_their_network_is(tmp_path: Path) -> None:
    deep = deepened(load_bundled(), DEEP)
    save(deep, tmp_path / "float.safetensors")
    save_quantized(quantized(deep), tmp_path / "int8.safetensors", {})
    for name in ("float", "int8"):
        assert blocks_of(load(tmp_path / f"{name}.safetensors").state_dict()) == DEEP
    assert blocks_of(with_plate(deep).state_dict()) == DEEP


def test_a_file_with_countless_blocks_is_refused() -> None:
    names = {f"encode4.{number}.body.0.0.weight": torch.zeros(1) for number in range(1000)}
    with pytest.raises(RuntimeError, match="1000 residual blocks"):
        network_of(names)


def test_a_file_without_blocks_is_refused() -> None:
    state = StudentNetwork((0, 0, 0, 0)).state_dict()
    del state["project.bias"]
    with pytest.raises(RuntimeError, match=r"project\.bias"):
        network_of(state)
