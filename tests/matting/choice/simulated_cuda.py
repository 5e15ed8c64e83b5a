"""Simulated answers of `torch.cuda` about its cards."""

from __future__ import annotations

from collections.abc import Sequence

from app.matting.choice.hardware import CudaCards

CUDA_13 = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120")


class SimulatedCuda:
    """Cards with given capabilities."""

    def __init__(self, *capabilities: tuple[int, int], half: bool = True, error: str = "") -> None:
        self.capabilities = capabilities
        self.half = half
        self.error = error
        self.tests = 0
        self.nameless: set[int] = set()

    def device_count(self) -> int:
        return len(self.capabilities)

    def get_device_capability(self, index: int) -> tuple[int, int]:
        return self.capabilities[index]

    def get_device_name(self, index: int) -> str:
        if index in self.nameless:
            raise RuntimeError("CUDA driver version is insufficient for CUDA runtime version")
        return f"card {index}"

    def get_arch_list(self) -> Sequence[str]:
        return CUDA_13

    def cards(self) -> CudaCards:
        return CudaCards(self, self.half_is_right)

    def half_is_right(self, index: int) -> bool:
        self.tests += 1
        if self.error:
            raise RuntimeError(self.error)
        return self.half
