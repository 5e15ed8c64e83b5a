"""What each setting says of itself, so that no other module has to know it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from app.config.scenes import SceneStore
from app.config.setting import SETTINGS, Setting
from app.core.declaration import Model, Scope, facts_of, opens_alike, setting
from app.core.errors import Stage
from app.core.settings import CaptureSettings, OutputSettings
from app.effects.zones import Zone
from app.settings import Settings
from tests.other_values import other_value
from tests.paths import ROOT

ALL = pytest.mark.parametrize("declared", SETTINGS.values(), ids=SETTINGS)
HOW = "add it to its setting(…); app/core/declaration.py says what each word means"


@ALL
def test_every_setting_says_what_its_value_belongs_to(declared: Setting) -> None:
    assert declared.scope in get_args(Scope), (
        f'{declared.name} needs scope="scene", "device", "program" or "run": {HOW}'
    )


@ALL
def test_every_number_says_its_unit(declared: Setting) -> None:
    """A frame rate of 5 was shown as 0.05 ×, because a lower limit of 1 was taken for that of a factor."""
    is_number = {int, float} & {declared.annotation, *get_args(declared.annotation)}
    needs_unit = bool(is_number) and bool(declared.description) and not declared.choices

    assert (declared.unit is not None) == needs_unit, (
        f"{declared.name}: only numbers need a unit: {HOW}"
    )


def test_a_field_without_a_declaration_is_refused_with_what_to_add() -> None:
    class Section(Model):
        plain: int = 0

    with pytest.raises(TypeError, match=r"by `setting\(…\)`: it needs a scope and a stage"):
        facts_of(Section.model_fields["plain"])


def test_a_setting_without_a_scope_or_a_stage_is_refused() -> None:
    with pytest.raises(TypeError, match="'scope' and 'stage'"):
        setting(False, "Mirror the output.")  # type: ignore[call-arg]


def another(declared: Setting) -> Any:
    """Return a value that is not the default."""
    known: dict[str, Any] = {
        "people.zones": (Zone(points=((0.5, 0.5),)),),
        "people.selected": (0.5, 0.5),
        "version": 3,
        "window.cameras": {"usb": CaptureSettings()},
    }
    if declared.name in known:
        return known[declared.name]
    return declared.value_in(
        declared.replaced_in(
            Settings(),
            other_value(declared, ROOT / "README.md"),
        )
    )


def place_in(data: object, path: tuple[str, ...]) -> bool:
    """Return whether JSON holds a value at a path."""
    for name in path:
        if not isinstance(data, dict) or name not in data:
            return False
        data = data[name]
    return True


@ALL
def test_the_scope_decides_what_is_saved(declared: Setting, tmp_path: Path) -> None:
    settings = declared.replaced_in(Settings(), another(declared))
    store = SceneStore(tmp_path / "scenes.json")
    store.put("Look", settings)
    store.put("Desk", settings, with_devices=True)
    scenes = json.loads(store.path.read_text("utf-8"))["scenes"]

    assert place_in(scenes["Look"], declared.path) == (declared.scope == "scene")
    assert place_in(scenes["Desk"], declared.path) == (declared.scope in ("scene", "device"))
    assert settings.kept == (Settings() if declared.scope == "run" else settings)


@ALL
def test_a_setting_with_a_stage_opens_its_source_anew(declared: Setting) -> None:
    if declared.path[0] != "capture":
        assert declared.stage is not Stage.CAPTURE
        return
    changed = declared.replaced_in(Settings(), another(declared)).capture

    assert opens_alike(changed, CaptureSettings()) == (declared.stage is None)


def test_the_recordings_of_a_run_are_not_kept() -> None:
    run = Settings(
        output=OutputSettings(
            record=Path("a.mp4"), record_alpha=Path("b.mp4"), mirror=True, microphone="usb"
        ),
        paused=True,
        frozen=True,
    )

    assert run.kept == Settings(output=OutputSettings(mirror=True, microphone="usb"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("background.blur_strength", "0-100"),
        ("edges.grow_px", "-20 to 20"),
        ("matting.downsample_ratio", "auto|0.05-1"),
        ("capture.lock_exposure", "on|off"),
        ("capture.rotate", "0|90|180|270"),
        ("output.record", "FILE"),
        ("window.recordings_dir", "FOLDER"),
        ("output.standby_text", "TEXT"),
    ],
)
def test_the_help_says_which_values_a_setting_takes(name: str, values: str) -> None:
    assert SETTINGS[name].values == values


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("matting.downsample_ratio", "auto"),
        ("background.path", "none"),
        ("window.recordings_dir", "none"),
        ("background.blur_strength", None),
        ("capture.lock_exposure", None),
    ],
)
def test_a_setting_has_a_word_for_no_value_where_it_may_have_none(
    name: str, word: str | None
) -> None:
    assert SETTINGS[name].unset == word


def test_the_folder_of_recordings_alone_is_made_when_it_is_needed() -> None:
    folders = [name for name, setting in SETTINGS.items() if setting.is_folder]

    assert folders == ["window.recordings_dir"]
