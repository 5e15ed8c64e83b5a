"""The description of a network: all that the program knows about it. Imports no torch, so a warm start needs none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.export import Export

LoadNetwork = Callable[["Mapping[str, Tensor]", str], "nn.Module"]
"""(tensors, refiner) to the network with these weights. Raises RuntimeError if they do not fit it exactly."""
ExportNetwork = Callable[["nn.Module", bool], "Export"]
"""(network, direct) to its inference core; `direct` for frames that are not downsampled."""


@dataclass(frozen=True, slots=True)
class WeightSpec:
    """A published or bundled weights file."""

    name: str
    """The network, as `--model` names it."""
    file: str
    licence: str
    note: str
    url: str | None = None
    """None: the file ships with the program."""
    bytes: int | None = None
    sha256: str | None = None
    """None: not published; the first download is trusted and its hash recorded beside it."""


@dataclass(frozen=True, slots=True)
class AutoRank:
    """The position of a network in the order in which `auto` tries networks; None: never tried on that device."""

    cpu: int | None = None
    gpu: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A matting network.

    The module that `load` returns has `initial_state(batch, height, width)`, the states before the first small frame,
    and `coefficients(small, *states)`, which returns slope, offset, coarse alpha and the new states (see
    `app.matting.step.core`). A `direct` network has `forward(frame, *states)` as well, which returns foreground, alpha
    and the new states. A network that needs a plate is run by `app.matting.plate` instead.
    """

    title: str
    """The English name for people; the window translates it."""
    weights: WeightSpec
    load: LoadNetwork
    export: ExportNetwork
    needs_plate: bool = False
    recurrent: bool = True
    """Whether the network keeps a memory of its own between frames."""
    direct: bool = False
    """Whether the network runs without its guided filter on frames that are not downsampled."""
    short_side: int = 270
    """The short side in pixels of the frame that the network sees if the ratio is chosen automatically."""
    precisions: tuple[str, ...] = ("float32", "float16", "bfloat16")
    """The precisions in which the network was validated; `auto` chooses among them."""
    float32_modules: tuple[str, ...] = ()
    """Submodules that run in float32 whatever the precision of the rest. A conversion that loses one is an error."""
    auto: AutoRank = AutoRank()

    @property
    def name(self) -> str:
        """As `--model` names it."""
        return self.weights.name

    @property
    def bundled(self) -> bool:
        """Whether its weights ship with the program."""
        return self.weights.url is None
