"""The stores of settings and preferences, and what is saved."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.compositing.screen_use import ScreenUse
from app.config.scenes import Scene
from app.core.files import paths
from app.core.settings import BackgroundSettings, CaptureSettings, OutputSettings, Settings
from app.gui.state import preferences as preferences_file
from app.gui.state.preferences import PreferencesStore, WindowPreferences
from app.gui.state.store import SettingsStore
from app.runtime.settings_owner import SettingsOwner
from tests.gui.controls import made_store


def test_edits_are_saved_but_command_line_options_are_not() -> None:
    store = SettingsStore(SettingsOwner(Settings(capture=CaptureSettings(source="demo"))), ScreenUse(), Settings())
    store.edit("background", kind="none")
    store.edit("capture", fps=15)
    assert store.current.capture.source == "demo"
    assert store.saved.capture == CaptureSettings(fps=15)
    assert store.saved.background.kind == "none"


def test_recording_pause_and_freeze_are_not_saved() -> None:
    store = made_store()
    store.edit("output", record=Path("a.mp4"), standby_text="soon")
    store.set_paused(True)
    store.set_frozen(True)
    assert store.current.paused
    assert store.current.frozen
    for kept in (store.saved, store.scene):
        assert kept.output == OutputSettings(standby_text="soon")
        assert not kept.paused
        assert not kept.frozen


def test_a_scene_keeps_pause_and_recording() -> None:
    store = made_store()
    store.edit("output", record=Path("a.mp4"))
    store.set_paused(True)
    store.change(Scene(Settings(background=BackgroundSettings(kind="colour"))).applied_to)
    assert store.current.paused
    assert store.current.output.record == Path("a.mp4")
    assert store.current.background.kind == "colour"
    assert store.saved.background.kind == "colour"


def test_a_change_applies_to_the_newest_settings_not_to_those_last_shown() -> None:
    owner = SettingsOwner(Settings())
    store = SettingsStore(owner, ScreenUse())
    stale = store.current
    owner.change(lambda settings: settings.replace(paused=True))
    store.edit("background", blur_strength=stale.background.blur_strength + 1)
    assert store.current.paused


def test_a_failed_change_changes_nothing() -> None:
    store = made_store()
    with pytest.raises(ValueError, match="blur_strength"):
        store.edit("background", blur_strength=1000)
    assert store.current == store.saved == Settings()


def test_changed_is_emitted_once_per_effective_change() -> None:
    store = made_store()
    emitted: list[Settings] = []
    store.changed.connect(emitted.append)
    store.edit("background", kind="blur")
    store.edit("background", kind="none")
    assert [settings.background.kind for settings in emitted] == ["none"]


def test_a_change_on_another_thread_is_emitted_on_the_gui_thread(qtbot: QtBot) -> None:
    store = made_store()
    threads: list[int] = []
    store.changed.connect(lambda _settings: threads.append(threading.get_ident()))
    caller = threading.Thread(target=lambda: store.set_paused(True))
    caller.start()
    caller.join()
    assert store.current.paused, "in effect without the GUI thread"
    assert not threads
    qtbot.waitUntil(lambda: threads == [threading.get_ident()])


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
