"""Training of the layers that place edges; exported networks: scales of int8, weights exact in
bfloat16.
"""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.optim import AdamW

from app.core.errors import UsageError
from models.mattecam.bundled import load
from models.mattecam.network import MattecamNetwork
from models.mattecam.quantized import quantized
from models.quantization import QuantizedConv, Quantizer
from training.calibration import batches, calibrate, correct_biases, run
from training.data import SampleSource
from training.edge_frames import Frames, draw_frames, shuffled
from training.edges import LAST, WEIGHTS, Job, losses_of, train, train_or_draw, widened
from training.export import portrait
from training.quantize import regressions
from training.rounding import round_weights
from training.saving import save
from training.tests.samples import learnt, make_cache

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a cache, frames and weights to begin with."""
    out = tmp_path_factory.mktemp("edges")
    torch.manual_seed(0)
    save(widened(MattecamNetwork(trunk=True).eval()), out / "begin.safetensors")
    assert draw_frames(make_cache(out / "cache"), out / "frames", 0, 0, 1) == 2
    return out


@pytest.fixture
def person() -> Frames:
    """Return two frames with a bright person, whose lower end is beyond the frame."""
    torch.manual_seed(0)
    alpha = torch.zeros(2, 1, 64, 96)
    alpha[..., 24:, 30:66] = 1
    image = 0.6 * alpha + 0.3 * torch.rand(2, 3, 64, 96)
    return Frames(image, image, alpha, torch.zeros_like(alpha))


def test_frames_hold_the_samples_with_their_gaps(folder: Path) -> None:
    width, height = 640, 360
    files = folder.glob(f"frames/{width}x{height}.*.0.u8")
    layers = np.concatenate([np.fromfile(file, np.uint8) for file in files]).reshape(
        height, width, 8
    )
    batch = next(shuffled(folder / "frames", 3, 0, CPU, 0, 1))
    assert batch.src.shape == batch.fgr.shape == (3, 3, *batch.pha.shape[2:])
    assert batch.pha.shape == batch.gaps.shape
    assert set(np.unique(layers[..., 7])) <= {0, 255}
    batches = shuffled(folder / "frames", 1, 0, CPU, 0, 1)
    found = next(each for each in batches if each.src.shape[3] == width)
    stored = torch.from_numpy(layers[..., :3]).permute(2, 0, 1) / 255
    assert any(torch.equal(found.src[0], one) for one in (stored, stored.flip(2)))


def test_processes_read_files_of_their_own(folder: Path, tmp_path: Path) -> None:
    for rank in range(2):
        draw_frames(folder / "cache", tmp_path, 0, rank, 2)
    ones = [next(shuffled(tmp_path, 1, 0, CPU, rank, 2)).src for rank in range(2)]
    alone = next(shuffled(folder / "frames", 1, 0, CPU, 1, 2)).src
    assert ones[0].shape != ones[1].shape or not torch.equal(*ones)
    assert alone.shape[1] == 3


def test_new_frames_take_the_place_of_old_ones(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.edge_frames._FRAMES_OF_FILE", 1)
    drawn = draw_frames(folder / "cache", tmp_path, 1, 0, 1, kept=2)
    for size in ("640x360", "448x256"):
        numbers = [
            sorted(int(path.name.split(".")[3]) for path in tmp_path.glob(f"{size}.{kind}.*.u8"))
            for kind in ("plain", "gaps")
        ]
        assert all(len(each) <= 2 for each in numbers)
        assert sum(each[-1] + 1 for each in numbers if each) == drawn / 2
    assert not list(tmp_path.glob("*.part"))


def test_batches_follow_the_files_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.edge_frames._LOOK_EVERY", 1)
    with pytest.raises(UsageError, match="draw for longer"):
        next(shuffled(tmp_path, 1, 0, CPU, 0, 1))

    def write(name: str, value: int) -> Path:
        path = tmp_path / f"448x256.plain.{name}.u8"
        np.full((1, 256, 448, 8), value, np.uint8).tofile(path)
        return path

    first = write("0.0", 255)
    batches = shuffled(tmp_path, 1, 0, CPU, 0, 1)
    assert float(next(batches).src.mean()) == 1
    write("0.1", 0)
    first.unlink()
    assert float(next(batches).src.mean()) == 0


def test_the_first_process_trains_on_what_the_others_draw(folder: Path, tmp_path: Path) -> None:
    begin = folder / "begin.safetensors"
    job = Job(tmp_path, folder / "cache", begin, begin, 0, 0.2, 1, 3e-3, 0, 1, "cpu", False, kept=1)
    train_or_draw(1, job)
    assert list(job.frames.glob("*.u8")) and not (tmp_path / WEIGHTS).exists()
    train_or_draw(0, job)
    assert (tmp_path / WEIGHTS).exists()


@pytest.mark.long
@pytest.mark.parametrize("deep", [False, True], ids=["last layers", "all layers"])
def test_training_changes_the_layers_that_are_to_learn(folder: Path, deep: bool) -> None:
    begin = folder / "begin.safetensors"
    train(0, Job(folder, folder / "cache", begin, begin, 0, 2, 2, 3e-3, 0, 1, "cpu", deep))
    before, after = load(begin).state_dict(), load(folder / WEIGHTS).state_dict()
    changed = {
        name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])
    }
    assert changed == (
        {name.split(".")[0] for name, value in before.items() if value.ndim} if deep else set(LAST)
    )


@pytest.mark.parametrize(
    "moved", [[], [(4, -2), (2, -1)]], ids=["first frame", "two frames before"]
)
def test_training_lowers_the_loss_at_edges(person: Frames, moved: list[tuple[int, int]]) -> None:
    torch.manual_seed(1)
    network = MattecamNetwork().eval()
    original = copy.deepcopy(network)
    network.requires_grad_(False).project.requires_grad_(True)

    def loss() -> torch.Tensor:
        return torch.stack([*losses_of(network, person, original, moved).values()]).sum()

    assert learnt(AdamW(network.project.parameters(), 0.03), loss, 12) < 0.8


def test_nothing_exceeds_the_limit_far_from_edges(person: Frames) -> None:
    torch.manual_seed(3)
    networks = {name: MattecamNetwork().eval() for name in ("empty", "full")}
    nobody = person._replace(pha=torch.zeros_like(person.pha))
    whole = person._replace(pha=torch.ones_like(person.pha))

    def beyond(frames: Frames, trained: str, limit: str) -> float:
        return float(losses_of(networks[trained], frames, networks[limit])["limit"])

    with torch.no_grad():
        for name, bias in (("empty", -20), ("full", 20)):
            networks[name].get_parameter("project.bias").fill_(bias)
        assert beyond(nobody, "full", "empty") > 10 and beyond(whole, "empty", "full") > 10
        assert (
            beyond(nobody, "empty", "full")
            == beyond(whole, "full", "empty")
            == beyond(nobody, "full", "full")
            == 0
        )


@pytest.mark.parametrize("ratio", [0.5, 0.75])
def test_holes_in_people_and_gaps_between_them_count_more(person: Frames, ratio: float) -> None:
    torch.manual_seed(4)
    network = MattecamNetwork().eval()
    nobody, whole = (person._replace(pha=torch.full_like(person.pha, alpha)) for alpha in (0, 1))

    def error(frames: Frames, bias: float) -> float:
        with torch.no_grad():
            network.get_parameter("project.bias").fill_(bias)
            return float(losses_of(network, frames, network, ratio=ratio)["l1"])

    assert error(whole, 20) == pytest.approx(0, abs=1e-3)
    assert error(whole, -20) == pytest.approx(9, abs=0.3)
    assert error(nobody._replace(gaps=whole.pha), 20) == pytest.approx(5 * error(nobody, 20)) != 0


def test_wide_layers_begin_with_the_output_of_the_narrow_ones() -> None:
    torch.manual_seed(2)
    narrow, image = MattecamNetwork(trunk=True).eval(), torch.rand(1, 3, 45, 80)
    wide = widened(narrow)
    assert (
        wide.get_parameter("project.weight").shape[1]
        > narrow.get_parameter("project.weight").shape[1]
    )
    with torch.no_grad():
        for one, other in zip(narrow(image), wide(image), strict=True):
            assert torch.allclose(one, other, atol=1e-6)
    assert widened(wide) is wide


def test_views_are_left_out(folder: Path) -> None:
    """The photos of the cache are 96 wide, the views 128: with views alone, other samples come out."""
    with_views, without = (
        SampleSource(folder / "cache", (64, 48), seed=3, views=views) for views in (True, False)
    )
    assert any(not np.array_equal(with_views.draw(i).src, without.draw(i).src) for i in range(8))


@pytest.mark.long
@torch.no_grad()
def test_calibration_sets_every_scale_and_keeps_the_outputs(cache: Path) -> None:
    torch.manual_seed(0)
    network = load()
    student = quantized(network)
    sequences = list(batches(SampleSource(cache, (64, 48), 2), 2, 4))

    def error() -> float:
        """Return the root mean squared difference of the states, relative to their size."""
        pairs = [
            (a, b)
            for x in sequences
            for a, b in zip(run(student, x)[1], run(network, x)[1], strict=True)
        ]
        return float(
            torch.stack(
                [(a - b).square().mean().sqrt() / b.square().mean().sqrt() for a, b in pairs]
            ).max()
        )

    uncalibrated = error()
    calibrate(student, iter(sequences), partial(run, student))
    assert 0 < error() < min(0.2, 0.5 * uncalibrated)

    for module in student.modules():
        if isinstance(module, QuantizedConv):
            # a trunk has dead channels
            largest = module.weight.detach().abs().amax((1, 2, 3)).clamp_min(1e-8) / 127
            assert bool((module.scale <= 2.02 * largest).all()), (
                "one that is doubled holds any pair of weights"
            )
            assert bool((module.scale >= 0.1 * largest).all())
        if isinstance(module, Quantizer):
            assert 0 < float(module.scale) < 1  # the trunk has linear layers with large outputs


@torch.no_grad()
def test_means_of_the_outputs_stay_although_weights_are_rounded() -> None:
    torch.manual_seed(0)
    layers = [QuantizedConv(nn.Conv2d(8, 8, 3, padding=1)) for _ in range(2)]
    network = nn.Sequential(Quantizer(), layers[0], nn.ReLU(), Quantizer(), layers[1])
    before = copy.deepcopy(network)
    batch = torch.rand(4, 8, 16, 16)
    exact = layers[1].convolve(layers[0].convolve(batch, layers[0].weight).relu(), layers[1].weight)
    calibrate(network, iter([batch]), network)
    for layer in layers:
        layer.scale *= 16

    def error() -> float:
        return float((network(batch) - exact).mean((0, 2, 3)).abs().max())

    uncorrected = error()
    correct_biases(network, before, [batch, batch], lambda module, x: module(x))
    assert error() < min(0.05 * uncorrected, 1e-5)


def test_a_figure_may_get_worse_by_two_percent_or_by_chance() -> None:
    for name, before, allowed, worse in (
        ("shoulders (79) mad", 10.0, [5.0, 10.19], 10.21),
        ("shoulders (79) iou", 0.96, [0.99, 0.945], 0.93),
        ("varied (118) failures %", 10.0, [11.2], 12.0),  # one photo
        ("varied (118) median", 6.0, [6.4], 6.6),
        ("mask iou median", 0.97, [0.97], 0.94),
    ):
        found = [
            after
            for after in (*allowed, worse)
            if regressions({name: before}, {name: after}) == [name]
        ]
        assert found == [worse], name


@torch.no_grad()
def test_weights_that_an_executor_folds_become_exact_in_bfloat16_and_outputs_hardly_change() -> (
    None
):
    torch.manual_seed(0)
    network, frame = load(), portrait(0)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.mul_(0.5 + 0.01 * torch.randn_like(module.weight))  # no longer exact
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            module.weight.mul_(2)  # no longer folded
            module.running_mean.mul_(0.5)
    before = network.matte(frame)[0]
    assert before[:, 3:].std() > 0.05
    round_weights(network)
    assert float((network.matte(frame)[0] - before).abs().mean()) < 1e-3
    weights = [network.project.weight]
    for group in network.modules():
        if (
            isinstance(group, nn.Sequential)
            and len(group) > 1
            and isinstance(group[1], nn.BatchNorm2d)
        ):
            convolution = group[0]
            assert isinstance(convolution, nn.Conv2d)
            weights.append(fuse_conv_bn_eval(convolution, group[1]).weight)
    assert len(weights) > 40
    for weight in weights:
        torch.testing.assert_close(weight, weight.bfloat16().float(), rtol=1e-6, atol=0)
