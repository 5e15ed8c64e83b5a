"""Simulated answers of `torch.cuda` about its cards."""

from __future__ import annotations

from app.matting.choice.hardware import CudaCards

NO_CODE = "CUDA error: no kernel image is available for execution on the device"


class SimulatedCuda:
    """Cards that work, or fail with an error."""

    def __init__(self, *errors: str, half: bool = True) -> None:
        """errors: of each card; empty for one that works."""
        self._errors, self._half = errors, half
        self.tests = 0
        self.nameless = False

    def device_count(self) -> int:
        return len(self._errors)

    def get_device_name(self, index: int) -> str:
        if self.nameless:
            raise RuntimeError("CUDA driver version is insufficient for CUDA runtime version")
        return f"card {index}"

    def cards(self) -> CudaCards:
        return CudaCards(self, self.half_is_right)

    def half_is_right(self, index: int) -> bool:
        self.tests += 1
        if self._errors[index]:
            raise RuntimeError(self._errors[index])
        return self._half
