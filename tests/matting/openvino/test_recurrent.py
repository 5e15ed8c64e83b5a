"""A recurrent network in OpenVINO uses its coarse features again only while they are of its stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.core.threads import Strips
from app.core.types import BgrImage, Floats
from app.matting.base.interface import StepGeometry
from app.matting.openvino.artefact_cache import artefacts
from app.matting.openvino.recurrent import RecurrentNetwork
from models.table import bundled
from models.weights import find
from tests.clips import demo
from tests.matting.networks import small_of

GEOMETRY = StepGeometry(320, 180, 1.0)
FIRST, SECOND, THIRD = demo(320, 180, [0, 1, 2])


@pytest.fixture
def network() -> Iterator[RecurrentNetwork]:
    spec, strips = bundled(), Strips(1)
    network = RecurrentNetwork(artefacts.load(spec.name, find(spec.name)), GEOMETRY, "float32", strips)
    yield network
    network.close()
    strips.close()


def alpha_of(network: RecurrentNetwork, frame: BgrImage, *, steady: bool = False) -> Floats:
    network.small[:] = small_of(frame)
    return network.step(steady).coarse.copy()


def test_features_of_the_last_frame_give_nearly_the_same_matte(network: RecurrentNetwork) -> None:
    mattes = []
    for steady in (False, True):
        network.reset()
        alpha_of(network, FIRST)
        mattes.append(alpha_of(network, SECOND, steady=steady))
    every, reused = mattes
    assert 0 < np.abs(every - reused).mean() < 1e-3, "0 is nothing used again"


CHANGES: dict[str, Callable[[RecurrentNetwork], object]] = {
    "reset": RecurrentNetwork.reset,
    "saved state": lambda network: network.load_state(network.state()),
    "another part of the frame": lambda network: network.alpha_without_memory(np.zeros_like(network.small)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_features_of_another_picture_are_not_used(
    network: RecurrentNetwork, change: Callable[[RecurrentNetwork], object]
) -> None:
    mattes = []
    for steady in (False, True):
        network.reset()
        alpha_of(network, FIRST)
        alpha_of(network, SECOND)
        change(network)
        mattes.append(alpha_of(network, THIRD, steady=steady))
    every, reused = mattes
    np.testing.assert_array_equal(reused, every)
