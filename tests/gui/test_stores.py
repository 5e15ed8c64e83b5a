"""Settings and preferences in the window, and what of them is saved."""

from __future__ import annotations

from pathlib import Path

from app.config import paths
from app.core.settings import BackgroundSettings, CaptureSettings, OutputSettings, Settings
from app.gui.state import preferences as preferences_file
from app.gui.state.preferences import WindowPreferences
from app.gui.state.preferences_store import PreferencesStore
from app.gui.state.store import SettingsStore


def test_what_the_command_line_said_is_not_saved_but_edits_are() -> None:
    store = SettingsStore(Settings(capture=CaptureSettings(source="demo")), Settings())
    store.edit("background", kind="none")
    store.edit("capture", fps=15)
    assert store.current.capture.source == "demo"
    assert store.saved.capture == CaptureSettings(fps=15)
    assert store.saved.background.kind == "none"


def test_a_recording_a_pause_and_a_freeze_are_of_this_run_only() -> None:
    store = SettingsStore(Settings())
    store.edit("output", record=Path("a.mp4"), standby_text="soon")
    store.set_paused(True)
    store.set_frozen(True)
    assert store.current.paused
    assert store.current.frozen
    for kept in (store.saved, store.scene):
        assert kept.output == OutputSettings(standby_text="soon")
        assert not kept.paused
        assert not kept.frozen


def test_a_scene_leaves_pause_and_recording_alone() -> None:
    store = SettingsStore(Settings())
    store.edit("output", record=Path("a.mp4"))
    store.set_paused(True)
    store.replace(Settings(background=BackgroundSettings(kind="colour")))
    assert store.current.paused
    assert store.current.output.record == Path("a.mp4")
    assert store.current.background.kind == "colour"
    assert store.saved.background.kind == "colour"


def test_a_wish_from_outside_saves_only_what_it_changes() -> None:
    store = SettingsStore(Settings(capture=CaptureSettings(source="demo")), Settings())
    store.take(store.current.replace(background=BackgroundSettings(kind="colour"), paused=True))
    assert store.current.paused
    assert store.saved == Settings(background=BackgroundSettings(kind="colour"))


def test_changes_are_told_once_and_only_where_something_changed() -> None:
    store = SettingsStore(Settings())
    told: list[Settings] = []
    store.changed.connect(told.append)
    store.edit("background", kind="blur")
    store.edit("background", kind="none")
    assert [settings.background.kind for settings in told] == ["none"]


def test_preferences_survive_a_restart_and_a_broken_file() -> None:
    path = paths.config_dir() / "window.json"
    store = PreferencesStore(preferences_file.load(path))
    store.change(mirror_preview=False, cameras={"camera:a": CaptureSettings(fps=15)})
    preferences_file.save(path, store.current)
    assert preferences_file.load(path) == store.current
    path.write_text('{"mirror_preview": "sideways"}')
    assert preferences_file.load(path) == WindowPreferences()
    assert path.with_name("window.json.bad").exists()
    assert preferences_file.load(None) == WindowPreferences()
