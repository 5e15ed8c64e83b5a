"""Loads networks in torch and caches the most recent ones, so that a new ratio does not reload the weights."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

from app.core.errors import ModelError, text_of
from app.core.messages.matting import ModelText
from app.matting.step.core import Core, DirectCore
from app.matting.torch_backend.eager import DTYPES
from app.matting.torch_backend.fold import fold_batch_norms
from app.matting.torch_backend.nvrtc import network_kernels_on
from models.checkpoint import load_state_dict
from models.spec import FuseNetwork
from models.table import NETWORKS
from models.weights import WeightsError

_KEPT = 2
_lock = threading.Lock()
_networks: OrderedDict[tuple[object, ...], nn.Module] = OrderedDict()


def load_network(
    model: str, weights: Path, refiner: str, device: str, precision: str, *, fused: bool = False
) -> nn.Module:
    """Return the network `model` with `weights`, in evaluation mode, on `device` in `precision`.

    fused: on a GPU, with the kernels of `models.cuda` where there are some; such a network is for frame steps only.
    Raises ModelError if the file does not contain weights of this network.
    """
    stat = weights.stat()
    key = (model, weights, stat.st_mtime_ns, stat.st_size, refiner, device, precision, fused)
    with _lock:
        network = _networks.pop(key, None)
        if network is None:
            fuse = NETWORKS[model].fuse if fused else None
            network = place(_load(model, weights, refiner), device, DTYPES[precision], fuse)
        _networks[key] = network
        while len(_networks) > _KEPT:
            _networks.popitem(last=False)
    return network


def place(network: nn.Module, device: str, dtype: torch.dtype, fuse: FuseNetwork | None = None) -> nn.Module:
    """Move a network to a device; on a GPU with folded batch normalization and weights in the layout of its images.

    fuse: replaces the network by one with kernels of its own, if they can be compiled.
    """
    if not device.startswith("cuda"):
        return network.to(device, dtype)
    network = fold_batch_norms(network)
    kernels = network_kernels_on(device, dtype) if fuse is not None else None
    if fuse is not None and kernels is not None and (fused := fuse(network, kernels, dtype)) is not None:
        return fused.to(device)
    return network.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def forget_networks(device: str) -> None:
    """Drop the cached networks on devices of this kind, such as `cuda`."""
    with _lock:
        for key, network in list(_networks.items()):
            if next(network.parameters()).device.type == device:
                del _networks[key]


def load_core(
    model: str, weights: Path, refiner: str, ratio: float, device: str, precision: str, *, fused: bool = False
) -> Core:
    """Return the first stage of `model` for frames downsampled by `ratio`; see `load_network`."""
    network = load_network(model, weights, refiner, device, precision, fused=fused)
    direct = ratio == 1 and NETWORKS[model].direct
    return (DirectCore if direct else Core)(network).eval()


def _load(model: str, weights: Path, refiner: str) -> nn.Module:
    try:
        tensors = load_state_dict(weights)
    except WeightsError as error:
        raise ModelError(text_of(error)) from error
    try:
        network = NETWORKS[model].load(tensors, refiner)
    except RuntimeError as error:
        raise ModelError(ModelText.OTHER_WEIGHTS(file=weights, model=model)) from error
    return network.eval().requires_grad_(False)
