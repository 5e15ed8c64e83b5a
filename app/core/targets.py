"""Where and how networks run: the kinds of devices, and what runs networks on each.

Settings, choice and window read the one table here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

INTEL = "intel"
"""A GPU of Intel, which computes beside the processor."""
Executor = Literal["eager", "openvino"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how a network runs."""

    device: str
    """Such as `cpu` or `cuda:1`."""
    executor: Executor
    precision: str


@dataclass(frozen=True, slots=True)
class DeviceKind:
    """A row of the table."""

    name: str
    executors: tuple[Executor, ...]
    """What runs networks there; the first one is taken where the settings say `auto`."""
    numbered: bool = False
    """Whether there may be several, such as `cuda:1`."""
    is_fast: bool = False
    """Whether every network is fast enough there for a call, without a measurement."""

    @property
    def pattern(self) -> str:
        """Regular expression of its names in the settings."""
        return rf"{self.name}(:\d+)?" if self.numbered else self.name

    @property
    def words(self) -> str:
        """Its names in the settings, for a person."""
        return f"{self.name}, {self.name}:N" if self.numbered else self.name


DEVICES = (
    DeviceKind("cpu", ("openvino", "eager")),
    DeviceKind("cuda", ("eager",), numbered=True, is_fast=True),
    DeviceKind("mps", ("eager",), is_fast=True),
    DeviceKind(INTEL, ("openvino",)),
)


def kind_of(device: str) -> DeviceKind:
    """Return the kind of a device. Raises ValueError, which names all, if there is none of that name."""
    for kind in DEVICES:
        if re.fullmatch(kind.pattern, device):
            return kind
    names = ", ".join(kind.words for kind in DEVICES[:-1])
    raise ValueError(f"it must be auto, {names} or {DEVICES[-1].words}")
