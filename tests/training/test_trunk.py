"""A network gets a trunk: its weights, what is trained of it, and files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from app.core.errors import UsageError
from models.backbones.efficientnet_lite import EfficientNetLite0
from models.mattecam.bundled import load, save
from models.mattecam.network import MattecamNetwork
from models.mattecam.plate import with_plate
from models.mattecam.quantized import quantized, save_quantized
from training.calibration import calibrate, run
from training.export import averaged_student, blended
from training.optimizer import Optimizer
from training.run import Run, Stage
from training.trunk import load_pretrained, set_trained_parts, with_trunk

NAMES = "expand", "depthwise", "project"
MODEL = "_fc.weight"


@pytest.fixture(scope="module")
def pretrained() -> EfficientNetLite0:
    """Return an encoder whose tensors are all different."""
    torch.manual_seed(0)
    encoder = EfficientNetLite0().eval()
    for name, tensor in encoder.state_dict().items():
        if name.endswith(("1.weight", "bias", "mean", "var")):
            tensor.copy_(torch.rand_like(tensor) * 0.1 + (0 if name.endswith(("bias", "mean")) else 0.9))
    return encoder


@pytest.fixture(scope="module")
def package(pretrained: EfficientNetLite0, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with its weights under the names of the package, with a classifier."""
    state: dict[str, Tensor] = {MODEL: torch.zeros(10, 4)}

    def name(layer: torch.nn.Module, convolution: str, norm: str) -> None:
        state[f"{convolution}.weight"] = layer.get_parameter("0.weight").detach()
        state.update({f"{norm}.{key}": value for key, value in layer.get_submodule("1").state_dict().items()})

    name(pretrained.stem, "_conv_stem", "_bn0")
    blocks = [block for stage in pretrained.stages for block in stage.children()]
    for number, block in enumerate(blocks):
        layers = list(block.body.children())  # type: ignore[union-attr]
        first = len(NAMES) - len(layers)
        for index, layer in enumerate(layers, first):
            name(layer, f"_blocks.{number}._{NAMES[index]}_conv", f"_blocks.{number}._bn{index}")
    file = tmp_path_factory.mktemp("package") / "lite0.pth"
    torch.save(state, file)
    return file


@torch.no_grad()
def test_the_weights_of_the_package_are_loaded(pretrained: EfficientNetLite0, package: Path) -> None:
    found = EfficientNetLite0()
    load_pretrained(found, package)
    for name, tensor in pretrained.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


@torch.no_grad()
@pytest.mark.parametrize("size", [(64, 96), (45, 75)])
def test_features_have_a_16th_and_a_32th_of_the_size(size: tuple[int, int]) -> None:
    encoder = EfficientNetLite0().eval()
    fine, coarse = encoder.finish(encoder.begin(torch.rand(2, 3, *size)))
    height, width = size
    assert fine.shape == (2, 112, -(-height // 16), -(-width // 16))
    assert coarse.shape == (2, 320, -(-height // 32), -(-width // 32))


def test_a_trunk_takes_the_place_of_the_coarse_layers(package: Path) -> None:
    torch.manual_seed(1)
    network = MattecamNetwork().eval()
    found = with_trunk(network, package)
    assert found.trunk is not None and not found.training
    state = found.state_dict()
    same = (name for name, value in network.state_dict().items() if name in state and value.shape == state[name].shape)
    kept = {name.split(".")[0] for name in same if torch.equal(network.state_dict()[name], state[name])}
    assert {"encode1", "encode2", "encode3", "memory4", "decode3", "memory2", "project"} <= kept
    assert not any(name.startswith(("encode4", "encode5")) for name in state)


def test_a_new_trunk_needs_single_pictures(package: Path, stage: Stage) -> None:
    """Batches of sequences would not set the statistics of the new layers."""
    with pytest.raises(UsageError, match="--frames 1"):
        Run(replace(stage, trunk=package, frames=2), 0, 1, "")


def test_only_the_last_stages_of_a_trunk_are_trained(package: Path, stage: Stage, tmp_path: Path) -> None:
    stretch = Run(replace(stage, trunk=package), 0, 1, "")
    trunk = stretch.learner.student.trunk
    assert trunk is not None
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    stretch.train()
    changed = {name for name, value in trunk.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.split(".")[2] for name in changed if name.startswith("encoder.stages")} == {"5", "6"}
    assert not any(name.startswith("encoder.stem") for name in changed)
    assert not any(name.startswith("encoder") and name.endswith(("mean", "var")) for name in changed)
    assert "lateral4.0.weight" in changed
    assert averaged_student(stretch.checkpoint).trunk is not None
    onward = Run(replace(stage, out=tmp_path / "onward", begin=stretch.checkpoint), 0, 1, "")
    assert onward.learner.student.trunk is not None


def test_a_checkpoint_gets_no_trunk(package: Path, stage: Stage) -> None:
    Run(stage, 0, 1, "").train()
    with pytest.raises(UsageError, match="no trunk"):
        Run(replace(stage, trunk=package), 0, 1, "")


def test_pretrained_parameters_change_more_slowly() -> None:
    network = MattecamNetwork(trunk=True)
    assert network.trunk is not None
    pretrained = set_trained_parts(network.trunk)
    optimizer = Optimizer(network.parameters(), 0.01, pretrained)
    optimizer.set_rate(0.01)
    bias = network.get_parameter("decode4.1.bias")
    before = bias.detach().clone(), pretrained[-1].detach().clone()
    for parameter in (bias, pretrained[-1]):
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    fast, slow = (bias - before[0]).abs().max(), (pretrained[-1] - before[1]).abs().max()
    assert 0 < slow < 0.3 * fast


@pytest.mark.parametrize("trunk", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_files_tell_which_layers_their_network_has(trunk: bool, wide: bool, tmp_path: Path) -> None:
    network = MattecamNetwork(trunk, wide).eval()
    save(network, tmp_path / "float.safetensors")
    save_quantized(quantized(network), tmp_path / "int8.safetensors", {})
    for found in (*(load(tmp_path / f"{name}.safetensors") for name in ("float", "int8")), with_plate(network)):
        assert (found.trunk is not None, found.detail1 is not None) == (trunk, wide)


@pytest.mark.parametrize(
    ("one", "other"),
    [(MattecamNetwork(), MattecamNetwork(trunk=True)), (MattecamNetwork(wide=True), MattecamNetwork())],
    ids=["trunk", "wide"],
)
def test_weights_of_other_layers_cannot_be_blended(one: MattecamNetwork, other: MattecamNetwork) -> None:
    with pytest.raises(UsageError, match="different layers"):
        blended(one, other, 0.5)


@torch.no_grad()
def test_the_stages_of_a_trunk_are_nearly_the_same_in_int8() -> None:
    torch.manual_seed(0)
    network = MattecamNetwork(trunk=True)
    assert network.trunk is not None
    images = torch.rand(2, 3, 64, 96)
    for norm in (module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)):
        norm.momentum = 1.0
    network(images)  # sets the statistics of the normalizations
    student = quantized(network.eval())
    assert student.trunk is not None
    calibrate(student, iter([images[None]]), partial(run, student))
    x = network.trunk.encoder.stem(network.normalized(images))
    stages = zip(network.trunk.encoder.stages, student.trunk.encoder.stages, strict=True)
    for stage, rounded in stages:
        wanted = stage(x)
        assert 0 < float((rounded(x) - wanted).abs().mean()) < 0.1 * float(wanted.std())
        x = wanted
