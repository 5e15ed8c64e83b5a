"""`ctl zones` and `only-me`: which people are shown."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.core.errors import SettingsError, UsageError
from tests.control.conftest import Program
from tests.fakes.world import shows_person
from tests.waiting import eventually


def test_zones_are_read_from_a_file(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "zones.json"
    path.write_text('{"zones": [{"kind": "drop", "points": [[0, 0]]}, {"points": [[1, 1]]}]}')
    assert program.run(f"zones {path}") == "Zones: 2."
    assert len(program.settings.people.zones) == 2
    with pytest.raises(SettingsError, match="does not exist"):
        program.run("zones /nowhere.json")
    assert len(program.settings.people.zones) == 2
    assert program.run("zones undo") == "Zones: 1."
    assert program.run("zones off") == "Zones: none."
    assert program.run("zones undo") == "Zones: none."


def test_what_zones_hide_is_in_no_picture_after_the_answer(program: Program, tmp_path: Path) -> None:
    """A snapshot taken after it showed what they hide."""
    path = tmp_path / "zones.json"
    path.write_text('{"zones": [{"filled": true, "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]}')
    eventually(lambda: shows_person(program.world.newest().image))
    program.world.faults.put("step", lambda: time.sleep(0.2))
    assert program.run(f"zones {path}") == "Zones: 1."
    assert not shows_person(program.world.newest().image)


def test_one_person_is_selected_by_a_point(program: Program) -> None:
    assert program.run("only-me on") == "Only the selected person is shown."
    assert program.run("only-me 0.5,0.7") == "Only the selected person is shown."
    assert program.settings.selected == (0.5, 0.7)
    assert program.run("only-me 0.02,0.02").startswith("Nobody is shown")
    for wrong in ("only-me 2,0", "only-me nan,0", "only-me me"):
        with pytest.raises(UsageError):
            program.run(wrong)
    assert program.run("only-me off") == "Everybody is shown."
    assert program.settings.selected is None
