"""The cache of networks in torch."""

from __future__ import annotations

import weakref

import pytest
import torch
from torch import nn

from app.matting.torch.networks import forget_networks, load_network
from models.mattecam.spec import BUNDLED

pytestmark = pytest.mark.torch


def loaded(device: str) -> nn.Module:
    return load_network("mattecam", BUNDLED, "auto", device, "float32")


def test_networks_of_a_device_are_dropped_and_those_of_others_stay() -> None:
    # "meta" stands in for a GPU
    here, there = loaded("cpu"), weakref.ref(loaded("meta"))
    assert loaded("cpu") is here
    first = there()
    assert first is not None
    assert loaded("meta") is first
    del first
    forget_networks("meta")
    assert there() is None, "nothing else keeps the network, so that its memory is returned"
    assert loaded("cpu") is here


def test_the_third_network_replaces_the_oldest() -> None:
    forget_networks("cpu")
    oldest = weakref.ref(loaded("cpu"))
    for dtype in ("float16", "bfloat16"):
        network = load_network("mattecam", BUNDLED, "auto", "cpu", dtype)
        assert next(network.parameters()).dtype == getattr(torch, dtype)
        del network
    assert oldest() is None
