"""`ctl scene`: a scene that shows more of the room is confirmed first, as at the start of the program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.control.commands import Command
from app.control.transport import ControlAddress, ask
from app.core.errors import MattecamError, ModelError, SettingsError, SourceOpenError, Stage, UsageError
from app.core.settings import CaptureSettings, Settings, Zone
from app.core.types import PictureKind
from tests.control.conftest import Program
from tests.control.recorder import serving
from tests.fakes.world import BASE
from tests.waiting import eventually

HIDE = Zone(points=((0.1, 0.1), (0.4, 0.4)))
ROOM = BASE.replace(background=BASE.background.replace(kind="none"))


def _with_zones(*zones: Zone) -> Settings:
    return BASE.replace(people=BASE.people.replace(zones=zones))


def test_a_scene_that_shows_the_room_must_be_confirmed(program: Program) -> None:
    """It was applied and answered "Scene: Late talk."."""
    before = program.settings
    program.scenes.put("Late talk", ROOM)
    with pytest.raises(UsageError) as refused:
        program.run("scene Late talk")
    assert "shows your real background; write `ctl scene Late talk --yes` to confirm it." in str(refused.value)
    assert program.settings == before
    assert PictureKind.UNMATTED not in program.sent_after()
    assert program.run("scene Late talk --yes") == "Scene: Late talk."
    assert program.settings.background == ROOM.background
    assert program.run("scene Late talk") == "Scene: Late talk.", "what is shown already needs no answer"


def test_a_scene_that_only_hides_needs_no_confirmation(program: Program) -> None:
    program.scenes.put("Door", _with_zones(HIDE))
    assert program.run("scene Door") == "Scene: Door."
    assert program.run("scene Door --yes") == "Scene: Door."


def test_a_scene_ends_neither_pause_nor_recording_and_keeps_the_camera(program: Program, tmp_path: Path) -> None:
    look = BASE.background.replace(colour="#102030")
    program.scenes.put("Work call", Settings(background=look, capture=CaptureSettings(source="other")))
    for command in (f"record {tmp_path / 'a.mp4'}", "pause", "freeze"):
        program.run(command)
    before = program.settings
    assert program.run("scene Work call") == "Scene: Work call."
    settings = program.settings
    assert settings.paused and settings.frozen and settings.background == look
    assert (settings.capture, settings.output) == (before.capture, before.output)
    assert set(program.sent_after()) == {PictureKind.STANDBY}
    with pytest.raises(SettingsError, match="the scenes are Work call"):
        program.run("scene Holiday")


def blurred(strength: float, level: str) -> Settings:
    blur = BASE.background.replace(kind="blur", blur_strength=strength)
    return BASE.replace(background=blur).replaced_at(("matting", "edges"), strict=level)


@pytest.mark.parametrize(
    ("strength", "level", "now", "asks"),
    [
        (0, "off", BASE, True),
        (69, "off", BASE, True),
        (70, "off", BASE, False),
        (0, "balanced", BASE, False),
        (30, "off", blurred(30, "balanced"), True),
        (30, "off", blurred(31, "off"), True),
        (30, "off", blurred(30, "off"), False),
        (30, "off", ROOM, False),
    ],
)
def test_a_scene_whose_blur_shows_text_must_be_confirmed(
    program: Program, strength: float, level: str, now: Settings, asks: bool
) -> None:
    """It replaced an image by a readable room without a question."""
    program.scenes.put("Weak", blurred(strength, level))
    program.pipeline.change(lambda _settings: now)
    if asks:
        with pytest.raises(
            UsageError, match="so weak that text in your room can be read; write `ctl scene Weak --yes`"
        ):
            program.run("scene Weak")
        assert program.settings == now
    assert program.run("scene Weak --yes" if asks else "scene Weak") == "Scene: Weak."
    assert program.settings.shown_blur == blurred(strength, level).shown_blur


OTHER = HIDE.replace(points=((0.8, 0.8),))
ALONE = BASE.replace(people=BASE.people.replace(only_me=True))


@pytest.mark.parametrize(
    ("now", "scene", "words"),
    [
        (_with_zones(HIDE), BASE, "does not hide what your zones hide now"),
        (_with_zones(HIDE, OTHER), _with_zones(OTHER), "does not hide what your zones hide now"),
        (ALONE, BASE, "shows everybody"),
    ],
    ids=["no zone", "one zone of two", "everybody beside one person"],
)
def test_a_scene_that_hides_less_must_be_confirmed(
    program: Program, now: Settings, scene: Settings, words: str
) -> None:
    program.scenes.put("Call", scene)
    shown = {name: getattr(now, name) for name in ("people", "framing")}
    program.pipeline.change(lambda settings: settings.replace(**shown))
    with pytest.raises(UsageError, match=words):
        program.run("scene Call")
    assert program.settings.people == now.people
    assert program.run("scene Call --yes") == "Scene: Call."


def test_the_answer_through_the_socket_is_an_error_of_usage(program: Program, address: ControlAddress) -> None:
    program.scenes.put("Talk", ROOM)
    with serving(lambda: address, program.controller):
        refused = ask(Command("scene", "Talk"), at=lambda: address)
        assert (refused.done, refused.wrong_usage) == (False, True)
        assert program.settings.background.kind != "none"
        assert ask(Command("scene", "Talk --yes"), at=lambda: address).done


@pytest.mark.parametrize(
    ("part", "stage", "words"),
    [
        ({"capture": BASE.capture.replace(source="camera:9")}, "open_source", "There is no camera 9"),
        ({"background": BASE.background.replace(kind="image", path="beach.png")}, "open_background", "is damaged"),
    ],
    ids=["camera", "background"],
)
def test_a_scene_of_which_a_part_fails_is_an_error_and_changes_nothing(
    program: Program, part: Mapping[str, object], stage: str, words: str
) -> None:
    """The answer was "ok", while the previous camera or background stayed in use."""
    before = program.settings
    program.scenes.put("Talk", BASE.replace(framing=BASE.framing.replace(zoom=2), **part), with_devices=True)
    program.world.faults.put(stage, MattecamError(f"{words}; choose another."))
    with pytest.raises(MattecamError, match=words):
        program.run("scene Talk")
    assert program.settings == before


def test_a_scene_that_fails_takes_nothing_back_that_hides_more(program: Program) -> None:
    """What was hidden was shown again some seconds later, with an error about another thing."""
    scene = _with_zones(HIDE)
    camera = BASE.capture.replace(source="camera:9")
    program.scenes.put("Guests", scene.replace(capture=camera), with_devices=True)
    program.world.faults.put("open_source", SourceOpenError("There is no camera 9; choose another."))
    with pytest.raises(MattecamError, match="no camera 9"):
        program.run("scene Guests")
    assert program.settings.people == scene.people
    assert program.settings.capture == BASE.capture, "what failed is taken back"


def test_a_problem_that_a_scene_does_not_concern_is_none_of_its(program: Program) -> None:
    program.pipeline.report(Stage.CAPTURE, SourceOpenError("The camera is away."))
    program.scenes.put("Calm", BASE.replace(background=BASE.background.replace(colour="#102030")))
    assert program.run("scene Calm") == "Scene: Calm."


@pytest.mark.parametrize("command", ["set edges.strict off", "scene Safe"])
def test_a_problem_from_before_takes_no_change_back(program: Program, command: str) -> None:
    """A network that could not be built kept a part of the room in the output."""
    broken = BASE.matting.replace(downsample_ratio=0.7)
    program.scenes.put(
        "Safe", _with_zones(HIDE).replace(matting=broken.replace(edges=broken.edges.replace(strict="off")))
    )
    program.world.faults.put("build_engine", ModelError("The network is broken."))
    program.pipeline.change(lambda settings: settings.replace(matting=broken))
    eventually(lambda: bool(program.pipeline.status().problems))
    program.run(command)
    assert program.settings.matting.edges.strict == "off"
    assert command != "scene Safe" or program.settings.people.zones == (HIDE,)
