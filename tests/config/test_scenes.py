"""Saved scenes: what was put comes back, and one broken scene costs no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.config.scenes import SceneStore
from app.core.errors import SettingsError
from app.core.settings import FramingSettings, Settings


@pytest.fixture
def store(tmp_path: Path) -> SceneStore:
    return SceneStore(tmp_path / "scenes.json")


def test_put_get_rename_remove(store: SceneStore) -> None:
    assert store.names() == ()
    store.put("Work", Settings(paused=True))
    store.put("  Évening ", Settings(frozen=True))
    assert store.names() == ("Work", "Évening")
    assert store.get("Work").paused
    store.put("Work", Settings())
    assert not store.get("Work").paused
    store.rename("Work", "Office")
    assert store.names() == ("Office", "Évening")
    store.remove("Office")
    assert SceneStore(store.path).names() == ("Évening",)


def test_the_framing_belongs_to_a_scene_and_older_scenes_show_the_whole_picture(store: SceneStore) -> None:
    close_up = FramingSettings(zoom=2.5, pan_x=-0.5)
    store.put("Close", Settings(framing=close_up))
    assert store.get("Close").framing == close_up
    data = json.loads(store.path.read_text())
    del data["scenes"]["Close"]["framing"]
    store.path.write_text(json.dumps(data))
    assert SceneStore(store.path).get("Close").framing == FramingSettings()


def test_unknown_and_impossible_names(store: SceneStore) -> None:
    with pytest.raises(SettingsError, match="none is saved yet"):
        store.get("Work")
    store.put("Work", Settings())
    store.put("Home", Settings())
    with pytest.raises(SettingsError, match="the scenes are Work, Home"):
        store.remove("Beach")
    with pytest.raises(SettingsError, match="already"):
        store.rename("Work", "Home")
    for name in ("", "   ", "two\nlines", "x" * 81):
        with pytest.raises(SettingsError, match="cannot be the name"):
            store.put(name, Settings())
    assert store.names() == ("Work", "Home")


def test_a_broken_file_is_kept_and_said(store: SceneStore) -> None:
    for number, content in enumerate(("{", "[]", '{"version": 2, "scenes": {}}', '{"version": 1, "scenes": []}'), 1):
        store.path.write_text(content)
        assert store.names() == ()
        assert store.warning is not None
        assert str(store.path) in store.warning
        kept = store.path.with_name(f"scenes.json.bad{number if number > 1 else ''}")
        assert kept.read_text() == content


def test_a_broken_scene_stays_and_costs_no_other(store: SceneStore) -> None:
    store.put("Good", Settings(paused=True))
    content = json.loads(store.path.read_text())
    content["scenes"]["Bad"] = {"version": 1, "capture": {"width": "wide"}}
    content["scenes"]["Worse"] = 3
    store.path.write_text(json.dumps(content))
    for name in ("Bad", "Worse"):
        with pytest.raises(SettingsError, match=name):
            store.get(name)
    store.put("New", Settings())
    assert store.names() == ("Good", "Bad", "Worse", "New")
    assert store.get("Good").paused
    assert json.loads(store.path.read_text())["scenes"]["Bad"] == {"version": 1, "capture": {"width": "wide"}}


def test_a_file_that_cannot_be_read_is_never_replaced(tmp_path: Path) -> None:
    store = SceneStore(tmp_path)  # a folder
    with pytest.raises(SettingsError, match="could not be read"):
        store.put("Work", Settings())
    assert tmp_path.is_dir()
