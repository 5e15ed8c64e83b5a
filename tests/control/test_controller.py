"""Commands in general: each changes its own setting alone, and is done once frames have shown it; quit and status."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.control.commands import JsonValue
from app.control.server import answer
from app.core.errors import SourceLostError, SourceOpenError
from app.core.settings import FramingSettings
from app.runtime.status import Phase
from tests.control.conftest import Program, SettingsAlone
from tests.fakes.world import BASE
from tests.waiting import beside, eventually


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
    for name in ("background", "zones", "snapshot", "record", "set", "microphone"):
        refused = answer(program.controller, f'{{"command": "{name}", "argument": "{text}"}}\n'.encode())
        assert not refused.done and "a JSON object" in refused.message
    assert program.settings == BASE


def test_a_name_in_another_encoding_is_possible(program: Program) -> None:
    assert "no file" in answer(program.controller, b'{"command": "background", "argument": "\\udcff.png"}\n').message


@pytest.mark.parametrize("state", ["pause", "freeze", "lost"])
def test_a_change_is_in_use_although_no_frame_shows_it(program: Program, state: str) -> None:
    if state == "lost":
        program.world.faults.put("open_source", SourceOpenError("There is no camera."))
        program.world.faults.put("read", SourceLostError("The camera was unplugged."))
        eventually(lambda: program.pipeline.status().phase is Phase.WAITING)
    else:
        program.run(state)
    assert program.run("framing 1.5") == "framing.zoom: 1.5", "not pending"
