"""The NVIDIA cards that torch can use, and what failed on them in this process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from app.core.errors import ModelError
from app.core.messages.matting import ModelText
from app.matting.base.failures import ExecutorError

_log = logging.getLogger(__name__)


class CudaApi(Protocol):
    """What is asked of CUDA; replaced in tests."""

    def count(self) -> int:
        """Return the number of cards."""
        ...

    def capability(self, index: int) -> tuple[int, int]:
        """Return the compute capability of a card."""
        ...

    def name(self, index: int) -> str:
        """Return the name of a card. Raises RuntimeError."""
        ...

    def architectures(self) -> Sequence[str]:
        """Return the architectures that torch was built for, such as `sm_86` or `compute_90`."""
        ...

    def half_is_right(self, index: int) -> bool:
        """Run a small convolution in float16; return whether its values are right. Raises RuntimeError."""
        ...


def supports(architectures: Sequence[str], capability: tuple[int, int]) -> bool:
    """Return whether a torch built for `architectures` runs on a card of `capability`; an empty list is no limit.

    Code for `sm_XY` runs on cards with the same major version and a minor version of at least Y, code for `compute_XY`
    on every later card.
    """
    for name in architectures:
        kind, _, number = name.partition("_")
        digits = "".join(character for character in number if character.isdigit())
        if not digits:
            continue
        major, minor = divmod(int(digits), 10)
        if kind == "sm" and major == capability[0] and minor <= capability[1]:
            return True
        if kind == "compute" and (major, minor) <= capability:
            return True
    return not architectures


class CudaCards:
    """Selects a card. Thread-safe; each card is tested once."""

    def __init__(self, api: CudaApi | None) -> None:
        """api: None where no driver is installed or torch was built without CUDA."""
        self._api = api
        self._lock = threading.RLock()
        self._tested: dict[int, bool] = {}
        """Whether a card can be used."""
        self._wrong_in_half: set[int] = set()
        self._lost = False

    def first(self) -> str | None:
        """Return the first card that can be used, as a device of torch; None if there is none."""
        with self._lock:
            if self._api is None or self._lost:
                return None
            return next((_device(index) for index in range(self._api.count()) if self._usable(index)), None)

    def named(self) -> tuple[tuple[str, str], ...]:
        """Return (`cuda:N`, name) of the cards that torch has code for; a card that gives no name is left out."""
        with self._lock:
            if self._api is None or self._lost:
                return ()
            names = [(f"cuda:{index}", self._name(index)) for index in range(self._api.count())]
        return tuple((device, name) for device, name in names if name)

    def find(self, device: str) -> str:
        """Return the device for `cuda` (the first usable card) or `cuda:N`. Raises ModelError if it is not usable."""
        with self._lock:
            if self._lost:
                raise ExecutorError(ModelText.GPU_LOST(device=device), "auto", device, "auto")
            number = device.partition(":")[2]
            found = self.first()
            if self._api is None or found is None:
                raise ModelError(ModelText.NO_NVIDIA_GPU())
            if not number:
                return found
            count = self._api.count()
            if int(number) >= count:
                raise ModelError(ModelText.NO_SUCH_GPU(device=device, count=count))
            if not self._usable(int(number)):
                raise ModelError(ModelText.GPU_UNSUPPORTED(device=device))
            return _device(int(number))

    def give_up(self) -> None:
        """Use no card any more in this process: CUDA has failed, and only a restart can repair that."""
        with self._lock:
            self._lost = True

    def avoid_half(self, device: str) -> None:
        """Use float32 on this card from now on."""
        with self._lock:
            self._wrong_in_half.add(_index(device))

    def half_works(self, device: str) -> bool:
        """Return whether float16 gives right results on this card, as far as known."""
        with self._lock:
            return _index(device) not in self._wrong_in_half

    def _name(self, index: int) -> str:
        """Return the name of a card; empty if torch has no code for it, or it gives none."""
        assert self._api is not None
        try:
            fits = supports(self._api.architectures(), self._api.capability(index))
            return self._api.name(index) if fits else ""
        except RuntimeError as error:
            _log.warning("The GPU cuda:%d cannot be used.", index, exc_info=error)
            return ""

    def _usable(self, index: int) -> bool:
        if index not in self._tested:
            self._tested[index] = self._test(index)
        return self._tested[index]

    def _test(self, index: int) -> bool:
        assert self._api is not None
        try:
            capability = self._api.capability(index)
            if not supports(self._api.architectures(), capability):
                _log.warning("torch has no code for the GPU cuda:%d (capability %d.%d).", index, *capability)
                return False
            if not self._api.half_is_right(index):
                _log.warning("The GPU cuda:%d computes wrong values in float16; float32 is used.", index)
                self._wrong_in_half.add(index)
        except RuntimeError as error:
            _log.warning("The GPU cuda:%d cannot be used.", index, exc_info=error)
            return False
        return True


def _device(index: int) -> str:
    return f"cuda:{index}" if index else "cuda"


def _index(device: str) -> int:
    return int(device.partition(":")[2] or 0)
