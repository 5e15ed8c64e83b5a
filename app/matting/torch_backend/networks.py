"""Makes the networks with their weights, ready to run; those in use are kept, so that a new ratio costs little."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from torch import Tensor, nn

from app.core.errors import ModelError, text_of
from app.core.messages.matting import ModelText
from app.matting.step.core import Core, DirectCore
from app.matting.step.saliency import SalientNetwork
from app.matting.torch_backend.eager import DTYPES
from models.bgmv2 import MattingRefine
from models.bgmv2.base import Backbone
from models.checkpoint import load_state_dict
from models.rvm import MattingNetwork
from models.student import StudentNetwork
from models.weights import WeightsError

BACKBONES: dict[str, Backbone] = {
    "bgmv2-mobilenetv2": "mobilenetv2",
    "bgmv2-resnet50": "resnet50",
    "bgmv2-resnet101": "resnet101",
}
_KEPT = 2
_lock = threading.Lock()
_networks: OrderedDict[tuple[object, ...], nn.Module] = OrderedDict()


def load_core(model: str, weights: Path, refiner: str, ratio: float, device: str, precision: str) -> Core:
    """The first stage of `model` with `weights`, in evaluation mode, on `device` in `precision`.

    Raises ModelError where the file is not these weights.
    """
    network = _kept_network(model, weights, refiner, device, precision)
    direct = ratio == 1 and isinstance(network, MattingNetwork)
    return (DirectCore if direct else Core)(network).eval()


def _kept_network(model: str, weights: Path, refiner: str, device: str, precision: str) -> nn.Module:
    stat = weights.stat()
    key = (model, weights, stat.st_mtime_ns, stat.st_size, refiner, device, precision)
    with _lock:
        network = _networks.pop(key, None) or _load(model, weights, refiner).to(device, DTYPES[precision])
        _networks[key] = network
        while len(_networks) > _KEPT:
            _networks.popitem(last=False)
    return network


def _load(model: str, weights: Path, refiner: str) -> nn.Module:
    try:
        tensors = load_state_dict(weights)
    except WeightsError as error:
        raise ModelError(text_of(error)) from error
    if refiner == "fast-guided-filter" and model.startswith("rvm"):
        # It has no parameters, so it also serves weights that were trained with the deep one.
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith("refiner.")}
    network = _make(model, tensors)
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise ModelError(ModelText.OTHER_WEIGHTS(file=weights, model=model)) from error
    return network.eval().requires_grad_(False)


def _make(model: str, tensors: dict[str, Tensor]) -> nn.Module:
    if model == "student":
        return StudentNetwork()
    if model in BACKBONES:
        return MattingRefine(BACKBONES[model])
    if model.startswith("u2net"):
        return SalientNetwork(small=model == "u2netp")
    return MattingNetwork(
        "resnet50" if model == "rvm-resnet50" else "mobilenetv3",
        "deep_guided_filter" if "refiner.box_filter.weight" in tensors else "fast_guided_filter",
    )
