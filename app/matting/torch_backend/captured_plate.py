"""The plate of a captured graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.matting.step.core import Core
from app.matting.step.plate_core import LitCore
from app.matting.torch_backend.cuda_graph import CudaGraphExecutor


class CapturedPlate:
    """Implements `LitPlate`: sets the gain of the core that the executor has copied, in the order of its frames."""

    def __init__(self, executor: CudaGraphExecutor, core: LitCore) -> None:
        """core: the one that was given to the executor."""
        self._executor = executor
        self.scale = core.scale
        self.size = core.size

    def set_gain(self, gain: NDArray[np.float32]) -> None:
        """See `LitPlate.set_gain`."""

        def update(core: Core) -> None:
            assert isinstance(core, LitCore)
            core.set_gain(gain)

        self._executor.update_core(update)
