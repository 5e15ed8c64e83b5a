"""Settings by name and by option: which texts stand for which values, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.config.setting import (
    GREEN,
    OPTIONS,
    SETTINGS,
    UnknownBackgroundError,
    file_problem,
    parse_background,
    present_name,
    with_value,
    with_values,
)
from app.core.errors import UsageError
from app.core.settings import BackgroundSettings
from app.effects.zones import Zone
from app.settings import Settings

DEFAULT = Settings()
DOOR = Zone(points=((0.1, 0.1),))


def problem_of(data: dict[str, Any]) -> str:
    """Return what is said of the values of a file."""
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate(data)
    return str(file_problem(refused.value))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"strict": {"level": "high"}}, "strict.level: it must be one of 'off' or 'balanced'"),
        ({"capture": {"fps": 0}}, "capture.fps: it must be at least 1"),
        ({"capture": {"fps": 500}}, "capture.fps: it must be at most 240"),
        ({"capture": {"fps": "fast"}}, "capture.fps: it must be a number"),
        ({"capture": {"width": 16.5}}, "capture.width: it must be a whole number"),
        ({"output": {"mirror": "maybe"}}, "output.mirror: it must be true or false"),
        ({"output": {"standby_text": 3}}, "output.standby_text: it must be text"),
        ({"people": {"zones": 3}}, "people.zones: it must be a list"),
        (
            {"people": {"zones": [{"points": []}]}},
            "people.zones.0.points: it has fewer than 1 parts",
        ),
        ({"people": {"zones": [{}]}}, "people.zones.0.points: it is missing"),
        ({"background": {"colour": "red"}}, "background.colour: it must be a colour like #00b140"),
        ({"capture": 3}, "capture: it must be an object with names and values"),
        ({"cature": {}}, "cature: there is no such setting"),
        (
            {"matting": {"device": "tpu"}},
            "matting.device: it must be auto, cpu, cuda, cuda:N, mps or intel",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_its_field(
    data: dict[str, Any], problem: str
) -> None:
    assert problem_of(data) == problem


def test_what_is_no_object_at_all_is_named_as_the_settings() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate([])

    assert str(file_problem(refused.value)).startswith("settings: ")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("none", {"kind": "none"}),
        ("green", {"kind": "colour", "colour": GREEN}),
        ("#102030", {"kind": "colour", "colour": "#102030"}),
        ("blur", {"kind": "blur", "blur_strength": 30}),
        ("blur:60", {"kind": "blur", "blur_strength": 60}),
        ("bokeh", {"kind": "blur", "blur_strength": 30, "bokeh": True}),
        ("bokeh:60", {"kind": "blur", "blur_strength": 60, "bokeh": True}),
    ],
)
def test_a_background_is_named_by_a_word_or_a_value(text: str, values: dict[str, Any]) -> None:
    base = BackgroundSettings(blur_strength=30)

    assert parse_background(text, base) == base.replace(**values)


def test_a_file_is_the_background_also_while_its_disk_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "beach.jpg"

    parsed = parse_background(str(missing))

    assert (parsed.kind, parsed.path) == ("image", missing)


def test_a_file_without_a_suffix_is_one_where_it_exists(tmp_path: Path) -> None:
    file = tmp_path / "beach"
    with pytest.raises(UnknownBackgroundError, match="There is no background"):
        parse_background(str(file))
    file.write_bytes(b"")

    assert parse_background(str(file)).path == file


@pytest.mark.parametrize("text", ["https://example.org/beach.jpg", "beach"])
def test_what_is_no_file_is_no_background(text: str) -> None:
    with pytest.raises(UnknownBackgroundError, match="There is no background"):
        parse_background(text)


def test_a_folder_is_no_background(tmp_path: Path) -> None:
    folder = tmp_path / "beach.jpg"
    folder.mkdir()

    with pytest.raises(UnknownBackgroundError, match="There is no background"):
        parse_background(str(folder))


def test_a_path_always_names_a_file(tmp_path: Path) -> None:
    assert parse_background(Path("blur")).path == Path("blur").absolute()


def test_the_word_none_stands_for_no_zones(tmp_path: Path) -> None:
    zones = SETTINGS["people.zones"]
    file = tmp_path / "zones.json"
    file.write_text(json.dumps({"zones": [{"points": [[0.1, 0.1]]}]}), "utf-8")

    assert zones.parsed("none") == ()
    assert zones.parsed(str(file)) == (DOOR,)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("output.mirror", "on", True),
        ("output.mirror", "off", False),
        ("capture.fps", "29.97", 29.97),
        ("capture.width", "640", 640),
        ("matting.downsample_ratio", "auto", None),
        ("matting.downsample_ratio", "0.5", 0.5),
        ("matting.weights", "none", None),
        ("output.standby_text", "Back at noon", "Back at noon"),
    ],
)
def test_a_value_and_its_text(name: str, text: str, value: object) -> None:
    setting = SETTINGS[name]

    assert setting.parsed(text) == value
    assert setting.text(value) == text


@pytest.mark.parametrize(
    ("zones", "text"),
    [((), "none"), ((DOOR,), "1 zone"), ((DOOR, DOOR), "2 zones")],
)
def test_of_zones_their_number_is_shown(zones: tuple[Zone, ...], text: str) -> None:
    assert SETTINGS["people.zones"].text(zones) == text


def test_a_switch_says_which_words_it_takes() -> None:
    with pytest.raises(UsageError, match="“maybe” is not possible; write on or off"):
        SETTINGS["output.mirror"].parsed("maybe")


def test_another_model_has_other_weights() -> None:
    settings = DEFAULT.replaced_at(["matting"], model="mattecam", weights=Path("own.pth"))

    other = with_value(settings, "matting.model", "rvm-mobilenetv3")
    same = with_value(settings, "matting.model", "mattecam")

    assert other.matting.weights is None
    assert same.matting.weights == Path("own.pth")


def test_auto_framing_ends_the_zoom_but_switching_it_off_does_not() -> None:
    zoomed = DEFAULT.replaced_at(["framing"], zoom=2)

    assert with_value(zoomed, "people.framing", "calm").framing == DEFAULT.framing
    assert with_value(zoomed, "people.framing", "off").framing == zoomed.framing


@pytest.mark.parametrize(
    ("option", "text", "path", "values"),
    [
        ("size", "640x360", ["capture"], {"width": 640, "height": 360}),
        ("size", "640X360", ["capture"], {"width": 640, "height": 360}),
        ("pan", "0.5,-1", ["framing"], {"pan_x": 0.5, "pan_y": -1}),
        ("background_pan", "1,0", ["background"], {"pan_x": 1}),
        ("background", "green", ["background"], {"kind": "colour"}),
        ("fps", "60", ["capture"], {"fps": 60}),
    ],
)
def test_an_option_gives_its_settings_their_values(
    option: str, text: str, path: list[str], values: dict[str, Any]
) -> None:
    assert OPTIONS[option].applied(DEFAULT, text) == DEFAULT.replaced_at(path, **values)


@pytest.mark.parametrize(
    ("option", "text"), [("size", "640"), ("size", "640x360x3"), ("pan", "0.5")]
)
def test_a_text_with_other_parts_is_refused(option: str, text: str) -> None:
    with pytest.raises(UsageError, match=rf"--{option}: “{text}” is not possible; write"):
        OPTIONS[option].applied(DEFAULT, text)


def test_options_have_their_names_in_python() -> None:
    assert OPTIONS["on_demand"].names == "--on-demand/--always-on"
    assert [each.name for each in OPTIONS["size"].settings] == ["capture.width", "capture.height"]


def test_values_are_texts_or_what_they_stand_for() -> None:
    changed = with_values(
        DEFAULT, {"output.mirror": "on", "capture.fps": 60, "edges.light_match": 30}
    )

    expected = DEFAULT.replaced_at(["output"], mirror=True).replaced_at(["capture"], fps=60)
    assert changed == expected.replaced_at(["light"], match=30)


def test_a_name_that_no_setting_has_is_refused() -> None:
    with pytest.raises(UsageError, match=r"There is no setting “output\.miror”"):
        with_values(DEFAULT, {"output.miror": "on"})


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("edges.strict", "strict.level"),
        ("matting.edges.strict", "strict.level"),
        ("selected", "people.selected"),
        ("output.mirror", "output.mirror"),
    ],
)
def test_a_name_of_0_4_is_known(before: str, now: str) -> None:
    assert present_name(before) == now
