from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.config.scenes import SceneStore
from app.control import SettingsController
from app.core.errors import SettingsError, UsageError
from app.core.settings import FramingSettings, Settings


@dataclass
class Program:
    """Settings that can be changed, and what was asked."""

    settings: Settings = field(default_factory=Settings)
    ended: bool = False

    def apply(self, settings: Settings) -> None:
        self.settings = settings

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
def strip(tmp_path: Path) -> list[Path]:
    files = [tmp_path / "beach.png", tmp_path / "waves.mp4"]
    for path in files:
        path.write_bytes(b"")
    return files


@pytest.fixture
def controller(program: Program, strip: list[Path], tmp_path: Path) -> SettingsController:
    scenes = SceneStore(tmp_path / "scenes.json")
    scenes.put("Work call", Settings(background=Settings().background.replace(kind="colour", colour="#102030")))
    return SettingsController(
        settings=lambda: program.settings,
        apply=program.apply,
        status_fields=lambda: {"model": "student"},
        backgrounds=lambda: strip,
        find_scene=scenes.get,
        ask_to_end=program.end,
    )


def kind(program: Program) -> str:
    background = program.settings.background
    return background.path.name if background.kind in ("image", "video") and background.path else background.kind


def test_next_goes_round_and_never_shows_the_bare_room(controller: SettingsController, program: Program) -> None:
    seen = []
    for _ in range(4):
        controller.background("next")
        seen.append(kind(program))
    assert seen == ["beach.png", "waves.mp4", "blur", "beach.png"]


@pytest.mark.parametrize("start", ["none", "#336699"])
def test_next_starts_with_blur_from_anything_outside_the_strip(
    controller: SettingsController, program: Program, start: str
) -> None:
    controller.background(start)
    controller.background("next")
    assert kind(program) == "blur"


def test_next_from_a_file_that_has_gone(controller: SettingsController, program: Program, strip: list[Path]) -> None:
    controller.background("waves")
    strip.pop()
    controller.background("next")
    assert kind(program) == "blur"


def test_next_without_any_files(controller: SettingsController, strip: list[Path]) -> None:
    strip.clear()
    with pytest.raises(UsageError, match="no other background"):
        controller.background("next")


@pytest.mark.parametrize("name", ["beach", "beach.png"])
def test_a_background_by_name(controller: SettingsController, program: Program, name: str) -> None:
    assert controller.background(name) == "Background: beach.png."
    assert kind(program) == "beach.png"


def test_a_background_as_on_the_command_line(controller: SettingsController, program: Program, tmp_path: Path) -> None:
    assert controller.background("blur:20") == "Background: blur."
    assert program.settings.background.blur_strength == 20
    assert controller.background("#102030") == "Background: #102030."
    assert "bare room" in controller.background("none")
    (tmp_path / "other.jpg").write_bytes(b"")
    controller.background(str(tmp_path / "other.jpg"))
    assert kind(program) == "other.jpg"


@pytest.mark.parametrize("name", ["moon", "/no/such/file.png", "blur:much", "#12"])
def test_a_background_that_is_not_there_changes_nothing(
    controller: SettingsController, program: Program, name: str
) -> None:
    before = program.settings
    with pytest.raises(UsageError):
        controller.background(name)
    assert program.settings is before


def test_pause_and_freeze_toggle_and_resume_ends_both(controller: SettingsController, program: Program) -> None:
    seen = []
    for wish in (controller.pause, controller.freeze, controller.pause, controller.pause, controller.resume):
        wish()
        seen.append((program.settings.paused, program.settings.frozen))
    assert seen == [(True, False), (True, True), (False, True), (True, True), (False, False)]


def test_a_scene_brings_all_its_settings(controller: SettingsController, program: Program) -> None:
    controller.scene("Work call")
    assert program.settings.background.colour == "#102030"
    with pytest.raises(SettingsError, match="Work call"):
        controller.scene("Holiday")


def test_the_zoom_keeps_the_place(controller: SettingsController, program: Program) -> None:
    program.settings = program.settings.replace(framing=FramingSettings(pan_x=0.5))
    assert controller.zoom(1.5) == "Zoom: 1.5."
    assert program.settings.framing == FramingSettings(zoom=1.5, pan_x=0.5)


def test_the_ratio(controller: SettingsController, program: Program) -> None:
    assert controller.ratio(0.3) == "Downsample ratio: 0.3."
    assert program.settings.matting.downsample_ratio == 0.3
    assert controller.ratio(None) == "Downsample ratio: automatic."
    assert program.settings.matting.downsample_ratio is None


def test_quit_only_asks(controller: SettingsController, program: Program) -> None:
    controller.quit()
    assert program.ended
    assert controller.status() == {"model": "student"}
