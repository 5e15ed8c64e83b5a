"""Commands against a running pipeline with replaceable parts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.control import BackgroundFile, Command, SettingsController, Tiles
from app.control.commands import JsonValue, answer
from app.core.errors import BackgroundError, MattecamError, ModelError, SettingsError, UsageError
from app.core.placement import in_corner
from app.core.settings import (
    BackgroundSettings,
    CaptureSettings,
    FramingSettings,
    OverlaySettings,
    PeopleSettings,
    PlacementSettings,
    Settings,
)
from app.core.types import PictureKind
from app.runtime.status_fields import status_fields
from tests.control.conftest import BASE, Program, fail
from tests.fakes import shows_room
from tests.runtime.test_remote import SERVER, Network, Place
from tests.waiting import eventually


def test_pause_is_answered_when_the_outputs_show_the_card(program: Program) -> None:
    assert "stand-by card" in program.run("pause")
    assert set(program.sent_after()) == {PictureKind.STANDBY}
    assert program.controller.status()["paused"] is True
    assert "Paused" in program.run("pause"), "a second pause does not resume"
    assert program.settings.paused
    assert program.run("resume") == "Resumed."
    eventually(lambda: PictureKind.COMPOSITE in program.sent_after())


def test_freeze_while_paused_says_what_the_outputs_show(program: Program) -> None:
    assert program.run("freeze") == "Frozen: the outputs keep the last frame."
    program.run("pause")
    assert program.run("freeze") == "Frozen, and paused: the outputs show the stand-by card."
    assert set(program.sent_after()) == {PictureKind.STANDBY}


def test_an_unknown_model_lists_the_models_without_terms_of_a_library(program: Program) -> None:
    with pytest.raises(UsageError, match=r"“gpt” is not possible: there is no model 'gpt'; the models are auto,"):
        program.run("model gpt")


def test_pause_and_freeze_can_be_switched_and_toggled(program: Program) -> None:
    states = []
    for text in ("pause", "freeze on", "pause toggle", "pause toggle", "freeze off", "freeze toggle", "resume"):
        program.run(text)
        states.append((program.settings.paused, program.settings.frozen))
    assert states == [(1, 0), (1, 1), (0, 1), (1, 1), (1, 0), (1, 1), (0, 0)]


def test_a_scene_ends_neither_pause_nor_recording_and_keeps_the_camera(program: Program, tmp_path: Path) -> None:
    look = BackgroundSettings(kind="colour", colour="#102030")
    saved = Settings(background=look, capture=CaptureSettings(source="other"))
    program.scenes.put("Work call", saved)
    recording = tmp_path / "a.mp4"
    program.run(f"record {recording}")
    program.run("pause")
    program.run("freeze")
    assert program.run("scene Work call") == "Scene: Work call."
    settings = program.settings
    assert settings.background == look
    assert settings.paused
    assert settings.frozen
    assert settings.output.record == recording
    assert settings.output.virtual_camera == "fake"
    assert settings.capture == BASE.capture
    assert set(program.sent_after()) == {PictureKind.STANDBY}
    with pytest.raises(SettingsError, match="the scenes are Work call"):
        program.run("scene Holiday")


def test_commands_do_not_undo_one_another(program: Program) -> None:
    """Each command changes only the setting that it names, even if other settings change concurrently."""

    def zoom() -> None:
        for _ in range(20):
            program.run("framing 1.5")
            program.run("framing whole")

    other = threading.Thread(target=zoom)
    other.start()
    program.run("pause")
    program.run("freeze")
    other.join(30)
    assert program.settings.paused
    assert program.settings.frozen
    assert program.settings.framing == FramingSettings()


def test_a_background_is_answered_when_it_is_in_use(program: Program) -> None:
    entered, gate = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        gate.wait(10)

    program.world.faults.put("open_background", slow)
    answers: list[str] = []
    caller = threading.Thread(target=lambda: answers.append(program.run("background Beach")))
    caller.start()
    assert entered.wait(10)
    time.sleep(0.1)
    assert answers == []
    gate.set()
    caller.join(10)
    assert answers == ["Background: Beach."]


def test_what_is_still_pending_at_the_time_limit_is_named(program: Program, tmp_path: Path) -> None:
    program.world.faults.put("open_background", program.world.faults.hang)
    hasty = SettingsController(
        change=program.pipeline.change,
        settings=lambda: program.settings,
        status_fields=lambda: status_fields(program.pipeline.status()),
        tiles=lambda: Tiles(program.files),
        scenes=program.scenes,
        request_quit=program.quit.set,
        save_snapshot=program.save_snapshot,
        confirm_s=0.2,
    )
    assert "still being prepared" in hasty.run(Command("background", "Beach"))


def test_a_background_that_fails_is_an_error_and_changes_nothing(program: Program) -> None:
    before = program.settings
    program.world.faults.put("open_background", fail(BackgroundError("Beach is damaged; choose another.")))
    for _ in range(2):
        with pytest.raises(MattecamError, match="Beach is damaged"):
            program.run("background Beach")
        assert program.settings == before
    with pytest.raises(UsageError, match="the backgrounds are 0 none"):
        program.run("background moon")
    assert program.settings == before


def test_a_failing_background_does_not_expose_the_room_again(program: Program) -> None:
    program.run("background none")
    eventually(lambda: PictureKind.UNMATTED in program.sent_after())
    program.world.faults.put("open_background", fail(BackgroundError("Beach is damaged; choose another.")))
    with pytest.raises(MattecamError, match="Beach is damaged"):
        program.run("background Beach")
    before = len(program.world.pictures())
    assert PictureKind.UNMATTED not in program.sent_after(20)
    assert not any(shows_room(picture.image) for picture in program.world.pictures()[before:])


def test_the_model_and_the_ratio(program: Program) -> None:
    assert program.run("model student") == "Model: student."
    assert program.controller.status()["model"] == "student"
    assert program.run("ratio 0.25") == "Downsample ratio: 0.25."
    assert program.controller.status()["downsample_ratio"] == 0.25
    assert program.run("ratio auto") == "Downsample ratio: automatic."
    with pytest.raises(UsageError, match="the models are auto, rvm-mobilenetv3"):
        program.run("model gpt")
    program.world.faults.put("build_engine", fail(ModelError("The weights are missing; download them.")))
    with pytest.raises(MattecamError, match="weights are missing"):
        program.run("model u2netp")
    assert program.settings.matting.model == "student"


def test_zoom_keeps_the_position(program: Program) -> None:
    assert program.run("framing 2 0.5,-1") == "Framing: zoom 2 at 0.5,-1."
    assert program.run("zoom 1.5") == "Framing: zoom 1.5 at 0.5,-1."
    assert program.settings.framing == FramingSettings(zoom=1.5, pan_x=0.5, pan_y=-1)
    assert program.run("framing whole") == "Framing: the whole frame."


def test_auto_framing_replaces_a_manual_zoom(program: Program) -> None:
    program.run("framing 2 0.5,-1")
    assert program.run("framing calm") == "Framing: automatic, calm."
    assert program.settings.framing == FramingSettings()
    assert program.settings.people == PeopleSettings(auto_framing="calm")
    assert program.run("zoom 2") == "Framing: zoom 2 at 0,0."
    assert program.run("zoom 1") == "Framing: automatic, calm."
    assert program.run("framing whole") == "Framing: the whole frame."
    assert program.settings.people == PeopleSettings()


def test_the_person_is_placed_and_put_back(program: Program) -> None:
    assert program.run("place 0.2,-0.1,0.8") == "The person is at 0.2,-0.1, scale 0.8."
    assert program.settings.placement == PlacementSettings(x=0.2, y=-0.1, scale=0.8)
    assert program.run("place bottom-right:40") == "The person is at 0.3,0.3, scale 0.4."
    with pytest.raises(UsageError, match="bottom-right"):
        program.run("place nowhere")
    assert program.settings.placement == in_corner("bottom-right", 0.4)
    assert program.run("place reset") == "The person is where the camera shows it."
    assert program.settings.placement == PlacementSettings()


def test_slides_are_turned(program: Program, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No slides are shown"):
        program.run("slide next")
    talk = tmp_path / "talk"
    talk.mkdir()
    for number in range(3):
        cv2.imwrite(str(talk / f"{number}.png"), np.full((48, 64, 3), 90 * number, np.uint8))
    assert program.run(f"background {talk}") == "Background: talk."
    eventually(lambda: program.controller.status()["slides"] == 3)
    assert program.run("slide next") == "Slide 2 of 3."
    assert program.run("slide next") == "Slide 3 of 3."
    assert program.run("slide next") == "Slide 3 of 3."
    assert program.run("slide previous") == "Slide 2 of 3."
    assert program.run("slide 1") == "Slide 1 of 3."
    for wrong in ("0", "4", "last"):
        with pytest.raises(UsageError, match="1 to 3"):
            program.run(f"slide {wrong}")


def test_the_background_is_laid_out_and_moved(program: Program) -> None:
    assert program.run("background-view fit") == "Background: fit, zoom 1 at 0,0."
    assert program.run("background-view 1.5 0.5,-1") == "Background: fit, zoom 1.5 at 0.5,-1."
    assert program.run("background-view 2") == "Background: fit, zoom 2 at 0.5,-1."
    assert program.run("background-view fill") == "Background: fill, zoom 1 at 0,0."
    assert program.run("parallax 40") == "Parallax: 40."
    assert program.settings.background.parallax == 40
    for wrong in ("background-view 9", "background-view 2 5,5", "background-view wide", "parallax 101"):
        with pytest.raises(UsageError):
            program.run(wrong)


def test_the_light_controls_are_set_one_by_one(program: Program) -> None:
    assert program.run("light match 60") == "Light: match 60, wrap 0, portrait 0."
    assert program.run("light portrait 12.5") == "Light: match 60, wrap 0, portrait 12.5."
    edges = program.settings.matting.edges
    assert (edges.light_match, edges.light_wrap, edges.portrait_light) == (60, 0, 12.5)
    for wrong in ("light sun 5", "light match", "light match 101", "light wrap nan"):
        with pytest.raises(UsageError, match=r"match\|wrap\|portrait"):
            program.run(wrong)


def test_a_server_is_used_and_left(program: Program, tmp_path: Path) -> None:
    program.world.engine = Place
    network = Place.network = Network()
    with pytest.raises(UsageError, match=r"No server is known; the server is URL\|on\|off"):
        program.run("server on")
    with pytest.raises(UsageError, match="is not the address of a server"):
        program.run("server http://matting.example")
    assert program.run(f"server {SERVER}/") == f"Server: {SERVER}, round trip 27 ms."
    assert program.controller.status()["server_state"] == "connected"
    assert program.run("server off") == "Server: none; this computer computes the matte."
    with pytest.raises(UsageError, match="There is no file"):
        program.run(f"server token {tmp_path / 'token'}")
    (tmp_path / "token").write_text("x" * 20)
    program.run(f"server token {tmp_path / 'token'}")
    program.run(f"server ca {tmp_path / 'token'}")
    matting = program.settings.matting
    assert (matting.server_token_file, matting.server_ca_file) == (tmp_path / "token", tmp_path / "token")
    program.run("server token none")
    assert program.settings.matting.server_token_file is None
    network.up = False
    with pytest.raises(MattecamError, match="does not answer"):
        program.run("server on")
    assert program.settings.matting.location == "local", "what worked is kept"


def test_the_microphone_is_chosen(program: Program, tmp_path: Path) -> None:
    assert program.run("microphone default") == "Microphone: default; recordings have sound."
    assert program.settings.output.microphone == "default"
    assert program.run("microphone off") == "Microphone: off; recordings have no sound."
    assert program.settings.output.microphone == "off"
    program.run(f"record {tmp_path / 'a.mp4'}")
    assert "started without sound" in program.run("microphone USB Microphone")
    assert program.settings.output.microphone == "USB Microphone"


def test_zones_are_read_from_a_file(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "zones.json"
    path.write_text('{"zones": [{"kind": "drop", "points": [[0, 0]]}, {"kind": "keep", "points": [[1, 1]]}]}')
    assert program.run(f"zones {path}") == "Zones: 1 to keep, where your room can be seen; 1 to drop."
    assert len(program.settings.people.zones) == 2
    with pytest.raises(SettingsError, match="does not exist"):
        program.run("zones /nowhere.json")
    assert len(program.settings.people.zones) == 2
    assert program.run("zones undo") == "Zones: 1 to drop."
    assert program.run("zones off") == "Zones: none."
    assert program.run("zones undo") == "Zones: none."


def test_the_overlay_is_set_and_a_bad_file_changes_nothing(program: Program, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    cv2.imwrite(str(logo), np.full((9, 9, 4), 255, np.uint8))
    assert program.run(f"overlay {logo}") == "Overlay: image logo.png, text –."
    assert program.run("overlay text Ada Lovelace") == "Overlay: image logo.png, text Ada Lovelace."
    program.run("overlay place bottom")
    program.run("overlay size 50")
    kept = OverlaySettings(file=logo, text="Ada Lovelace", place="bottom", size=50)
    assert program.settings.overlay == kept
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no PNG")
    for wrong in (f"overlay {broken}", "overlay place here", "overlay size 9", "overlay no-such-file.svg"):
        with pytest.raises(MattecamError):
            program.run(wrong)
        assert program.settings.overlay == kept
    assert program.run("overlay off") == "Overlay: none."


def test_one_person_is_selected_by_a_point(program: Program) -> None:
    assert program.run("only-me on") == "Only the selected person is shown."
    assert program.run("only-me 0.5,0.7") == "Only the selected person is shown."
    assert program.settings.selected == (0.5, 0.7)
    assert program.run("only-me 0.02,0.02").startswith("Nobody is shown")
    for wrong in ("only-me 2,0", "only-me nan,0", "only-me me"):
        with pytest.raises(UsageError):
            program.run(wrong)
    assert program.run("only-me off") == "Everybody is shown."
    assert program.settings.selected is None


def test_a_snapshot_is_what_may_leave_at_that_moment(program: Program, tmp_path: Path) -> None:
    eventually(lambda: PictureKind.COMPOSITE in program.sent_after())
    assert program.run(f"snapshot {tmp_path / 'a.png'}") == f"Saved {tmp_path / 'a.png'}."
    program.run("pause")
    program.run(f"snapshot {tmp_path / 'paused.png'}")
    blue, card = (cv2.imread(str(tmp_path / name)) for name in ("a.png", "paused.png"))
    assert blue is not None
    assert card is not None
    assert np.any(np.all(blue == (255, 0, 0), axis=2))
    assert not np.any(np.all(card == (255, 0, 0), axis=2)), "while paused, a snapshot shows the card"


def test_quit_asks_the_program_to_stop(program: Program) -> None:
    assert program.run("quit") == "Mattecam stops."
    assert program.quit.is_set()


def test_the_status_holds_the_fields_of_status_json_and_the_switches(program: Program) -> None:
    status: Mapping[str, JsonValue] = program.controller.status()
    assert {"phase", "model", "busy", "problems", "errors"} <= status.keys()
    assert (status["paused"], status["frozen"]) == (False, False)


def test_a_pause_does_not_wait_for_the_file_of_a_background(program: Program) -> None:
    """A network drive that does not answer delays its own command only; nothing that changed meanwhile is lost."""
    asked, go_on = threading.Event(), threading.Event()

    class SlowDrive(list[BackgroundFile]):
        def __iter__(self) -> Iterator[BackgroundFile]:
            asked.set()
            assert go_on.wait(20)
            return super().__iter__()

    quick, program.files = program.files, SlowDrive(program.files)
    slow = threading.Thread(target=program.run, args=("background Beach",))
    slow.start()
    try:
        assert asked.wait(10)
        program.files = quick
        assert "stand-by card" in program.run("pause")
        program.run("background-view fit")
    finally:
        go_on.set()
        slow.join(20)
    background = program.settings.background
    assert (background.path, background.fit) == (quick[0].path, "fit")
    assert program.settings.paused


@pytest.mark.parametrize("text", ["\\ud800.png", "\\u0000", "matting.plate \\ud800"])
def test_text_that_no_file_can_have_is_refused(program: Program, text: str) -> None:
    """It would be stored, and end the program where it is printed or opened."""
    for name in ("background", "overlay", "zones", "snapshot", "record", "set", "microphone"):
        refused = answer(program.controller, f'{{"command": "{name}", "argument": "{text}"}}\n'.encode())
        assert not refused.done and "one line of JSON" in refused.message
    assert program.settings == BASE


def test_a_name_in_another_encoding_is_possible(program: Program) -> None:
    assert "no file" in answer(program.controller, b'{"command": "background", "argument": "\\udcff.png"}\n').message


def test_a_number_of_thousands_of_digits_is_no_tile(program: Program) -> None:
    with pytest.raises(UsageError, match="no background and no file"):
        program.run("background " + "9" * 200)
