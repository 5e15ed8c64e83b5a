"""Where and how networks run: the kinds of devices, and what runs networks on each.

Settings, choice and window read the one table here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

# A GPU of Intel, which computes beside the processor.
INTEL = "intel"
Executor = Literal["eager", "openvino"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how a network runs."""

    # Such as `cpu` or `cuda:1`.
    device: str
    executor: Executor
    precision: str
    # OpenVINO's name of a GPU of Intel, such as `GPU.0`.
    plugin: str = ""


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """A row of the table."""

    name: str
    # What runs networks there; the first one is taken where the settings say `auto`.
    executors: tuple[Executor, ...]
    # Whether there may be several, such as `cuda:1`.
    numbered: bool = False
    # Whether every network is fast enough there for a call, without a measurement.
    is_fast: bool = False

    @property
    def pattern(self) -> str:
        """Regular expression of its names in the settings."""
        if not self.numbered:
            return self.name
        return rf"{self.name}(:\d+)?"

    @property
    def words(self) -> str:
        """Its names in the settings, for a person."""
        if not self.numbered:
            return self.name
        return f"{self.name}, {self.name}:N"


DEVICES = (
    DeviceKind("cpu", ("openvino", "eager")),
    DeviceKind("cuda", ("eager",), numbered=True, is_fast=True),
    DeviceKind("mps", ("eager",), is_fast=True),
    DeviceKind(INTEL, ("openvino",)),
)


def kind_of(device: str) -> DeviceKind:
    """Return the kind of a device.

    Raises ValueError, which names all, if there is none of that name.
    """
    for kind in DEVICES:
        if re.fullmatch(kind.pattern, device):
            return kind
    names = ", ".join(kind.words for kind in DEVICES[:-1])
    raise ValueError(f"it must be auto, {names} or {DEVICES[-1].words}")


def devices_with(executor: str) -> list[str]:
    """Return the names of the devices on which an executor runs networks."""
    return [kind.name for kind in DEVICES if executor in kind.executors]
