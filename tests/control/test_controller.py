"""Commands in general: each changes its own setting alone, and is done once frames have shown it; quit and status."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

import pytest

from app.control.changes import Changes
from app.control.commands import JsonValue
from app.control.server import answer
from app.core.settings import FramingSettings
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, PipelineStatus
from tests.control.conftest import Program, SettingsAlone
from tests.runtime.running import BASE
from tests.waiting import beside


def test_commands_do_not_undo_one_another(alone: SettingsAlone) -> None:
    """Each command changes only the setting that it names, even if other settings change concurrently."""

    def zoom() -> None:
        for _ in range(30):
            alone.run("framing 1.5")
            alone.run("framing whole")

    other = beside(zoom)
    alone.run("pause")
    alone.run("freeze")
    other.result(60)
    assert alone.settings.paused
    assert alone.settings.frozen
    assert alone.settings.framing == FramingSettings()


def test_quit_asks_the_program_to_stop(program: Program) -> None:
    assert program.run("quit") == "Mattecam stops."
    assert program.quit.is_set()


def test_the_status_holds_the_fields_of_status_json_and_the_switches(program: Program) -> None:
    status: Mapping[str, JsonValue] = program.controller.status()
    assert {"phase", "model", "busy", "problems", "errors"} <= status.keys()
    assert (status["paused"], status["frozen"]) == (False, False)


@pytest.mark.parametrize("text", ["\\ud800.png", "\\u0000", "matting.plate \\ud800"])
def test_text_that_no_file_can_have_is_refused(program: Program, text: str) -> None:
    """It would be stored, and end the program where it is printed or opened."""
    for name in ("background", "overlay", "zones", "snapshot", "record", "set", "microphone"):
        refused = answer(program.controller, f'{{"command": "{name}", "argument": "{text}"}}\n'.encode())
        assert not refused.done and "one line of JSON" in refused.message
    assert program.settings == BASE


def test_a_name_in_another_encoding_is_possible(program: Program) -> None:
    assert "no file" in answer(program.controller, b'{"command": "background", "argument": "\\udcff.png"}\n').message


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
