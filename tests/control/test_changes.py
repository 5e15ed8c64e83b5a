"""A change counts as done only once the frames since then have shown it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.control.changes import Changes
from app.control.commands import JsonValue
from app.core.settings import Settings


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

    def status() -> Mapping[str, JsonValue]:
        busy, frames = next(statuses)
        seen.append(frames)
        return {"busy": busy, "phase": "running", "frames_out": frames}

    assert Changes(lambda update: update(Settings()), Settings, status, timeout_s=10).wait_until_settled()
    assert seen == [frames for _, frames in reports]
