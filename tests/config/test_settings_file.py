"""The settings file: round trips, no content raises or causes loss of data, and errors of values are sentences."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from app.config import settings_file
from app.config.scenes import SceneStore
from app.config.setting import SETTINGS
from app.core.errors import SettingsError
from app.core.files import paths
from app.core.files.json_file import BrokenFileError
from app.core.settings import PeopleSettings, Settings, Zone

OLD = Path(__file__).with_name("settings_of_0_3.json")
"""Every setting of version 0.3, with another value than its default."""


def test_settings_are_saved_and_read(tmp_path: Path) -> None:
    path, zone = tmp_path / "new folder" / "settings.json", Zone(points=((0.5, 0.25),), camera="usb-1")
    settings = Settings(paused=True, people=PeopleSettings(zones=(zone,)))
    settings_file.save(path, settings)
    assert settings_file.load(path) == (settings, None)
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_the_file_is_the_owners_alone_and_a_failed_save_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    path = tmp_path / "settings.json"
    settings_file.save(path, Settings(paused=True))
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(SettingsError, match="the disk is full"):
        settings_file.save(path, Settings())
    assert settings_file.load(path)[0].paused
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "real.json"
    real.parent.mkdir()
    link = tmp_path / "settings.json"
    link.symlink_to(real)
    settings_file.save(link, Settings(paused=True))
    assert link.is_symlink()
    assert settings_file.load(real)[0].paused


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not valid JSON"),
        (b"{", "it is not valid JSON"),
        (b"\xff\xfe\x00", "it is not a text file"),
        (b"[]", "it contains no JSON object"),
        (b'{"version": 3, "capture": {"width": 1}}', "capture.width"),
        (b'{"version": 1}', "is not a version"),
        (b'{"matting": {"model": "student"}}', "matting.model"),
        (b'{"version": 99}', "newer version of Mattecam"),
        (b'{"version": "one"}', "is not a version"),
        (b'{"version": 0}', "is not a version"),
        (b'{"version": true}', "is not a version"),
    ],
)
def test_a_broken_file_is_kept_and_said_once(
    tmp_path: Path, content: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings, warning = settings_file.load(path)
    assert settings == Settings()
    assert warning is not None
    assert reason in warning
    assert str(path) in warning
    assert not caplog.records, "what is returned is printed; the log is printed as well"
    assert (tmp_path / "settings.json.bad").read_bytes() == content
    assert not path.exists()
    assert settings_file.load(path) == (Settings(), None)


def test_a_broken_file_replaces_no_link_to_nowhere(tmp_path: Path) -> None:
    path, link = tmp_path / "settings.json", tmp_path / "settings.json.bad"
    path.write_bytes(b"{")
    link.symlink_to("nowhere")
    settings_file.load(path)
    assert link.is_symlink() and (tmp_path / "settings.json.bad2").read_bytes() == b"{"


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    settings, warning = settings_file.load(tmp_path)  # a folder
    assert settings == Settings()
    assert warning is not None
    assert "cannot be read" in warning
    assert tmp_path.is_dir()


def test_the_environment_names_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTECAM_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path / "data"))
    assert settings_file.default_path() == tmp_path / "config" / "settings.json"
    assert paths.backgrounds_dir() == tmp_path / "data" / "backgrounds"
    monkeypatch.delenv("MATTECAM_CONFIG_DIR")
    assert paths.config_dir().name == "mattecam"


@pytest.mark.parametrize(
    ("saved", "level"),
    [
        (True, "balanced"),
        ("on", "balanced"),
        ("strict", "balanced"),
        ("off", "off"),
    ],
)
def test_a_level_that_is_gone_is_read_as_balanced(saved: object, level: str) -> None:
    edges = settings_file.parse({"matting": {"edges": {"strict": saved}}}).matting.edges
    assert edges.strict == level
    assert settings_file.parse(Settings().model_dump(mode="json")).matting.edges.strict == "balanced"


@pytest.mark.parametrize("strict", [None, "balanced", "strict", True, "off"])
@pytest.mark.parametrize("before", [None, 0, 10, 50, 70, 85, 100])
def test_a_blur_of_an_older_version_is_never_weaker_than_it_was_shown(strict: object, before: float | None) -> None:
    """Version 2 saved the strength on the scale of the level."""
    off = strict == "off"
    data: dict[str, Any] = {
        "version": 2,
        "matting": {"edges": {} if strict is None else {"strict": strict}},
        "background": {"kind": "blur"} if before is None else {"kind": "blur", "blur_strength": before},
    }
    given = 50 if before is None else before
    shown = given if off else 70 + given * 0.3
    settings = settings_file.parse(data)
    assert settings.shown_blur == pytest.approx(shown)
    assert settings.shown_blur >= shown
    assert settings_file.parse(settings.model_dump(mode="json")) == settings, "converted once"


def test_a_scene_of_an_older_version_is_shown_as_it_was(tmp_path: Path) -> None:
    scene = {"version": 2, "matting": {"edges": {"strict": "off"}}, "background": {"blur_strength": 30}}
    file = tmp_path / "scenes.json"
    file.write_text(json.dumps({"version": 1, "scenes": {"Old": scene, "New": {**scene, "version": 3}}}))
    assert [SceneStore(file).get(name).settings.shown_blur for name in ("Old", "New")] == [30, 30]
    del scene["matting"]
    file.write_text(json.dumps({"version": 1, "scenes": {"Old": scene, "New": {**scene, "version": 3}}}))
    assert [SceneStore(file).get(name).settings.shown_blur for name in ("Old", "New")] == [79, 70]


def test_a_damaged_blur_of_an_older_version_is_refused() -> None:
    for strength in ("much", None, 1e9, True):
        data = {"version": 2, "background": {"blur_strength": strength}, "matting": {"edges": 5}}
        with pytest.raises(BrokenFileError):
            settings_file.parse(data)


@pytest.mark.parametrize(
    ("section", "field", "value", "problem"),
    [
        ("background", "blur_strength", 101, "it must be at most 100"),
        ("background", "blur_strength", "much", "it must be a number"),
        ("output", "mirror", "perhaps", "it must be true or false"),
        ("people", "zones", 3, "it must be a list"),
        ("capture", "source", 3, "it must be text"),
        ("background", "colour", "#12", "it must be a colour like #00b140"),
        ("output", "microphone", "", "it is empty"),
        ("output", "standby_text", "a" * 201, "it has more than 200 characters"),
        ("window", "own_colour", "blue", "it must be a colour like #00b140"),
    ],
)
def test_a_settings_file_with_an_impossible_value(section: str, field: str, value: Any, problem: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        settings_file.parse({section: {field: value}})
    assert str(caught.value.text).startswith(f"{section}.{field}")
    assert problem in str(caught.value.text)


def test_what_this_version_does_not_know_is_left_out_and_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keep, hide = ({"kind": kind, "points": [[0.1, 0.2]]} for kind in ("keep", "drop"))
    data = {
        "no such field": 1,
        "paused": True,
        "background": {"kind": "rainbow", "no such view": 3},
        "matting": {"executor": "cuda-graph"},
        "people": {"zones": [keep, hide, keep]},
    }
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(data))
    scenes = SceneStore(tmp_path / "scenes.json")
    scenes.path.write_text(json.dumps({"version": 1, "scenes": {"Old": data}}))
    zones = (Zone(points=((0.1, 0.2),)),)
    for _ in range(2):
        assert settings_file.load(path) == (Settings(paused=True, people=PeopleSettings(zones=zones)), None)
        assert scenes.get("Old").settings.people.zones == zones, "a keep zone neither shows nor hides"
    (said,) = (record.getMessage() for record in caplog.records)
    for name in (
        "no such field",
        "background.kind",
        "background.no such view",
        "matting.executor",
        "people.zones.0",
        "people.zones.2",
    ):
        assert name in said


@pytest.mark.parametrize("zone", [{"points": []}, {"kind": "maybe"}, {"fills": True}])
def test_a_damaged_zone_is_refused_because_less_would_be_hidden_without_it(zone: dict[str, object]) -> None:
    with pytest.raises(BrokenFileError):
        settings_file.parse({"people": {"zones": [{"points": [[0, 0]], **zone}]}})


def test_a_file_of_version_0_3_loads_without_what_has_gone(caplog: pytest.LogCaptureFixture) -> None:
    """The background that has gone becomes a blur, never the room; the log names once what is unknown."""
    data = json.loads(OLD.read_text())
    for _time in range(2):
        settings = settings_file.parse(data)
    (said,) = (record.getMessage() for record in caplog.records)
    for name in ("background.kind", "background.screen", "background.slide", "placement", "overlay"):
        assert name in said
    assert settings.background.kind == "blur" and settings.shown_blur == 76
    assert (settings.capture.source, settings.output.mirror) == ("other", True)
    assert len(settings.people.zones) == 1, "what is hidden stays hidden"


def test_a_scene_of_a_background_that_has_gone_is_a_blur(tmp_path: Path) -> None:
    scene = {**json.loads(OLD.read_text()), "with_devices": True}
    (tmp_path / "scenes.json").write_text(json.dumps({"version": 1, "scenes": {"Talk": scene}}))
    applied = SceneStore(tmp_path / "scenes.json").get("Talk").applied_to(Settings())
    assert applied.background.kind == "blur"


def test_every_setting_is_described() -> None:
    undeclared = {"version", "selected", "paused", "frozen"}
    undeclared |= {f"window.{name}" for name in ("first_run_done", "geometry", "cameras")}
    assert {name for name, setting in SETTINGS.items() if not setting.description} == undeclared
