"""Commands that set something: every setting through each of its faces, short commands, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.cli.ctl import status_line
from app.cli.options import LiveOptions, apply_options
from app.config import settings_file
from app.config.scenes import SceneStore
from app.config.setting import SETTINGS, Setting, with_value
from app.control.commands import OWN_COMMANDS, SETTABLE, parse_words
from app.core.errors import MattecamError, ModelError, UsageError
from app.core.settings import FramingSettings, PeopleSettings, Settings
from app.output.sound.devices import MicrophoneName
from tests.control.conftest import Program, SettingsAlone
from tests.other_values import other_value

WHOLE = {"framing.zoom": "1", "framing.pan_x": "0", "framing.pan_y": "0"}
DECLARED = [setting for setting in SETTINGS.values() if setting.description and setting.name != "people.zones"]
OF_A_RUN = {f"output.{name}" for name in ("record", "record_alpha", "record_rate", "encoder", "microphone")}
"""Settings that no scene changes, beside those of the window."""
LEADS_TO_ANOTHER_PART = {"matting.weights", "background.kind", "background.path"}
"""Settings whose other values need a file beside them; tests of their own cover them in `ctl`."""


@pytest.mark.parametrize("setting", DECLARED, ids=lambda setting: setting.name)
def test_a_setting_has_the_same_value_on_each_of_its_faces(
    setting: Setting, alone: SettingsAlone, tmp_path: Path
) -> None:
    text = other_value(setting, alone.image)
    value = setting.parsed(text)
    changed = with_value(Settings(), setting.name, value)
    assert setting.text(value) == text
    assert setting.value_in(changed) == value != setting.default
    assert setting.replaced_in(changed, setting.default) == Settings(), "nothing else has changed"
    settings_file.save(tmp_path / "settings.json", changed)
    assert settings_file.load(tmp_path / "settings.json") == (changed, None)
    of_scenes = setting.path[0] != "window" and setting.name not in OF_A_RUN
    store = SceneStore(tmp_path / "own-scenes.json")
    store.put("Look", changed, with_devices=True)
    assert setting.value_in(store.get("Look").applied_to(Settings())) == (value if of_scenes else setting.default)
    if setting.option:
        name = setting.option.partition("/")[0].removeprefix("--").replace("-", "_")
        given = setting.annotation is not bool or text == "on"
        assert (
            apply_options(Settings(), LiveOptions(**{name: text if setting.annotation is not bool else given}))
            == changed
        )
    if setting.name in SETTABLE and setting.name not in LEADS_TO_ANOTHER_PART:
        alone.run(f"reset {setting.name}")
        before = alone.settings
        assert alone.run(f"set {setting.name} {text}") == f"{setting.name}: {text}"
        assert alone.run(f"get {setting.name}").partition(";")[0] == f"{setting.name}: {text}"
        assert alone.settings == with_value(before, setting.name, value)
        alone.run(f"reset {setting.name}")
        assert alone.settings == before
    else:
        assert setting.name in {*OWN_COMMANDS, *LEADS_TO_ANOTHER_PART}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("framing 2", {"framing.zoom": "2"}),
        ("framing 2 0.5,-1", {"framing.zoom": "2", "framing.pan_x": "0.5", "framing.pan_y": "-1.0"}),
        ("framing whole", {**WHOLE, "people.auto_framing": "off"}),
        ("framing calm", {**WHOLE, "people.auto_framing": "calm"}),
        ("model mattecam", {"matting.model": "mattecam"}),
    ],
)
def test_a_command_stands_for_values_of_settings(words: str, values: Mapping[str, str]) -> None:
    assert parse_words(words.split()).values == values


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("framing 2 5,5", "framing.pan_x: “5.0” is not possible: it must be at most 1."),
        ("framing head", r"framing “head” is not possible; write whole\|calm\|close\|ZOOM"),
        ("model gpt", "“gpt” is not possible: it must be one of auto, rvm-mobilenetv3"),
        ("framing 2 5", "5"),
        ("set output.mirror", "output.mirror needs a value"),
    ],
)
def test_a_wrong_value_is_refused_where_the_command_is_written(words: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_words(words.split())


def test_several_settings_change_at_once(alone: SettingsAlone) -> None:
    alone.run("framing 2 0.5,-1")
    assert alone.run("set framing.zoom 1.5") == "framing.zoom: 1.5"
    assert alone.settings.framing == FramingSettings(zoom=1.5, pan_x=0.5, pan_y=-1)
    answer = "framing.zoom: 1, framing.pan_x: 0, framing.pan_y: 0, people.auto_framing: calm"
    assert alone.run("framing calm") == answer
    assert (alone.settings.framing, alone.settings.people) == (
        FramingSettings(),
        PeopleSettings(auto_framing="calm"),
    )


def test_a_model_that_cannot_be_built_leaves_the_one_in_use(program: Program, tmp_path: Path) -> None:
    assert program.run("model mattecam") == "matting.model: mattecam"
    assert program.controller.status()["model"] == "mattecam"
    assert program.run("set matting.downsample_ratio 0.25") == "matting.downsample_ratio: 0.25"
    assert program.controller.status()["downsample_ratio"] == 0.25
    checkpoint = tmp_path / "student.pth"
    checkpoint.touch()
    program.run(f"set matting.weights {checkpoint}")
    program.world.faults.put("build_engine", ModelError("The weights are missing; download them."))
    with pytest.raises(MattecamError, match="weights are missing"):
        program.run("model u2netp")
    assert (program.settings.matting.model, program.settings.matting.weights) == ("mattecam", checkpoint)


def test_the_model_and_the_status_agree_about_weights_of_ones_own(program: Program, tmp_path: Path) -> None:
    """`ctl status` named the model alone, whose own weights were not in use, and `ctl model` said nothing."""
    used = program.controller.status()["model"]
    assert program.run("model") == f"matting.model: auto; in use: {used}"
    checkpoint = tmp_path / "mine.safetensors"
    checkpoint.touch()
    program.run(f"set matting.weights {checkpoint}")
    status = program.controller.status()
    assert program.run("model") == f"matting.model: auto; in use: {status['model']}, with the weights {checkpoint}"
    assert status["weights"] == str(checkpoint)
    assert f", {status['model']} with mine.safetensors, " in status_line(status)
    program.run("set matting.weights none")
    assert program.run("model") == f"matting.model: auto; in use: {used}"
    assert program.controller.status()["weights"] is None
    program.run(f"set matting.weights {checkpoint}")
    program.run("model mattecam")
    assert program.controller.status()["weights"] is None, "a checkpoint belongs to its model"
    program.world.faults.put("build_engine", ModelError("These are weights of another model."))
    with pytest.raises(MattecamError, match="of another model"):
        program.run(f"set matting.weights {checkpoint}")
    assert program.run("model") == "matting.model: mattecam; in use: mattecam"


def test_a_microphone_must_be_one_that_the_system_lists(alone: SettingsAlone) -> None:
    alone.microphones.append(MicrophoneName("USB Microphone", "USB"))
    with pytest.raises(UsageError, match="no microphone “nosuch”; the choices are off, default, USB Microphone"):
        alone.run("set output.microphone nosuch")
    assert alone.settings.output.microphone == "off"
    for name in ("default", "USB Microphone", "off"):
        assert alone.run(f"set output.microphone {name}") == f"output.microphone: {name}"
        assert alone.settings.output.microphone == name
    alone.microphones.clear()  # a system that cannot list them
    alone.run("set output.microphone Other")
    assert alone.settings.output.microphone == "Other"
