"""Training of the layers that place edges: its crops, and what it changes."""

from __future__ import annotations

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
from training.edges import TRAINED, WEIGHTS, Job, losses_of, train


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
    assert drawn == len(np.fromfile(folder / "crops0" / "pixels.u8", np.uint8)) // (HEIGHT * WIDTH * 7) > 1
    return folder


def one_batch(folder: Path) -> Crops:
    """Return two of the crops."""
    return next(shuffled(folder / "crops0", 2, seed=0))


def test_crops_show_an_edge(crops: Path) -> None:
    batch = one_batch(crops)
    assert batch.src.shape == batch.fgr.shape == (2, 3, HEIGHT, WIDTH)
    for alpha in batch.pha:
        assert alpha.min() < 0.1
        assert alpha.max() > 0.9


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
    batch = next(shuffled(crops / "again", 1, seed=0))
    small = functional.avg_pool2d(batch.src, 2)
    with torch.no_grad():
        ours = network.last_cells(batch.features, *network.skips(small))[0][0, :, 16:-16, 16:-16]
    whole = answers[0][0].float()
    windows = whole.unfold(2, ours.shape[1], 4).unfold(3, ours.shape[2], 4)
    difference = (windows - ours[None, :, None, None]).abs().mean((1, 4, 5)).flatten().sort().values
    assert difference[0] < 0.1 * difference[1]  # not 0: features are computed in bfloat16


def test_training_changes_the_last_layers_alone(network: MattecamNetwork, crops: Path, tmp_path: Path) -> None:
    save(network, tmp_path / "begin.safetensors")
    job = Job(crops, crops / "cache", tmp_path / "begin.safetensors", 0, 1, 2, 3e-3, 0, 1)
    train(load(job.begin), job, 0)
    before, after = load(job.begin).state_dict(), load(crops / WEIGHTS).state_dict()
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed == set(TRAINED)


def test_training_lowers_the_loss_at_edges(crops: Path) -> None:
    torch.manual_seed(1)
    network, batch = MattecamNetwork().eval(), one_batch(crops)
    network.requires_grad_(False).project.requires_grad_(True)
    optimizer = torch.optim.Adam(network.project.parameters(), 0.01)
    totals = []
    for _ in range(12):
        loss = torch.stack(list(losses_of(network, batch).values())).sum()
        totals.append(float(loss.detach()))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    assert totals[-1] < 0.8 * totals[0]


def test_views_are_left_out(crops: Path) -> None:
    """The photos of the cache are 96 wide, the views 128: with views alone, other samples come out."""
    with_views, without = (SampleSource(crops / "cache", (64, 48), seed=3, views=views) for views in (True, False))
    assert any(not np.array_equal(with_views.draw(i).src, without.draw(i).src) for i in range(8))
