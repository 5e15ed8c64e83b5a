"""The file of settings: what is read, kept and refused."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from app.cli.options import LiveOptions
from app.cli.start import settings_from
from app.config import settings_file
from app.config.scenes import SceneStore
from app.config.setting import RENAMED, SETTINGS, with_values
from app.control.commands import find_settable
from app.core import paths, user_file
from app.core.errors import SettingsError, UsageError
from app.core.user_file import BrokenFileError, JsonObject
from app.effects.zones import Zone
from app.settings import Settings
from tests.config.files import saved_scenes, unreadable

# Every setting of version 0.3, with another value than its default.
OLD = Path(__file__).with_name("settings_of_0_3.json")
# As version 0.4 wrote it, with effects and edge controls in use.
OF_0_4 = Path(__file__).with_name("settings_of_0_4.json")


CHANGED = Settings().replaced_at(["output"], mirror=True)


@pytest.mark.posix("symbolic links for everybody")
def test_settings_are_saved_where_a_link_leads(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "real.json"
    link = tmp_path / "settings.json"
    zone = Zone(points=((0.5, 0.25),), camera="usb-1")
    settings = Settings(paused=True).replaced_at(["people"], zones=(zone,))
    link.symlink_to(real)
    settings_file.save(link, settings)

    assert link.is_symlink() and settings_file.load(real) == (settings, None)
    assert [entry.name for entry in real.parent.iterdir()] == ["real.json"]


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


@pytest.mark.posix("symbolic links for everybody")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "it is not valid JSON"),
        (b"\xff\xfe\x00", "it is not a text file"),
        (b"[]", "it contains no JSON object"),
        (b'{"version": 3, "capture": {"width": 1}}', "capture.width"),
        (b'{"version": 1}', "is not a version"),
        (b'{"matting": {"model": "student"}}', "matting.model"),
        (b'{"version": 99}', "newer version of Mattecam"),
        (b'{"version": "one"}', "is not a version"),
        (b'{"version": true}', "is not a version"),
    ],
)
def test_a_broken_file_stays_until_something_is_saved_and_is_kept_then(
    tmp_path: Path, content: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.json"
    taken = tmp_path / "settings.json.bad"
    taken.symlink_to("nowhere")
    path.write_bytes(content)

    settings, warning = settings_file.load(path)

    assert settings == Settings(unconfirmed=True)
    assert warning is not None and reason in warning and str(path) in warning
    assert not caplog.records, "what is returned is printed; the log is printed as well"
    assert path.read_bytes() == content

    renamed = settings_file.save(path, CHANGED, settings)

    kept = tmp_path / "settings.json (2).bad"
    assert renamed is not None and reason in renamed and str(kept) in renamed
    assert kept.read_bytes() == content and taken.is_symlink()
    assert settings_file.read(path) == CHANGED


def test_a_file_that_cannot_be_read_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    unreadable(path)

    settings, warning = settings_file.load(path)

    assert settings == Settings(unconfirmed=True)
    assert warning is not None and "it is a folder" in warning and "starts paused" in warning
    assert path.is_dir()

    renamed = settings_file.save(path, CHANGED, settings)

    assert renamed is not None and "settings.json.bad" in renamed
    assert (tmp_path / "settings.json.bad" / "mine").exists()
    assert settings_file.read(path) == CHANGED


@pytest.mark.parametrize("is_on_windows", [False, True])
def test_a_file_in_place_of_the_folder_is_no_first_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_on_windows: bool
) -> None:
    """Windows says that such a file does not exist: the program started with defaults, unasked."""
    path = tmp_path / "mattecam" / "settings.json"
    path.parent.touch()

    def refuse(_path: Path) -> bytes:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))

    if is_on_windows:
        monkeypatch.setattr(Path, "read_bytes", refuse)
    settings, warning = settings_file.load(path)

    assert settings == Settings(unconfirmed=True)
    assert warning is not None and "not a folder" in warning and "starts paused" in warning


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_file_that_can_be_read_again_gets_only_what_was_changed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """That of a network home which came late was overwritten with defaults: zones and texts were gone."""
    path = tmp_path / "settings.json"
    zone = Zone(points=((0.5, 0.25),))
    saved = (
        Settings()
        .replaced_at(["people"], zones=(zone,))
        .replaced_at(
            ["output"],
            standby_text="Back at noon",
        )
    )
    settings_file.save(path, saved)

    def refuse(_path: Path) -> bytes:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        settings, warning = settings_file.load(path)
    renamed = settings_file.save(path, settings.replaced_at(["window"], theme="dark"), settings)

    assert settings.unconfirmed and warning is not None
    assert renamed is None and [each.name for each in tmp_path.iterdir()] == ["settings.json"]
    assert settings_file.load(path) == (saved.replaced_at(["window"], theme="dark"), None)


def test_nothing_is_written_where_what_was_not_read_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"version": 99}')

    def refuse(_path: Path, _target: Path) -> Path:
        raise OSError(errno.EPERM, "not permitted")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(
        SettingsError, match=r"settings\.json cannot be used .*nothing is saved over it"
    ):
        settings_file.save(path, CHANGED)

    assert path.read_text() == '{"version": 99}'
    assert [each.name for each in tmp_path.iterdir()] == ["settings.json"]


def test_a_full_disk_leaves_what_was_not_read_under_its_name(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    path = tmp_path / "settings.json"
    path.write_text("{")
    monkeypatch.setattr(os, "fsync", full_disk)

    with pytest.raises(SettingsError, match="the disk is full"):
        settings_file.save(path, CHANGED)

    assert [each.name for each in tmp_path.iterdir()] == [
        "settings.json"
    ] and path.read_text() == "{"


@pytest.mark.posix("symbolic links for everybody")
def test_a_link_to_a_file_that_cannot_be_used_is_renamed_and_not_followed(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.json"
    link = tmp_path / "settings.json"
    real.write_text("{")
    link.symlink_to(real)

    settings_file.save(link, CHANGED)

    assert real.read_text() == "{" and (tmp_path / "settings.json.bad").resolve() == real
    assert not link.is_symlink() and settings_file.read(link) == CHANGED


@pytest.mark.posix("symbolic links for everybody")
@pytest.mark.parametrize("part", ["the file", "its folder"])
def test_settings_on_a_disk_that_is_not_connected_are_unknown(tmp_path: Path, part: str) -> None:
    path = tmp_path / "config" / "settings.json"
    if part == "the file":
        path.parent.mkdir()
        path.symlink_to(tmp_path / "disk" / "settings.json")
    else:
        path.parent.symlink_to(tmp_path / "disk")

    settings, warning = settings_file.load(path)

    assert (
        settings.unconfirmed and warning is not None and "a link to what does not exist" in warning
    )
    assert settings_file.load(tmp_path / "none" / "settings.json") == (Settings(), None), (
        "a first start"
    )


def test_settings_that_nobody_confirmed_are_unknown_at_the_next_start_too(tmp_path: Path) -> None:
    """What was kept aside is no longer there to be noticed."""
    path = tmp_path / "settings.json"
    path.write_text("{")
    settings, _ = settings_file.load(path)
    moved = settings.replaced_at(["window"], geometry="AAAA")
    settings_file.save(path, moved, settings)

    again, warning = settings_file.load(path)

    assert again == moved and again.unconfirmed
    assert warning is not None and "starts paused" in warning

    settings_file.save(path, again.replace(unconfirmed=False), again)

    assert settings_file.load(path) == (moved.replace(unconfirmed=False), None)


def test_what_only_another_version_knows_stays_in_the_file(tmp_path: Path) -> None:
    """A look with an older version dropped the settings that it lacks."""
    path = tmp_path / "settings.json"
    theirs: dict[str, Any] = {
        "people": {"faces": "blurred", "only_me": True},
        "background": {"kind": "rainbow"},
        "matting": {"executor": "cuda-graph"},
        "window": {"cameras": {"usb-1": {"hdr": True}}},
        "pets": {"hide": True},
    }
    path.write_text(json.dumps(theirs))
    before = settings_file.read(path)
    after = before.replaced_at(["matting"], executor="eager").replaced_at(["people"], only_me=False)

    settings_file.save(path, after, before)

    kept = json.loads(path.read_text())
    assert (kept["people"]["faces"], kept["background"]["kind"], kept["pets"]) == (
        "blurred",
        "rainbow",
        {"hide": True},
    )
    assert kept["window"]["cameras"]["usb-1"]["hdr"] is True
    assert (kept["matting"]["executor"], kept["people"]["only_me"]) == ("eager", False), (
        "what the user chose is saved"
    )
    assert settings_file.read(path) == after


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can give files away"
)
def test_what_root_saves_belongs_to_the_user_as_before(tmp_path: Path) -> None:
    """After one start with sudo the settings were root's: the next start could not read them."""
    first = tmp_path / "settings.json"
    second = tmp_path / "scenes.json"
    settings_file.save(first, Settings())
    os.chown(first, 12345, 12346)
    os.chown(tmp_path, 12345, 12345)

    settings_file.save(first, CHANGED)
    SceneStore(second).put("Work", Settings())

    assert (first.stat().st_uid, first.stat().st_gid) == (12345, 12346)
    assert second.stat().st_uid == 12345
    assert first.stat().st_mode & 0o777 == 0o600


def test_the_environment_names_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, used in (("CONFIG", settings_file.default_path), ("DATA", paths.backgrounds_dir)):
        monkeypatch.setenv(f"MATTECAM_{kind}_DIR", str(tmp_path / kind))
        assert used().parent == tmp_path / kind
        monkeypatch.delenv(f"MATTECAM_{kind}_DIR")
        assert used().parent.name == "mattecam"


@pytest.mark.parametrize("background", [{}, {"kind": "blur", "blur_strength": 0}])
def test_a_blur_of_an_older_version_is_never_weaker_than_it_was_shown(
    tmp_path: Path, background: dict[str, object]
) -> None:
    """Version 2 saved the strength on the scale of the level."""
    data = {"version": 2, "matting": {"edges": {"strict": "off"}}, "background": background}
    settings = settings_file.parse(data)
    assert settings.shown_blur == 100
    assert settings_file.parse(settings.model_dump(mode="json")) == settings
    assert saved_scenes(tmp_path, Old=data).get("Old").settings == settings
    with pytest.raises(BrokenFileError):
        settings_file.parse({**data, "background": 5})


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
        ("people", "zones", [{"points": []}], "it has fewer than 1 parts"),
        ("people", "zones", [{"points": [[0, 0]], "kind": "maybe"}], "it must be one of"),
        ("people", "zones", [{"points": [[0, 0]], "fills": True}], ""),
    ],
)
def test_a_settings_file_with_an_impossible_value(
    section: str,
    field: str,
    value: Any,
    problem: str,
) -> None:
    """Less would be hidden without a damaged zone."""
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
    scenes = saved_scenes(tmp_path, Old=data)
    zones = (Zone(points=((0.1, 0.2),)),)
    for _ in range(2):
        assert settings_file.load(path) == (
            Settings(paused=True).replaced_at(["people"], zones=zones),
            None,
        )
        assert scenes.get("Old").settings.people.zones == zones, (
            "a keep zone neither shows nor hides"
        )
    (said,) = (record.getMessage() for record in caplog.records)
    names = "no such field, background.kind, background.no such view, matting.executor, people.zones.0, people.zones.2"
    assert all(name in said for name in names.split(", "))


def test_a_file_of_version_0_3_loads_without_what_has_gone(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The background that has gone becomes a blur, never the room; the log names once what is unknown."""
    data = json.loads(OLD.read_text())
    data["window"]["close_to_tray"] = None
    scene = (
        saved_scenes(tmp_path, Talk={**data, "with_devices": True})
        .get("Talk")
        .applied_to(Settings())
    )
    settings = settings_file.parse(data)
    (said,) = (record.getMessage() for record in caplog.records)

    for name in (
        "background.kind",
        "background.screen",
        "background.slide",
        "placement",
        "overlay",
        "close_to_tray",
    ):
        assert name in said
    for loaded in (settings, scene):
        assert loaded.background.kind == "blur" and loaded.shown_blur == 100
        assert (loaded.capture.source, loaded.output.mirror) == ("other", True)
        assert len(loaded.people.zones) == 1, "what is hidden stays hidden"


def test_a_file_on_a_disk_that_does_not_answer_holds_up_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window never appeared, and nothing was said."""
    path = tmp_path / "settings.json"
    answers = threading.Event()
    path.write_text("{}")

    def hang(file: Path) -> JsonObject | None:
        assert answers.wait(60)
        return {}

    monkeypatch.setattr(user_file, "read_object", hang)
    monkeypatch.setattr(user_file, "GIVE_UP_S", 0.05)

    settings, said = settings_file.load(path)

    assert settings.unconfirmed
    assert f"The settings file {path} cannot be used (its disk does not answer)" in str(said)
    assert path.read_text() == "{}"
    answers.set()


@pytest.mark.parametrize(
    ("step", "options", "problem"),
    [
        pytest.param(
            "app.config.setting.read_object", {"zones": "zones.json"}, "The zones file", id="zones"
        ),
        pytest.param(
            "app.cli.start.is_file", {"config": Path("run.json")}, "The settings file", id="config"
        ),
    ],
)
def test_a_named_file_on_a_disk_that_does_not_answer_is_refused(
    monkeypatch: pytest.MonkeyPatch, step: str, options: dict[str, Any], problem: str
) -> None:
    answers = threading.Event()

    def hang(file: Path) -> None:
        assert answers.wait(60)

    monkeypatch.setattr(step, hang)
    monkeypatch.setattr(user_file, "GIVE_UP_S", 0.05)

    with pytest.raises(UsageError, match=f"{problem} .* cannot be used: its disk does not answer"):
        settings_from(LiveOptions(**options))

    answers.set()


USED_IN_0_4 = {
    "people.only_me": "on",
    "people.framing": "calm",
    "light.match": "30",
    "light.portrait": "40",
    "light.brightness": "50",
    "edges.grow_px": "2",
    "edges.feather_px": "3",
    "edges.despill": "0.5",
    "strict.level": "off",
    "background.kind": "colour",
    "background.colour": "#102030",
    "output.mirror": "on",
    "output.standby_text": "Back at noon",
}


def test_a_file_of_0_4_gives_every_effect_its_settings(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(OF_0_4.read_bytes())

    settings, warning = settings_file.load(path)

    door = Zone(points=((0, 0), (0.2, 0), (0.2, 1), (0, 1)), filled=True, camera="usb-1")
    assert settings == with_values(Settings().replaced_at(["people"], zones=(door,)), USED_IN_0_4)
    assert (warning, caplog.messages) == (None, [])
    settings_file.save(path, settings)
    assert settings_file.read(path) == settings


def test_a_scene_of_0_4_has_the_same_look(tmp_path: Path) -> None:
    content = json.loads(OF_0_4.read_text())
    look = {
        name: content[name] for name in ("version", "framing", "people", "matting", "background")
    }
    path = tmp_path / "scenes.json"
    path.write_text(json.dumps({"version": 1, "scenes": {"Desk": look}}))

    scene = SceneStore(path).get("Desk")

    saved = settings_file.read(OF_0_4)
    assert (scene.settings.people, scene.settings.light) == (saved.people, saved.light)
    assert scene.settings.matting == saved.matting


@pytest.mark.parametrize(
    "before", [path for path, now in RENAMED.items() if SETTINGS[now].description]
)
def test_a_name_of_0_4_still_sets_its_setting(before: str) -> None:
    """As its path in the file, and as `ctl set` and the API take it."""
    now = SETTINGS[RENAMED[before]]

    for name in (before, ".".join(before.split(".")[-2:])):
        assert find_settable(name) is now
        value = next((choice for choice in now.choices if choice != now.text(now.default)), "50")
        assert now.text(now.value_in(with_values(Settings(), {name: value}))) == value
