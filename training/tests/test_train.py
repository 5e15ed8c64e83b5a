"""The trainer: losses, optimizer, learning, resuming, starting from weights, with a teacher, a
trunk or a plate.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
import typer
from torch import Tensor, nn
from torch.optim import AdamW

from app.core.errors import UsageError
from models.backbones import EfficientNetLite0
from models.mattecam.bundled import load
from models.mattecam.network import FIRST_KERNEL, MattecamNetwork, PlateNetwork, difference
from models.mattecam.quantized import quantized
from models.rvm.network import MattingNetwork
from models.table import BUNDLED
from tests.golden.fill import fill, image
from tests.paths import GOLDEN
from training.export import averaged_student, blended
from training.loader import Batch
from training.losses import (
    coherence_loss,
    highest,
    laplacian_loss,
    segmentation_loss,
    undecided_loss,
)
from training.optimizer import Optimizer, orthogonal
from training.plates import PlateSource
from training.run import Run, Stage, frames_of_step, size_of_step
from training.saving import save, save_quantized, with_plate
from training.step import Learner, to_batch
from training.tests.samples import learnt, make_cache
from training.train import main
from training.trunk import with_trunk

same = partial(torch.testing.assert_close, rtol=0, atol=0)


def batch_of(run: Run) -> Batch:
    return to_batch([run.source.draw(i) for i in range(2)], torch.device("cpu"))


def test_a_few_steps_on_sequences_lower_the_loss_and_teach_the_memory(stage: Stage) -> None:
    torch.manual_seed(0)
    run = Run(replace(stage, frames=3), 0, 1, "")
    batch, learner = batch_of(run), run.learner.train()
    rate = AdamW(learner.parameters(), 2e-3)
    assert learnt(rate, lambda: torch.stack([*learner(batch, dtype=None).values()]).sum(), 12) < 0.6
    gates = learner.student.memory2.gates.weight.grad
    assert gates is not None
    assert float(gates[:, learner.student.memory2.channels :].abs().max()) > 0


def test_a_run_starts_from_exported_weights_without_the_heads_that_they_lack(stage: Stage) -> None:
    """Gradients of new heads would spoil a trained network."""
    run = Run(replace(stage, begin=BUNDLED), 0, 1, "")
    averaged = run.average.module
    assert isinstance(averaged, Learner) and run.step == 0
    for network in (run.learner.student, averaged.student):
        torch.testing.assert_close(network.state_dict(), load(BUNDLED).state_dict())
    losses = run.learner(batch_of(run), dtype=None)
    assert "hints" not in losses and "l1" in losses
    run.train()
    later = Run(replace(stage, begin=run.checkpoint, out=stage.out / "later"), 0, 1, "")
    assert not later.learner.hints, "the checkpoint of such a run has no trained heads either"


def test_a_run_goes_on_where_it_stopped_and_hands_its_weights_on(
    stage: Stage, tmp_path: Path
) -> None:
    first = Run(stage, 0, 1, "")
    first.train()
    assert first.step > 0 and first.seconds >= stage.minutes * 60
    resumed = Run(stage, 0, 1, "")
    assert (resumed.step, resumed.seconds) == (first.step, first.seconds)
    same([*resumed.learner.parameters()], [*first.learner.parameters()])
    onward = Run(replace(stage, out=tmp_path / "next", begin=first.checkpoint), 0, 1, "")
    assert onward.step == 0
    same([*onward.learner.student.parameters()], [*averaged_student(first.checkpoint).parameters()])
    lines = [json.loads(line) for line in (stage.out / "log.jsonl").read_text().splitlines()]
    assert 0 <= lines[-1]["check"]["photo_iou"] <= 1 and lines[-1]["check"]["empty"] >= 0


def test_a_folder_that_was_not_filled_is_named(tmp_path: Path) -> None:
    make_cache(tmp_path)
    (tmp_path / "views.json").unlink()
    with pytest.raises(
        typer.BadParameter, match=re.escape(f"{tmp_path} has no views; fill it with training.cache")
    ):
        main(tmp_path / "run", tmp_path)
    assert not (tmp_path / "run").exists()


def test_blended_weights_lie_between() -> None:
    torch.manual_seed(1)
    one, other = MattecamNetwork(), MattecamNetwork()
    first, second = one.project.weight.detach().clone(), other.project.weight.detach().clone()
    mixed = blended(one, other, 0.7)
    assert torch.allclose(mixed.project.weight, 0.3 * first + 0.7 * second, atol=1e-6)
    assert int(mixed.state_dict()["encode1.1.num_batches_tracked"]) == 0
    for layers in (MattecamNetwork(trunk=True), MattecamNetwork(wide=True)):
        with pytest.raises(UsageError, match="different layers"):
            blended(layers, other, 0.5)


def test_some_steps_have_frames_of_another_size_or_single_pictures(stage: Stage) -> None:
    varied = replace(stage, size=(288, 160), vary=0.4)
    sizes = [size_of_step(varied, step) for step in range(400)]
    assert sizes == [size_of_step(varied, step) for step in range(400)], (
        "every process has the same"
    )
    assert 0.5 < sizes.count((288, 160)) / len(sizes) < 0.7
    assert {(176, 96), (352, 192)} <= set(sizes)
    assert all(width % 16 == height % 16 == 0 for width, height in sizes)
    assert {size_of_step(stage, step) for step in range(50)} == {stage.size}
    mixed = replace(stage, frames=4, stills=0.5)
    frames = [frames_of_step(mixed, step) for step in range(40)]
    assert set(frames) == {1, 4} and frames == [frames_of_step(mixed, step) for step in range(40)]


@pytest.mark.parametrize("shape", [(2, 16, 144), (1, 40, 96), (3, 72, 24)])
def test_every_direction_counts_alike_and_stays(shape: tuple[int, int, int]) -> None:
    matrices = 1e-3 * torch.randn(shape, generator=torch.Generator().manual_seed(1))
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    turned = u.mT @ orthogonal(matrices) @ v.mT
    values = turned.diagonal(dim1=1, dim2=2)
    assert values.min() > 0.5 and values.max() < 1.3
    assert (turned - torch.diag_embed(values)).abs().max() < 1e-3


def _steps(network: nn.Module, optimizer: Optimizer, count: int) -> float:
    images = torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(4))
    wanted = images.mean(1, keepdim=True)[..., 1:-1, 1:-1]
    return learnt(optimizer, lambda: functional.mse_loss(network(images), wanted), count)


def test_kernels_and_the_rest_both_learn_alike_in_a_resumed_run_and_nothing_without_a_rate() -> (
    None
):
    torch.manual_seed(3)
    network = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 1, 1))
    before, alone = copy.deepcopy(network), copy.deepcopy(network)
    assert _steps(alone, Optimizer(alone[0].parameters(), 0.01), 30) < 0.9, (
        "kernels go down, not up"
    )
    optimizer = Optimizer(network.parameters(), 0.01)
    assert _steps(network, optimizer, 30) < 1 / 3
    assert all(
        (value != before.get_parameter(name)).any()
        for name, value in network.named_parameters()
        if name != "0.bias"
    )
    again = copy.deepcopy(network)
    resumed = Optimizer(again.parameters(), 0.01)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert _steps(again, resumed, 3) == pytest.approx(_steps(network, optimizer, 3), rel=1e-5)
    optimizer.set_rate(0.0)
    then = copy.deepcopy(list(network.parameters()))
    _steps(network, optimizer, 2)
    same([*network.parameters()], then)


def test_the_encoder_comes_nearer_to_the_teacher(tmp_path: Path, stage: Stage) -> None:
    torch.save(fill(MattingNetwork().state_dict()), tmp_path / "teacher.pth")
    torch.manual_seed(0)
    run = Run(replace(stage, teacher=tmp_path / "teacher.pth"), 0, 1, "")
    assert run.teacher is not None
    batch, learner = batch_of(run), run.learner.train()
    wanted, rate = run.teacher(batch.clean), AdamW(learner.parameters(), 2e-3)
    assert learnt(rate, lambda: learner(batch, dtype=None, wanted=wanted)["features"], 10) < 0.8
    run.train()
    assert run.step > 0


def test_the_teacher_sees_the_picture_before_the_camera_spoiled_it(stage: Stage) -> None:
    for unspoilt in (0.0, 1.0):
        source = Run(replace(stage, unspoilt=unspoilt), 0, 1, "").source
        samples = [source.draw(i) for i in range(12)]
        assert all(sample.clean.shape == sample.src.shape for sample in samples)
        assert any((sample.clean != sample.src).any() for sample in samples) == (unspoilt < 1)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with golden weights and a classifier, whose layers have the package's names and
    our order.
    """
    layers = ["_conv_stem", "_bn0"]
    for block in range(16):
        for index, name in list(enumerate(("expand", "depthwise", "project")))[block == 0 :]:
            layers += [f"_blocks.{block}._{name}_conv", f"_blocks.{block}._bn{index}"]
    golden, state = fill(EfficientNetLite0().state_dict()), {"_fc.weight": torch.zeros(10, 4)}
    theirs = dict(
        zip(dict.fromkeys(name.rpartition(".")[0] for name in golden), layers, strict=True)
    )
    for name, value in golden.items():
        layer, _, parameter = name.rpartition(".")
        state[f"{theirs[layer]}.{parameter}"] = value
    file = tmp_path_factory.mktemp("package") / "lite0.pth"
    torch.save(state, file)
    return file


def test_a_trunk_with_the_weights_of_the_package_takes_the_place_of_the_coarse_layers(
    package: Path,
) -> None:
    torch.manual_seed(1)
    network = MattecamNetwork().eval()
    found = with_trunk(network, package)
    assert found.trunk is not None and not found.training
    same(found.trunk.encoder.state_dict(), fill(found.trunk.encoder.state_dict()))
    state = found.state_dict()
    before = [item for item in network.state_dict().items() if item[0] in state]
    kept = {name.split(".")[0] for name, value in before if torch.equal(value, state[name])}
    assert {"encode1", "encode2", "encode3", "memory4", "decode3", "memory2", "project"} <= kept
    assert not any(name.startswith(("encode4", "encode5")) for name in state)


def test_a_new_trunk_needs_single_pictures_and_a_checkpoint_gets_none(
    package: Path, stage: Stage
) -> None:
    """Batches of sequences would not set the statistics of the new layers."""
    with pytest.raises(UsageError, match="--frames 1"):
        Run(replace(stage, trunk=package, frames=2), 0, 1, "")
    Run(stage, 0, 1, "").train()
    with pytest.raises(UsageError, match="no trunk"):
        Run(replace(stage, trunk=package), 0, 1, "")


def test_only_the_last_stages_of_a_trunk_are_trained(
    package: Path, stage: Stage, tmp_path: Path
) -> None:
    stretch = Run(replace(stage, trunk=package), 0, 1, "")
    trunk = stretch.learner.student.trunk
    assert trunk is not None
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    stretch.train()
    changed = {
        name for name, value in trunk.state_dict().items() if not torch.equal(value, before[name])
    }
    assert {name.split(".")[2] for name in changed if name.startswith("encoder.stages")} == {
        "5",
        "6",
    }
    assert not any(name.startswith("encoder.stem") for name in changed)
    assert not any(
        name.startswith("encoder") and name.endswith(("mean", "var")) for name in changed
    )
    assert "lateral4.0.weight" in changed
    assert averaged_student(stretch.checkpoint).trunk is not None
    onward = Run(replace(stage, out=tmp_path / "onward", begin=stretch.checkpoint), 0, 1, "")
    assert onward.learner.student.trunk is not None


@pytest.mark.parametrize("trunk", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_files_tell_which_layers_their_network_has(trunk: bool, wide: bool, tmp_path: Path) -> None:
    network = MattecamNetwork(trunk, wide).eval()
    save(network, tmp_path / "float.safetensors")
    save_quantized(quantized(network), tmp_path / "int8.safetensors", {})
    saved, int8 = (load(tmp_path / f"{name}.safetensors") for name in ("float", "int8"))
    for found in (saved, int8, with_plate(network)):
        assert (found.trunk is not None, found.detail1 is not None) == (trunk, wide)
    image = torch.rand(1, 3, 32, 48)
    with torch.no_grad():
        assert torch.allclose(network(image)[1], saved(image)[1], atol=2e-2), "in half precision"


def _clip(seed: int) -> Tensor:
    return torch.from_numpy(np.stack([image(128, 160, seed, t) for t in range(4)])[None])


def test_losses_match_the_golden_values() -> None:
    with np.load(GOLDEN / "rvm_losses.npz") as golden:
        pred, true = _clip(11)[:, :, :1], (_clip(13)[:, :, :1] - 0.3).clamp(0, 1)
        assert float(laplacian_loss(pred.flatten(0, 1), true.flatten(0, 1))) == pytest.approx(
            float(golden["pha_laplacian"]), abs=1e-5
        )
        assert float(coherence_loss(pred, true)) == pytest.approx(
            float(golden["pha_coherence"]), abs=1e-5
        )
        entropy = segmentation_loss(4 * _clip(10)[:, :, :1] - 2, (pred > 0.5).float())
        assert float(entropy) == pytest.approx(float(golden["segmentation"]), abs=1e-5)
    assert coherence_loss(pred[:, :1], true[:, :1]) == 0, "a single frame"
    assert (
        0 < laplacian_loss(torch.rand(1, 1, 73, 129), torch.rand(1, 1, 73, 129), levels=4) < 10
    ), "odd sizes"


def test_indecision_costs_only_far_from_an_edge() -> None:
    true = torch.zeros(1, 1, 40, 60)
    true[..., 30:] = 1
    near, far = true.clone(), true.clone()
    near[..., 29:31] = 0.5
    far[..., :10] = 0.5
    assert undecided_loss(true, true, 4) == 0
    assert undecided_loss(near, true, 4) == 0
    assert undecided_loss(far, true, 4) > 0.1


@pytest.mark.parametrize("reach", [0, 1, 2, 3, 6, 7])
def test_the_highest_value_around_is_that_of_pooling(reach: int) -> None:
    image = torch.randn(2, 1, 17, 23)
    assert torch.equal(highest(image, reach), functional.max_pool2d(image, 2 * reach + 1, 1, reach))


def test_a_sample_holds_the_frame_and_its_plate(cache: Path) -> None:
    source = PlateSource(cache, (64, 48), 2, unspoilt=1.0)
    inside, outside = [], []
    for index in range(30):
        sample = source.draw(index)
        assert sample.src.shape == (2, 48, 64, 6) and sample.src.dtype == np.uint8
        away = np.abs(sample.src[..., :3].astype(int) - sample.src[..., 3:]).mean(-1)
        person = sample.pha[..., 0] > 127
        outside.append(away[sample.pha[..., 0] == 0].mean())
        if person.any():
            inside.append(away[person].mean())
        np.testing.assert_array_equal(sample.src[0, ..., 3:], sample.src[1, ..., 3:])
    assert len(inside) > 15
    assert np.median(inside) > 3 * np.median(outside)


@torch.no_grad()
def test_training_begins_with_the_output_of_the_network_without_a_plate() -> None:
    torch.manual_seed(0)
    bundled, clip = load(), torch.rand(2, 6, 48, 64)
    plated = with_plate(bundled).eval()
    torch.testing.assert_close(plated.matte(clip, frames=2), bundled.matte(clip[:, :3], frames=2))
    assert with_plate(plated) is plated


def test_a_small_shift_of_the_plate_is_no_difference() -> None:
    torch.manual_seed(0)
    room = torch.rand(1, 3, 24, 32)
    frame = room.roll(2, 3)
    frame[:, :, 8:16, 10:20] = 1.5
    away = difference(frame, room)
    assert away[:, :, :, 4:].mean() > 0
    assert away[:, :, 18:, 4:-2].abs().max() < 1e-6
    assert away[:, :, 10:14, 13:17].min() > 0.3


def test_a_run_trains_it_from_exported_weights(stage: Stage) -> None:
    run = Run(replace(stage, begin=BUNDLED, plate=True), 0, 1, "")
    run.train()
    assert run.step > 0
    network = averaged_student(run.checkpoint, PlateNetwork)
    assert isinstance(network, PlateNetwork)
    assert network.state_dict()[FIRST_KERNEL][:, 3:].abs().max() > 0, "the new inputs"
