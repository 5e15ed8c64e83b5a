"""Errors of weights: their messages are written where they are raised, in English, for
`tools.make_translations`.
"""

from __future__ import annotations

import re
from typing import Any

_TYPED = re.compile("⟦(.*?)⟧", re.DOTALL)


def for_command_line(template: str) -> str:
    """Return a template of a message as the command line shows it: with what is between ⟦ and ⟧,
    such as an option.
    """
    return _TYPED.sub(r"\1", template)


def for_window(template: str) -> str:
    """Return a template of a message as the window shows it: without what is between ⟦ and ⟧,
    which one types.
    """
    return _TYPED.sub("", template)


def restored_error(kind: type[Exception], arguments: tuple[object, ...]) -> Exception:
    """Return an error of a type for `pickle` and `copy`, without a call of its constructor."""
    return kind.__new__(kind, *arguments)


class WeightsError(Exception):
    """Weights cannot be found, read or downloaded."""

    def __init__(self, template: str, /, **values: Any) -> None:
        """template: a literal with places for the values, such as `{file}`."""
        super().__init__(for_command_line(template).format(**values))
        self.template = template
        self.values = values

    def __reduce__(self) -> tuple[object, ...]:
        return (
            restored_error,
            (type(self), self.args),
            self.__dict__,
        )  # `args` is the text, which is no template


class WeightsNotFoundError(WeightsError):
    """The weights file does not exist or cannot be read."""


class WeightsDamagedError(WeightsError):
    """The file is truncated, corrupt, not a checkpoint, or contains values that no network can
    compute with.
    """


class DownloadError(WeightsError):
    """A file could not be downloaded or failed verification."""


class WrongFileError(DownloadError):
    """What was downloaded is not the published file."""
