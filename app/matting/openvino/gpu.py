"""A network on a GPU of Intel, beside the same network on the CPU.

The CPU computes while the network is compiled for the GPU, checks now and then what the GPU
returns, and takes over in the same frame once the GPU fails. Composite, its bound and strict mode
are the CPU's in any case.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.core.types import Floats
from app.matting.openvino.conversion import NetworkStage, bound, compiled, core, ov

# Frames from one comparison with the CPU to the next; the first frame is compared.
CHECK_EVERY = 300
# Largest mean difference of alpha (0..1) from that of
# the CPU in one frame; half precision has 2e-5.
FRAME_BOUND = 1e-3
# A mean change of alpha (0..1) from one frame to the next that people rarely cause: such a frame
# is compared as well, so that no more than it shows what a driver makes up from one moment on.
SUDDEN_CHANGE = 0.02
# How long a stage may take: after it, the GPU is taken to hang.
TIMEOUT_MS = 500


class IntelGpu(NamedTuple):
    """A GPU of Intel, as OpenVINO lists it."""

    # OpenVINO's name, such as `GPU.0`.
    plugin: str
    name: str


def list_intel_gpus() -> tuple[IntelGpu, ...]:
    """Return the GPUs of Intel.

    Only for a child process: the drivers of other makers may end the process.
    """
    found = []
    for listed in core().available_devices:
        if listed.partition(".")[0] != "GPU":
            continue
        plugin = "GPU.0" if listed == "GPU" else listed  # the only one has no number
        try:
            maker = str(core().get_property(plugin, "DEVICE_ARCHITECTURE"))
            name = str(core().get_property(plugin, "FULL_DEVICE_NAME"))
        except RuntimeError:  # the driver of another maker, which may also refuse
            continue
        if "vendor=0x8086 " in maker:
            found.append(IntelGpu(plugin, name))
    return tuple(found)


class GpuError(RuntimeError):
    """The GPU does not answer, or returned what is no matte of this frame."""


class GpuStages:
    """The stages of a network on a GPU.

    Inputs and outputs are the arrays of the same network on the CPU.
    """

    def __init__(
        self,
        stages: Sequence[NetworkStage],
        models: Sequence[ov.Model],
        arrays: Mapping[str, NDArray[np.float32]],
        plugin: str,
        precision: str,
    ) -> None:
        """Compile the stages, which may take a minute the first time. Raises RuntimeError."""
        networks = compiled(stages, models, precision, device=plugin)
        # The outputs are the GPU's own, so that one that hangs writes nothing into a later frame.
        self._requests = []
        for stage, network in zip(stages, networks, strict=True):
            self._requests.append(bound(stage, network, arrays, outputs=False))
        # The first inference takes longer, which no frame shall wait for.
        for request in self._requests:
            request.infer()
        self._stages = stages
        self._arrays = arrays
        self._frames = 0
        self._last_alpha: Floats | None = None

    def infer(self, left_out: bool) -> None:
        """Run the stages, without the steady ones where these are left out. Raises RuntimeError."""
        for stage, request in zip(self._stages, self._requests, strict=True):
            if left_out and stage.steady:
                continue
            request.start_async()
            if not request.wait_for(TIMEOUT_MS):
                # To free a request that hangs would wait for it, now or at the end of the program.
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))
                raise GpuError("it does not answer")
            for index, name in enumerate(stage.writes):
                values = request.get_output_tensor(index).data
                if not np.isfinite(values.sum(dtype=np.float32)):
                    raise GpuError("it returned values that are not numbers")
                np.copyto(self._arrays[name], values)
        self._frames += 1

    def is_due_for_check(self) -> bool:
        """Return whether the next frame is to be compared with the CPU, all stages of it."""
        return self._frames % CHECK_EVERY == 0

    def changes_suddenly(self, alpha: Floats) -> bool:
        """Return whether alpha (h, w) of this frame is far from that of the frame before."""
        last = self._last_alpha
        self._last_alpha = alpha.copy()
        return last is not None and float(np.abs(alpha - last).mean()) > SUDDEN_CHANGE


def check(alpha: Floats, right: Floats) -> None:
    """Raise GpuError where alpha (h, w) of a GPU is not that of the CPU."""
    difference = float(np.abs(alpha - right).mean())
    # Not `>`: a difference that is no number is a failure as well.
    if not difference <= FRAME_BOUND:
        raise GpuError(f"its alpha differs from that of the CPU by {difference:.2g}")
