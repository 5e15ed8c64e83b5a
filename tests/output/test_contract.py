"""Contract of all sinks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.core.errors import SinkLostError
from app.output import table
from app.output.base import FrameSink
from app.output.camera_list import list_virtual_cameras
from app.output.pipewire import PipeWireCamera
from app.output.recording import Recorder
from app.output.virtual_camera import VirtualCamera
from tests.output.pictures import Make, picture
from tests.output.recordings import context


def recorder(folder: Path) -> FrameSink:
    return Recorder(folder / "a.mp4", 64, 48, context())


def alpha_recorder(folder: Path) -> FrameSink:
    return Recorder(folder / "a.mkv", 64, 48, context(), alpha=True)


def virtual_camera(_folder: Path) -> FrameSink:
    return VirtualCamera("auto", 64, 48, 30)


def v4l2_camera(_folder: Path) -> FrameSink:
    return VirtualCamera("auto", 64, 48, 30, backend="v4l2")


def pipewire_camera(_folder: Path) -> FrameSink:
    return PipeWireCamera(64, 48, 30)


def pipewire_alpha_camera(_folder: Path) -> FrameSink:
    return PipeWireCamera(64, 48, 30, alpha=True)


# Sinks of each row of `app/output/table.py`; a row without one fails here.
MAKERS: dict[str, dict[str, Make]] = {
    "recording": {"recorder": recorder},
    "recording_alpha": {"alpha_recorder": alpha_recorder},
    "virtual_camera": {
        "virtual_camera": virtual_camera,
        "v4l2_camera": v4l2_camera,
        "real_virtual_camera": virtual_camera,
    },
    "pipewire": {
        "pipewire_camera": pipewire_camera,
        "pipewire_alpha_camera": pipewire_alpha_camera,
    },
}
SINKS = {name: made for spec in table.SINKS for name, made in MAKERS[spec.name].items()}


@pytest.fixture(params=SINKS)
def make(request: pytest.FixtureRequest) -> Make:
    """Each kind of sink, with a fake driver but for `real_virtual_camera`, and with a private
    PipeWire.
    """
    if request.param.startswith("pipewire"):
        request.getfixturevalue("pipewire")
    elif request.param == "v4l2_camera" and sys.platform == "win32":
        pytest.skip("Windows lacks V4L2")
    elif request.param != "real_virtual_camera":
        request.getfixturevalue("driver")
    elif not any(not camera.busy for camera in list_virtual_cameras()):
        pytest.skip("needs a free virtual camera (v4l2loopback)")
    return SINKS[request.param]


def test_frames_of_any_size_are_accepted_until_it_is_closed(make: Make, tmp_path: Path) -> None:
    sink = make(tmp_path)
    assert sink.name
    same = picture()
    for one in (
        same,
        same,
        picture(128, 96),
        picture(65, 49),
        picture(2, 2),
        picture(1, 1),
        picture(16, 300),
        same,
    ):
        before = one.image.copy()
        sink.send(one)
        assert (one.image == before).all(), "a sink must not write to a picture"
    sink.close()
    sink.close()
    for one in (same, picture(128, 96)):
        with pytest.raises(SinkLostError):
            sink.send(one)


def test_closing_without_a_frame(make: Make, tmp_path: Path) -> None:
    make(tmp_path).close()
    assert list(tmp_path.iterdir()) == [], "an empty recording leaves no file"
