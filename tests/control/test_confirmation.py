"""A change counts as done only once the frames since then have shown it."""

from __future__ import annotations

from collections.abc import Mapping

from app.control.commands import JsonValue
from app.control.confirmation import Confirmation


def test_frames_count_from_the_moment_at_which_nothing_is_prepared_any_more() -> None:
    """A damaged background was confirmed: the two frames came before the status said that it had been opened."""
    statuses = iter([("", 7), ("the background", 8), ("", 10), ("", 11), ("", 12)])
    seen: list[int] = []

    def status() -> Mapping[str, JsonValue]:
        busy, frames = next(statuses)
        seen.append(frames)
        return {"busy": busy, "phase": "running", "frames_out": frames}

    assert Confirmation(status, timeout_s=10).wait_until_settled()
    assert seen == [7, 8, 10, 11, 12]
