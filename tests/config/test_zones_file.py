"""Files of zones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli.options import LiveOptions, apply_options
from app.config.parsing import read_zones
from app.core.errors import SettingsError
from app.core.settings import Settings, Zone

DOOR = {"kind": "drop", "points": [[0, 0], [0.2, 0], [0.2, 1]], "filled": True}


def write(folder: Path, data: object) -> Path:
    path = folder / "zones.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def test_a_file_gives_zones_for_any_camera(tmp_path: Path) -> None:
    path = write(tmp_path, {"zones": [DOOR, {"points": [[0.5, 0.5]], "radius": 0.1}]})
    door, chair = read_zones(path)
    assert door == Zone(points=((0, 0), (0.2, 0), (0.2, 1)), filled=True)
    assert (chair.radius, chair.camera) == (0.1, "")
    assert apply_options(Settings(), LiveOptions(zones=path)).people.zones == (door, chair)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, "zones"),
        ({"zones": [DOOR], "auto_framing": "calm"}, "zones"),
        ({"zones": [{**DOOR, "kind": "maybe"}]}, "zones.0.kind: it must be one of"),
        ({"zones": [DOOR, {**DOOR, "kind": "keep"}]}, "it holds a keep zone, which shows the room"),
        ({"zones": [{**DOOR, "points": []}]}, "zones.0.points: it has fewer than 1 parts"),
        ({"zones": [{**DOOR, "points": [[0, 2]]}]}, "at most 1"),
        ({"zones": [3]}, "zones.0: it must be an object with names and values"),
        ('{"zones": [{"kind": "drop", "points": [[NaN, 0]]}]}', "zones.0.points.0.0"),
        ({"zones": [DOOR] * 201}, "zones: it has more than 200 parts"),
    ],
)
def test_any_other_file_is_refused(tmp_path: Path, data: object, problem: str) -> None:
    with pytest.raises(SettingsError, match=rf"zones file .*{problem}"):
        read_zones(write(tmp_path, data))


def test_a_missing_file_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(SettingsError, match=str(path)):
            read_zones(path)
