"""Strict mode in torch matches that on a CPU."""

from __future__ import annotations

from copy import deepcopy

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from app.core.settings import EdgeSettings
from app.core.threads import Strips
from app.core.types import BlurredBackground, Floats
from app.matting.base.edges import plan
from app.matting.base.interface import StepGeometry
from app.matting.cpu.compositor import Coefficients, Compositor
from app.matting.cpu.cpu_backend import apply_strict, shrink
from app.matting.strict.cpu_strict import StrictFilter
from app.matting.strict.torch_strict import components, initial_memory, strict_matte, with_people
from tests.matting.strict.rooms import HEIGHT, SCENES, WIDTH, Blob, Room, walking
from tests.matting.stubs import showing
from tests.matting.torch_stubs import StubTorch

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")


def both(
    image: Floats, alpha: Floats, numpy_filter: StrictFilter, memory: Tensor
) -> tuple[list[Floats], list[Floats], Tensor]:
    """Return slope, offset and coarse alpha of numpy and of torch, and torch's state."""
    slope, offset = np.full((4, *alpha.shape), 0.5, np.float32), np.stack([alpha - 0.2] * 4)
    given = [torch.from_numpy(array.copy())[None] for array in (image, slope, offset, alpha[None])]
    *found, memory = strict_matte(given[0], given[1], given[2], given[3], memory)
    coarse = alpha.copy()
    apply_strict(numpy_filter, "balanced", Coefficients(image, slope, offset, coarse))
    return [slope, offset, coarse[None]], [tensor[0].numpy() for tensor in found], memory


LARGE = "person passes a poster", "ghost behind a fast person"
"""Scenes that run with several pixels to a cell as well, which takes several times as long."""


@pytest.mark.parametrize(("name", "grid"), [*((name, 1) for name in SCENES), (LARGE[0], 3), (LARGE[1], 2)])
def test_torch_is_numpy(name: str, grid: int) -> None:
    scene = SCENES[name]
    room, numpy_filter = Room(grid=grid), StrictFilter()
    memory = initial_memory(HEIGHT * grid, WIDTH * grid, CPU)
    for n in range(24):
        image, alpha = room.frame(*scene(n), light=1 + 0.05 * float(np.sin(n)))
        expected, found, memory = both(image, alpha, numpy_filter, memory)
        for one, other in zip(expected, found, strict=True):
            assert (np.abs(one - other) > 1e-4).mean() < 1e-3


def test_streams_in_one_batch_do_not_mix() -> None:
    rooms = [Room(seed=seed) for seed in range(2)]
    memory = initial_memory(HEIGHT, WIDTH, CPU)
    together, apart = memory.repeat(2, 1, 1, 1), [memory, memory]
    for n in range(8):
        frames = [room.frame(*blobs) for room, blobs in zip(rooms, ([walking(n)], [Blob(30, 40, 12)]), strict=True)]
        images, alphas = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*frames, strict=True))
        coarse = alphas[:, None]
        matte = coarse.repeat(1, 4, 1, 1)
        *_, joint, together = strict_matte(images, matte, matte, coarse, together)
        for k in range(2):
            one = slice(k, k + 1)
            *_, alone, apart[k] = strict_matte(images[one], matte[one], matte[one], coarse[one], apart[k])
            torch.testing.assert_close(joint[one], alone)


@pytest.mark.parametrize("seed", range(6))
def test_components_are_those_of_opencv(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(size=(60, 90)).astype(np.float32)
    mask = cv2.GaussianBlur(noise, (0, 0), 3) > 0.05
    number, expected = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)

    labels = components(torch.from_numpy(mask)[None, None])[0].numpy().reshape(mask.shape)

    pairs = {(int(one), int(other)) for one, other in zip(labels.ravel(), expected.ravel(), strict=True)}
    assert len(pairs) == number == len({one for one, _ in pairs})


def test_the_step_on_a_cpu_is_the_step_in_torch() -> None:
    geometry = StepGeometry(2 * WIDTH, 2 * HEIGHT, 0.5)
    room, numpy_filter = Room(grid=2), StrictFilter()
    strips = Strips()
    eager, cpu = StubTorch(geometry), Compositor(geometry, strips)
    small = np.empty((3, HEIGHT, WIDTH), np.float32)
    edges, backdrop = EdgeSettings(), BlurredBackground(80)
    try:
        for n in range(12):
            image, full = room.frame(walking(n), Blob(30, 40, 12))
            alpha = np.ascontiguousarray(full[::2, ::2])
            frame = np.ascontiguousarray(np.rint(image[::-1] * 255).astype(np.uint8).transpose(1, 2, 0))
            shrink(strips, frame, (0.5, 0.5), small)
            coefficients = showing(alpha, small)
            eager.coefficients = deepcopy(coefficients)
            expected = eager.step(frame, backdrop, edges)

            apply_strict(numpy_filter, "balanced", coefficients)
            found = cpu.composite(frame, coefficients, backdrop, plan(edges), False)

            assert np.abs(found.alpha.astype(int) - expected.alpha).max() <= 1
            assert np.abs(found.composite.astype(int) - expected.composite).max() <= 2
        assert found.alpha[110, 2 * int(walking(11).x)] == 255
    finally:
        strips.close()


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (3 * HEIGHT, 3 * WIDTH)])
def test_known_people_are_shown_at_once_as_in_numpy(size: tuple[int, int]) -> None:
    image, alpha = Room().frame(walking(0), Blob(30, 40, 12))
    seen = np.rint(255 * cv2.resize(walking(0).cover(), size[::-1])).astype(np.uint8)
    numpy_filter = StrictFilter()
    numpy_filter.reset(seen)
    memory = with_people(initial_memory(HEIGHT, WIDTH, CPU), torch.from_numpy(seen))

    expected, found, _ = both(image, alpha, numpy_filter, memory)

    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
    assert found[2].max() > 0.9
