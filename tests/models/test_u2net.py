"""U2-Net and U2-NetP: golden outputs, sizes."""

import pytest
import torch

from models.u2net.saliency import U2Net
from tests.models.golden import assert_golden, filled, frame

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(("name", "small"), [("u2netp", True), pytest.param("u2net", False, marks=pytest.mark.long)])
def test_golden(name: str, small: bool) -> None:
    network = filled(U2Net(small))
    with torch.no_grad():
        maps = network(frame(96, 128, 6) * 2 - 1)
    assert len(maps) == 7
    assert_golden(name, {"d0": maps[0], "d1": maps[1], "d6": maps[6]})


@pytest.mark.parametrize(("height", "width"), [(33, 47), (320, 320), (1, 5)])
def test_every_map_has_the_images_size(height: int, width: int) -> None:
    with torch.no_grad():
        maps = filled(U2Net(small=True))(frame(height, width, 6))
    for d in maps:
        assert d.shape == (1, 1, height, width)
        assert d.min() >= 0
        assert d.max() <= 1
