"""Commands that are `ctl set` under shorter names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from app.cli.ctl import status_line
from app.control.commands import SYNTAX, parse_words
from app.control.names import SETTABLE, SHORT, expanded
from app.core.errors import MattecamError, ModelError, UsageError
from app.core.settings import FramingSettings, PeopleSettings
from app.output.sound.devices import MicrophoneName
from tests.control.conftest import Program, SettingsAlone

WHOLE = {"framing.zoom": "1", "framing.pan_x": "0", "framing.pan_y": "0"}
CENTRED = {"background.zoom": "1", "background.pan_x": "0", "background.pan_y": "0"}


@pytest.mark.parametrize(
    ("words", "values"),
    [
        ("zoom 1.5", {"framing.zoom": "1.5"}),
        ("framing 2", {"framing.zoom": "2"}),
        ("framing 2 0.5,-1", {"framing.zoom": "2", "framing.pan_x": "0.5", "framing.pan_y": "-1.0"}),
        ("framing whole", {**WHOLE, "people.auto_framing": "off"}),
        ("framing calm", {**WHOLE, "people.auto_framing": "calm"}),
        ("background-view 1.5", {"background.zoom": "1.5"}),
        ("background-view fit", {"background.fit": "fit", **CENTRED}),
        ("light match 12.5", {"edges.light_match": "12.5"}),
        ("ratio auto", {"matting.downsample_ratio": "auto"}),
        ("rotate 270", {"capture.rotate": "270"}),
        ("flip on", {"capture.flip": "on"}),
        ("model mattecam", {"matting.model": "mattecam"}),
        ("microphone USB Microphone", {"output.microphone": "USB Microphone"}),
    ],
)
def test_a_command_stands_for_values_of_settings(words: str, values: Mapping[str, str]) -> None:
    assert parse_words(words.split()).values == values


@pytest.mark.parametrize("words", SHORT)
def test_every_alias_sets_settings_that_there_are(words: str) -> None:
    assert words.partition(" ")[0] in SYNTAX
    for text in ("", "2", "0,0"):
        with suppress(ValueError, UsageError):
            assert set(expanded(SHORT[words], text)) <= set(SETTABLE)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("framing 2 5,5", "framing.pan_x: “5.0” is not possible: it must be at most 1."),
        ("framing head", r"framing “head” is not possible; write whole\|calm\|close\|ZOOM"),
        ("background-view wide", r"background-view “wide” is not possible; write fill\|fit\|ZOOM"),
        ("light sun 5", r"light “sun 5” is not possible; write match\|portrait"),
        ("light match", "edges.light_match: “” is not possible: it must be a number."),
        ("model gpt", "“gpt” is not possible: it must be one of auto, rvm-mobilenetv3"),
        ("set output.mirror", "output.mirror needs a value"),
    ],
)
def test_a_wrong_value_is_refused_where_the_command_is_written(words: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_words(words.split())


def test_several_settings_change_at_once(alone: SettingsAlone) -> None:
    alone.run("framing 2 0.5,-1")
    assert alone.run("zoom 1.5") == "framing.zoom: 1.5"
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
    assert program.run("ratio 0.25") == "matting.downsample_ratio: 0.25"
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
        alone.run("microphone nosuch")
    assert alone.settings.output.microphone == "off"
    for name in ("default", "USB Microphone", "off"):
        assert alone.run(f"microphone {name}") == f"output.microphone: {name}"
        assert alone.settings.output.microphone == name
    alone.microphones.clear()  # a system that cannot list them
    alone.run("microphone Other")
    assert alone.settings.output.microphone == "Other"
