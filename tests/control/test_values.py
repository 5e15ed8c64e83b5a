"""`ctl get`, `ctl set`, `ctl reset`, and the commands for scenes."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from app.config.setting import SETTINGS
from app.control.commands import OWN_COMMANDS, SETTABLE, SYNTAX, Command, decode_answer, find_settable
from app.control.server import answer
from app.control.values import CREATED
from app.core.errors import MattecamError, SettingsError, SourceOpenError, UsageError
from tests.control.conftest import Program, SettingsAlone
from tests.other_values import other_value


def test_every_setting_has_a_name_in_set_or_a_command_of_its_own() -> None:
    names = {setting.name for setting in SETTINGS.values() if setting.description}
    assert names | {"paused", "frozen", "selected"} == {*SETTABLE, *OWN_COMMANDS}
    assert set(OWN_COMMANDS.values()) <= set(SYNTAX)
    assert not set(SETTABLE) & set(OWN_COMMANDS)


def test_a_name_may_be_written_with_hyphens(alone: SettingsAlone) -> None:
    assert alone.run("set output.standby-text Back at noon") == "output.standby-text: Back at noon"
    assert alone.settings.output.standby_text == "Back at noon"


def test_a_name_may_be_the_path_in_the_settings_file(alone: SettingsAlone) -> None:
    for setting in SETTABLE.values():
        assert find_settable(".".join(setting.path)) is setting
    assert alone.run("set matting.edges.strict off") == "matting.edges.strict: off"
    assert alone.settings.matting.edges.strict == "off"
    for wrong in ("background.edges.strict", "edges.edges.strict", "strict"):
        assert find_settable(wrong) is None


def test_another_level_of_strict_mode_leaves_the_strength_of_the_blur(alone: SettingsAlone) -> None:
    for level in ("off", "balanced", "off"):
        alone.run(f"set edges.strict {level}")
        assert alone.settings.background.blur_strength == 85


def test_get_shows_value_and_choices(alone: SettingsAlone) -> None:
    assert alone.run("get output.mirror") == "output.mirror: off; the choices are on, off"
    every = alone.run("get").splitlines()
    assert len(every) == len(SETTABLE)
    assert "background.colour: #0000ff" in every


UNSET = sorted(name for name, setting in SETTABLE.items() if setting.unset is not None)


@pytest.mark.parametrize("name", UNSET)
def test_what_get_shows_for_no_value_unsets(alone: SettingsAlone, name: str) -> None:
    """`set NAME none` stored a file named none."""
    word = alone.run(f"get {name}").removeprefix(f"{name}: ")
    assert word == ("auto" if name == "matting.downsample_ratio" else "none")
    alone.run(f"set {name} {other_value(SETTABLE[name], alone.image)}")
    assert SETTABLE[name].value_in(alone.settings) is not None
    for text in (word, "none"):
        assert alone.run(f"set {name} {text}") == f"{name}: {word}"
        assert SETTABLE[name].value_in(alone.settings) is None


@pytest.mark.parametrize("name", sorted({name for name, setting in SETTABLE.items() if setting.is_path} - {*CREATED}))
def test_a_file_that_does_not_exist_is_refused(alone: SettingsAlone, name: str) -> None:
    before = alone.settings
    for file in ("/no/nosuch.png", "x" * 2000):  # the system can look up no name as long as the second
        with pytest.raises(UsageError, match=rf"There is no file .*{file} for {name}"):
            alone.run(f"set {name} {file}")
    assert alone.settings == before


def test_an_image_that_cannot_be_read_is_no_standby_image(program: Program, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no image")
    program.run("pause")
    with pytest.raises(MattecamError, match=r"broken\.png is not a readable image"):
        program.run(f"set output.standby_image {broken}")
    assert program.settings.output.standby_image is None


@pytest.mark.parametrize(
    ("words", "wrong_usage"),
    [
        ("framing 101", True),
        ("background blur:200", True),
        ("set output.mirror", True),
        ("set nosuch 1", True),
        ("get nosuch", True),
        ("reset nosuch", True),
        ("model nosuch", True),
        ("record stop", False),
        ("scene nosuch", False),
    ],
)
def test_an_answer_tells_wrong_usage_from_a_failure(alone: SettingsAlone, words: str, wrong_usage: bool) -> None:
    """`ctl` ended with 1 for both."""
    name, _, argument = words.partition(" ")
    given = decode_answer(answer(alone.controller, Command(name, argument).encode()).encode())
    assert not given.done
    assert given.wrong_usage is wrong_usage


NUMBERS = sorted(
    name for name, setting in SETTABLE.items() if {int, float} & {setting.annotation, *get_args(setting.annotation)}
)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_out_of_range_is_refused_and_never_clamped(alone: SettingsAlone, name: str) -> None:
    before = alone.settings
    assert len(NUMBERS) > 15
    for value in ("-1e9", "1e9", "nan", "-inf"):
        with pytest.raises(UsageError, match=name.replace("_", "[_-]")):
            alone.run(f"set {name} {value}")
    assert alone.settings == before


def test_impossible_values_name_the_choices_and_change_nothing(alone: SettingsAlone) -> None:
    before = alone.settings
    for text, words in (
        ("set output.mirrored on", "There is no setting “output.mirrored”; similar ones are output.mirror"),
        ("set output.mirror maybe", "output.mirror: “maybe” is not possible; write on or off"),
        ("set background.fit stretch", "it must be one of 'fill' or 'fit'"),
        ("set edges.contrast 2", "edges.contrast: .* it must be at most 1"),
        ("set edges.grow_px wide", "a whole number"),
        ("set output.record x.mp4", "There is no setting"),
        ("get zzzzzz", "There is no setting “zzzzzz”; `ctl get` lists all"),
    ):
        with pytest.raises(UsageError, match=words):
            alone.run(text)
    assert alone.settings == before


def test_a_source_that_cannot_be_opened_is_reported_and_the_one_before_stays(program: Program) -> None:
    before = program.settings
    program.world.faults.put("open_source", SourceOpenError("There is no such camera."))
    with pytest.raises(MattecamError, match="no such camera"):
        program.run("set capture.source camera:7")
    assert program.settings.capture == before.capture


def test_scenes_are_saved_renamed_and_removed(program: Program) -> None:
    program.run("set output.mirror on")
    assert program.run("save-scene Work call") == "Saved the scene Work call."
    assert program.run("rename-scene Work call=Desk") == "Renamed the scene Work call to Desk."
    program.run("set output.mirror off")
    program.run("scene Desk")
    assert program.settings.output.mirror
    assert not program.scenes.get("Desk").with_devices
    program.run("save-scene-with-camera Desk")
    assert program.scenes.get("Desk").with_devices
    assert program.run("remove-scene Desk") == "Removed the scene Desk."
    assert program.scenes.names() == ()
    assert program.scene_changes == 4
    with pytest.raises(SettingsError, match="Desk"):
        program.run("remove-scene Desk")
    with pytest.raises(UsageError, match="rename-scene Work=Office"):
        program.run("rename-scene Desk")
