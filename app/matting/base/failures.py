"""Failures of executors, and what the exceptions of torch and OpenVINO say about the device."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from app.core.errors import ModelError
from app.core.messages.matting import ModelText
from app.matting.base.interface import NotAMatteError


class ExecutorError(ModelError):
    """An executor failed; the network may run on another device or in another precision."""

    def __init__(self, text: str, model: str, device: str, precision: str, *, invalid_output: bool = False) -> None:
        """model, device, precision: of the executor. invalid_output: it returned NaN, infinity or a wrong matte."""
        super().__init__(text)
        self.model = model
        self.device = device
        self.precision = precision
        self.invalid_output = invalid_output


@contextlib.contextmanager
def backend_errors(model: str, device: str, precision: str) -> Iterator[None]:
    """Raise ExecutorError for the exceptions of an executor: NotAMatteError and RuntimeError."""
    try:
        yield
    except NotAMatteError:
        text = ModelText.NOT_A_NUMBER(model=model)
        raise ExecutorError(text, model, device, precision, invalid_output=True) from None
    except RuntimeError as error:
        message = ModelText.OUT_OF_MEMORY if is_out_of_memory(error) else ModelText.FAILED
        raise ExecutorError(message(model=model, device=device), model, device, precision) from error


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error`, its cause or context, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def is_out_of_memory(error: BaseException | None) -> bool:
    """Return whether memory ran out; torch and OpenVINO report it only in the text."""
    return any(isinstance(each, MemoryError) or "out of memory" in str(each).lower() for each in chain(error))


def is_device_lost(error: BaseException | None) -> bool:
    """Return whether CUDA itself failed: then every later call in this process may fail too."""
    failed = any("cuda error" in str(each).lower() for each in chain(error))
    return failed and not is_out_of_memory(error)
