"""What the window saves of its settings, when, and what it says where that fails."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import example, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from PyQt6.QtWidgets import QApplication, QCheckBox, QPushButton
from pytestqt.qtbot import QtBot

from app.config import settings_file
from app.config.scenes import SceneStore
from app.config.setting import SETTINGS, Setting
from app.core.errors import SourceOpenError, Stage
from app.core.settings import OutputSettings
from app.effects.zones import Zone
from app.gui.application import Session, WindowOptions
from app.gui.panels.devices import CameraControls, VirtualCameraControls, edit_capture
from app.gui.state import THREADS, Saver, SettingsStore, Tasks
from app.runtime.status import Phase
from app.settings import Settings, SettingsOwner
from tests.fakes.world import FakeWorld
from tests.gui.conftest import QUIET, StartWindow
from tests.gui.widgets import (
    answered,
    existing,
    find,
    full,
    made_store,
)
from tests.other_values import other_value
from tests.stand_ins import always
from tests.waiting import eventually


def test_settings_are_saved_shortly_after_a_change_and_at_the_end(
    session: Session, qtbot: QtBot
) -> None:
    path = settings_file.default_path()
    for strength in range(70, 90):
        session.store.edit("background", blur_strength=strength)
    assert not path.exists(), "changes in quick succession are one write"
    qtbot.waitUntil(path.exists)
    saved = settings_file.load(path)[0]
    assert (saved.background.blur_strength, saved.output) == (89, session.pipeline.settings.output)
    session.store.edit("window", mirror_preview=False)
    assert session.close() == 0
    assert not settings_file.load(path)[0].window.mirror_preview


IN_A_FILE = [
    setting
    for setting in SETTINGS.values()
    if setting.description
    and setting.name not in ("people.zones", "output.record", "output.record_alpha")
]
ZONES = [Zone(points=((x / 10, 0.5),)) for x in range(6)]


def values_of(setting: Setting) -> st.SearchStrategy[Any]:
    if setting.choices:
        return st.sampled_from([setting.parsed(choice) for choice in setting.choices])
    if setting.range is not None and setting.unset is None:
        low, high = setting.range
        return (
            st.integers(int(low), int(high)) if setting.annotation is int else st.floats(low, high)
        )
    return st.sampled_from(
        [setting.parsed(other_value(setting, Path("/nowhere/file.png"))), setting.default]
    )


Changes = list[tuple[Setting, Any]]
CHANGES = st.lists(
    st.sampled_from(IN_A_FILE).flatmap(
        lambda setting: values_of(setting).map(lambda value: (setting, value))
    ),
    max_size=4,
)
ZONE_LISTS = st.lists(st.sampled_from(ZONES), unique=True, max_size=4).map(tuple)


def changed(settings: Settings, changes: Changes) -> Settings:
    for setting, value in changes:
        settings = setting.replaced_in(settings, value)
    return settings


KIND, FILE, COLOUR, FIT = (
    SETTINGS[f"background.{name}"] for name in ("kind", "path", "colour", "fit")
)
NO_ZONES: tuple[tuple[Zone, ...], ...] = ((), (), ())


@profile(deadline=None, max_examples=200)
@example(file=[], options=[(KIND, "image")], touched=[(FILE, Path("a.png"))], zones=NO_ZONES)
@example(file=[], options=[(KIND, "colour")], touched=[(COLOUR, "#112233")], zones=NO_ZONES)
@example(
    file=[], options=[(KIND, "image")], touched=[(FIT, "fit")], zones=NO_ZONES
)  # nothing was chosen
@given(
    file=CHANGES,
    options=CHANGES,
    touched=CHANGES,
    zones=st.tuples(ZONE_LISTS, ZONE_LISTS, ZONE_LISTS),
)
def test_what_is_saved_differs_only_in_what_the_user_changed(
    file: Changes, options: Changes, touched: Changes, zones: tuple[tuple[Zone, ...], ...]
) -> None:
    """After one run with `--strict off`, a touch of any edge or light control saved that for good.

    Of a background that was chosen after one of the command line, only the file was saved.
    """
    saved = changed(Settings(), file).replaced_at(["people"], zones=zones[0])
    run = changed(saved, options).replaced_at(["people"], zones=zones[1])
    store = SettingsStore(SettingsOwner(run), saved.kept)
    before = store.saved
    by_user = set[str]()
    for setting, value in touched:
        old = store.current
        store.set(setting.name, value)
        by_user |= {
            name
            for name, each in SETTINGS.items()
            if each.value_in(old) != each.value_in(store.current)
        }
        if setting.name in ("background.path", "background.colour"):
            by_user.add(
                "background.kind"
            )  # a background that was chosen is saved as the one in use
    store.edit("people", zones=zones[2])
    for name, setting in SETTINGS.items():
        if name == "people.zones":
            added = set(zones[2]) - set(zones[1])
            removed = set(zones[1]) - set(zones[2])
            assert set(store.saved.people.zones) == (set(zones[0]) - removed) | added
        elif name not in by_user:
            assert setting.value_in(store.saved) == setting.value_in(before), name
        elif name not in ("background.blur_strength", "output.record", "paused", "frozen"):
            assert setting.value_in(store.saved) == setting.value_in(store.current), name


@pytest.mark.parametrize("saved_level", ["off", "balanced"])
@pytest.mark.parametrize("run_level", ["off", "balanced"])
@pytest.mark.parametrize("strength", [0, 10, 69, 70, 90])
def test_the_next_start_blurs_at_least_as_what_the_user_saw(
    saved_level: str, run_level: str, strength: float
) -> None:
    """Saved without strict mode, 10 of a run at `balanced` was readable from the next start on."""
    saved = Settings().replaced_at(["strict"], level=saved_level)
    store = SettingsStore(SettingsOwner(saved.replaced_at(["strict"], level=run_level)), saved)
    store.edit("background", blur_strength=strength)

    assert store.saved.shown_blur >= store.current.shown_blur
    assert store.saved.matting == saved.matting


def test_a_camera_is_remembered_without_the_options_of_the_run() -> None:
    saved = Settings()
    store = SettingsStore(
        SettingsOwner(saved.replaced_at(["capture"], source="camera:usb-1", width=640)), saved
    )
    edit_capture(store, lock_exposure=True)

    assert store.saved.window.cameras["camera:usb-1"].width == Settings().capture.width


def run_with_options(saved: Settings, **options: Any) -> SettingsStore:
    return SettingsStore(SettingsOwner(saved.replaced_at(["capture"], **options)), saved)


def test_an_option_of_the_run_overwrites_nothing_that_a_camera_remembers() -> None:
    """After `--source camera:usb-2`, a choice of the size gave it all settings of the other one."""
    remembered = Settings().capture.replace(source="camera:usb-2", rotate=180, width=640)
    saved = Settings().replaced_at(["window"], cameras={"camera:usb-2": remembered})
    saved = saved.replaced_at(["capture"], source="camera:usb-1", rotate=90)
    store = run_with_options(saved, source="camera:usb-2")

    edit_capture(store, fps=15.0)

    assert store.saved.window.cameras["camera:usb-2"] == remembered.replace(fps=15.0)


def test_a_camera_is_saved_as_it_is_remembered_where_an_option_has_set_the_same(
    qtbot: QtBot,
) -> None:
    """It was saved, and remembered, as the camera before it hangs."""
    remembered = Settings().capture.replace(source="camera:usb-2", rotate=90, width=640)
    saved = Settings().replaced_at(["window"], cameras={"camera:usb-2": remembered})
    store = run_with_options(saved, rotate=90, width=640)
    page = CameraControls(store)
    qtbot.addWidget(page)

    page.choose_source("camera:usb-2")

    assert store.saved.capture == remembered
    assert store.saved.window.cameras == {"camera:usb-2": remembered}


def test_the_saved_virtual_camera_is_switched_on_again_after_a_run_without(qtbot: QtBot) -> None:
    """It was replaced by the first one found, for good."""
    saved = Settings().replaced_at(["output"], virtual_camera="/dev/video9")
    store = SettingsStore(SettingsOwner(saved.replaced_at(["output"], virtual_camera="off")), saved)
    page = VirtualCameraControls(store)
    qtbot.addWidget(page)

    find(page, QCheckBox, "virtualCameraToggle").click()

    assert store.current.output.virtual_camera == "/dev/video9"
    assert store.saved == saved


SAVED = QUIET.replaced_at(["capture"], source="auto")


def test_a_failed_scene_saves_no_option_of_the_run(
    start_window: StartWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    """It took back the light of the run also in the settings file: the next run had it."""
    run = QUIET.replaced_at(["light"], match=30).replaced_at(["background"], kind="colour")
    session = start_window(run, saved_settings=SAVED)
    eventually(lambda: session.bridge.status.phase is Phase.RUNNING)
    world.faults.put("open_source", SourceOpenError("There is no such camera."))
    store = session.store
    scenes = SceneStore(settings_file.default_path().with_name("scenes.json"))
    scenes.put("Desk", SAVED.replaced_at(["capture"], source="camera:7"), with_devices=True)

    assert "no such camera" in str(answered(qtbot, "scene", "Desk"))
    assert (store.current.capture.source, SETTINGS["light.match"].value_in(store.current)) == (
        "demo",
        30,
    )
    assert store.saved.replace(window=SAVED.window) == SAVED


def test_what_was_changed_last_is_saved_while_all_threads_are_busy(session: Session) -> None:
    """It was lost, with exit code 0."""
    release = threading.Event()
    for _ in range(THREADS):
        session.window.tasks.run(partial(release.wait, 60), always(None))
    session.store.edit("background", blur_strength=93)
    existing(session._saver).write()  # noqa: SLF001  # as after half a second
    session.window.scenes.save("Late")
    session.store.edit("background", blur_strength=94)
    path = settings_file.default_path()
    threading.Timer(0.3, release.set).start()
    assert session.close() == 0
    scene = SceneStore(path.with_name("scenes.json")).get("Late").settings
    assert [each.background.blur_strength for each in (settings_file.load(path)[0], scene)] == [
        94,
        93,
    ]


@pytest.mark.error_logs
@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("what", ["settings at the end", "settings before it", "a scene"])
def test_what_cannot_be_saved_is_told_with_an_exit_code(
    qapp: QApplication,
    world: FakeWorld,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    monkeypatch.setattr(settings_file, "save", full)
    monkeypatch.setattr(SceneStore, "put", full)
    failing = Session(qapp, QUIET, WindowOptions(parts=world.parts()))
    failing.start()
    if what == "a scene":
        failing.window.scenes.save("Late")
    else:
        failing.store.edit("background", blur_strength=91)
    if what == "settings before it":
        existing(failing._saver).write()  # noqa: SLF001  # as after half a second
        QApplication.processEvents()

    assert failing.close() == 1
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize("by", ["button", "end"])
def test_a_failed_write_is_repeated_and_its_error_ends(
    session: Session, qtbot: QtBot, by: str
) -> None:
    file = settings_file.default_path()
    area = session.window.notices
    blocked = file.parent
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.touch()
    session.store.edit("background", blur_strength=91)
    qtbot.waitUntil(lambda: "settings.json cannot be used" in area.error)
    assert any(problem.stage is Stage.SETTINGS for problem in session.bridge.status.problems)
    blocked.unlink()
    if by == "button":
        next(each for each in area.findChildren(QPushButton) if each.text() == "Try again").click()
        qtbot.waitUntil(lambda: not area.error)
    else:
        assert session.close() == 0
    assert settings_file.load(file)[0].background.blur_strength == 91


def test_two_windows_save_what_each_changed(
    start_window: StartWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    """A run of some seconds beside the window wrote what it had over what was changed there meanwhile."""
    path = tmp_path / "settings.json"
    settings_file.save(path, QUIET)
    window, beside_it = (start_window(settings_path=path) for _ in range(2))
    beside_it.store.edit("background", blur_strength=91)
    qtbot.waitUntil(lambda: settings_file.read(path).background.blur_strength == 91)
    window.store.edit("background", blur_strength=92)
    window.close()
    beside_it.store.edit("people", zones=ZONES[:1])
    beside_it.close()
    kept = settings_file.read(path)

    assert kept.people.zones == tuple(ZONES[:1]) and kept.background.blur_strength == 92


def test_a_failed_write_that_a_later_one_made_good_is_no_failure_at_the_end() -> None:
    """Under load the first one had not been told when the window closed: exit code 1, and everything was written."""
    write = Mock(side_effect=(OSError("full"), None, OSError("lost")))
    tasks = Tasks()
    for work in (write, write, partial(write)):
        tasks.write(work, always(None), always(None))

    assert [str(error) for error in tasks.close()] == ["lost"]


def test_recording_pause_and_freeze_are_not_saved(tmp_path: Path, qtbot: QtBot) -> None:
    store = made_store(
        Settings(paused=True, frozen=True, output=OutputSettings(record=Path("a.mp4")))
    )
    tasks = Tasks()
    assert store.saved == store.current.kept == Settings()
    Saver(store, tmp_path / "settings.json", tasks).write()
    assert (tasks.close(), [*tmp_path.iterdir()]) == ([], []), "what the file holds is not written"
