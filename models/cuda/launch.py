"""How a CUDA kernel is launched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

Argument = Tensor | int | float | None


class Launch(Protocol):
    """Runs a compiled kernel on the current stream; replaced by an emulation in tests."""

    def __call__(
        self, name: str, grid: tuple[int, int, int], block: tuple[int, int, int], arguments: Sequence[Argument]
    ) -> None:
        """Launch. A tensor is passed as pointer, None as null pointer, an int and a float in 32 bits."""
        ...
