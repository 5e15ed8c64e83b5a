"""Saved scenes: round trips, and an invalid scene does not affect the others."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from app.config import scenes
from app.config.scenes import SceneStore
from app.core.errors import SettingsError
from app.core.settings import (
    BackgroundSettings,
    CaptureSettings,
    FramingSettings,
    OutputSettings,
    Settings,
)
from app.core.window_settings import WindowSettings

BLUE = BackgroundSettings(kind="colour", colour="#0000ff")
RUN = Settings(
    capture=CaptureSettings(source="camera:1"),
    output=OutputSettings(
        virtual_camera="call",
        on_demand=False,
        record=Path("a.mp4"),
        record_alpha=Path("b.mp4"),
        microphone="usb",
    ),
    paused=True,
    frozen=True,
    window=WindowSettings(theme="dark"),
)
"""State of a run and of its devices, which a scene must not change."""


@pytest.fixture
def store(tmp_path: Path) -> SceneStore:
    return SceneStore(tmp_path / "scenes.json")


def test_put_get_rename_remove(store: SceneStore) -> None:
    assert store.names() == ()
    store.put("Work", Settings(background=BLUE))
    store.put("  Évening ", Settings())
    assert store.names() == ("Work", "Évening")
    assert store.get("Work").settings.background == BLUE
    store.put("Work", Settings())
    assert store.get("Work").settings.background == BackgroundSettings()
    store.rename("Work", "Office")
    assert store.names() == ("Office", "Évening")
    store.remove("Office")
    assert SceneStore(store.path).names() == ("Évening",)


def test_scenes_follow_a_background_that_is_renamed(store: SceneStore) -> None:
    store.follow_rename(Path("/beach.png"), Path("/sea.png"))
    assert not store.path.exists()
    for name, path in (("Beach", "/beach.png"), ("Hill", "/hill.png")):
        store.put(name, Settings(background=BackgroundSettings(kind="image", path=Path(path))))
    data = json.loads(store.path.read_text())
    data["scenes"]["Odd"] = 3
    store.path.write_text(json.dumps(data))
    store.follow_rename(Path("/beach.png"), Path("/sea.png"))
    assert [store.get(name).settings.background.path for name in ("Beach", "Hill")] == [
        Path("/sea.png"),
        Path("/hill.png"),
    ]
    assert store.names() == ("Beach", "Hill", "Odd")


def test_a_scene_changes_neither_pause_freeze_recording_nor_devices(store: SceneStore) -> None:
    look = Settings(background=BLUE, framing=FramingSettings(zoom=2.5, pan_x=-0.5))
    store.put("Look", look)
    assert store.get("Look").applied_to(RUN) == RUN.replace(background=BLUE, framing=look.framing)
    store.put("Run", RUN)
    assert store.get("Run").applied_to(Settings(background=BLUE)) == Settings()
    saved = store.path.read_text()
    for word in ("paused", "frozen", "record", "capture", "virtual_camera", "theme", "microphone"):
        assert word not in saved


def test_a_scene_that_was_saved_with_its_devices_restores_them(store: SceneStore) -> None:
    store.put("Desk", RUN, with_devices=True)
    applied = store.get("Desk").applied_to(Settings())
    assert "microphone" not in store.path.read_text()
    assert applied == Settings(capture=RUN.capture, output=OutputSettings(virtual_camera="call", on_demand=False))


def test_how_a_camera_is_turned_belongs_to_its_scenes(store: SceneStore) -> None:
    """A scene without a camera leaves the one in use upright."""
    sideways = RUN.replaced_at(["capture"], rotate=90, flip=True)
    for with_devices in (False, True):
        store.put("Desk", sideways, with_devices=with_devices)
        applied = store.get("Desk").applied_to(RUN)
        assert applied.capture == (sideways if with_devices else RUN).capture
        assert not store.get("Desk").exposes(RUN)


def test_older_scenes_that_hold_a_pause_a_recording_and_a_camera_apply_their_look_only(store: SceneStore) -> None:
    old = {**RUN.model_dump(mode="json"), "background": BLUE.model_dump(mode="json")}
    store.path.write_text(json.dumps({"version": 1, "scenes": {"Old": old}}))
    assert store.get("Old").applied_to(Settings()) == Settings(background=BLUE)


def test_unknown_and_impossible_names(store: SceneStore) -> None:
    with pytest.raises(SettingsError, match="no scene is saved yet"):
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


def test_a_broken_file_is_kept_and_said(store: SceneStore, caplog: pytest.LogCaptureFixture) -> None:
    for number, content in enumerate(("{", "[]", '{"version": 2, "scenes": {}}', '{"version": 1, "scenes": []}'), 1):
        store.path.write_text(content)
        caplog.clear()
        assert store.names() == ()
        assert str(store.path) in caplog.text
        kept = store.path.with_name(f"scenes.json.bad{number if number > 1 else ''}")
        assert kept.read_text() == content


def test_a_broken_scene_stays_and_costs_no_other(store: SceneStore) -> None:
    store.put("Good", Settings(background=BLUE))
    content = json.loads(store.path.read_text())
    content["scenes"]["Bad"] = {"version": 1, "capture": {"width": "wide"}}
    content["scenes"]["Worse"] = 3
    store.path.write_text(json.dumps(content))
    for name in ("Bad", "Worse"):
        with pytest.raises(SettingsError, match=name):
            store.get(name)
    store.put("New", Settings())
    good, *broken, new = store.all().items()
    assert broken == [("Bad", None), ("Worse", None)] and (good[0], new[0]) == ("Good", "New")
    assert good[1] is not None and good[1].settings.background == BLUE
    assert json.loads(store.path.read_text())["scenes"]["Bad"] == {"version": 1, "capture": {"width": "wide"}}


def test_a_file_that_cannot_be_read_is_never_replaced(tmp_path: Path) -> None:
    store = SceneStore(tmp_path)  # a folder
    with pytest.raises(SettingsError, match="cannot be read"):
        store.put("Work", Settings())
    assert tmp_path.is_dir()


@pytest.mark.parametrize("others", ["threads", "processes"])
def test_scenes_saved_at_once_are_all_kept(store: SceneStore, others: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock on the file holds between all that opened it, in one process as in several."""
    if others == "processes":
        monkeypatch.setattr(scenes, "_thread_lock", nullcontext())
    names = {f"Scene {number}" for number in range(40)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: SceneStore(store.path).put(name, Settings()), names))
    assert set(store.names()) == names
