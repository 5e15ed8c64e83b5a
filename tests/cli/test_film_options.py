"""The options of `convert` and the settings that result from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import main
from app.cli.options import FILM_OPTIONS, LiveOptions
from app.cli.start import film_settings
from app.config import settings_file
from app.config.scenes import SceneStore, default_path
from app.core.settings import (
    BackgroundSettings,
    EdgeSettings,
    FramingSettings,
    MattingSettings,
    PeopleSettings,
    Settings,
    Zone,
)

OF_A_CAMERA = Settings(
    framing=FramingSettings(zoom=2),
    people=PeopleSettings(auto_framing="close", zones=(Zone(points=((0, 0),), camera="usb-1"),)),
    background=BackgroundSettings(kind="blur", zoom=2),
    matting=MattingSettings(edges=EdgeSettings(feather_px=3)),
)


def saved_defaults(folder: Path) -> Path:
    settings_file.save(folder / "defaults.json", Settings())
    return folder / "defaults.json"


def test_without_options_a_film_is_green_and_does_not_follow_the_window(tmp_path: Path) -> None:
    settings_file.save(settings_file.default_path(), OF_A_CAMERA)
    settings = film_settings(LiveOptions()).settings
    assert settings.background == BackgroundSettings(kind="colour", colour="#00b140")
    assert settings == film_settings(LiveOptions(config=saved_defaults(tmp_path), background="green")).settings
    named = film_settings(LiveOptions(config=settings_file.default_path())).settings
    assert film_settings(LiveOptions(strict="balanced")).settings.matting.edges.strict == "balanced"
    assert (named.framing, named.background) == (OF_A_CAMERA.framing, OF_A_CAMERA.background)


def test_a_scene_gives_a_film_its_look(capsys: pytest.CaptureFixture[str]) -> None:
    SceneStore(default_path()).put("Desk", OF_A_CAMERA)
    settings = film_settings(LiveOptions(profile="Desk")).settings
    for name in ("framing", "people", "background"):
        assert getattr(settings, name) == getattr(OF_A_CAMERA, name)
    assert settings.matting.edges.strict == "off"
    assert "painted for a camera are not used" in capsys.readouterr().err
    over = film_settings(LiveOptions(profile="Desk", background="green", zoom=1)).settings
    assert (over.background.kind, over.framing.zoom) == ("colour", 1)


def test_the_help_names_every_option_of_a_film() -> None:
    said = CliRunner().invoke(main.app, ["convert", "--help"], env={"COLUMNS": "200"}).output
    missing = [name for name in FILM_OPTIONS if f"--{name.replace('_', '-')}" not in said]
    assert not missing
    assert "--microphone" not in said
