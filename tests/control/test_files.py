"""Commands that name files: backgrounds, plates and recordings."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.control import files as live_plate
from app.control.changes import SettingsChanges, Waits
from app.control.commands import COLLECT_S, COUNTDOWN_S, PLATE_CHECKS_S, Command
from app.control.files import (
    Backgrounds,
    PlateTaking,
    description,
    named_background,
    next_background,
)
from app.core.errors import BackgroundError, MattecamError, PlateError, SinkLostError, UsageError
from app.core.settings import BackgroundSettings
from app.core.types import PictureKind
from app.matting.plate import picture
from app.matting.plate.picture import plate_path
from app.runtime.context import Timing
from app.runtime.status import Phase
from app.settings import Settings
from mattecam.testing import room_picture, shows_room
from tests.control.conftest import Program, SettingsAlone, executed
from tests.fakes.states import in_phase
from tests.fakes.world import BASE, FakeWorld, Hold, running
from tests.stand_ins import always, replacing
from tests.waiting import beside, eventually, eventually_is, no_longer

BLUR = BackgroundSettings()


@pytest.fixture
def backgrounds(tmp_path: Path) -> Backgrounds:
    """Return those of a window in German: words, a colour, two files, and the English name of the first."""
    hills = tmp_path / "7-dusk-hills.png"
    waves = tmp_path / "waves.mp4"
    hills.write_bytes(b"\x89PNG\r\n\x1a\n")
    waves.touch()
    words = ("Kein", "none"), ("Unschärfe", "blur"), ("Grün", "green"), ("Farbe", "#3a5f8a")
    return [*words, ("Dämmerhügel", hills), ("waves", waves), ("Dusk hills", hills)]


def chosen(settings: BackgroundSettings) -> str:
    return (
        settings.path.name
        if settings.kind in ("image", "video") and settings.path
        else settings.kind
    )


def test_next_goes_round_and_never_to_none(backgrounds: Backgrounds) -> None:
    settings = BLUR
    seen = []
    for _ in range(4):
        settings = next_background(settings, backgrounds)
        seen.append(chosen(settings))
    assert seen == ["7-dusk-hills.png", "waves.mp4", "blur", "7-dusk-hills.png"]
    for current, expected in (("none", "blur"), ("#336699", "blur"), ("waves", "7-dusk-hills.png")):
        before = named_background(current, BLUR, backgrounds)
        assert chosen(next_background(before, backgrounds, blur=current != "waves")) == expected
    with pytest.raises(MattecamError, match="no other background"):
        next_background(BLUR, [])


def test_names_in_both_languages_and_of_files_choose_the_same(
    backgrounds: Backgrounds,
    tmp_path: Path,
) -> None:
    hills = "Dämmerhügel", "dusk HILLS", "7-dusk-hills", "7-dusk-hills.png", "dusk-hills"
    for names, expected, described in (
        (("Kein", "none"), "none", "none; the outputs show the room"),
        (("UNSCHÄRFE", "blur"), "blur", "blur"),
        (("grün", "green"), "colour", "#00b140"),
        (("farbe",), "colour", "#3a5f8a"),
        (("#102030",), "colour", "#102030"),
        (hills, "7-dusk-hills.png", "Dämmerhügel"),
        ((str(tmp_path / "waves.mp4"), "Waves"), "waves.mp4", "waves"),
        (("bokeh:20",), "blur", "bokeh"),
    ):
        for name in names:
            background = named_background(name, BLUR, backgrounds)
            assert (chosen(background), description(background, backgrounds)) == (
                expected,
                described,
            )
    assert (
        description(BackgroundSettings(kind="image", path=tmp_path / "other.png"), backgrounds)
        == "other.png"
    )
    with pytest.raises(
        UsageError, match=r"the backgrounds are Kein, Unschärfe, .*, Dämmerhügel, waves, Dusk hills"
    ):
        named_background("moon", BLUR, backgrounds)


def test_what_is_still_pending_at_the_time_limit_is_named(program: Program) -> None:
    program.world.faults.put("open_background", program.world.faults.hang)
    hasty = program.controller_with(confirm_s=0.2)

    assert "still being prepared" in executed(hasty, "background Beach")


def test_a_file_that_fails_or_exists_is_an_error_and_changes_nothing(
    program: Program,
    tmp_path: Path,
) -> None:
    before = program.settings
    program.world.faults.put(
        "open_background",
        BackgroundError("Beach is damaged; choose another."),
    )
    for _ in range(2):
        with pytest.raises(MattecamError, match="Beach is damaged"):
            program.run("background Beach")
        assert program.settings == before
    (there := tmp_path / "there.png").touch()
    for words, said in (
        ("background moon", "the backgrounds are Beach"),
        (f"background {'9' * 200}", "no background and no file"),
        *((f"{command} {there}", "already exists") for command in ("record", "snapshot")),
    ):
        with pytest.raises(UsageError, match=said):
            program.run(words)
    assert program.settings == before


@pytest.mark.parametrize("command", ["background Beach", "scene Talk"])
def test_a_failing_background_does_not_expose_the_room_again(
    program: Program,
    command: str,
) -> None:
    program.scenes.put(
        "Talk",
        Settings(background=BackgroundSettings(kind="image", path=program.picture_file)),
    )
    program.run("background none")
    eventually(program.sends, PictureKind.UNMATTED)
    program.world.faults.put(
        "open_background",
        BackgroundError("Beach is damaged; choose another."),
    )
    with pytest.raises(MattecamError, match="Beach is damaged"):
        program.run(command)
    assert program.settings.background.kind == "image"
    later = program.pictures_after(20)
    assert not any(
        picture.kind is PictureKind.UNMATTED or shows_room(picture.image) for picture in later
    )


def test_a_pause_does_not_wait_for_the_file_of_a_background(program: Program) -> None:
    """A network drive that does not answer delays its own command only; nothing that changed meanwhile is lost."""
    drive = Hold()

    def slow_drive() -> Backgrounds:
        drive()
        return [("Beach", program.picture_file)]

    program.backgrounds = slow_drive
    slow = beside(program.run, "background Beach")
    try:
        assert drive.entered.wait(60)
        assert "stand-by card" in program.run("pause")
        program.run("set background.fit fit")
    finally:
        drive.go_on.set()
        slow.result(60)
    background = program.settings.background
    assert (background.path, background.fit, program.settings.paused) == (
        program.picture_file,
        "fit",
        True,
    )


def corner(program: Program) -> tuple[int, ...]:
    """Return the colour of the first pixel of the newest picture."""
    return tuple(program.world.newest().image[0, 0])


@pytest.mark.parametrize(
    "command", ["background {file}", "background Beach", "set background.path {file}"]
)
def test_a_file_that_was_edited_is_shown_when_it_is_named_again(
    program: Program,
    command: str,
) -> None:
    file = program.picture_file
    program.run("background Beach")
    eventually_is((33, 33, 33), corner, program)
    cv2.imwrite(str(file), np.full((48, 64, 3), 77, np.uint8))
    program.run(command.format(file=file))
    eventually_is((77, 77, 77), corner, program)


@pytest.fixture(autouse=True)
def _collected_soon_and_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_plate, "COLLECT_S", 0.3)
    monkeypatch.setattr(picture, "shows_someone", always(False))


@pytest.mark.parametrize("frozen", [False, True])
def test_a_plate_is_taken_stored_and_used(program: Program, frozen: bool) -> None:
    path = plate_path("fake", 64, 48)
    program.run("freeze on" if frozen else "freeze off")
    started_s = time.monotonic()

    assert program.run("plate take 0.5").startswith(f"Picture of the empty room: {path}.")
    assert time.monotonic() - started_s >= 0.5 + 0.3, "nothing is taken during the countdown"
    assert program.settings.matting.plate == path and path.is_file()
    assert not program.pipeline.demand.takes_plate


@pytest.mark.parametrize("first", ["before", "meanwhile"])
def test_a_paused_program_takes_no_plate(program: Program, first: str) -> None:
    if first == "before":
        program.run("pause")
    answer = beside(program.run, "plate take 30")
    if first == "meanwhile":
        eventually(program.takes_plate)
        program.run("pause")

    with pytest.raises(MattecamError, match="While Mattecam is paused"):
        answer.result(60)

    assert program.settings.matting.plate is None and program.pipeline.newest_frame is None
    assert not plate_path("fake", 64, 48).exists()


def test_someone_in_view_leaves_the_plate_in_use(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "The model mattecam does not use it; `bgmv2-*` do." in program.run("plate take 0")
    program.run("set matting.model bgmv2-mobilenetv2")
    assert "does not use it" not in program.run("plate take 0")
    old = tmp_path / "old.png"
    cv2.imwrite(str(old), room_picture())
    program.run(f"set matting.plate {old}")
    monkeypatch.setattr(picture, "shows_someone", always(True))
    with pytest.raises(PlateError, match="still in view"):
        program.run("plate take 0")
    assert program.settings.matting.plate == old
    assert not program.pipeline.demand.takes_plate


def test_a_second_command_is_refused_and_an_end_cancels_the_first(program: Program) -> None:
    answer = beside(program.run, "plate take 30")
    eventually(program.takes_plate)
    with pytest.raises(MattecamError, match="already being taken"):
        program.run("plate take 0")
    program.controller.close()

    with pytest.raises(MattecamError, match="no picture of the empty room was taken"):
        answer.result(60)

    assert not plate_path("fake", 64, 48).exists()


def test_a_plate_taken_again_builds_the_engine_again_with_the_exposure_held(
    program: Program,
) -> None:
    """Automatic exposure came back while the engine was built; the plate was of another brightness then."""
    program.run("plate take 0")
    held: list[bool] = []

    def note() -> None:
        held.append(program.takes_plate())

    program.world.faults.put("build_engine", note)
    program.run("plate take 0")

    assert held and all(held) and not program.pipeline.demand.takes_plate


def test_a_client_waits_for_the_countdown() -> None:
    assert Command("plate", "take 20").extra_s == 20 + COLLECT_S + PLATE_CHECKS_S
    assert Command("plate", "take").extra_s == Command("plate", f"take {COUNTDOWN_S:g}").extra_s
    assert Command("pause").extra_s == 0


def test_a_camera_that_rests_is_turned_on_and_holds_its_exposure(tmp_path: Path) -> None:
    world = FakeWorld()
    held = list[bool]()
    world.source_kind = "camera"
    world.readers = 0

    class Watched(Waits):
        async def pause(self) -> bool:
            held.append(world.sources[-1].holds_exposure)
            return await super().pause()

    timing = Timing(demand_poll_s=0.02, demand_linger_s=0.1, source_retry_s=0.1)
    with running(world, BASE, timing) as pipeline:
        eventually(in_phase, pipeline, Phase.RESTING)
        opened = len(world.sources)
        plate = tmp_path / "plate.png"
        changes = SettingsChanges(pipeline, 30.0)
        changes.waits = Watched()
        asyncio.run(PlateTaking(changes, always(plate)).take("take 0.3"))
        assert len(world.sources) == opened + 1
        assert held[-1]
        eventually(in_phase, pipeline, Phase.RESTING)


@pytest.mark.parametrize("command", ["record", "record-alpha"])
def test_a_recording_starts_and_stops(program: Program, tmp_path: Path, command: str) -> None:
    path = tmp_path / "a.mp4"
    name = command.replace("record", "recording").replace("-", "_")
    other = "record" if command == "record-alpha" else "record-alpha"
    with pytest.raises(MattecamError, match="Nothing is being recorded"):
        program.run(f"{command} stop")
    assert program.run(f"{command} {path}") == f"Recording to {path}."
    assert program.controller.status()[name] is not None
    with pytest.raises(MattecamError, match="is running; stop it first"):
        program.run(f"{command} {tmp_path / 'b.mp4'}")
    with pytest.raises(UsageError, match="also another output"):
        program.run(f"{other} {tmp_path / '.' / 'a.mp4'}")
    program.run(f"{other} {tmp_path / 'b.mp4'}")
    assert program.run(f"{command} stop") == f"Recorded to {path}."
    assert program.controller.status()[name] is None


@pytest.mark.parametrize("command", ["record", "record-alpha"])
def test_a_recording_without_a_matted_frame_is_not_confirmed(
    alone: SettingsAlone, tmp_path: Path, command: str
) -> None:
    """`ctl record stop` named a file that did not exist."""
    assert "starts with the first matted frame" in alone.run(f"{command} {tmp_path / 'a.mp4'}")
    with pytest.raises(MattecamError, match=r"Nothing was recorded to .*a\.mp4"):
        alone.run(f"{command} stop")
    assert alone.settings == BASE


@pytest.mark.parametrize("command", ["record", "record-alpha"])
def test_the_answer_waits_until_the_file_is_open_or_finished(
    program: Program,
    tmp_path: Path,
    command: str,
) -> None:
    finished = threading.Event()
    full = SinkLostError("The disk is full.")

    def finish_slowly() -> None:
        time.sleep(0.5)
        finished.set()

    def fail_slowly() -> None:
        time.sleep(0.5)
        raise full

    program.world.faults.put("open_recorder", fail_slowly)
    with pytest.raises(MattecamError, match="disk is full"):
        program.run(f"{command} {tmp_path / 'slow.mp4'}")
    assert program.settings.output.record is program.settings.output.record_alpha is None
    program.world.faults.heal()
    program.run(f"{command} {tmp_path / 'a.mp4'}")
    program.world.faults.put("close_recorder", finish_slowly)
    assert "Recorded to" in program.run(f"{command} stop")
    assert finished.is_set()
    program.run(f"{command} {tmp_path / 'b.mp4'}")
    program.world.faults.put("close_recorder", full)
    with pytest.raises(MattecamError, match="disk is full"):
        program.run(f"{command} stop")


@pytest.mark.parametrize(
    ("failed", "other"),
    [("record_alpha", "record"), ("record", "record-alpha"), ("record", "record")],
)
def test_a_recording_starts_beside_or_after_one_that_failed(
    program: Program, tmp_path: Path, failed: str, other: str
) -> None:
    """`ctl record` failed with the problem of the matte's recording."""

    def has_failed() -> bool:
        return getattr(program.settings.output, failed) is None

    output = program.settings.output.replace(**{failed: tmp_path / "full.mp4"})
    program.pipeline.change(replacing(output=output))
    eventually(has_failed)

    assert program.run(f"{other} {tmp_path / 'a.mp4'}") == f"Recording to {tmp_path / 'a.mp4'}."
    assert program.run(f"{other} stop") == f"Recorded to {tmp_path / 'a.mp4'}."

    told = [problem["stage"] for problem in program.controller.status()["problems"]]
    same = other.replace("-", "_") == failed
    assert told == ([] if same else ["recording"]), "the window still offers what helps"


@pytest.mark.parametrize("moment", ["open_recorder", "recorder"])
def test_a_recording_that_fails_is_no_longer_asked_for(
    program: Program,
    tmp_path: Path,
    moment: str,
) -> None:
    program.world.faults.put(moment, SinkLostError("The disk is full."))
    output = program.settings.output.replace(record=tmp_path / "a.mp4")
    program.pipeline.change(replacing(output=output))

    no_longer(program.records)

    assert [each["message"] for each in program.controller.status()["problems"]] == [
        "The disk is full."
    ]
    with pytest.raises(MattecamError, match="Nothing is being recorded"):
        program.run("record stop")
    program.world.faults.heal()
    assert program.run("retry") == "What failed is tried again."
    assert program.controller.status()["problems"] == []


@pytest.mark.parametrize("command", ["record", "record-alpha"])
def test_of_two_recordings_that_begin_at_once_one_is_refused(
    program: Program,
    tmp_path: Path,
    command: str,
) -> None:
    """Both were confirmed, and one had no frame."""
    first = tmp_path / "first.mp4"
    second = tmp_path / "second.mp4"
    opening = Hold()
    program.world.faults.put("open_recorder", opening)
    begun = beside(program.run, f"{command} {first}")
    assert opening.entered.wait(60)

    with pytest.raises(
        MattecamError, match=rf"recording to .*first\.mp4 is running; stop .* `ctl {command} stop`"
    ):
        program.run(f"{command} {second}")

    opening.go_on.set()
    assert begun.result(60) == f"Recording to {first}."
    assert program.run(f"{command} stop") == f"Recorded to {first}."
    assert first.exists() and not second.exists()


def test_a_recording_that_is_stopped_while_it_begins_is_not_confirmed(
    program: Program,
    tmp_path: Path,
) -> None:
    """It was, and the command that stopped it spoke of a pause."""
    opening = Hold()
    program.world.faults.put("open_recorder", opening)
    begun = beside(program.run, f"record {tmp_path / 'a.mp4'}")
    assert opening.entered.wait(60)
    stopped = beside(program.run, "record stop")
    no_longer(program.records)

    opening.go_on.set()

    with pytest.raises(MattecamError, match="was stopped meanwhile"):
        begun.result(60)
    assert stopped.result(60) == f"Recorded to {tmp_path / 'a.mp4'}."


def test_only_one_of_two_commands_stops_a_recording(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "a.mp4"
    finishing = Hold()
    program.run(f"record {file}")
    program.world.faults.put("close_recorder", finishing)
    stopped = beside(program.run, "record stop")
    assert finishing.entered.wait(60)

    with pytest.raises(MattecamError, match="Nothing is being recorded"):
        program.run("record stop")

    finishing.go_on.set()
    assert stopped.result(60) == f"Recorded to {file}."


def test_no_disk_holds_up_the_settings_while_a_recording_is_chosen(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links were followed while the settings were locked: a pause waited for the disk."""
    disk = Hold()

    def follow_links(outputs: Iterable[Path]) -> None:
        disk()

    monkeypatch.setattr(live_plate, "check_outputs", follow_links)
    begun = beside(program.run, f"record {tmp_path / 'a.mp4'}")
    assert disk.entered.wait(60)

    assert program.run("pause").startswith("Paused")

    disk.go_on.set()
    begun.result(60)
