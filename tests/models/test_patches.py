"""Cropping and pasting of patches in a batch of images, compared with resize, pad and slice."""

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor

from models.bgmv2.refiner import CellIndices, as_map, cut, cut_resized, most_wrong, paste_
from models.blocks import resize

pytestmark = pytest.mark.torch

HEIGHT, WIDTH = 24, 40
CELLS = CellIndices(torch.tensor([0, 1, 1, 0]), torch.tensor([0, 5, 2, 5]), torch.tensor([0, 9, 4, 0]))
"""Patch positions: three corners and one inside, in two images."""


def random(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def plain(image: Tensor, size: int, border: int) -> Tensor:
    padded = functional.pad(image, (border,) * 4)
    side = size + 2 * border
    windows = [
        padded[b, :, y * size : y * size + side, x * size : x * size + side] for b, y, x in zip(*CELLS, strict=True)
    ]
    return torch.stack(windows)


@pytest.mark.parametrize("border", [0, 2, 6])
def test_cut(border: int) -> None:
    image = random(2, 3, HEIGHT, WIDTH)
    assert torch.equal(cut(image, CELLS, border), plain(image, 4, border))


@pytest.mark.parametrize("border", [0, 3])
@pytest.mark.parametrize("size", [(12, 20), (6, 10), (8, 13), (3, 5), (1, 1)])
def test_cut_resized(size: tuple[int, int], border: int) -> None:
    image = random(2, 5, *size)
    half = HEIGHT // 2, WIDTH // 2
    torch.testing.assert_close(
        cut_resized(image, CELLS, half, border), plain(resize(image, half), 2, border), atol=1e-5, rtol=0
    )


def test_paste_changes_the_cells_that_are_wanted_and_nothing_else() -> None:
    image, windows = random(2, 4, HEIGHT, WIDTH), random(4, 4, 4, 4) + 1
    wanted = torch.tensor([True, False, True, True])
    expected = image.clone()
    for i, (b, y, x) in enumerate(zip(*CELLS, strict=True)):
        if wanted[i]:
            expected[b, :, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4] = windows[i]
    assert torch.equal(paste_(image, CELLS, windows, wanted), expected)


def test_splitting_keeps_every_cell_in_order() -> None:
    parts = CELLS.split(3)
    assert [len(part.row) for part in parts] == [3, 1]
    for whole, pieces in zip(CELLS, zip(*parts, strict=True), strict=True):
        assert torch.equal(whole, torch.cat(pieces))


def test_the_worst_cells_of_each_image_are_chosen() -> None:
    error = random(2, 1, 6, 10)
    error[1] = 0
    error[1, 0, 3, 7] = 0.2
    cells, chosen = most_wrong(error, 5 * 16)
    worst = as_map(cells, chosen, error)
    assert chosen.sum() == 5 + 1
    assert worst[0].sum() == 5
    assert error[0][worst[0] == 1].min() > error[0][worst[0] == 0].max()
    assert worst[1].nonzero().tolist() == [[0, 3, 7]]


def test_no_more_cells_are_chosen_than_there_are() -> None:
    cells, _ = most_wrong(random(1, 1, 2, 3), 80_000)
    assert sorted((cells.row * 3 + cells.column).tolist()) == list(range(6))
