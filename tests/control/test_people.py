"""`ctl framing`, `zoom`, `place`, `zones` and `only-me`: which people are shown, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.errors import SettingsError, UsageError
from app.core.placement import in_corner
from app.core.settings import FramingSettings, PeopleSettings, PlacementSettings
from tests.control.conftest import Program


def test_zoom_keeps_the_position(program: Program) -> None:
    assert program.run("framing 2 0.5,-1") == "Framing: zoom 2 at 0.5,-1."
    assert program.run("zoom 1.5") == "Framing: zoom 1.5 at 0.5,-1."
    assert program.settings.framing == FramingSettings(zoom=1.5, pan_x=0.5, pan_y=-1)
    assert program.run("framing whole") == "Framing: the whole frame."


def test_auto_framing_replaces_a_manual_zoom(program: Program) -> None:
    program.run("framing 2 0.5,-1")
    assert program.run("framing calm") == "Framing: automatic, calm."
    assert program.settings.framing == FramingSettings()
    assert program.settings.people == PeopleSettings(auto_framing="calm")
    assert program.run("zoom 2") == "Framing: zoom 2 at 0,0."
    assert program.run("zoom 1") == "Framing: automatic, calm."
    assert program.run("framing whole") == "Framing: the whole frame."
    assert program.settings.people == PeopleSettings()


def test_the_person_is_placed_and_put_back(program: Program) -> None:
    assert program.run("place 0.2,-0.1,0.8") == "The person is at 0.2,-0.1, scale 0.8."
    assert program.settings.placement == PlacementSettings(x=0.2, y=-0.1, scale=0.8)
    assert program.run("place bottom-right:40") == "The person is at 0.3,0.3, scale 0.4."
    with pytest.raises(UsageError, match="bottom-right"):
        program.run("place nowhere")
    assert program.settings.placement == in_corner("bottom-right", 0.4)
    assert program.run("place reset") == "The person is where the camera shows it."
    assert program.settings.placement == PlacementSettings()


def test_zones_are_read_from_a_file(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "zones.json"
    path.write_text('{"zones": [{"kind": "drop", "points": [[0, 0]]}, {"kind": "keep", "points": [[1, 1]]}]}')
    assert program.run(f"zones {path}") == "Zones: 1 to keep, where your room can be seen; 1 to drop."
    assert len(program.settings.people.zones) == 2
    with pytest.raises(SettingsError, match="does not exist"):
        program.run("zones /nowhere.json")
    assert len(program.settings.people.zones) == 2
    assert program.run("zones undo") == "Zones: 1 to drop."
    assert program.run("zones off") == "Zones: none."
    assert program.run("zones undo") == "Zones: none."


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
