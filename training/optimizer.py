"""Optimizer: Muon for convolution kernels, AdamW for everything else.

Muon (Jordan et al., 2024) orthogonalizes the momentum of a kernel, so that rare directions are
learned as fast as common ones. Steps are scaled to the size of AdamW's (Liu et al., arXiv
2502.16982), so that both share a rate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_DECAY = 0.02
_MOMENTUM = 0.95
_ITERATIONS = 5
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)
"""Jordan's coefficients: five iterations bring every singular value near 1."""
_ADAMW_SIZE = 0.2
"""Root mean square of AdamW's steps at a rate of 1."""
_PRETRAINED_RATE = 0.15
"""Of pretrained weights, as a fraction of the rate."""
LONGEST_GRADIENT = 2.0
_LEAST_SIDE = 8
"""Kernels with fewer input or output channels use AdamW."""


def rate_at(highest: float, step: int, progress: float, warm_up_steps: int) -> float:
    """Return the learning rate: it rises over the first steps and falls over the run, whose
    `progress` is in 0..1.
    """
    warm_up = min(1.0, (step + 1) / warm_up_steps)
    return highest * warm_up * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


class Optimizer:
    """Muon and AdamW with one learning rate."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        rate: float,
        pretrained: Iterable[nn.Parameter] = (),
    ) -> None:
        """pretrained: those among the parameters that AdamW changes at a lower rate."""
        self._parameters = [parameter for parameter in parameters if parameter.requires_grad]
        slow = {id(parameter): parameter for parameter in pretrained}
        kernels: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for parameter in self._parameters:
            if id(parameter) not in slow:
                (kernels if _is_kernel(parameter) else others).append(parameter)
        self._parts: dict[str, torch.optim.Optimizer] = {
            "muon": Muon(kernels, rate),
            "adamw": _adamw(others, rate),
        }
        if slow:
            self._parts["pretrained"] = _adamw(list(slow.values()), rate)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate."""
        for name, part in self._parts.items():
            for group in part.param_groups:
                group["lr"] = rate * _PRETRAINED_RATE if name == "pretrained" else rate

    def zero_grad(self) -> None:
        """Clear the gradients."""
        for part in self._parts.values():
            part.zero_grad(set_to_none=True)

    def step(self, scaler: torch.amp.GradScaler | None = None, longest: float = math.inf) -> None:
        """Update the parameters; the norm of all gradients is limited to `longest`.

        scaler: scaled the loss; a step with gradients that are not finite is skipped.
        """
        scaler = scaler or torch.amp.GradScaler(enabled=False)
        for part in self._parts.values():
            scaler.unscale_(part)
        torch.nn.utils.clip_grad_norm_(self._parameters, longest)
        for part in self._parts.values():
            scaler.step(part)
        scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the state for `load_state_dict`."""
        return {name: part.state_dict() for name, part in self._parts.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of `state_dict`."""
        for name, part in self._parts.items():
            part.load_state_dict(state[name])


class Muon(torch.optim.Optimizer):
    """Momentum with orthogonalized steps, for kernels (out, in, ...), each treated as a matrix
    (out, rest).
    """

    def __init__(self, kernels: list[nn.Parameter], rate: float) -> None:
        super().__init__(kernels, {"lr": rate})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the kernels, in batches of equal shape."""
        for group in self.param_groups:
            alike: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
            for kernel in group["params"]:
                if kernel.grad is not None:
                    matrix = self._lookahead(kernel).reshape(kernel.shape[0], -1)
                    alike.setdefault((matrix.shape[0], matrix.shape[1]), []).append(
                        (kernel, matrix)
                    )
            for shape, pairs in alike.items():
                length = group["lr"] * _ADAMW_SIZE * max(shape) ** 0.5
                directions = orthogonal(torch.stack([matrix for _, matrix in pairs]))
                for (kernel, _), direction in zip(pairs, directions, strict=True):
                    kernel.mul_(1 - group["lr"] * _DECAY)
                    kernel.sub_(direction.reshape(kernel.shape), alpha=length)

    def _lookahead(self, kernel: Tensor) -> Tensor:
        """Return the Nesterov momentum of this kernel."""
        assert kernel.grad is not None
        state = self.state[kernel]
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        momentum: Tensor = state["momentum"].lerp_(kernel.grad, 1 - _MOMENTUM)
        return kernel.grad.lerp(momentum, _MOMENTUM)


def orthogonal(matrices: Tensor) -> Tensor:
    """Return the matrices (N, R, C) with all singular values near 1 (Newton-Schulz), float32.

    The polynomials of the iterations are accumulated in the small square matrix and applied once.
    """
    a, b, c = _POLYNOMIAL
    wide = matrices.shape[1] < matrices.shape[2]
    tall = matrices.mT if wide else matrices
    tall = tall / (tall.norm(dim=(1, 2), keepdim=True) + 1e-7)
    gram = tall.mT @ tall
    one = torch.eye(gram.shape[1], device=gram.device).expand_as(gram)
    product = one
    for _ in range(_ITERATIONS):
        factor = a * one + b * gram + c * (gram @ gram)
        product = product @ factor
        gram = factor @ gram @ factor
    tall = tall @ product
    result: Tensor = tall.mT if wide else tall
    return result


def _adamw(parameters: list[nn.Parameter], rate: float) -> torch.optim.AdamW:
    return torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True)


def _is_kernel(parameter: nn.Parameter) -> bool:
    rows = parameter.shape[0]
    return parameter.ndim > 1 and min(rows, parameter.numel() // rows) >= _LEAST_SIDE
