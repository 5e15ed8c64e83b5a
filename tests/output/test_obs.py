"""Frames in the memory that OBS Studio's filter reads on Windows, without pyvirtualcam."""

from __future__ import annotations

import errno
import struct
import sys
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.shared_memory import SharedMemory
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest

from app.core.types import Bytes
from app.doctor.proof import bar_error
from app.media import yuv
from app.output import camera_list, obs, table, virtual_camera
from app.output.camera_list import VirtualCameraDevice, list_virtual_cameras
from app.output.obs import FrameQueue, ObsWriter, frame_offsets
from app.output.virtual_camera import CameraChoice, VirtualCamera
from tests.output.conftest import FakeDriver, refusal
from tests.output.pictures import picture
from tests.stand_ins import always


@pytest.fixture(autouse=True)
def own_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(obs, "NAME", "mattecam-test-of-obs")
    yield


def frame_of(grey: int, width: int = 64, height: int = 48) -> Bytes:
    image = np.full((height, width, 3), grey, np.uint8)
    image[:, : width // 2] = (255, 0, 0)
    return yuv.to_yuv(image, "I420")


def read(memory: bytes) -> tuple[int, int, tuple[int, int], Bytes]:
    """Return number, state, size and NV12 of the frame that a reader takes, as `deploy/windows/reader.py` does."""
    _, number, state, *begins, _, width, height = struct.unpack_from("<9I", memory)
    begin = begins[number % 3] + 32
    planes = np.frombuffer(memory, np.uint8, width * height * 3 // 2, begin)
    return number, state, (width, height), planes.reshape(-1, width)


def test_a_reader_finds_the_last_frame_with_chroma_side_by_side() -> None:
    _, size = frame_offsets(64, 48)
    memory = bytearray(size)
    queue = FrameQueue(memoryview(memory), 64, 48, 30)
    for grey in (10, 100, 200, 250):
        queue.write(frame_of(grey), 0)

    number, state, size_read, nv12 = read(bytes(memory))

    expected = frame_of(250).reshape(-1)
    pixels = 64 * 48
    assert (number, state, size_read) == (4, 2, (64, 48))
    assert (nv12.reshape(-1)[:pixels] == expected[:pixels]).all()
    assert (nv12.reshape(-1)[pixels::2] == expected[pixels : pixels + pixels // 4]).all()
    assert (nv12.reshape(-1)[pixels + 1 :: 2] == expected[pixels + pixels // 4 :]).all()


def test_frames_and_header_lie_apart() -> None:
    offsets, size = frame_offsets(66, 50)
    length = 32 + 66 * 50 * 3 // 2

    assert offsets[0] >= obs.HEADER.size
    assert all(offset % 32 == 0 for offset in offsets)
    assert (
        offsets[0] + length <= offsets[1]
        and offsets[1] + length <= offsets[2]
        and offsets[2] + length <= size
    )


@pytest.mark.usefixtures("resource_tracker")
def test_a_frame_bears_the_time_of_the_clock_that_obs_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other clock of Windows counts steps of 16 ms: two frames had one time."""
    now_ns = 0x0123_4567_89AB_CDEF
    monkeypatch.setattr(obs, "time", SimpleNamespace(perf_counter_ns=always(now_ns)))

    with closing(ObsWriter(64, 48, 30)) as writer:
        writer.send(frame_of(10))
        reader = SharedMemory(obs.NAME)
        assert reader.buf is not None
        offsets, _ = frame_offsets(64, 48)
        (stamp,) = struct.unpack_from("<Q", reader.buf, offsets[1])
        reader.close()

    assert stamp == now_ns


def test_the_end_is_told_to_readers() -> None:
    _, size = frame_offsets(64, 48)
    memory = bytearray(size)
    queue = FrameQueue(memoryview(memory), 64, 48, 30)
    queue.write(frame_of(10), 0)

    queue.stop()

    assert read(bytes(memory))[1] == 3


@pytest.mark.usefixtures("resource_tracker")
def test_a_second_program_is_refused_and_the_memory_is_free_after_the_end() -> None:
    with closing(ObsWriter(66, 48, 30)) as first:
        first.send(frame_of(10))
        with pytest.raises(OSError, match="another program") as refused:
            ObsWriter(64, 48, 30)
        assert refused.value.errno == errno.EBUSY
        assert (first.width, first.height) == (64, 48)

    with closing(ObsWriter(64, 48, 30)) as second:
        second.send(frame_of(20))


@pytest.mark.usefixtures("resource_tracker")
def test_nothing_is_sent_after_the_end() -> None:
    writer = ObsWriter(64, 48, 30)
    writer.close()
    writer.close()

    with pytest.raises(OSError, match="closed"):
        writer.send(frame_of(10))


@pytest.mark.usefixtures("resource_tracker")
def test_a_copy_without_pyvirtualcam_sends_to_the_camera_of_obs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera = VirtualCameraDevice(obs.DEVICE, obs.DEVICE, "", False)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    monkeypatch.setattr(virtual_camera, "sys", SimpleNamespace(platform="win32"))
    monkeypatch.setattr(virtual_camera, "LINUX", False)
    monkeypatch.setattr(camera_list, "LINUX", False)
    monkeypatch.setattr(virtual_camera, "list_virtual_cameras", always((camera,)))

    with closing(VirtualCamera("auto", 64, 48, 30)) as sink:
        sink.send(picture())
        reader = SharedMemory(obs.NAME)
        assert reader.buf is not None
        number, state, size, nv12 = read(bytes(reader.buf))
        reader.close()

    assert (number, state, size) == (1, 2, (64, 48))
    assert (nv12[:48] == yuv.to_yuv(picture().image, "I420")[:48]).all()


def test_a_copy_without_pyvirtualcam_loads_what_packs_its_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was loaded, or compiled, while the first frame was to be sent."""
    load = Mock()
    monkeypatch.setattr(table, "LINUX", False)
    monkeypatch.setattr(table, "load_kernels", load)
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    spec = next(spec for spec in table.SINKS if spec.name == "virtual_camera")

    spec.load(CameraChoice("auto"))

    assert load.call_count == 1


def test_other_systems_receive_bgr_of_fixed_size(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OBS's camera on Windows and macOS converts by itself and tells nobody who reads."""
    obs = VirtualCameraDevice("OBS Virtual Camera", "OBS Virtual Camera", "", False)
    monkeypatch.setattr(virtual_camera, "LINUX", False)
    monkeypatch.setattr(camera_list, "LINUX", False)
    monkeypatch.setattr(virtual_camera, "list_virtual_cameras", always((obs,)))
    camera = VirtualCamera("auto", 64, 48, 30)
    camera.send(picture())
    camera.send(picture(200, 50, grey=200))
    camera.close()
    assert camera.name == camera.device == "OBS Virtual Camera" and camera.size == (64, 48)
    sent = [one.reshape(48, 64, 3) for one in driver.opened[0].sent]
    assert bar_error(sent[0]) == 0 and sent[1][2].max() == 0 and (sent[1][24] == 200).all()
    assert driver.revived == []


def test_other_systems_are_told_of_obs_and_have_one_backend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(virtual_camera, "LINUX", False)
    monkeypatch.setattr(camera_list, "LINUX", False)
    monkeypatch.setattr(camera_list, "WINDOWS_CLASSES", {})

    assert list_virtual_cameras() == ()
    for backend, words in (("auto", "install OBS Studio"), ("v4l2", "on Linux only")):
        assert words in refusal(backend=backend)
