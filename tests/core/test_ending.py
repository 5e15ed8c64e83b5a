"""The end: each step is done, whatever becomes of the others."""

from __future__ import annotations

from functools import partial

import pytest

from app.core.errors import all_done
from tests.stand_ins import always


def refuse() -> None:
    raise PermissionError("no")


@pytest.mark.error_logs
def test_every_step_is_done_although_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    succeeded = all_done(partial(done.append, "first"), refuse, partial(done.append, "last"))

    assert not succeeded
    assert done == ["first", "last"]
    assert [record.exc_info is not None for record in caplog.records] == [True]


@pytest.mark.parametrize(
    ("outcome", "succeeds"), [(None, True), (True, True), (0, True), (False, False)]
)
def test_a_step_that_returns_false_has_failed(outcome: object, succeeds: bool) -> None:
    assert all_done(always(outcome), always(None)) is succeeds
