"""What to build instead of an engine that failed, and what to tell the user about it."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.core.errors import MattecamError, ModelError, PlateError, WeightsMissingError, t
from app.core.settings import MIN_RATIO, EngineSettings
from app.matting.base.interface import ExecutorError, is_device_lost, is_out_of_memory
from app.matting.choice import hardware
from app.matting.choice.hardware import CudaCards
from app.runtime.engines.plan import EngineKey

MEMORY_RETRY_S = 120.0
"""An engine that ran out of memory is built once more, unless that happened already within this time."""


class Fallbacks:
    """Chooses fallbacks. Remembers what failed on a GPU, so that no later engine of this process tries it again."""

    def __init__(self, cards: Callable[[], CudaCards] | None = None, now: Callable[[], float] = time.monotonic) -> None:
        """now: the time in seconds; replaced in tests, as is `cards`."""
        self._cards = cards or (lambda: hardware.cuda_cards())
        self._now = now
        self._memory_failed_s = float("-inf")

    def after_build(self, settings: EngineSettings, error: Exception) -> EngineSettings | None:
        """Return what to build after `settings` could not be built; None if nothing is left."""
        if isinstance(error, WeightsMissingError) and (settings.model != "auto" or settings.weights is not None):
            return settings.replace(model="auto", weights=None)
        if isinstance(error, PlateError):
            return settings.replace(model="auto", plate=None, weights=None)
        if not _on_gpu(settings, error):
            if isinstance(error, ExecutorError) and error.precision == "int8":
                return settings.replace(precision="float32")
            return _with_less_memory(settings, error)
        self.remember(error)
        if isinstance(error, ExecutorError) and error.invalid_output and error.precision != "float32":
            return settings.replace(precision="float32")
        return _with_less_memory(settings, error) or _on_cpu(settings)

    def after_step(self, settings: EngineSettings, error: Exception) -> EngineSettings | None:
        """Return what to build after a step of `settings` failed; `settings` themselves may be worth one more try.

        That is the case for memory: the engine that was being built beside the failed one needed it for a moment.
        """
        if _on_gpu(settings, error) and is_out_of_memory(error):
            failed_s, self._memory_failed_s = self._memory_failed_s, self._now()
            if self._memory_failed_s - failed_s > MEMORY_RETRY_S:
                return settings
        return self.after_build(settings, error)

    def remember(self, error: Exception) -> None:
        """Take note of what does not work on the GPU."""
        if is_device_lost(error):
            self._cards().give_up()
        if isinstance(error, ExecutorError) and error.invalid_output and error.precision == "float16":
            self._cards().avoid_half(error.device)


def named(error: Exception, settings: EngineSettings | None = None) -> MattecamError:
    """Return the error to show. settings: those of the fallback, where it is a change of device or precision."""
    text = _moved(error, settings) if settings is not None else None
    if text is None and isinstance(error, MattecamError):
        return error
    shown = ModelError(text or t("Matting failed; choose another model or executor. The log has the details."))
    shown.__cause__ = error
    return shown


def reason(used: EngineKey, wanted: EngineKey | None, base: EngineKey | None) -> str:
    """Return why an engine is used, for the log. wanted: the user's choice; base: what replaces it after a failure."""
    if used == wanted:
        return "as the settings ask"
    return "in place of one that failed" if used == base else "for the frame rate"


def _moved(error: Exception, settings: EngineSettings) -> str | None:
    if not isinstance(error, ExecutorError) or not error.device.startswith("cuda"):
        return None
    if settings.device == "cpu":
        if is_device_lost(error):
            return t(
                "The GPU {device} stopped working; matting continues on the CPU until Mattecam is restarted.",
                device=error.device,
            )
        if is_out_of_memory(error):
            return t(
                "The GPU {device} has too little memory for the model {model}; matting continues on the CPU.",
                model=error.model,
                device=error.device,
            )
        return t(
            "The model {model} failed on the GPU {device}; matting continues on the CPU. The log has the details.",
            model=error.model,
            device=error.device,
        )
    if error.invalid_output:
        return t(
            "The model {model} returned wrong values on the GPU {device} in half precision; matting continues in "
            "float32.",
            model=error.model,
            device=error.device,
        )
    return None


def _on_gpu(settings: EngineSettings, error: Exception) -> bool:
    if isinstance(error, ExecutorError):
        return error.device.startswith("cuda")
    return isinstance(error, RuntimeError) and settings.device.startswith("cuda")


def _with_less_memory(settings: EngineSettings, error: Exception) -> EngineSettings | None:
    if not is_out_of_memory(error) or settings.device == "cpu":
        return None
    ratio = settings.downsample_ratio
    return settings.replace(downsample_ratio=ratio / 2) if ratio and ratio > 2 * MIN_RATIO else _on_cpu(settings)


def _on_cpu(settings: EngineSettings) -> EngineSettings:
    return settings.replace(device="cpu", executor="auto", precision="auto", downsample_ratio=None)
