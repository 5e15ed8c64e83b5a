"""The options of `convert` and the settings that result from them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import main
from app.cli.film_options import FILM_OPTIONS, film_settings
from app.cli.live_options import LiveOptions
from app.config import settings_file
from app.config.scenes import SceneStore, default_path
from app.core.errors import UsageError
from app.core.placement import in_corner
from app.core.settings import (
    BackgroundSettings,
    EdgeSettings,
    FramingSettings,
    MattingSettings,
    OverlaySettings,
    PeopleSettings,
    Settings,
    Zone,
)

OF_A_CAMERA = Settings(
    framing=FramingSettings(zoom=2),
    people=PeopleSettings(auto_framing="close", zones=(Zone(kind="drop", points=((0, 0),), camera="usb-1"),)),
    background=BackgroundSettings(kind="blur", parallax=50),
    overlay=OverlaySettings(text="Ada"),
    matting=MattingSettings(edges=EdgeSettings(feather_px=3)),
)


def test_without_options_a_film_is_green_and_does_not_follow_the_window() -> None:
    settings_file.save(settings_file.default_path(), OF_A_CAMERA)
    settings = film_settings(LiveOptions()).settings
    assert settings.background == BackgroundSettings(kind="colour", colour="#00b140")
    assert settings.framing == FramingSettings()
    assert settings.people == PeopleSettings()
    assert settings.overlay == OverlaySettings()
    assert settings.matting.edges == EdgeSettings(feather_px=3, strict="off")


def test_a_scene_gives_a_film_its_look(capsys: pytest.CaptureFixture[str]) -> None:
    SceneStore(default_path()).put("Desk", OF_A_CAMERA)
    settings = film_settings(LiveOptions(profile="Desk")).settings
    for name in ("framing", "people", "background", "overlay"):
        assert getattr(settings, name) == getattr(OF_A_CAMERA, name)
    assert settings.matting.edges.strict == "off"
    assert "painted for a camera are not used" in capsys.readouterr().err
    over = film_settings(LiveOptions(profile="Desk", background="green", zoom=1, overlay_text="Bob")).settings
    assert (over.background.kind, over.framing.zoom, over.overlay.text) == ("colour", 1, "Bob")


def test_options_of_a_film_are_those_of_the_live_commands(tmp_path: Path) -> None:
    zones = tmp_path / "zones.json"
    zones.write_text('{"zones": [{"kind": "drop", "points": [[0, 0]]}]}')
    options = LiveOptions(
        place="bottom-right:35", only_me=True, zones=zones, strict="on", region="on", light_wrap=30, overlay_text="Ada"
    )
    settings = film_settings(options).settings
    assert settings.placement == in_corner("bottom-right", 0.35)
    assert settings.people.only_me
    assert len(settings.people.zones) == 1
    assert settings.matting.edges == EdgeSettings(strict="strict", light_wrap=30)
    assert settings.overlay.text == "Ada"


def test_the_region_needs_strict_mode() -> None:
    with pytest.raises(UsageError, match="needs --strict balanced"):
        film_settings(LiveOptions(region="on"))


def test_the_help_names_every_option_of_a_film() -> None:
    said = CliRunner().invoke(main.app, ["convert", "--help"], env={"COLUMNS": "200"}).output
    missing = [name for name in FILM_OPTIONS if f"--{name.replace('_', '-')}" not in said]
    assert not missing
    assert "--microphone" not in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--background", "screen:1"], "over a screen"),
        (["--overlay-text", "{time}"], "no clock"),
        (["--region", "on"], "--strict balanced"),
    ],
)
def test_what_a_film_cannot_have_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "0.png"), np.zeros((48, 64, 3), np.uint8))
    assert main.main(["convert", str(tmp_path / "in"), str(tmp_path / "out"), *options]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert len(message.splitlines()) == 1
    assert not (tmp_path / "out").exists()
