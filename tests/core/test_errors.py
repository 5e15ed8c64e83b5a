"""Errors are extended and copied as what they are, whatever their constructors take."""

from __future__ import annotations

import copy
import errno
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import app.cli.main
import app.control.transport  # noqa: F401 - for their errors
from app.core.errors import (
    MattecamError,
    ModelChoiceError,
    ModelError,
    PlateError,
    Remedy,
    Stage,
    t,
)
from app.core.files import ExplainedOSError
from app.matting.interface import ExecutorError
from app.runtime.status import StatusBoard
from models.errors import WeightsError

Copier = Callable[[Exception], Exception]


def through_a_pipe(error: Exception) -> Exception:
    """Copy as a process does that hands its error to another."""
    return pickle.loads(pickle.dumps(error))  # type: ignore[no-any-return]


COPIERS = [copy.copy, copy.deepcopy, through_a_pipe]


def kinds_of(kind: type[Exception]) -> Iterator[type[Exception]]:
    """Yield a type of errors and all that derive from it."""
    yield kind
    for derived in kind.__subclasses__():
        yield from kinds_of(derived)


def made(kind: type[Exception]) -> Exception:
    """Return an error of a type, as it is raised."""
    text = t("The model {model} failed.", model="a{b}c")
    if kind is ExecutorError:
        return ExecutorError(text, "mattecam", "cuda:0", "float16", invalid_output=True)
    if issubclass(kind, WeightsError):
        return kind("{file} is damaged.", file=Path("/x/a{b}c.pth"))
    return kind(text)


@pytest.mark.parametrize("kind", list(kinds_of(MattecamError)))
def test_an_error_that_is_extended_stays_what_it_is(kind: type[MattecamError]) -> None:
    error = made(kind)
    before = made(kind)
    assert isinstance(error, MattecamError) and isinstance(before, MattecamError)

    error.extend("Frames kept in a.part.mp4: the first 3.")

    assert type(error) is kind
    assert str(error) == error.text == f"{before.text} Frames kept in a.part.mp4: the first 3."
    assert {**vars(error), "text": ""} == {**vars(before), "text": ""}


@pytest.mark.parametrize("copier", COPIERS, ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("kind", [*kinds_of(MattecamError), *kinds_of(WeightsError)])
def test_an_error_is_copied_whole(kind: type[Exception], copier: Copier) -> None:
    """One of an executor broke the pool of processes that it was to be reported by."""
    error = made(kind)

    copied = copier(error)

    assert type(copied) is kind
    assert str(copied) == str(error)
    assert vars(copied) == vars(error)


@pytest.mark.parametrize("copier", COPIERS, ids=["copy", "deepcopy", "pickle"])
def test_an_explained_error_of_the_system_is_copied_whole(copier: Copier) -> None:
    error = ExplainedOSError(errno.EEXIST, t("another file has got this name"), Path("/x"))

    copied = copier(error)

    assert isinstance(copied, ExplainedOSError)
    assert (copied.reason, copied.errno, copied.filename) == (
        error.reason,
        errno.EEXIST,
        str(Path("/x")),
    )


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        pytest.param(ModelError("It failed."), None, id="that of the stage"),
        pytest.param(PlateError("It shows a person."), Remedy.PLATE, id="that of its class"),
        pytest.param(
            ModelChoiceError("There is no GPU."), Remedy.MATTING_SETTINGS, id="of a choice"
        ),
        pytest.param(ModelError("It was closed.", Remedy.RETRY), Remedy.RETRY, id="its own"),
    ],
)
def test_what_helps_is_a_value_that_the_status_carries(
    error: MattecamError,
    remedy: Remedy | None,
) -> None:
    board = StatusBoard()
    board.report(Stage.MATTING, copy.copy(error))

    (problem,) = board.read().problems

    assert problem.remedy is remedy
    assert problem.error.remedy is remedy


def test_a_text_is_reported_with_what_helps() -> None:
    board = StatusBoard()
    board.report(Stage.CAPTURE, "x.mp4 does not answer.", remedy=Remedy.SOURCE)

    assert board.read().problems[0].remedy is Remedy.SOURCE
