"""The end: each step is done, whatever becomes of the others."""

from __future__ import annotations

import pytest

from app.core.errors import all_done


def refuse() -> None:
    raise PermissionError("no")


@pytest.mark.error_logs
def test_every_step_is_done_although_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []

    succeeded = all_done(lambda: done.append("first"), refuse, lambda: done.append("last"))

    assert not succeeded
    assert done == ["first", "last"]
    assert [record.exc_info is not None for record in caplog.records] == [True]


@pytest.mark.parametrize(
    ("outcome", "succeeds"), [(None, True), (True, True), (0, True), (False, False)]
)
def test_a_step_that_returns_false_has_failed(outcome: object, succeeds: bool) -> None:
    assert all_done(lambda: outcome, lambda: None) is succeeds
