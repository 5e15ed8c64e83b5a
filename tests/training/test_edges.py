"""Training of the layers that place edges: its crops, and what it changes."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from models.mattecam.bundled import load, save
from models.mattecam.network import MattecamNetwork
from tests.training.samples import make_cache
from training.data import SampleSource
from training.edge_crops import HEIGHT, WIDTH, Crops, draw_crops, shuffled
from training.edges import TRAINED, WEIGHTS, Job, losses_of, train, widened


@pytest.fixture(scope="module")
def network() -> MattecamNetwork:
    """Return a network with random weights."""
    torch.manual_seed(0)
    return MattecamNetwork().eval()


@pytest.fixture(scope="module")
def crops(network: MattecamNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of crops, below which there is a cache."""
    folder = tmp_path_factory.mktemp("edges")
    drawn = draw_crops(network, make_cache(folder / "cache"), folder / "crops0", 0, 0, 1)
    assert drawn == draw_count(folder) > 1
    return folder


def draw_count(folder: Path, name: str = "crops0") -> int:
    """Return the number of crops in a folder."""
    return len(np.fromfile(folder / name / "pixels.u8", np.uint8)) // (HEIGHT * WIDTH * 8)


def one_batch(folder: Path, name: str = "crops0", count: int = 2) -> Crops:
    """Return crops that show an edge of a person."""
    batch = next(shuffled(folder / name, draw_count(folder, name), seed=0))
    edged = (batch.pha.amin((1, 2, 3)) < 0.1) & (batch.pha.amax((1, 2, 3)) > 0.9)
    return Crops(*(layer[edged][:count] for layer in batch))


def test_crops_show_edges_and_background(crops: Path) -> None:
    batch = one_batch(crops, count=99)
    assert batch.src.shape == batch.fgr.shape == (len(batch.pha), 3, HEIGHT, WIDTH)
    alone = draw_count(crops) - len(batch.pha)
    assert len(batch.pha) >= 2
    assert alone >= 1


def test_the_last_layers_get_of_a_crop_what_they_get_of_the_whole_frame(
    network: MattecamNetwork, crops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stored features belong to the stored pixels: the matte inside a crop is that of the frame."""
    answers = []
    cells = network.cells

    def seen(frame: Tensor, *state: Tensor | None) -> object:
        answers.append(cells(frame, state[0], state[1], state[2]))
        return answers[-1]

    monkeypatch.setattr(network, "cells", seen)
    draw_crops(network, crops / "cache", crops / "again", 0, 0, 1)
    batch = one_batch(crops, "again", 99)
    small = functional.avg_pool2d(batch.src, 2)
    with torch.no_grad():
        inner = network.last_cells(batch.features, *network.skips(small))[0][..., 16:-16, 16:-16]
    ours = inner[int(inner.std((2, 3)).mean(1).argmax())]
    whole = answers[0][0].float()
    windows = whole.unfold(2, ours.shape[1], 4).unfold(3, ours.shape[2], 4)
    difference = (windows - ours[None, :, None, None]).abs().mean((1, 4, 5)).flatten().sort().values
    assert difference[0] < 0.1 * difference[1]  # not 0: features are computed in bfloat16


def test_training_changes_the_last_layers_alone(network: MattecamNetwork, crops: Path, tmp_path: Path) -> None:
    save(network, tmp_path / "begin.safetensors")
    job = Job(
        crops, crops / "cache", tmp_path / "begin.safetensors", tmp_path / "begin.safetensors", 0, 1, 2, 3e-3, 0, 1
    )
    begun = widened(load(job.begin))
    save(begun, tmp_path / "wide.safetensors")
    train(begun, job, 0)
    before, after = load(tmp_path / "wide.safetensors").state_dict(), load(crops / WEIGHTS).state_dict()
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == set(TRAINED)


def test_training_lowers_the_loss_at_edges(crops: Path) -> None:
    torch.manual_seed(1)
    network, batch = MattecamNetwork().eval(), one_batch(crops)
    original = copy.deepcopy(network)
    network.requires_grad_(False).project.requires_grad_(True)
    optimizer = torch.optim.Adam(network.project.parameters(), 0.01)
    totals = []
    for _ in range(12):
        loss = torch.stack(list(losses_of(network, batch, original, original).values())).sum()
        totals.append(float(loss.detach()))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    assert totals[-1] < 0.8 * totals[0]


def test_what_was_right_far_from_edges_is_kept_and_nothing_exceeds_the_limit(crops: Path) -> None:
    torch.manual_seed(3)
    network, batch = MattecamNetwork().eval(), one_batch(crops)
    truth = torch.zeros_like(batch.pha)
    nobody = batch._replace(pha=truth, gaps=torch.zeros_like(truth))
    empty, full = copy.deepcopy(network), copy.deepcopy(network)
    networks = {"empty": empty, "full": full}
    pairs = [("empty", "full"), ("full", "empty"), ("full", "full")]
    with torch.no_grad():
        empty.get_parameter("project.bias").fill_(-20)
        full.get_parameter("project.bias").fill_(20)
        kept = [float(losses_of(full, nobody, before, before)["kept"]) for before in (full, empty)]
        wrong = float(losses_of(empty, nobody, full, full)["kept"])
        gap = float(losses_of(full, nobody._replace(gaps=torch.ones_like(truth)), empty, empty)["kept"])
        person = nobody._replace(pha=torch.ones_like(truth))
        background, inside = (
            {
                (name, limit): float(losses_of(networks[name], batch, full, networks[limit])["limit"])
                for name, limit in pairs
            }
            for batch in (nobody, person)
        )
    assert kept[0] == 0
    assert kept[1] > 1
    assert wrong == gap == 0
    assert background["full", "empty"] > 10 and inside["empty", "full"] > 10
    assert background["empty", "full"] == inside["full", "empty"] == background["full", "full"] == 0


def test_wide_layers_begin_with_the_output_of_the_narrow_ones() -> None:
    torch.manual_seed(2)
    narrow, image = MattecamNetwork(trunk=True).eval(), torch.rand(1, 3, 45, 80)
    wide = widened(narrow)
    assert wide.get_parameter("project.weight").shape[1] > narrow.get_parameter("project.weight").shape[1]
    with torch.no_grad():
        for one, other in zip(narrow(image), wide(image), strict=True):
            assert torch.allclose(one, other, atol=1e-6)
    assert widened(wide) is wide


def test_views_are_left_out(crops: Path) -> None:
    """The photos of the cache are 96 wide, the views 128: with views alone, other samples come out."""
    with_views, without = (SampleSource(crops / "cache", (64, 48), seed=3, views=views) for views in (True, False))
    assert any(not np.array_equal(with_views.draw(i).src, without.draw(i).src) for i in range(8))
