"""Samples with plates, and the network that sees them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.mattecam.bundled import load_bundled, save
from models.mattecam.plate import FIRST_KERNEL, PlateNetwork, difference, with_plate
from training.export import averaged_student
from training.plates import PlateSource
from training.run import Run, Stage

SIZE = (64, 48)


def test_a_sample_holds_the_frame_and_its_plate(cache: Path) -> None:
    source = PlateSource(cache, SIZE, 2, unspoilt=1.0)
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


def test_an_index_determines_the_sample(cache: Path) -> None:
    one, other = (PlateSource(cache, SIZE, seed=3).draw(5) for _ in range(2))
    np.testing.assert_array_equal(one.src, other.src)


@torch.no_grad()
def test_training_begins_with_the_output_of_the_network_without_a_plate() -> None:
    torch.manual_seed(0)
    bundled, clip = load_bundled(), torch.rand(2, 6, 48, 64)
    plated = with_plate(bundled).eval()
    for mine, theirs in zip(plated.matte(clip, frames=2), bundled.matte(clip[:, :3], frames=2), strict=True):
        torch.testing.assert_close(mine, theirs)
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


def test_a_run_trains_it_from_exported_weights(stage: Stage, tmp_path: Path) -> None:
    save(load_bundled(), tmp_path / "student.safetensors")
    run = Run(replace(stage, begin=tmp_path / "student.safetensors", plate=True), 0, 1, "")
    run.train()
    assert run.step > 0
    network = averaged_student(tmp_path / "run" / "checkpoint.pt", PlateNetwork)
    assert isinstance(network, PlateNetwork)
    new_inputs = network.state_dict()[FIRST_KERNEL][:, 3:]
    assert new_inputs.abs().max() > 0
