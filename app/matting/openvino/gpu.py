"""A network on a GPU of Intel, beside the same network on the CPU.

The CPU computes while the network is compiled for the GPU, checks now and then what the GPU
returns, and takes over in the same frame once the GPU fails. Composite, its bound and strict mode
are the CPU's in any case.
"""

from __future__ import annotations

import ctypes
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from functools import partial

import numpy as np
from numpy.typing import NDArray

from app.core.targets import Target
from app.core.threads import on_own_thread
from app.core.types import Floats
from app.matting.openvino.conversion import NetworkStage, bound, check_alpha, compiled, core, ov

_log = logging.getLogger(__name__)

# Frames from one comparison with the CPU to the next; the first frame is compared.
CHECK_EVERY = 300
# Largest mean difference from the CPU of all but alpha that a network writes, such as its memory,
# as a share of the mean size of its values: a wrong memory makes the alpha of later frames wrong, on
# the CPU as well. RVM in half precision has 0.003.
SHARE_BOUND = 0.05
# The same where the values are all but zero, as while nobody is there: rounding is no share of them.
ZERO_BOUND = 1e-3
# A mean change of alpha (0..1) from one frame to the next that people rarely cause: such a frame
# is compared as well, so that no more than it shows what a driver makes up from one moment on.
SUDDEN_CHANGE = 0.02
# How long a stage may take: after it, the GPU is taken to hang.
TIMEOUT_MS = 500
# How long compiling may take: minutes on a busy computer.
COMPILE_LIMIT_S = 600.0


def list_intel_gpus() -> dict[str, str]:
    """Return the names of the GPUs of Intel by OpenVINO's name, such as `GPU.0`.

    Only for a child process: the drivers of other makers may end the process.
    """
    names = {}
    for plugin in core().available_devices:
        if not plugin.startswith("GPU"):
            continue
        try:
            maker = str(core().get_property(plugin, "DEVICE_ARCHITECTURE"))
            name = str(core().get_property(plugin, "FULL_DEVICE_NAME"))
        except RuntimeError:  # the driver of another maker, which may also refuse
            continue
        if "vendor=0x8086 " in maker:
            names[plugin] = name
    return names


class GpuNetwork:
    """The stages of a network on a GPU.

    Inputs and outputs are the arrays of the same network on the CPU, which checks it.
    """

    def __init__(
        self,
        stages: Sequence[NetworkStage],
        models: Sequence[ov.Model],
        arrays: Mapping[str, NDArray[np.float32]],
        target: Target,
    ) -> None:
        """Begin to compile the stages, which may take minutes the first time."""
        self.precision = target.precision
        # Why it is not used any more; empty while it may be.
        self.problem = ""
        self._stages = stages
        self._arrays = arrays
        self._requests = on_own_thread("gpu-compiler", partial(self._compile, models, target))
        self._compile_end_s = time.monotonic() + COMPILE_LIMIT_S
        self._frames = 0
        self._last_alpha: Floats | None = None

    def _compile(self, models: Sequence[ov.Model], target: Target) -> list[ov.InferRequest]:
        requests = []
        networks = compiled(self._stages, models, target.precision, device=target.plugin)
        for stage, network in zip(self._stages, networks, strict=True):
            # The outputs are the GPU's own, so that one that hangs writes nothing into a later
            # frame.
            request = bound(stage, network, self._arrays, outputs=False)
            # The first inference takes longer, which no frame shall wait for.
            request.infer()
            requests.append(request)
        return requests

    def wait(self) -> None:
        """Wait until it is compiled, or takes too long for that."""
        wait([self._requests], COMPILE_LIMIT_S)

    def is_ready(self) -> bool:
        """Return whether it runs the next frame; where it never will, `problem` says why."""
        if self.problem:
            return False
        if self._requests.done():
            error = self._requests.exception()
            if error is not None:
                self._fail(error)
        elif time.monotonic() > self._compile_end_s:
            self._fail(TimeoutError("its compiler does not end"))
        return self._requests.done() and not self.problem

    def infer(self, read_alpha: Callable[[], Floats], infer_on_cpu: Callable[[], Floats]) -> bool:
        """Run the stages; return whether what the arrays then hold is right.

        read_alpha, infer_on_cpu: return alpha (h, w), of what the arrays hold and of the CPU.
        """
        requests = self._requests.result()
        try:
            for stage, request in zip(self._stages, requests, strict=True):
                self._infer_stage(stage, request)
            # A copy: the CPU writes into the same array.
            alpha = np.clip(read_alpha(), 0, 1)
            if self._is_due(alpha):
                self._compare(alpha, np.clip(infer_on_cpu(), 0, 1))
                # Else a trial would take the values of the CPU for those of the GPU.
                read_alpha()
        except Exception as error:  # noqa: BLE001 - OpenVINO raises anything, MemoryError included
            self._fail(error)
        return not self.problem

    def _infer_stage(self, stage: NetworkStage, request: ov.InferRequest) -> None:
        request.start_async()
        if not request.wait_for(TIMEOUT_MS):
            # To free a request that hangs would wait for it, now or at the end of the program.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(request))
            raise TimeoutError("it does not answer")
        for name, values in _outputs(stage, request):
            if not np.isfinite(values.sum(dtype=np.float32)):
                raise ValueError("it returned values that are not numbers")
            np.copyto(self._arrays[name], values)

    def _is_due(self, alpha: Floats) -> bool:
        """Return whether alpha (h, w) of this frame is to be compared with that of the CPU."""
        last = self._last_alpha
        self._last_alpha = alpha
        is_regular = self._frames % CHECK_EVERY == 0
        self._frames += 1
        if is_regular or last is None:
            return True
        change = float(np.abs(alpha - last).mean())
        # With the noise of a camera, nobody has the same alpha in two frames.
        is_frozen = change == 0 and bool(alpha.any())
        return is_frozen or change > SUDDEN_CHANGE

    def _compare(self, alpha: Floats, right: Floats) -> None:
        """Put back what the GPU wrote, of which the arrays hold that of the CPU.

        Raises ValueError where the two are not the same.
        """
        check_alpha(alpha, right, "the CPU")
        for stage, request in zip(self._stages, self._requests.result(), strict=True):
            for name, values in _outputs(stage, request):
                right_values = self._arrays[name]
                difference = float(np.abs(values - right_values).mean())
                allowed = max(ZERO_BOUND, SHARE_BOUND * float(np.abs(right_values).mean()))
                # Not `>`: a difference that is no number is a failure as well.
                if not difference <= allowed:
                    raise ValueError(f"its values {name} differ from those of the CPU")
                np.copyto(right_values, values)

    def _fail(self, error: BaseException) -> None:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        self.problem = lines[-1]
        _log.warning("The GPU failed; the network runs on the CPU: %s", self.problem)


def _outputs(
    stage: NetworkStage, request: ov.InferRequest
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the names of what a stage writes, and the values, in memory of the GPU's plugin."""
    for index, name in enumerate(stage.writes):
        yield name, request.get_output_tensor(index).data
