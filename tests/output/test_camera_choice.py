"""Which virtual camera is sent to: by name, by itself, and while it is in use."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.core.errors import Stage
from app.core.process import Holder
from app.output import camera_list, table, v4l2
from app.output.camera_list import list_virtual_cameras
from app.output.virtual_camera import VirtualCamera, open_virtual_camera
from app.runtime.pipeline import Pipeline
from tests.fakes.states import has_problems
from tests.fakes.world import BASE, IMPATIENT, FakeWorld, apply, live
from tests.output.conftest import OTHER, OURS, FakeDriver, loopback_error, refusal
from tests.stand_ins import always, forbidden
from tests.waiting import eventually, eventually_is

pytestmark = pytest.mark.linux("app.output.v4l2")
BOTH = {OTHER: "Cam 7", OURS: "Mattecam"}
SECOND = "/dev/video11"
OURS_TWICE = {OTHER: "Cam 7", OURS: "Mattecam", SECOND: "Mattecam 2"}


def device_of(wanted: str) -> str:
    """Open this camera and close it again; return its device."""
    with closing(VirtualCamera(wanted, 64, 48, 30)) as camera:
        return camera.device


@pytest.mark.parametrize("wanted", ["auto", OURS])
def test_devices_that_other_programs_send_to_are_left_alone(
    driver: FakeDriver, wanted: str
) -> None:
    driver.labels = BOTH
    driver.sending = {OURS, OTHER}

    assert f"Another program sends to the virtual camera {OURS}" in refusal(wanted)
    assert driver.opened == []
    assert driver.revived == driver.disturbed == []


@pytest.mark.parametrize(
    "label", ["Cam 7", "Intel MIPI Camera", "OBS Virtual Camera", "Dummy video device (0x0000)"]
)
def test_auto_sends_to_no_camera_of_another_program(driver: FakeDriver, label: str) -> None:
    """That of v4l2-relayd is silent while nobody reads it: the program wrote into the camera of
    the laptop.
    """
    driver.labels = {OTHER: label}

    message = refusal("auto")

    assert "No virtual camera is named Mattecam, and others may belong to other programs" in message
    assert f"choose one of {OTHER} ({label}) with --virtual-camera" in message
    assert driver.opened == []
    assert device_of(OTHER) == OTHER, "the user may name it"


def test_only_a_camera_that_auto_may_send_to_shows_the_picture_to_programs(
    driver: FakeDriver,
) -> None:
    settings = BASE.replaced_at(["output"], virtual_camera="auto", pipewire="off")
    driver.labels = {OTHER: "Intel MIPI Camera"}
    assert not table.has_camera(settings)

    driver.labels = BOTH

    assert table.has_camera(settings)


def test_auto_takes_our_device_and_tries_our_next_one_where_it_is_busy(driver: FakeDriver) -> None:
    driver.labels = OURS_TWICE
    assert device_of("auto") == OURS

    driver.sending = {OURS}

    assert device_of("auto") == SECOND


@pytest.mark.parametrize("wanted", [OTHER, "Cam 7", "7"])
def test_a_device_is_found_by_file_label_and_number(driver: FakeDriver, wanted: str) -> None:
    driver.labels = BOTH

    assert device_of(wanted) == OTHER


def test_auto_tries_the_next_on_failure_and_reports_the_first(driver: FakeDriver) -> None:
    driver.labels = OURS_TWICE
    driver.refusals = {OURS: loopback_error("Device could not be opened: Device or resource busy")}
    assert device_of("auto") == SECOND

    driver.refusals[SECOND] = RuntimeError("another reason")

    assert "Another program" in refusal()


def sends_to(pipeline: Pipeline, device: str) -> bool:
    """Whether the virtual camera that the settings ask for is open, or has failed to open, and
    this one is in use.
    """
    return pipeline.outputs_decided and pipeline.status().virtual_camera == device


def has_sent(driver: FakeDriver, pictures: int) -> bool:
    """Whether the camera opened last was sent so many pictures."""
    return len(driver.opened[-1].sent) >= pictures


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"virtual_camera": OURS}, id="by its file, as the window lists it"),
        pytest.param({"virtual_camera": "Mattecam"}, id="by its label"),
        pytest.param({"virtual_camera_backend": "v4l2"}, id="with another backend"),
    ],
)
def test_the_camera_in_use_is_closed_before_it_is_opened_under_another_name(
    driver: FakeDriver, world: FakeWorld, change: dict[str, str]
) -> None:
    """The driver refused the second handle: the program said for ever that another one sends to
    the camera.
    """
    parts = world.parts().with_sinks(virtual_camera=open_virtual_camera)
    settings = BASE.replaced_at(["output"], virtual_camera="auto")
    with live(world, settings, parts=parts, timing=IMPATIENT) as pipeline:
        eventually(sends_to, pipeline, OURS)

        apply(pipeline, settings.replaced_at(["output"], **change))
        eventually_is(2, len, driver.opened)
        eventually(sends_to, pipeline, OURS)
        eventually(has_sent, driver, 1)

        assert pipeline.status().problems == ()
        assert pipeline.status().errors == ()
    assert driver.disturbed == []
    assert [camera.closed for camera in driver.opened] == [1, 1]


def test_the_camera_in_use_is_opened_again_where_another_backend_fails_and_is_then_left_alone(
    driver: FakeDriver, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = Mock(side_effect=RuntimeError("a backend that does not work here"))
    parts = world.parts().with_sinks(virtual_camera=open_virtual_camera)
    settings = BASE.replaced_at(["output"], virtual_camera="auto", virtual_camera_backend="v4l2")
    with live(world, settings, parts=parts, timing=IMPATIENT) as pipeline:
        eventually(sends_to, pipeline, OURS)
        monkeypatch.setattr(sys.modules["pyvirtualcam"], "Camera", attempts)

        apply(
            pipeline,
            settings.replaced_at(
                ["output"], virtual_camera=OURS, virtual_camera_backend="pyvirtualcam"
            ),
        )
        eventually_is(2, len, driver.opened)
        eventually(sends_to, pipeline, OURS)
        eventually(has_sent, driver, 21)

        assert [problem.stage for problem in pipeline.status().problems] == [Stage.VIRTUAL_CAMERA]
        assert attempts.call_count == 1, "its readers would be interrupted at every attempt"
    assert driver.disturbed == []


def test_another_device_that_fails_does_not_interrupt_the_one_in_use(
    driver: FakeDriver, world: FakeWorld
) -> None:
    driver.labels = BOTH
    driver.sending = {OTHER}
    parts = world.parts().with_sinks(virtual_camera=open_virtual_camera)
    settings = BASE.replaced_at(["output"], virtual_camera="auto")
    with live(world, settings, parts=parts, timing=IMPATIENT) as pipeline:
        eventually(sends_to, pipeline, OURS)

        apply(pipeline, settings.replaced_at(["output"], virtual_camera=OTHER))
        eventually(has_problems, pipeline)

        assert [camera.closed for camera in driver.opened] == [0]
        driver.sending = set()
        eventually(sends_to, pipeline, OTHER)


def test_an_unknown_device_is_reported_with_the_known_ones(driver: FakeDriver) -> None:
    assert "camera Nobody; choose one of /dev/video10 (Mattecam)" in refusal("Nobody")
    assert "real camera" in refusal("/dev/null")
    driver.labels = {}
    for wanted in ("auto", "Nobody", "/dev/video10"):
        message = refusal(wanted)
        assert "modprobe v4l2loopback" in message and ". " not in message, "one sentence"


def test_the_advice_names_a_number_that_is_free(
    driver: FakeDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Number 10 is that of a decoder on a Raspberry Pi."""
    driver.labels = {}
    monkeypatch.setattr(v4l2, "SYSFS", tmp_path)
    assert "video_nr=10 " in refusal()

    (tmp_path / "video10").mkdir()
    (tmp_path / "video11").mkdir()

    assert "video_nr=12 " in refusal()


def test_the_list_has_our_device_first_and_knows_busy_ones(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver.labels = BOTH
    driver.sending = {OTHER}
    ours, other = list_virtual_cameras()
    assert (ours.id, ours.label, ours.path, ours.busy) == (
        "/dev/video10",
        "Mattecam",
        "/dev/video10",
        False,
    )
    assert (other.label, other.busy) == ("Cam 7", True)
    monkeypatch.setattr(camera_list, "holders", always((Holder(1, "obs", True),)))
    assert all(one.busy for one in list_virtual_cameras())
    this_program = Holder(os.getpid(), "mattecam", True)
    monkeypatch.setattr(camera_list, "holders", always((this_program,)))
    assert not any(one.busy for one in list_virtual_cameras()), (
        "what this program sends to is not busy"
    )


@pytest.mark.parametrize(
    ("wanted", "label"),
    [("auto", "Mattecam"), ("Mattecam", "Mattecam"), ("Cam 7", "Cam 7")],
    ids=["auto", "our label", "another label"],
)
def test_nothing_is_sent_to_the_camera_that_is_the_source(
    driver: FakeDriver, wanted: str, label: str
) -> None:
    driver.labels = {OTHER: label, "/dev/video8": label, OURS: "Cam 10"}
    with closing(VirtualCamera(wanted, 64, 48, 30, avoided={OURS, OTHER}.copy)) as camera:
        assert camera.device == "/dev/video8"

    driver.labels = {OTHER: label}
    for named in (wanted, "/dev/video7", "7"):
        assert f"{OTHER} is the camera that the picture comes from" in refusal(
            named, avoided={OTHER}.copy
        )
    assert OTHER not in [one.device for one in driver.opened]


def test_the_source_is_not_looked_for_without_a_virtual_camera(driver: FakeDriver) -> None:
    """Opening is retried every two seconds; listing the cameras opens each, which wakes those
    that sleep.
    """
    driver.labels = {}
    assert "There is no virtual camera" in refusal(avoided=forbidden("the cameras are listed"))


@pytest.mark.parametrize(
    "label", ["DroidCam", "Iriun Webcam", "droidcam v4l2", "EpocCam", "My iPhone", "scrcpy"]
)
def test_nothing_is_sent_to_the_camera_of_a_phone(driver: FakeDriver, label: str) -> None:
    driver.labels = {"/dev/null": label}
    for named in ("auto", label, "/dev/null"):
        assert refusal(named)
    driver.labels[OTHER] = "Mattecam"
    assert VirtualCamera("auto", 64, 48, 30).device == OTHER
    assert [one.device for one in driver.opened] == [OTHER]
    assert [one.id for one in list_virtual_cameras(probe=False)] == [OTHER]
