"""Commands for the running program: settings, values, pause, people, scenes, and what they answer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from functools import partial
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from app.backgrounds import standby
from app.cli.ctl import status_line
from app.cli.options import LiveOptions, apply_options
from app.config import settings_file
from app.config.scenes import SceneStore
from app.config.setting import OPTIONS, SETTINGS, Setting, with_value
from app.control.commands import SETTABLE, find_settable
from app.control.server import answer
from app.core.errors import MattecamError, ModelError, SourceLostError, SourceOpenError, UsageError
from app.core.settings import CaptureSettings, FramingSettings
from app.core.types import PictureKind
from app.effects.zones import Zone
from app.media.image_file import read_image
from app.runtime.status import Phase
from app.settings import Settings
from tests.control.conftest import Program, SettingsAlone
from tests.fakes.states import has_problems, in_phase
from tests.fakes.world import BASE, NONE, shows_person
from tests.other_values import other_value
from tests.stand_ins import always, replacing
from tests.waiting import beside, eventually


def test_every_setting_but_those_of_the_program_has_a_name_in_set_or_a_command_of_its_own() -> None:
    of_the_program = {
        "version",
        "unconfirmed",
        "window.first_run_done",
        "window.geometry",
        "window.cameras",
    }
    own_commands = {
        "paused",
        "paused_by_lock",
        "frozen",
        "people.selected",
        "output.record",
        "output.record_alpha",
    }

    assert set(SETTINGS) - set(SETTABLE) == own_commands | of_the_program


def test_a_name_may_have_hyphens_or_be_the_path_in_the_settings_file(alone: SettingsAlone) -> None:
    assert alone.run("set output.standby-text Back at noon") == "output.standby-text: Back at noon"
    assert alone.settings.output.standby_text == "Back at noon"
    for setting in SETTABLE.values():
        assert find_settable(".".join(setting.path)) is setting
    assert alone.run("set matting.edges.despill 1") == "matting.edges.despill: 1"
    assert alone.settings.matting.edges.despill == 1
    for wrong in ("background.edges.despill", "edges.edges.despill", "despill"):
        assert find_settable(wrong) is None
    assert alone.run("get output.mirror") == "output.mirror: off; the choices are on, off"
    assert len(alone.run("get").splitlines()) == len(SETTABLE)


def impossible(setting: Setting) -> tuple[str, ...]:
    """Return values that are refused: numbers out of range, other choices, files that are not there."""
    if {int, float} & {setting.annotation, *get_args(setting.annotation)}:
        return "-1e9", "1e9", "nan", "-inf"
    if setting.choices:
        return ("nosuch",)
    # The system can look up no name as long as the second.
    return ("/no/nosuch.png", "x" * 2000) if setting.is_path and not setting.is_folder else ()


@pytest.mark.parametrize("setting", SETTABLE.values(), ids=lambda setting: setting.name)
def test_an_impossible_value_is_refused_and_what_get_shows_for_none_unsets(
    setting: Setting, alone: SettingsAlone
) -> None:
    """Numbers were clamped, and `set NAME none` stored a file named none."""
    before = alone.settings
    name = setting.name
    for text in impossible(setting):
        with pytest.raises(
            MattecamError, match=f"{name}: |There is no file .* for {name}|The zones file "
        ):
            alone.run(f"set {name} {text}")
    assert alone.settings == before
    word = alone.run(f"get {name}").removeprefix(f"{name}: ")
    for text in (word, "none") if setting.unset is not None else ():
        alone.run(f"set {name} {other_value(setting, alone.image)}")
        assert setting.value_in(alone.settings) is not None
        said = alone.run(f"set {name} {text}")
        assert (said, setting.value_in(alone.settings)) == (f"{name}: {setting.unset}", None)


def test_an_image_that_cannot_be_read_is_no_standby_image(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was one, by the answer, if it was read slowly."""
    monkeypatch.setattr(
        standby,
        "read_image",
        lambda path: threading.Event().wait(0.5) or read_image(path),
    )
    broken = tmp_path / "broken.png"
    broken.write_text("no image")
    program.run("pause")

    with pytest.raises(MattecamError, match=r"broken\.png is not a readable image"):
        program.run(f"set output.standby_image {broken}")

    assert program.settings.output.standby_image is None


@pytest.mark.parametrize(
    ("words", "said", "wrong_usage"),
    [
        (
            "set framing.zoom 101",
            "framing.zoom: “101” is not possible: it must be at most 4.",
            True,
        ),
        ("set framing.pan_x 5", "framing.pan_x: “5” is not possible: it must be at most 1.", True),
        ("background blur:200", "background: “200” is not possible", True),
        ("background blur:200", "it must be at most 100", True),
        ("set output.mirror", "needs a value", True),
        (
            "set output.mirrored on",
            "There is no setting “output.mirrored”; similar ones are output.mirror",
            True,
        ),
        (
            "set output.mirror maybe",
            "output.mirror: “maybe” is not possible; write on or off",
            True,
        ),
        ("set background.fit stretch", "it must be one of 'fill' or 'fit'", True),
        ("set output.record x.mp4", "There is no setting", True),
        ("get zzzzzz", "There is no setting “zzzzzz”; `ctl get` lists all", True),
        ("reset nosuch", "There is no setting", True),
        ("set matting.model nosuch", "it must be one of auto", True),
        ("dance", "the commands are background, freeze, get", True),
        (
            "resume",
            "There is no command “resume” any more; write `pause off` or `freeze off`.",
            True,
        ),
        ("framing calm", "write `set people.framing calm` or `set framing.zoom 1.5`", True),
        ("model mattecam", "write `set matting.model NAME`, and `status` for the one in use", True),
        ("show now", "takes no argument", True),
        *(
            (f"plate {words}", "write take", True)
            for words in ("take x", "take -1", "take 61", "take nan", "room.png")
        ),
        ("scene", "needs an argument: NAME", True),
        ("record stop", "Nothing is being recorded", False),
        ("scene nosuch", "There is no scene", True),
        *(
            (f"{name} a\0.png", "leave out the characters", True)
            for name in ("record", "set matting.plate")
        ),
        ("background \udcff.png", "no file", True),  # a name in another encoding is possible
    ],
)
def test_an_answer_tells_wrong_usage_from_a_failure(
    alone: SettingsAlone, words: str, said: str, wrong_usage: bool
) -> None:
    """`ctl` ended with 1 for both. A name that no file can have would end the run where it is printed or opened."""
    given = asyncio.run(answer(alone.controller, words.encode("utf-8", "surrogateescape")))
    assert (given.done, given.wrong_usage) == (False, wrong_usage) and said in given.message
    assert alone.settings == BASE


def test_scenes_are_saved_renamed_and_removed(program: Program) -> None:
    program.run("set output.mirror on")
    assert program.run("scene --save Work call") == "Saved the scene Work call."
    assert program.run("scene --rename Work call=Desk") == "Renamed the scene Work call to Desk."
    program.run("set output.mirror off")
    program.run("scene Desk")
    assert program.settings.output.mirror
    assert not program.scenes.get("Desk").with_devices
    program.run("scene --save-with-camera Desk")
    assert program.scenes.get("Desk").with_devices
    assert program.run("scene --remove Desk") == "Removed the scene Desk."
    assert program.scenes.names() == ()
    assert program.scenes_changed.call_count == 4
    with pytest.raises(UsageError, match="Desk"):
        program.run("scene --remove Desk")
    with pytest.raises(UsageError, match="scene --rename Work=Office"):
        program.run("scene --rename Desk")


DECLARED = [
    setting
    for setting in SETTINGS.values()
    if setting.description and setting.name != "people.zones"
]
# Settings whose other values need a file beside them; tests of their own cover them in `ctl`.
LEADS_TO_ANOTHER_PART = {"matting.weights", "background.kind", "background.path"}


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
    of_scenes = setting.scope in ("scene", "device")
    store = SceneStore(tmp_path / "own-scenes.json")
    store.put("Look", changed, with_devices=True)
    assert setting.value_in(store.get("Look").applied_to(Settings())) == (
        value if of_scenes else setting.default
    )
    name = next((name for name, option in OPTIONS.items() if option.settings == (setting,)), None)
    if name is not None and name != "background":
        given = text == "on" if setting.annotation is bool else text
        assert apply_options(Settings(), LiveOptions(**{name: given})) == changed
    if setting.name in SETTABLE and setting.name not in LEADS_TO_ANOTHER_PART:
        alone.run(f"reset {setting.name}")
        before = alone.settings
        assert alone.run(f"set {setting.name} {text}") == f"{setting.name}: {text}"
        assert alone.run(f"get {setting.name}").partition(";")[0] == f"{setting.name}: {text}"
        assert alone.settings == with_value(before, setting.name, value)
        alone.run(f"reset {setting.name}")
        assert alone.settings == before
    else:
        assert setting.scope == "run" or setting.name in LEADS_TO_ANOTHER_PART


def test_auto_framing_ends_a_zoom_by_hand(alone: SettingsAlone) -> None:
    alone.run("set framing.zoom 3")

    assert alone.run("set people.framing calm") == "people.framing: calm"

    assert (alone.settings.framing, SETTINGS["people.framing"].value_in(alone.settings)) == (
        FramingSettings(),
        "calm",
    )


def test_the_status_tells_weights_of_ones_own(program: Program, tmp_path: Path) -> None:
    """`ctl status` named the model alone, whose own weights were not in use."""
    checkpoint = tmp_path / "mine.safetensors"
    checkpoint.touch()
    program.run(f"set matting.weights {checkpoint}")
    status = program.controller.status()
    assert status["weights"] == str(checkpoint)
    assert f", {status['model']} with mine.safetensors, " in status_line(status)
    program.run("set matting.weights none")
    assert program.controller.status()["weights"] is None
    program.run(f"set matting.weights {checkpoint}")
    program.run("set matting.model mattecam")
    assert program.controller.status()["weights"] is None, "a checkpoint belongs to its model"
    program.world.faults.put("build_engine", ModelError("These are weights of another model."))
    with pytest.raises(MattecamError, match="of another model"):
        program.run(f"set matting.weights {checkpoint}")
    assert (
        program.settings.matting.model == "mattecam"
        and program.controller.status()["model"] == "mattecam"
    )


def test_what_failed_is_tried_again(program: Program) -> None:
    program.world.faults.put("open_source", SourceOpenError("There is no camera."))
    program.world.faults.put("read", SourceLostError("The camera was unplugged."))
    eventually(in_phase, program.pipeline, Phase.WAITING)
    assert program.run("set framing.zoom 1.5") == "framing.zoom: 1.5", (
        "in use, although no frame shows it"
    )
    assert program.run("set capture.flip on") == "capture.flip: on", (
        "it opens no camera, so it was not refused for one"
    )
    with pytest.raises(MattecamError, match="There is no camera"):
        program.run("set capture.width 48")
    with pytest.raises(MattecamError, match="There is no camera"):
        program.run("retry")
    program.world.faults.heal()
    eventually(in_phase, program.pipeline, Phase.RUNNING)
    assert program.run("retry") == "What failed is tried again."


def test_commands_do_not_undo_one_another(alone: SettingsAlone) -> None:
    """Each command changes only the setting that it names, even if other settings change concurrently."""

    def zoom() -> None:
        for _ in range(30):
            alone.run("set framing.zoom 1.5")
            alone.run("reset framing.zoom")

    other = beside(zoom)
    alone.run("pause")
    alone.run("freeze")
    other.result(60)
    assert alone.settings.paused
    assert alone.settings.frozen
    assert alone.settings.framing == FramingSettings()


def test_pause_and_freeze_can_be_switched_and_toggled(program: Program) -> None:
    assert program.run("freeze") == "Frozen: the outputs keep the last frame."
    assert program.run("set framing.zoom 1.5") == "framing.zoom: 1.5", (
        "in use, although no frame shows it"
    )
    # Resumed while frozen, no frame confirms it.
    program.controller = program.controller_with(confirm_s=0.2)
    for text, paused, frozen in (
        ("pause", 1, 1),
        ("pause", 1, 1),
        ("freeze on", 1, 1),
        ("pause toggle", 0, 1),
        ("pause toggle", 1, 1),
        ("freeze off", 1, 0),
        ("freeze toggle", 1, 1),
    ):
        said = program.run(text)
        assert (program.settings.paused, program.settings.frozen) == (paused, frozen)
    assert said == "Paused: the outputs show the stand-by card."
    assert set(program.sent_after()) == {PictureKind.STANDBY}
    status = program.controller.status()
    assert status["paused"] is status["frozen"] is True
    assert program.run("pause off").startswith("Frozen")
    assert program.run("freeze off").startswith("Resumed")
    assert not program.settings.paused and not program.settings.frozen
    eventually(program.sends, PictureKind.COMPOSITE)


def test_a_snapshot_is_what_may_leave_at_that_moment(program: Program, tmp_path: Path) -> None:
    assert program.run(f"snapshot {tmp_path / 'a.png'}") == f"Saved {tmp_path / 'a.png'}."
    program.run("pause")
    assert program.run("set framing.zoom 1.5") == "framing.zoom: 1.5", (
        "in use, although no frame shows it"
    )
    with pytest.raises(UsageError, match=r"must end in \.png, not “a\.txt”"):
        program.run(f"snapshot {tmp_path / 'a.txt'}")
    program.run(f"snapshot {tmp_path / 'paused.png'}")
    blue, card = (np.asarray(cv2.imread(str(tmp_path / name))) for name in ("a.png", "paused.png"))
    shown = [bool(np.any(np.all(picture == (255, 0, 0), axis=2))) for picture in (blue, card)]
    assert shown == [True, False], "while paused, a snapshot shows the card"


def test_zones_are_read_from_a_file_and_hide_before_the_answer(
    program: Program,
    tmp_path: Path,
) -> None:
    """A snapshot taken after it showed what they hide."""
    path = tmp_path / "zones.json"
    everything = [[0, 0], [1, 0], [1, 1], [0, 1]]
    path.write_text(
        json.dumps({"zones": [{"points": [[0, 0]]}, {"filled": True, "points": everything}]})
    )
    eventually(program.world.shows_person)
    program.world.faults.put("step", partial(time.sleep, 0.2))
    assert program.run(f"set people.zones {path}") == "people.zones: 2 zones"
    assert not any(shows_person(picture.image) for picture in program.pictures_after())
    with pytest.raises(UsageError, match="does not exist"):
        program.run("set people.zones /nowhere.json")
    assert len(program.settings.people.zones) == 2
    assert (
        program.run("set people.zones none")
        == program.run("reset people.zones")
        == "people.zones: none"
    )


def test_a_snapshot_after_a_zone_is_in_use_shows_nothing_of_it(
    program: Program,
    tmp_path: Path,
) -> None:
    """It showed the picture that was there at the last look, up to a tenth of a second before."""
    zones = tmp_path / "zones.json"
    zones.write_text(
        json.dumps({"zones": [{"filled": True, "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}]})
    )
    program.run(f"snapshot {tmp_path / 'before.png'}")

    program.run(f"set people.zones {zones}")
    program.run(f"snapshot {tmp_path / 'after.png'}")

    assert shows_person(read_image(tmp_path / "before.png"))
    assert not shows_person(read_image(tmp_path / "after.png"))


def test_one_person_is_selected_by_a_point(program: Program) -> None:
    assert program.run("only-me on") == "Only the selected person is shown."
    assert program.run("only-me 0.5,0.7") == "Only the selected person is shown."
    assert SETTINGS["people.selected"].value_in(program.settings) == (0.5, 0.7)
    assert program.run("only-me 0.02,0.02").startswith("Nobody is shown")
    for wrong in ("only-me 2,0", "only-me nan,0", "only-me me"):
        with pytest.raises(UsageError):
            program.run(wrong)
    assert program.run("only-me off") == "Everybody is shown."
    assert SETTINGS["people.selected"].value_in(program.settings) is None


HIDE = Zone(points=((0.1, 0.1), (0.4, 0.4)))


def _with_zones(*zones: Zone) -> Settings:
    return BASE.replace(people=BASE.people.replace(zones=zones))


def test_a_scene_ends_neither_pause_nor_recording_and_keeps_the_camera(
    program: Program,
    tmp_path: Path,
) -> None:
    look = BASE.background.replace(colour="#102030")
    program.scenes.put(
        "Work call",
        Settings(background=look, capture=CaptureSettings(source="other")),
    )
    for command in (f"record {tmp_path / 'a.mp4'}", "pause", "freeze"):
        program.run(command)
    before = program.settings
    assert program.run("scene Work call") == "Scene: Work call."
    settings = program.settings
    assert settings.paused and settings.frozen and settings.background == look
    assert (settings.capture, settings.output) == (before.capture, before.output)
    assert set(program.sent_after()) == {PictureKind.STANDBY}
    with pytest.raises(UsageError, match="the scenes are Work call"):
        program.run("scene Holiday")


def blurred(strength: float, level: str) -> Settings:
    blur = BASE.background.replace(kind="blur", blur_strength=strength)
    return BASE.replace(background=blur).replaced_at(("strict",), level=level)


def edged(**edges: int) -> Settings:
    return BASE.replaced_at(("matting", "edges"), **edges)


OTHER = HIDE.replace(points=((0.8, 0.8),))
ALONE = BASE.replace(people=BASE.people.replace(only_me=True))
UNSTRICT = "does not hide things mistaken for people"
WIDER = "shows more around people"
READABLE = "so weak that text in your room can be read"
UNHIDDEN = "does not hide what your zones hide now"


@pytest.mark.parametrize(
    ("scene", "now", "words"),
    [
        (NONE, BASE, "shows your real background"),
        (blurred(0, "off"), BASE, READABLE),
        (blurred(69, "off"), BASE, READABLE),
        (blurred(70, "off"), BASE, UNSTRICT),
        (BASE, blurred(70, "off"), ""),
        (edged(grow_px=1), BASE, WIDER),
        (BASE, edged(grow_px=1), ""),
        (edged(feather_px=4), edged(feather_px=2), WIDER),
        (blurred(0, "balanced"), BASE, ""),
        (blurred(30, "off"), blurred(30, "balanced"), READABLE),
        (blurred(30, "off"), blurred(31, "off"), READABLE),
        (blurred(30, "off"), blurred(30, "off"), ""),
        (blurred(30, "off"), NONE, ""),
        (BASE, _with_zones(HIDE), UNHIDDEN),
        (_with_zones(OTHER), _with_zones(HIDE, OTHER), UNHIDDEN),
        (BASE, ALONE, "shows everybody"),
    ],
)
def test_a_scene_that_shows_more_must_be_confirmed(
    program: Program, scene: Settings, now: Settings, words: str
) -> None:
    """It was applied, also where it showed the room, and answered "Scene: Call."."""
    program.scenes.put("Call", scene)
    program.pipeline.change(always(now))
    if words:
        with pytest.raises(UsageError, match=f"{words}.*; write `ctl scene Call --yes`"):
            program.run("scene Call")
        assert program.settings == now and (PictureKind.UNMATTED in program.sent_after()) is (
            now is NONE
        )
    assert program.run("scene Call --yes" if words else "scene Call") == "Scene: Call."
    assert program.run("scene Call") == "Scene: Call.", "what is shown already needs no answer"
    used = program.settings
    assert (used.people, used.background, used.shown_blur) == (
        scene.people,
        scene.background,
        scene.shown_blur,
    )


ZOOMED = BASE.replace(framing=BASE.framing.replace(zoom=2))
OTHER_CAMERA = BASE.capture.replace(source="camera:9")


@pytest.mark.parametrize(
    ("scene", "stage"),
    [
        (ZOOMED.replace(capture=OTHER_CAMERA), "open_source"),
        (ZOOMED.replaced_at(["background"], kind="image", path="beach.png"), "open_background"),
        (_with_zones(HIDE).replace(capture=OTHER_CAMERA), "open_source"),
    ],
)
def test_a_scene_of_which_a_part_fails_changes_nothing_but_what_hides_more(
    program: Program, scene: Settings, stage: str
) -> None:
    """The answer was "ok", or what was hidden was shown again some seconds later."""
    before = program.settings
    program.scenes.put("Talk", scene, with_devices=True)
    program.world.faults.put(stage, MattecamError("It fails; choose another."))

    with pytest.raises(MattecamError, match="It fails"):
        program.run("scene Talk")

    assert program.settings == before.replace(people=scene.people)


@pytest.mark.parametrize("command", ["set strict.level off", "scene Safe --yes"])
def test_a_problem_from_before_takes_no_change_back(program: Program, command: str) -> None:
    """A network that could not be built kept a part of the room in the output."""
    broken = BASE.matting.replace(downsample_ratio=0.7)
    safe = _with_zones(HIDE).replace(matting=broken).replaced_at(("strict",), level="off")
    program.scenes.put("Safe", safe)
    program.world.faults.put("build_engine", ModelError("The network is broken."))
    program.pipeline.change(replacing(matting=broken))
    eventually(has_problems, program.pipeline)
    program.run(command)

    assert program.settings.strict.level == "off"
    assert command != "scene Safe --yes" or program.settings.people.zones == (HIDE,)
