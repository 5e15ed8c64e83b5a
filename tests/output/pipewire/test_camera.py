"""The PipeWire camera, as other programs see it in a private session; readers and the program
may be stopped.
"""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from app.core.errors import SinkLostError, SinkOpenError
from app.core.types import BgrImage, Outgoing
from app.doctor.proof import bar_error
from app.output.pipewire import PipeWireCamera, PipeWireNode
from app.system.pipewire import connection
from app.system.pipewire.stream import NodeReader
from app.system.pipewire.video_format import VideoFormat
from mattecam.testing import ROOM
from tests.output.pictures import picture, sender
from tests.output.pipewire.feeding import feeding, image_of, next_frame, reading
from tests.paths import ROOT
from tests.pipewire_session import NEEDS_GSTREAMER, PrivateSession, has_gstreamer
from tests.waiting import eventually, eventually_is, no_longer

needs_gstreamer = pytest.mark.skipif(not has_gstreamer(), reason=NEEDS_GSTREAMER)
# How long a reader or the program is stopped (SIGSTOP), as by a debugger or a suspended desktop.
STOPPED_S = 10.0
# Frames: more than there are buffers.
ENOUGH = 100
BLUE = np.array((255, 0, 0))


def test_one_format_and_the_name_are_offered(pipewire: PrivateSession) -> None:
    with feeding(1280, 720, 29.97):
        eventually(pipewire.nodes)
        (node,) = pipewire.nodes()
    properties = node["props"]
    assert properties["media.class"] == "Video/Source" and properties["media.role"] == "Camera"
    assert properties["node.description"] == properties["node.nick"] == "Mattecam"
    (offered,) = node["params"]["EnumFormat"]
    assert (offered["mediaSubtype"], offered["format"]) == ("raw", "YUY2")
    assert offered["size"] == {"width": 1280, "height": 720}
    assert (
        offered["framerate"] == {"num": 2997, "denom": 100} or offered["framerate"]["denom"] == 1001
    )


def shows_grey(reader: NodeReader, level: int) -> bool:
    """Whether the middle of the next frame has this level."""
    green = int(image_of(next_frame(reader))[240, 320, 1])
    return abs(green - level) <= 2


def is_bright(reader: NodeReader) -> bool:
    return int(image_of(next_frame(reader))[24, 32, 1]) > 190


def test_colours_are_read_back(pipewire: PrivateSession) -> None:
    with feeding(640, 480) as feeder, reading((640, 480)) as reader:
        frame = next_frame(reader)
        assert bar_error(image_of(frame)) <= 2
        for colour in (0, 1, 127, 254, 255):
            feeder.picture = picture(640, 480, grey=colour)
            eventually(shows_grey, reader, colour)


@needs_gstreamer
def test_gstreamer_reads_the_declared_colours(pipewire: PrivateSession, tmp_path: Path) -> None:
    """An independent reader converts by the colorimetry that the node declares or, in old
    versions, that it guesses.
    """
    raw = tmp_path / "frames.raw"
    source = [
        "pipewiresrc",
        "target-object=mattecam",
        "num-buffers=3",
        "!",
        "video/x-raw,format=YUY2",
    ]
    convert = [
        "!",
        "videoconvert",
        "!",
        "video/x-raw,format=BGR",
        "!",
        "filesink",
        f"location={raw}",
    ]
    command = ["gst-launch-1.0", "-q", *source, *convert]
    with feeding(640, 480):
        done = pipewire.run(command)
    assert done.returncode == 0, done.stderr
    image = np.frombuffer(raw.read_bytes(), np.uint8)[-640 * 480 * 3 :].reshape(480, 640, 3)
    assert bar_error(image) <= 5, (
        "GStreamer's own conversion is that far from the same bars on a V4L2 device"
    )


def receive(*readers: NodeReader) -> None:
    """Wait until each reader has had 60 more frames."""
    goals = [one.received + 60 for one in readers]

    def all_have_received() -> bool:
        return all(one.received >= goal for one, goal in zip(readers, goals, strict=True))

    eventually(all_have_received)


def test_two_readers_get_the_frames(pipewire: PrivateSession) -> None:
    with feeding(), reading() as one, reading() as other:
        receive(one, other)


def test_a_hundred_readers_come_and_go(pipewire: PrivateSession) -> None:
    with feeding() as feeder:
        for _ in range(100):
            with reading() as reader:
                assert bar_error(image_of(next_frame(reader))) <= 6
        eventually_is(0, feeder.readers)


def test_killed_readers_leave_the_camera_usable(pipewire: PrivateSession) -> None:
    with feeding() as feeder:
        for _ in range(4):
            with pipewire.reader():
                pass  # it is killed
            eventually_is(0, feeder.readers)
        with reading() as reader:
            receive(reader)


def test_a_frame_arrives_before_the_next_is_sent(pipewire: PrivateSession) -> None:
    """As beside a V4L2 device."""
    sent: list[int] = []
    levels = itertools.cycle(range(20, 220, 3))  # of which a reader sees one more or less

    def of_the_next_level() -> Outgoing:
        sent.append(next(levels))
        return picture(grey=sent[-1])

    def is_newest() -> bool:
        level = round((next_frame(reader).data[0] - 16) * 255 / 219)
        return abs(level - sent[-1]) <= 1

    def three_are_newest() -> bool:
        return all(is_newest() for _ in range(3))

    with sender(of_the_next_level, PipeWireCamera(64, 48, 30)), reading() as reader:
        # On a busy machine some frames are late; if a frame were held back, all would be.
        eventually(three_are_newest)


def test_the_size_is_kept_while_a_program_reads(pipewire: PrivateSession) -> None:
    with feeding(64, 48) as feeder:
        with reading() as reader:
            next_frame(reader)
            feeder.picture = picture(200, 50, grey=200)
            eventually(is_bright, reader)
            assert feeder.camera.size == (64, 48) and image_of(next_frame(reader))[2].max() <= 2
        eventually_is((200, 50), feeder.size)
        with reading((200, 50)) as reader:
            frame = next_frame(reader)
        assert (frame.video.width, frame.video.height) == (200, 50)


def test_a_smaller_picture_leaves_the_size(pipewire: PrivateSession) -> None:
    """Firefox, which had read the larger size, could not open the camera again until it was restarted."""
    with feeding(200, 50) as feeder:
        feeder.picture = picture(64, 48, grey=200)
        sent = feeder.sent
        eventually(feeder.has_sent, sent + 10)

        with reading((200, 50)) as reader:
            frame = next_frame(reader)
        (node,) = pipewire.nodes()

    assert node["params"]["EnumFormat"][0]["size"] == {"width": 200, "height": 50}
    assert (frame.video.width, frame.video.height) == (200, 50)
    shown = image_of(frame)
    assert shown[25, 100, 1] > 190 and shown[25, 2].max() <= 2, "the picture between bars"


def test_a_larger_picture_gets_another_node(pipewire: PrivateSession) -> None:
    """The size of a node stays: browsers that had read it got nothing until they were started again."""
    with feeding(64, 48) as feeder:
        eventually(pipewire.nodes)
        (before,) = pipewire.nodes()

        feeder.picture = picture(200, 50)
        eventually_is((200, 50), feeder.size)
        with reading((200, 50)) as reader:
            frame = next_frame(reader)
        (after,) = pipewire.nodes()

    assert (frame.video.width, frame.video.height) == (200, 50)
    assert after["props"]["object.serial"] != before["props"]["object.serial"]


def test_a_daemon_that_is_gone_loses_the_camera_that_grows(pipewire: PrivateSession) -> None:
    make = Mock(
        side_effect=[PipeWireNode(VideoFormat("YUY2", 64, 48, Fraction(30))), OSError("gone")]
    )
    with (
        closing(PipeWireCamera(64, 48, 30, make=make)) as camera,
        pytest.raises(SinkLostError, match="has stopped"),
    ):
        camera.send(picture(200, 50))


@needs_gstreamer
@pytest.mark.parametrize("joins", ["before", "after"])
def test_gstreamer_that_connects_as_the_first_reader_leaves_gets_its_picture(
    pipewire: PrivateSession, joins: str
) -> None:
    """The source has another size than the first card; the node took it as its reader left."""
    command = ["gst-launch-1.0", "-q", "pipewiresrc", "target-object=mattecam"]
    first = [*command, "!", "video/x-raw,format=YUY2", "!", "fakesink"]
    second = [*command, "num-buffers=3", "!", "video/x-raw,format=YUY2", "!", "fakesink"]
    with feeding(1280, 720, 30) as feeder:
        eventually(pipewire.nodes)
        with subprocess.Popen(
            first, env=pipewire.environment, stderr=subprocess.DEVNULL
        ) as leaving:
            eventually_is(1, feeder.readers)
            feeder.picture = picture(640, 480)
            if joins == "after":
                leaving.kill()
            with subprocess.Popen(
                second, env=pipewire.environment, stderr=subprocess.PIPE, text=True
            ) as joining:
                leaving.kill()
                _, said = joining.communicate(timeout=60)

        assert (joining.returncode, said) == (0, "")


@needs_gstreamer
def test_a_reader_of_another_size_fails_alone(pipewire: PrivateSession) -> None:
    caps = "video/x-raw,format=YUY2,width=32,height=24"
    command = f"timeout 2 gst-launch-1.0 -q pipewiresrc target-object=mattecam ! {caps} ! fakesink".split()
    with feeding(), reading() as reader:
        next_frame(reader)
        assert pipewire.run(command).returncode != 0
        receive(reader)
        assert image_of(next_frame(reader)).shape == (48, 64, 3)


def test_without_the_library_there_is_no_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = OSError("libpipewire-0.3.so.0: cannot open shared object file")
    monkeypatch.setattr(connection, "load", Mock(side_effect=absent))
    with pytest.raises(SinkOpenError, match="install and start pipewire"):
        PipeWireCamera(64, 48, 30)


@pytest.mark.long
def test_a_reader_that_was_stopped_for_ten_seconds_goes_on_with_new_frames(
    pipewire: PrivateSession,
) -> None:
    with feeding() as feeder, pipewire.reader() as (stopped, lines), reading() as other:

        def is_below(level: int) -> bool:
            """Whether the last frame that it printed is darker."""
            return int(lines[-1]) < level

        feeder.picture = picture(grey=30)
        eventually(is_below, 95)
        stopped.send_signal(signal.SIGSTOP)
        feeder.picture = picture(grey=230)
        received = other.received
        began_s = time.monotonic()
        while time.monotonic() < began_s + STOPPED_S or other.received < received + ENOUGH:
            next_frame(other)  # fails if the other reader is blocked
        assert int(lines[-1]) < 95, "it printed what came after it was stopped"
        assert feeder.camera.readers == 1, "a stopped program still has the camera open"
        stopped.send_signal(signal.SIGCONT)
        no_longer(is_below, 151)


@pytest.mark.long
def test_a_stopped_reader_does_not_block_the_program(pipewire: PrivateSession) -> None:
    """It is alone, so that no other reader gives buffers back."""
    with feeding() as feeder, pipewire.reader() as (stopped, _):
        stopped.send_signal(signal.SIGSTOP)
        sent = feeder.sent
        began_s = time.monotonic()

        def time_has_passed() -> bool:
            return time.monotonic() > began_s + STOPPED_S

        eventually(time_has_passed)
        eventually(feeder.has_sent, sent + ENOUGH)
    with feeding(), reading() as reader:
        next_frame(reader)


@pytest.mark.long
def test_the_program_was_stopped_for_ten_seconds(pipewire: PrivateSession) -> None:
    """Readers stay connected, get nothing meanwhile, then the card or composites, and never the
    room.
    """
    command = [sys.executable, "-m", "tests.pipewire_program"]
    with subprocess.Popen(
        command, env=pipewire.environment, cwd=ROOT, stdin=subprocess.PIPE
    ) as program:
        try:
            eventually(pipewire.nodes)
            with reading() as reader:
                eventually(shows_composite, reader)
                program.send_signal(signal.SIGSTOP)
                # What was on its way comes first.
                eventually_is(None, reader.read, STOPPED_S / 4)
                assert reader.read(STOPPED_S * 3 / 4) is None and not reader.lost
                program.send_signal(signal.SIGCONT)
                continued_s = time.monotonic()
                image = image_of(next_frame(reader))
                while not is_composite(image) or time.monotonic() < continued_s + 1:
                    assert time.monotonic() < continued_s + 30, "no composite"
                    assert not (np.abs(image.astype(int) - ROOM).max(2) <= 8).any(), (
                        "the room is shown"
                    )
                    image = image_of(next_frame(reader))
            assert program.stdin is not None
            program.stdin.close()
            assert program.wait(60) == 0
        finally:
            program.kill()


def shows_composite(reader: NodeReader) -> bool:
    return is_composite(image_of(next_frame(reader)))


def is_composite(image: BgrImage) -> bool:
    """Whether the corner has the colour of the background."""
    return bool(np.abs(image[4, 4].astype(int) - BLUE).max() <= 2)
