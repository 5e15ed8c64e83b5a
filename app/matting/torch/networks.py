"""Loads networks in torch and caches the most recent ones, so that a new ratio does not reload the weights.

The usual loop around a published network, with which `bench` compares the frame step, is here as well.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from app.core.errors import ModelError, t, text_of
from app.core.types import BgrImage
from app.matting.torch.frame_step import Core, DirectCore
from app.matting.torch.torch_backend import DTYPES
from models.checkpoint import load_state_dict
from models.errors import WeightsError
from models.table import NETWORKS


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Fold, in place, every BatchNorm2d that is defined right after a convolution of its width; return `network`.

    The networks of this program normalize the output of that convolution and use it nowhere else; a test compares them.
    The network must be in evaluation mode and in float32.
    """
    for module in list(network.modules()):
        children = list(module.named_children())
        for (conv_name, conv), (norm_name, norm) in itertools.pairwise(children):
            if (
                isinstance(conv, nn.Conv2d)
                and isinstance(norm, nn.BatchNorm2d)
                and conv.out_channels == norm.num_features
            ):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
    return network


_KEPT = 2
_lock = threading.Lock()
_networks: OrderedDict[tuple[object, ...], nn.Module] = OrderedDict()


def load_network(model: str, weights: Path, refiner: str, device: str, precision: str) -> nn.Module:
    """Return the network `model` with `weights`, in evaluation mode, on `device` in `precision`.

    Raises ModelError if the file does not contain weights of this network.
    """
    stat = weights.stat()
    key = (model, weights, stat.st_mtime_ns, stat.st_size, refiner, device, precision)
    with _lock:
        network = _networks.pop(key, None)
        if network is None:
            network = place(_load(model, weights, refiner), device, DTYPES[precision])
        _networks[key] = network
        while len(_networks) > _KEPT:
            _networks.popitem(last=False)
    return network


def place(network: nn.Module, device: str, dtype: torch.dtype) -> nn.Module:
    """Move a network to a device; on a GPU with folded batch normalization and weights in the layout of its images."""
    if not device.startswith("cuda"):
        return network.to(device, dtype)
    network = fold_batch_norms(network)
    return network.to(device, dtype, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def forget_networks(device: str) -> None:
    """Drop the cached networks on devices of this kind, such as `cuda`."""
    with _lock:
        for key, network in list(_networks.items()):
            if next(network.parameters()).device.type == device:
                del _networks[key]


def load_core(model: str, weights: Path, refiner: str, ratio: float, device: str, precision: str) -> Core:
    """Return the first stage of `model` for frames downsampled by `ratio`; see `load_network`."""
    network = load_network(model, weights, refiner, device, precision)
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
        raise ModelError(
            t(
                "The file {file} does not contain weights of {model}; choose the model it belongs to or another file.",
                file=weights,
                model=model,
            )
        ) from error
    return network.eval().requires_grad_(False)


def usual_loop(
    network: Callable[..., Any], backdrop: BgrImage, ratio: float, device: str, precision: str = "float32"
) -> Callable[[BgrImage], BgrImage]:
    """Return the straightforward step around a published network: float RGB in numpy, network in torch, back in numpy.

    It turns frames into composites, (H, W, 3) uint8 BGR like the backdrop. precision: dtype of the network.
    """
    behind = cv2.cvtColor(backdrop, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
    state: list[torch.Tensor] = []

    def step(frame: BgrImage) -> BgrImage:
        rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.float32) / 255
        source = torch.from_numpy(rgb).permute(2, 0, 1).unsqueeze(0).to(device, getattr(torch, precision))
        with torch.no_grad():
            foreground, alpha, *state[:] = network(source, *state, downsample_ratio=ratio)
        person, part = (each[0].permute(1, 2, 0).float().cpu().numpy() for each in (foreground, alpha))
        composite = person * part + behind * (1 - part)
        return np.asarray(cv2.cvtColor((composite * 255).astype(np.uint8), cv2.COLOR_RGB2BGR), np.uint8)

    return step
