"""Functions in place of the program's own: for `monkeypatch.setattr`, callbacks and changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import pytest

from app.settings import Settings

Answer = TypeVar("Answer")


def always(answer: Answer) -> Callable[..., Answer]:
    """Return a function that takes anything and returns this."""

    def answering(*_: object, **__: object) -> Answer:
        return answer

    return answering


def forbidden(event: str) -> Callable[..., NoReturn]:
    """Return a function that fails the test when it is called. event: what has happened then."""

    def failing(*_: object, **__: object) -> NoReturn:
        pytest.fail(event)

    return failing


def replacing(**changes: Any) -> Callable[[Settings], Settings]:
    """Return the update of settings that `Pipeline.change` takes."""

    def update(settings: Settings) -> Settings:
        return settings.replace(**changes)

    return update


def replacing_at(path: Sequence[str], /, **changes: Any) -> Callable[[Settings], Settings]:
    """Return the same for settings of the part at `path`, such as `("output",)`."""

    def update(settings: Settings) -> Settings:
        return settings.replaced_at(path, **changes)

    return update
