"""Options become settings, for live runs and for films."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.cli.options import LiveOptions, apply_options
from app.cli.start import StartSettings, film_settings, settings_from
from app.config import settings_file
from app.config.scenes import SceneStore, default_path, path_beside
from app.config.setting import parse_background
from app.control.commands import parse_pan
from app.core.errors import UsageError
from app.core.settings import BackgroundSettings, CaptureSettings, FramingSettings, MattingSettings
from app.effects.zones import Zone
from app.settings import Settings
from models import weights


def of_size(text: str) -> Settings:
    return apply_options(Settings(), LiveOptions(size=text))


@given(st.text(max_size=20), st.sampled_from([of_size, parse_pan, parse_background]))
@settings(deadline=None)
@example("~0", parse_background)
def test_any_other_text_is_refused_in_one_sentence(
    text: str,
    parse: Callable[[str], object],
) -> None:
    try:
        parse(text)
    except UsageError as error:
        assert len(str(error).splitlines()) == 1 or text.splitlines() != [text]


VIEW = FramingSettings(zoom=3, pan_x=0.5)
BLUR = BackgroundSettings(kind="blur", blur_strength=85)
GREEN = BackgroundSettings(kind="colour", colour="#00b140")
NONE = BackgroundSettings(kind="none")
WEAK = BLUR.replace(blur_strength=20, zoom=2)
BOKEH = WEAK.replace(blur_strength=30, bokeh=True)
LAID_OUT = BackgroundSettings(
    kind="image", path=Path("/a.png").absolute(), fit="fit", pan_x=1, pan_y=-1
)


@pytest.mark.parametrize(
    ("base", "options", "expected"),
    [
        ({"framing": VIEW}, {"pan": "-1,0.25"}, {"framing": VIEW.replace(pan_x=-1, pan_y=0.25)}),
        ({}, {"background": "blur:20", "background_zoom": 2}, {"background": WEAK}),
        ({"background": WEAK}, {"background": "bokeh:30"}, {"background": BOKEH}),
        ({}, {"background": "blur"}, {"background": BLUR}),
        ({}, {"background": "bokeh"}, {"background": BLUR.replace(bokeh=True)}),
        ({}, {"background": "#00B140"}, {"background": GREEN.replace(colour="#00B140")}),
        ({}, {"background": "green"}, {"background": GREEN}),
        ({}, {"background": "none"}, {"background": NONE}),
        (
            {},
            {"background": "/a.png", "background_fit": "fit", "background_pan": "1,-1"},
            {"background": LAID_OUT},
        ),
    ],
)
def test_an_option_leaves_what_it_does_not_name(
    base: Mapping[str, object], options: Mapping[str, object], expected: Mapping[str, object]
) -> None:
    before = Settings().replace(**base)
    for level in ("off", "balanced"):  # the strength of a blur is the same number at both
        leveled = before.replaced_at(("strict",), level=level)
        assert apply_options(leveled, LiveOptions(**options, strict=level)) == leveled.replace(
            **expected
        )


@pytest.mark.parametrize("text", ["#00b14", "blur:200", "bokeh:x"])
def test_an_impossible_background_is_refused_by_the_name_that_the_user_wrote(text: str) -> None:
    """`--background '#00b14'` was refused as background.colour."""
    with pytest.raises(UsageError, match=r"^--background: “.*” is not possible"):
        apply_options(Settings(), LiveOptions(background=text))
    with pytest.raises(UsageError, match=r"^background: “.*” is not possible"):
        parse_background(text)


def test_a_checkpoint_belongs_to_its_model() -> None:
    base = Settings(matting=MattingSettings(model="u2net", weights=Path("u2net.pth")))
    assert apply_options(base, LiveOptions(model="u2net")) == base
    assert apply_options(base, LiveOptions(model="u2netp")).matting.weights is None
    assert (
        apply_options(base, LiveOptions(model="u2netp", weights="mine.pth")).matting.weights
        == Path("mine.pth").absolute()
    )


@pytest.mark.parametrize(
    "make", [settings_from, partial(settings_from, window=True), film_settings]
)
@pytest.mark.parametrize(
    "content", ['{"version": 99}', '{"background": {"colour": "red"}}', '{"paused": tr']
)
def test_a_damaged_file_that_is_named_is_refused_and_left(
    tmp_path: Path, content: str, make: Callable[[LiveOptions], object]
) -> None:
    """A thousand films would have the default look, and a service would open another camera."""
    file = tmp_path / "look.json"
    file.write_text(content)

    with pytest.raises(UsageError, match=r"look\.json cannot be used: .*; correct or replace it"):
        make(LiveOptions(config=file))

    assert [path.name for path in tmp_path.iterdir()] == [
        "look.json"
    ] and file.read_text() == content


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "saved.json"


def test_command_line_over_scene_over_file_over_defaults(file: Path) -> None:
    settings_file.save(file, Settings(capture=CaptureSettings(source="file", fps=25), paused=True))
    scene = Settings(capture=CaptureSettings(source="scene", fps=15))
    SceneStore(path_beside(file)).put("office", scene, with_devices=True)
    assert settings_from(LiveOptions(config=file)).settings.capture == CaptureSettings(
        source="file", fps=25
    )
    assert not settings_from(LiveOptions(config=file)).settings.paused
    assert (
        settings_from(LiveOptions(config=file, profile="office")).settings.capture.source == "scene"
    )
    both = settings_from(LiveOptions(config=file, profile="office", source="demo")).settings.capture
    assert (both.source, both.fps) == ("demo", 15)


def test_a_saved_background_none_is_confirmed_by_the_command_line_alone(file: Path) -> None:
    settings_file.save(file, Settings(background=NONE))
    SceneStore(default_path()).put("bare", Settings(background=NONE))

    for options, confirmed in (
        ({"config": file}, False),
        ({"config": file, "background": "none"}, True),
        ({"config": file, "background": "blur"}, True),
        ({"profile": "bare"}, False),
        ({}, True),
    ):
        assert settings_from(LiveOptions(**options)).unmatted_confirmed is confirmed
        if confirmed:
            film_settings(LiveOptions(**options))
        else:
            # Films were written with the whole room.
            with pytest.raises(UsageError, match="add `--background none` to confirm it"):
                film_settings(LiveOptions(**options))


@pytest.mark.parametrize(
    "make", [settings_from, partial(settings_from, window=True), film_settings]
)
def test_scenes_are_those_beside_the_settings_file(
    make: Callable[[LiveOptions], StartSettings], tmp_path: Path
) -> None:
    """The window kept them there, and every command took one of the same name from elsewhere."""
    named = tmp_path / "other" / "mine.json"
    named.parent.mkdir()
    settings_file.save(named, Settings())
    SceneStore(default_path()).put("Work", Settings().replaced_at(["strict"], level="off"))
    SceneStore(path_beside(named)).put("Work", Settings())

    chosen = make(LiveOptions(config=named, profile="Work")).settings

    assert chosen.strict.level == "balanced"
    with pytest.raises(UsageError, match=r"With --config, scenes are those of .*other"):
        make(LiveOptions(config=named, profile="Home"))


def test_a_named_file_is_found_from_other_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scene kept `plate.png`, which is another file where the next run starts."""
    monkeypatch.chdir(tmp_path)
    Path("plate.png").touch()
    Path("talk.mp4").touch()

    chosen = settings_from(LiveOptions(plate=Path("plate.png"), source="talk.mp4")).settings

    assert chosen.matting.plate == tmp_path / "plate.png"
    assert chosen.capture.source == str(tmp_path / "talk.mp4")
    for source in ("demo", "auto", "0", "camera:1", "/dev/video7"):
        assert settings_from(LiveOptions(source=source)).settings.capture.source == source


def test_zones_of_a_file_are_of_any_camera(tmp_path: Path) -> None:
    """Zones that were copied from settings hid nothing before another camera, without a word."""
    file = tmp_path / "zones.json"
    file.write_text('{"zones": [{"points": [[0, 0], [1, 0]], "camera": "another"}]}')

    (zone,) = settings_from(LiveOptions(zones=file)).settings.people.zones

    assert zone.camera == ""


def test_a_picture_of_the_empty_room_that_is_missing_is_named() -> None:
    """Networks that need none passed over it."""
    with pytest.raises(UsageError, match=r"There is no picture of the empty room .*nope\.png"):
        settings_from(LiveOptions(plate=Path("nope.png"), model="mattecam"))


def test_settings_that_took_the_place_of_unread_ones_are_confirmed_in_the_window_alone(
    file: Path,
) -> None:
    """A film of the camera would show what the zones hid that could not be read."""
    settings_file.save(file, Settings(unconfirmed=True))
    for window in (False, True):
        assert settings_from(
            LiveOptions(config=file, only_me=True), window=window
        ).settings.unconfirmed
    with pytest.raises(
        UsageError, match=r"saved\.json took the place of one that could not be read"
    ):
        film_settings(LiveOptions(config=file))


def test_the_windows_own_settings_that_cannot_be_used_start_it_unconfirmed() -> None:
    path = settings_file.default_path()
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 99}')

    start = settings_from(LiveOptions(background="green"), window=True)

    assert start.settings.unconfirmed and start.saved.unconfirmed
    assert start.warning is not None and "a newer version of Mattecam wrote it" in start.warning
    assert path.read_text() == '{"version": 99}'
    assert not settings_from(LiveOptions()).settings.unconfirmed, "other commands do not use them"


def test_a_scene_does_not_confirm_settings() -> None:
    SceneStore(default_path()).put("Work", Settings())
    scene = SceneStore(default_path()).get("Work")

    assert scene.applied_to(Settings(unconfirmed=True)).unconfirmed


def test_a_saved_model_that_is_not_installed_is_replaced_by_the_bundled_one(file: Path) -> None:
    for gone, name in ((None, "u2net"), ("/gone.pth", "gone.pth")):
        saved = MattingSettings(model="u2net", weights=gone and Path(gone))
        settings_file.save(file, Settings(matting=saved))
        start = settings_from(LiveOptions(config=file))
        assert (start.settings.matting.model, start.settings.matting.weights) == ("mattecam", None)
        assert start.saved.matting == saved, "it is used again once it is there"
        assert (
            start.warning is not None
            and f"{name} is not installed; mattecam is used instead" in start.warning
        )
    assert settings_from(LiveOptions(config=file, model="u2net")).settings.matting.model == "u2net"
    settings_file.save(file, Settings(matting=MattingSettings(model="u2net")))
    installed = weights.user_folder() / "u2net.pth"
    installed.parent.mkdir(parents=True)
    installed.touch()
    start = settings_from(LiveOptions(config=file))
    assert (start.settings.matting.model, start.warning) == ("u2net", None)


ZONE = Zone(points=((0, 0),), camera="usb-1")
VIEWED = Settings(
    framing=FramingSettings(zoom=2),
    background=BackgroundSettings(kind="blur", zoom=2),
)
OF_A_CAMERA = VIEWED.replaced_at(["people"], framing="close", zones=(ZONE,))


def test_without_options_a_film_is_green_and_does_not_follow_the_window(file: Path) -> None:
    settings_file.save(settings_file.default_path(), OF_A_CAMERA)
    settings_file.save(file, Settings())
    settings = film_settings(LiveOptions()).settings
    assert settings.background == GREEN
    assert settings == film_settings(LiveOptions(config=file, background="green")).settings
    named = film_settings(LiveOptions(config=settings_file.default_path())).settings
    assert film_settings(LiveOptions(strict="balanced")).settings.strict.level == "balanced"
    assert (named.framing, named.background) == (OF_A_CAMERA.framing, OF_A_CAMERA.background)


def test_a_scene_gives_a_film_its_look(capsys: pytest.CaptureFixture[str]) -> None:
    SceneStore(default_path()).put("Desk", OF_A_CAMERA)
    settings = film_settings(LiveOptions(profile="Desk")).settings
    for name in ("framing", "people", "background"):
        assert getattr(settings, name) == getattr(OF_A_CAMERA, name)
    assert settings.matting.edges == OF_A_CAMERA.matting.edges
    assert "painted for a camera are not used" in capsys.readouterr().err
    over = film_settings(LiveOptions(profile="Desk", background="green", zoom=1)).settings
    assert (over.background.kind, over.framing.zoom) == ("colour", 1)
