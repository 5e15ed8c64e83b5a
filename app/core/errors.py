"""Texts for the user, and the errors that carry one.

What happened, to which device or file, and what to do.

`t("The camera {camera} is black.", camera=name)` is written where it is raised. The result is
English text that keeps both: the window builds the same sentence from the translated template. What
only the command line prints is a `str`.

At the end of a program, a run or a device each step is done, whatever becomes of the others: a step
that was skipped because an earlier one failed has cost recordings that were never finished and
changes that were never saved.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from pathlib import PurePath
from typing import TypeAlias

from models.errors import WeightsError, for_command_line, restored_error

log = logging.getLogger(__name__)

# What may be inserted into a text; a `Text` is translated
# with it, and a sequence is joined with commas.
Value: TypeAlias = "str | int | PurePath | Sequence[Value]"


class Text(str):
    """An English text for the user that keeps its template and values.

    It is a `str`: logs, JSON and the command line write it as it is. Note that `str(text)` and
    formatting return a plain `str`, which cannot be translated.
    """

    __slots__ = ("template", "values")

    # In English, with places such as `{device}`. What is between ⟦ and ⟧, such as an option, is
    # said everywhere but in the window.
    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, values: Mapping[str, Value]) -> Text:
        """Build the English text. Raise KeyError if a value is missing."""
        text = super().__new__(cls, fill(for_command_line(template), values, str))
        text.template = template
        text.values = values
        return text

    def __getnewargs__(self) -> tuple[str, Mapping[str, Value]]:  # type: ignore[override]
        """Return the arguments of `__new__`, for copies."""
        return self.template, self.values


def t(template: str, /, **values: Value) -> Text:
    """Return a text that the window translates.

    template: a literal, which `tools.make_translations` finds.
    """
    return Text(template, values)


def fill(template: str, values: Mapping[str, Value], render: Callable[[str], str]) -> str:
    """Insert `values` into `template`. render: how a text among the values is written."""
    return template.format_map({name: _rendered(value, render) for name, value in values.items()})


def _rendered(value: Value, render: Callable[[str], str]) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(_rendered(each, render) for each in value)
    if isinstance(value, str):
        return render(value)
    return str(value)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, as "1 frame" and "2 frames", for texts of the command line."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}s"


# Control characters but for line feed and tab, line
# separators, and marks that change the direction of text.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""Return the text with control characters as `\u001b`, which JSON understands as well."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Stage(Enum):
    """The part of the program that an error comes from."""

    CAPTURE = "capture"
    MATTING = "matting"
    BACKGROUND = "background"
    VIRTUAL_CAMERA = "virtual_camera"
    PIPEWIRE = "pipewire"
    RECORDING = "recording"
    MICROPHONE = "microphone"
    OUTPUT = "output"
    SETTINGS = "settings"
    SCREEN_LOCK = "screen_lock"


class Remedy(Enum):
    """What helps: the caption of the button that does it, in English."""

    CAMERA = t("Choose another camera")
    SOURCE = t("Choose another source")
    MODEL = t("Choose another model")
    MATTING_SETTINGS = t("Show the settings")
    PLATE = t("Take a picture of the empty room…")
    BLUR = t("Blur the background")
    VIRTUAL_CAMERA = t("Set up…")
    RECORDINGS_FOLDER = t("Choose another folder")
    RETRY = t("Try again")
    # The program goes on by itself, or only a new start helps.
    NOTHING = ""


class MattecamError(Exception):
    """A failure that the program can name."""

    # What helps; None: what helps with most failures of its stage.
    remedy: Remedy | None = None

    # What was asked for cannot be used: a value, a file, a device or a name. Otherwise something
    # failed while it ran. It decides the exit code.
    unusable = False

    def __init__(self, text: str, remedy: Remedy | None = None) -> None:
        """text: a `Text`, so that the window can translate it; a plain `str` stays English.

        remedy: in place of that of its class.
        """
        super().__init__(text)
        self.text = text
        if remedy is not None:
            self.remedy = remedy

    def extend(self, sentence: str) -> None:
        """Add a sentence to the text, which is plain English from then on.

        Type and attributes stay.
        """
        self.text = f"{self.text} {sentence}"
        self.args = (self.text,)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are restored by a call of their type with `args`, which
        # a constructor with further parameters refuses: a pool of processes
        # then breaks, or waits for ever, in place of reporting the error.
        return restored_error, (type(self), self.args), self.__dict__


NO_MEMORY = (
    "There is not enough memory; close other programs, or raise the limit if this one has one."
)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise MattecamError for MemoryError."""
    try:
        yield
    except MemoryError as error:
        raise MattecamError(NO_MEMORY) from error


def text_of(error: BaseException) -> str:
    """Return what to tell the user about an error; details of an unexpected one belong in the log.

    Those of `models/` do not know `Text`.
    """
    if isinstance(error, MattecamError):
        return error.text
    if isinstance(error, WeightsError):
        return Text(error.template, error.values)
    return t("An internal error occurred; the log has the details.")


class UsageError(MattecamError):
    """A value from the user is not possible."""

    unusable = True


class SettingsError(MattecamError):
    """Settings cannot be read or written."""


class SourceOpenError(MattecamError):
    """A camera or video cannot be opened."""

    unusable = True


class CameraAbsentError(SourceOpenError):
    """The camera is not there, or there is none; it may come."""


class SourceLostError(MattecamError):
    """The open source stopped delivering frames."""


class ModelError(MattecamError):
    """A network, its weights or its executor failed."""


class WeightsMissingError(ModelError):
    """The weights of the chosen model are not installed."""

    unusable = True


class ModelChoiceError(ModelError):
    """The chosen model, device, executor, precision or detail cannot be used here, or not for
    such frames.
    """

    unusable = True
    remedy = Remedy.MATTING_SETTINGS


class PlateError(ModelError):
    """The empty-background plate cannot be used."""

    unusable = True
    remedy = Remedy.PLATE


class BackgroundError(MattecamError):
    """A background image or video cannot be used."""

    unusable = True


class MicrophoneError(MattecamError):
    """A microphone cannot be opened, or stopped sending sound."""


class SinkError(MattecamError):
    """A virtual camera or recording failed."""


class SinkOpenError(SinkError):
    """The sink cannot be opened."""

    unusable = True


class SinkLostError(SinkError):
    """The open sink rejected a frame."""


def how_ended(exit_code: int | None) -> str:
    """Return how a child process ended: a part of a sentence."""
    if exit_code is None or exit_code >= 0:
        return f"exit code {exit_code}"
    if exit_code == -9:
        return "signal 9, as the system sends it when memory runs out"
    return f"signal {-exit_code}"


def all_done(*steps: Callable[[], object]) -> bool:
    """Call the steps in their order; return whether none has failed.

    None raised, and none returned False.

    What a step raises is logged, and the next one is called.
    """
    succeeded = True
    for step in steps:
        try:
            result = step()
        except Exception as error:  # noqa: PERF203 - each step is a boundary, and is called
            log.error("A part of the end failed; the others are done.", exc_info=error)
            succeeded = False
        else:
            succeeded = succeeded and result is not False
    return succeeded


def close_unused(close: Callable[[], object]) -> None:
    """Call `close`; a failure is logged only.

    A device that is lost refuses even that, and the program goes on.
    """
    try:
        close()
    except Exception as error:
        log.warning("Something that is no longer used could not be closed.", exc_info=error)
