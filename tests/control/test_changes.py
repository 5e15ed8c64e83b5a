"""A change counts as done only once the frames since then have shown it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from app.control.changes import Changes
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, PipelineStatus


@pytest.mark.parametrize(
    "reports",
    [
        [("", 7), ("the background", 8), ("", 10), ("", 11), ("", 12)],
        [("", 7), ("", 8), ("", 11), ("", 12), ("", 13)],
    ],
    ids=["seen preparing", "prepared between two polls"],
)
def test_the_frames_that_count_use_what_was_prepared(reports: list[tuple[str, int]]) -> None:
    """A damaged background was confirmed: the two frames came before the status said that it had been opened."""
    statuses = iter(reports)
    seen: list[int] = []

    def status() -> PipelineStatus:
        busy, frames = next(statuses)
        seen.append(frames)
        return PipelineStatus(phase=Phase.RUNNING, busy=busy, frames_out=frames)

    pipeline = SimpleNamespace(status=status, change=None)
    assert Changes(cast("Pipeline", pipeline), timeout_s=10).wait_until_settled()
    assert seen == [frames for _, frames in reports]
