"""Files of scenes and of zones: what is read, kept and refused."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from app.cli.options import LiveOptions, apply_options
from app.cli.start import settings_from
from app.config.scenes import SceneStore
from app.config.setting import read_zones
from app.core import user_file
from app.core.errors import SettingsError, UsageError
from app.core.settings import BackgroundSettings, CaptureSettings, FramingSettings, OutputSettings
from app.core.user_file import JsonObject
from app.effects.zones import Zone, ZonesFile
from app.settings import Settings
from tests.config.files import saved_scenes, unreadable

BLUE = BackgroundSettings(kind="colour", colour="#0000ff")
# State of a run and of its devices, which a scene must not change.
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
).replaced_at(["window"], theme="dark")


@pytest.fixture
def store(tmp_path: Path) -> SceneStore:
    return SceneStore(tmp_path / "scenes.json")


def test_scenes_follow_a_background_that_is_renamed(store: SceneStore) -> None:
    store.follow_rename(Path("/beach.png"), Path("/sea.png"))
    assert not store.path.exists()
    for name, path in (("Beach", "/beach.png"), ("Hill", "/hill.png")):
        store.put(name, Settings(background=BackgroundSettings(kind="image", path=Path(path))))
    saved_scenes(store.path.parent, **json.loads(store.path.read_text())["scenes"], Odd=3)
    store.follow_rename(Path("/beach.png"), Path("/sea.png"))
    beach, hill = (store.get(name).settings.background.path for name in ("Beach", "Hill"))
    assert (beach, hill, store.names()) == (
        Path("/sea.png"),
        Path("/hill.png"),
        ("Beach", "Hill", "Odd"),
    )


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
    """How a camera is turned belongs to its scenes: one without a camera leaves that in use upright."""
    sideways = RUN.replaced_at(["capture"], rotate=90, flip=True)
    store.put("Desk", sideways, with_devices=True)
    applied = store.get("Desk").applied_to(Settings())
    assert "microphone" not in store.path.read_text()
    assert applied == Settings(
        capture=sideways.capture, output=OutputSettings(virtual_camera="call", on_demand=False)
    )
    for with_devices, used in ((True, sideways), (False, RUN)):
        store.put("Desk", sideways, with_devices=with_devices)
        scene = store.get("Desk")
        assert (scene.applied_to(RUN).capture, scene.exposes(RUN)) == (used.capture, ())


def test_unknown_and_impossible_names(store: SceneStore) -> None:
    with pytest.raises(UsageError, match="no scene is saved yet"):
        store.get("Work")
    for name in ("Work", "Home"):
        store.put(name, Settings())
    with pytest.raises(UsageError, match="the scenes are Work, Home"):
        store.remove("Beach")
    with pytest.raises(UsageError, match="already"):
        store.rename("Work", "Home")
    for name in ("", "   ", "two\nlines", "x" * 81):
        with pytest.raises(UsageError, match="cannot be the name"):
            store.put(name, Settings())
    store.rename("Work", "  Évening ")

    assert SceneStore(store.path).names() == ("Évening", "Home")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"version": 2, "scenes": {}}', '{"version": 1, "scenes": []}']
)
def test_a_broken_scenes_file_is_said_and_kept_by_the_next_scene(
    store: SceneStore,
    content: str,
) -> None:
    store.path.write_text(content)

    for use in (
        store.names,
        partial(store.get, "Work"),
        partial(store.remove, "Work"),
        partial(store.rename, "A", "B"),
    ):
        with pytest.raises(SettingsError, match=f"{re.escape(str(store.path))} cannot be used"):
            use()
    assert store.path.read_text() == content

    renamed = store.put("Work", Settings())

    kept = store.path.with_name("scenes.json.bad")
    assert renamed is not None and str(kept) in renamed
    assert kept.read_text() == content and store.names() == ("Work",)


def test_scenes_that_cannot_be_read_are_never_overwritten(store: SceneStore) -> None:
    unreadable(store.path)
    with pytest.raises(SettingsError, match="it is a folder"):
        store.follow_rename(Path("/beach.png"), Path("/sea.png"))

    renamed = store.put("Work", Settings())

    assert renamed is not None and (store.path.with_name("scenes.json.bad") / "mine").exists()
    assert store.names() == ("Work",)


def test_what_only_another_version_knows_stays_beside_the_scenes(store: SceneStore) -> None:
    store.path.write_text('{"version": 1, "scenes": {}, "order": ["Work"]}')
    store.put("Work", Settings())
    store.rename("Work", "Home")

    assert json.loads(store.path.read_text())["order"] == ["Work"]


def test_a_broken_scene_stays_and_costs_no_other(store: SceneStore) -> None:
    store.put("Good", Settings(background=BLUE))
    bad = {"version": 1, "capture": {"width": "wide"}}
    saved_scenes(
        store.path.parent,
        **json.loads(store.path.read_text())["scenes"],
        Bad=bad,
        Worse=3,
    )
    for name in ("Bad", "Worse"):
        with pytest.raises(SettingsError, match=name):
            store.get(name)
    store.put("New", Settings())

    assert store.names() == ("Good", "Bad", "Worse", "New")
    assert store.get("Good").settings.background == BLUE and store.get("New")
    assert json.loads(store.path.read_text())["scenes"]["Bad"] == bad


def test_scenes_saved_at_once_are_all_kept(store: SceneStore) -> None:
    names = {f"Scene {number}" for number in range(40)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: SceneStore(store.path).put(name, Settings()), names))

    assert set(store.names()) == names


DOOR = {"kind": "drop", "points": [[0, 0], [0.2, 0], [0.2, 1]], "filled": True}


def test_a_file_gives_zones_for_any_camera(tmp_path: Path) -> None:
    path = tmp_path / "zones.json"
    path.write_text(json.dumps({"zones": [DOOR, {"points": [[0.5, 0.5]], "radius": 0.1}]}))
    door, chair = read_zones(path, ZonesFile)

    assert door == Zone(points=((0, 0), (0.2, 0), (0.2, 1)), filled=True)
    assert (chair.radius, chair.camera) == (0.1, "")
    assert apply_options(Settings(), LiveOptions(zones=path)).people.zones == (door, chair)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({}, "zones"),
        ({"zones": [DOOR], "framing": "calm"}, "framing: there is no such setting"),
        ({"zones": [DOOR, {**DOOR, "kind": "keep"}]}, "it holds a keep zone, which shows the room"),
        ({"zones": [{**DOOR, "points": [[0, 2]]}]}, "at most 1"),
        ({"zones": [3]}, "zones.0: it must be an object with names and values"),
        ({"zones": [{**DOOR, "points": [[float("nan"), 0]]}]}, "zones.0.points.0.0"),
        ({"zones": [DOOR] * 201}, "zones: it has more than 200 parts"),
    ],
)
def test_any_other_file_is_refused(tmp_path: Path, data: object, problem: str) -> None:
    file = tmp_path / "zones.json"
    file.write_text(json.dumps(data))
    for path, said in (
        (file, problem),
        (tmp_path / "none.json", "not exist"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(UsageError, match=rf"zones file {re.escape(str(path))} .*{said}"):
            read_zones(path, ZonesFile)


def test_scenes_on_a_disk_that_does_not_answer_hold_up_no_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = threading.Event()

    def hang(file: Path) -> JsonObject | None:
        assert answers.wait(60)
        return None

    monkeypatch.setattr(user_file, "read_object", hang)
    monkeypatch.setattr(user_file, "GIVE_UP_S", 0.05)

    with pytest.raises(
        SettingsError, match=r"The scenes file .* does not answer; reconnect its disk"
    ):
        settings_from(LiveOptions(profile="Work"))

    answers.set()
