"""Cameras of PipeWire in a private session: in the lists, by auto, and through a played portal."""

from __future__ import annotations

import errno
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection
from numpy.typing import NDArray

from app.capture import devices
from app.capture import portal as portal_module
from app.capture.base import FrameSource
from app.capture.colours import NAMED
from app.capture.devices import RAW_BAYER, list_cameras
from app.capture.portal import PortalSource
from app.core.errors import CameraAbsentError, SourceLostError, SourceOpenError
from app.core.settings import CaptureSettings
from app.core.types import Frame
from app.doctor.camera import check_cameras
from app.doctor.proof import bar_error, colour_bars
from app.doctor.system import System
from app.output.pipewire import PipeWireNode
from app.system.pipewire.connection import OWN_NODE, Connection
from app.system.pipewire.connection import list_cameras as nodes
from app.system.pipewire.stream import Stream
from app.system.pipewire.video_format import PixelLayout, RawFrame, VideoFormat, to_bgr
from app.system.portal import PortalError, PortalFault, open_cameras, read_permissions
from tests.capture.conftest import Kernel
from tests.capture.yuv_frames import yuyv
from tests.paths import ROOT
from tests.pipewire_session import PrivateSession
from tests.sources import new_opener, open_source
from tests.waiting import beside, eventually, eventually_is, no_longer

pytestmark = pytest.mark.linux("app.system.pipewire")

LAYOUTS: tuple[PixelLayout, ...] = (
    *("YUY2", "UYVY", "I420", "NV12", "BGRx", "BGRA", "RGBx", "RGBA", "RGB", "BGR"),
    "MJPG",
)
AUTO = CaptureSettings(width=64, height=48, fps=30)
PIPEWIRE_BT709 = 3
PIPEWIRE_FULL_RANGE = 1
NAME = "libcamera_input._SB_.PC00.LNK0"
TITLE = "Built-in Front Camera"
SETTINGS = CaptureSettings(source="portal", width=64, height=48, fps=30)


def packed(layout: PixelLayout) -> NDArray[np.uint8]:
    """Bars as a camera sends them."""
    image = colour_bars(64, 48)
    if layout == "NV12":
        planar = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
        u, v = planar[48:].reshape(2, -1)
        return np.concatenate([planar[:48].ravel(), np.stack([u, v], 1).ravel()])
    if layout == "MJPG":
        return np.asarray(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1], np.uint8)
    codes = {
        "YUY2": cv2.COLOR_BGR2YUV_YUY2,
        "I420": cv2.COLOR_BGR2YUV_I420,
        "RGB": cv2.COLOR_BGR2RGB,
    }
    codes |= {"UYVY": cv2.COLOR_BGR2YUV_UYVY, **dict.fromkeys(("BGRx", "BGRA"), cv2.COLOR_BGR2BGRA)}
    codes |= dict.fromkeys(("RGBx", "RGBA"), cv2.COLOR_BGR2RGBA)
    return image if layout == "BGR" else np.asarray(cv2.cvtColor(image, codes[layout]), np.uint8)


@contextmanager
def camera(
    name: str,
    layout: PixelLayout = "YUY2",
    title: str = "",
    video: VideoFormat | None = None,
    frame: NDArray[np.uint8] | None = None,
) -> Iterator[Callable[[], None]]:
    """Another camera of PipeWire, which sends bars, or a frame of a format; gives a function that removes it."""
    stop = threading.Event()
    node = PipeWireNode(
        video or VideoFormat(layout, 64, 48, Fraction(30)),
        name=name,
        title=title or name,
    )
    frame = packed(layout) if frame is None else frame

    eventually(lambda: name == OWN_NODE or is_listed(name))

    def send() -> None:
        while not stop.wait(1 / 60):
            node.send(frame)

    def remove() -> None:
        stop.set()
        sending.result(60)
        node.close()

    sending = beside(send)
    try:
        yield remove
    finally:
        remove()


def is_listed(name: str) -> bool:
    with closing(Connection()) as connection:
        return name in [one.name for one in nodes(connection)]


class PlayedPortal:
    """The portal for cameras, and its permission store, on the bus of the environment."""

    def __init__(self, pipewire: Path) -> None:
        """pipewire: the socket that programs are given."""
        self.pipewire = pipewire
        self.permissions: dict[str, list[str]] | None = {}
        self.asked = 0
        # A program has the socket.
        self.is_open = threading.Event()
        # To the question: 0 granted, 1 refused, 2 ended otherwise; None: none.
        self.response: int | None = 0
        self._bus = open_dbus_connection(enable_fds=True, auth_timeout=30.0)
        for name in (
            "org.freedesktop.portal.Desktop",
            "org.freedesktop.impl.portal.PermissionStore",
        ):
            Proxy(message_bus, self._bus).RequestName(name)

    def serve(self, stop: threading.Event) -> None:
        """Answer calls until `stop`."""
        while not stop.is_set():
            with suppress(TimeoutError):
                call = self._bus.receive(timeout=0.05)
                if call.header.message_type is MessageType.method_call:
                    self._answer(call, call.header.fields[HeaderFields.member])
        self._bus.close()

    def _answer(self, call: Message, member: str) -> None:
        if member == "Get":
            self._reply(call, "v", (("b", True),))
        elif member == "AccessCamera":
            self.asked += 1
            self._answer_question(call)
        elif member == "OpenPipeWireRemote":
            with socket.socket(socket.AF_UNIX) as remote:
                remote.connect(str(self.pipewire))
                self._reply(call, "h", (remote,))
            self.is_open.set()
        elif member == "Lookup" and self.permissions is not None:
            self._reply(call, "a{sas}v", (self.permissions, ("y", 0)))
        else:
            self._bus.send(new_error(call, "org.freedesktop.DBus.Error.UnknownMethod"))

    def _reply(self, call: Message, signature: str, body: tuple[Any, ...]) -> None:
        self._bus.send(new_method_return(call, signature, body))

    def _answer_question(self, call: Message) -> None:
        """Answer with a request, and send its response."""
        sender = call.header.fields[HeaderFields.sender]
        token = call.body[0]["handle_token"][1]
        owner = sender.removeprefix(":").replace(".", "_")
        path = f"/org/freedesktop/portal/desktop/request/{owner}/{token}"
        self._reply(call, "o", (path,))
        if self.response is not None:
            address = DBusAddress(path, interface="org.freedesktop.portal.Request")
            signal = new_signal(address, "Response", "ua{sv}", (self.response, {}))
            signal.header.fields[HeaderFields.destination] = sender
            self._bus.send(signal)


@pytest.fixture(autouse=True)
def _no_others(
    pipewire: PrivateSession,
    kernel: Kernel,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The session has no camera yet, and the kernel none."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", pipewire.environment["DBUS_SESSION_BUS_ADDRESS"])
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    eventually_is((), list_cameras)


@pytest.fixture
def portal(pipewire: PrivateSession) -> Iterator[PlayedPortal]:
    portal = PlayedPortal(pipewire.folder / "pipewire-0")
    stop = threading.Event()
    served = beside(portal.serve, stop)
    yield portal
    stop.set()
    served.result(60)


def node(name: str, device: Path | None = None, role: str = "Camera") -> Stream:
    """Offer a source of video. device: whose frames it is said to give."""
    properties = {"media.class": "Video/Source", "media.role": role, "node.name": name}
    if device is not None:
        properties["object.path"] = f"v4l2:{device}"
    return Stream(properties, [VideoFormat("YUY2", 64, 48, Fraction(30)).as_offer()], sends=True)


def next_frame(source: FrameSource) -> Frame:
    return next(frame for _ in range(60) if (frame := source.read()) is not None)


def shows_bars(source: FrameSource) -> bool:
    return bar_error(next_frame(source).image) <= 6


def test_auto_takes_it_through_the_portal_and_tells_when_it_is_gone(portal: PlayedPortal) -> None:
    opener = new_opener()
    with camera(NAME, title=TITLE) as remove:
        with closing(opener(AUTO)) as source:
            assert (source.info.id, source.info.name) == (f"portal:{NAME}", TITLE)
            assert shows_bars(source)
            assert portal.asked == 1
            remove()
            with pytest.raises(SourceLostError, match=TITLE):
                for _ in range(60):
                    source.read()
        no_longer(is_listed, NAME)
        # Which shows the card, and waits.
        with pytest.raises(CameraAbsentError, match="PipeWire offers no camera"):
            opener(AUTO)
    with camera(NAME, title=TITLE), closing(opener(AUTO)) as source:
        assert shows_bars(source)


def test_without_a_portal_it_is_read_from_the_session() -> None:
    with (
        camera(NAME, title=TITLE),
        closing(new_opener()(AUTO.replace(source=f"portal:{TITLE}"))) as source,
    ):
        assert shows_bars(source)


def test_a_connection_whose_listing_fails_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread was left, one more at each attempt."""
    closed: set[Connection] = set()
    close = Connection.close

    def noted(connection: Connection) -> None:
        close(connection)
        closed.add(connection)

    monkeypatch.setattr(Connection, "close", noted)
    monkeypatch.setattr(
        portal_module,
        "list_cameras",
        Mock(side_effect=OSError(errno.EPIPE, "no registry")),
    )
    with pytest.raises(SourceOpenError):
        new_opener()(AUTO.replace(source="portal"))
    assert list_cameras() == ()
    assert len(closed) == 2


def test_a_usable_device_goes_first_and_a_raw_sensor_is_no_camera(kernel: Kernel) -> None:
    kernel.plug(0, "unicam", ("pBAA", "BG10", "RGGB", "ip3r"))
    kernel.plug(1, "Webcam", ("MJPG", "BA81"))
    with camera(NAME, title=TITLE):
        found = list_cameras()
        assert [one.name for one in found] == ["Webcam", TITLE]
        assert [one.name for one in devices.automatic_cameras(found, f"portal:{NAME}")] == [
            "Webcam",
            TITLE,
        ]
    assert not any(
        RAW_BAYER.fullmatch(name)
        for name in ("GREY", "YUYV", "MJPG", "NV12", "BGR3", "RGB3", "BGR4")
    )


def test_what_a_device_file_offers_too_is_listed_once(tmp_path: Path) -> None:
    with closing(node("v4l2_input.1", tmp_path)):
        eventually(is_listed, "v4l2_input.1")
        assert list_cameras() == ()
    with closing(node("v4l2_input.2", tmp_path / "none")):
        # As in a sandbox.
        eventually(lambda: [one.name for one in list_cameras()] == ["v4l2_input.2"])
    with closing(node("a-screen", role="Screen")), closing(node("a-camera")):
        eventually(lambda: [one.name for one in list_cameras()] == ["a-camera"])


def test_it_is_listed_by_its_name_without_a_question(
    pipewire: PrivateSession,
    portal: PlayedPortal,
) -> None:
    command = [sys.executable, str(ROOT / "run.py"), "devices"]
    with camera("mattecam", title="Mattecam"), camera(NAME, title=TITLE):
        (found,) = list_cameras()
        assert (found.id, found.source, found.name, found.path) == (
            f"portal:{NAME}",
            f"portal:{NAME}",
            TITLE,
            "",
        )
        assert f"portal:{NAME}  {TITLE}" in pipewire.run(command).stdout
        listed = json.loads(pipewire.run([*command, "--json"]).stdout)["cameras"]
        assert [(one["id"], one["name"]) for one in listed] == [(found.id, TITLE)]
        assert any(TITLE in finding.detail for finding in check_cameras(System(), list_cameras()))
    assert portal.asked == 0


def fails(wanted: str = "") -> str:
    with pytest.raises(SourceOpenError) as caught:
        PortalSource(wanted, SETTINGS)
    return str(caught.value)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_with_its_colours(portal: PlayedPortal, layout: PixelLayout) -> None:
    with camera(f"webcam {layout}", layout):
        with closing(PortalSource(f"webcam {layout}", SETTINGS)) as source:
            assert bar_error(next_frame(source).image) <= (10 if layout == "MJPG" else 6)
            info = source.info
            assert (info.kind, info.id, info.pixel_format) == (
                "camera",
                f"portal:webcam {layout}",
                layout,
            )
            assert (info.width, info.height, info.fps) == (64, 48, 30)
            assert [next_frame(source).index for _ in range(3)] == [1, 2, 3]
            assert source.is_live, "a paused program would decode its frames"
            assert any(source.skip() for _ in range(60)) and next_frame(source).index == 5
        source.close()
        assert source.read() is None


def test_the_camera_is_chosen_by_name_and_never_our_own(portal: PlayedPortal) -> None:
    no_longer(is_listed, "webcam")
    with camera("mattecam", title="Mattecam"), camera("v4l2.mattecam", title="Mattecam (V4L2)"):
        assert "offers no camera" in fails()
        with camera("first"), camera("second", title="Second Camera"):
            for wanted, title in (
                ("", "first"),
                ("second", "Second Camera"),
                ("Second Camera", "Second Camera"),
            ):
                source = PortalSource(wanted, SETTINGS)
                source.close()
                assert source.info.name == title
            assert "choose one of first, Second Camera" in fails("nobody")
            with camera("third", title="Second Camera"):
                eventually(
                    lambda: (
                        "several cameras Second Camera; choose one of portal:"
                        in fails("Second Camera")
                    )
                )


def test_a_camera_that_the_session_manager_grants_late_is_waited_for(
    pipewire: PrivateSession, portal: PlayedPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a busy processor no camera was found: the list was read before WirePlumber had granted any."""
    monkeypatch.setattr("app.system.pipewire.connection.GRANT_S", 60.0)

    with camera("first"):
        opening = beside(PortalSource, TITLE, SETTINGS)
        assert portal.is_open.wait(60)
        pipewire.nodes()  # a whole process: the list has been read meanwhile
        with camera(NAME, title=TITLE), closing(opening.result(60)) as source:
            assert shows_bars(source)


def test_a_silent_camera_is_an_error(portal: PlayedPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.capture.portal.FIRST_FRAME_S", 0.3)
    with closing(
        PipeWireNode(VideoFormat("YUY2", 64, 48, Fraction(30)), name="webcam", title="webcam")
    ):
        assert "delivers no frames" in fails()


def test_refusals_are_explained_and_not_gone_around(portal: PlayedPortal) -> None:
    with camera(NAME, title=TITLE):
        for response, words in (
            (1, r"refused.*allow it in the privacy settings"),
            (2, "not answered"),
        ):
            portal.response = response
            with pytest.raises(SourceOpenError, match=words):
                new_opener()(AUTO)
    portal.response = None
    with pytest.raises(PortalError, match="not answered"):
        open_cameras(question_s=0.2)


def test_what_the_portal_says_unasked(portal: PlayedPortal) -> None:
    portal.permissions = {"": ["yes"], "org.mozilla.firefox": ["no"], "empty": []}
    assert read_permissions() == {"": "yes", "org.mozilla.firefox": "no"}
    portal.permissions = None
    assert read_permissions() == {}
    assert portal.asked == 0


def test_without_a_portal_or_a_bus(
    pipewire: PrivateSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(PortalError) as caught:
        read_permissions()
    assert caught.value.fault is PortalFault.NO_PORTAL
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={pipewire.folder}/none")
    with pytest.raises(CameraAbsentError, match="PipeWire offers no camera"):
        open_source(SETTINGS)
    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(pipewire.folder / "none"))
    with pytest.raises(SourceOpenError, match="no camera portal"):
        open_source(SETTINGS)


@pytest.mark.parametrize("chosen", ["auto", "bt709-full"])
def test_the_colours_that_a_camera_declares_are_shown(chosen: str) -> None:
    """Cameras of BT.709 and full range were read as BT.601 of limited range."""
    frame = yuyv(colour_bars(64, 48), NAMED["bt709-full"])
    says = (PIPEWIRE_BT709, PIPEWIRE_FULL_RANGE) if chosen == "auto" else (0, 0)
    video = VideoFormat("YUY2", 64, 48, Fraction(30), *says)

    with (
        camera(NAME, video=video, frame=frame),
        closing(PortalSource("", SETTINGS.replace(colours=chosen))) as source,
    ):
        image = source.read()

    assert image is not None
    assert np.abs(image.image.astype(int) - colour_bars(64, 48)).max() <= 4


def test_a_camera_of_pipewire_that_is_far_larger_than_wanted_is_scaled() -> None:
    video = VideoFormat("YUY2", 256, 192, Fraction(30))
    frame = yuyv(colour_bars(256, 192), NAMED["bt601"])

    with camera(NAME, video=video, frame=frame), closing(PortalSource("", SETTINGS)) as source:
        image = source.read()

    assert image is not None
    assert image.size == (source.info.width, source.info.height) == (64, 48)


@pytest.mark.parametrize("layout", LAYOUTS[:-1])
def test_rows_may_be_padded_and_frames_cut(layout: PixelLayout) -> None:
    video = VideoFormat(layout, 64, 48, Fraction(30))
    data = packed(layout).tobytes()
    stride = video.stride
    plain = to_bgr(RawFrame(video, data, stride))
    assert plain is not None and bar_error(plain) <= 6
    padded = np.pad(np.frombuffer(data, np.uint8).reshape(-1, stride), ((0, 0), (0, 32))).tobytes()
    image = to_bgr(RawFrame(video, padded[:-32], stride + 32))
    if layout == "I420":
        assert image is None
    else:
        assert image is not None and (image == plain).all()
    assert to_bgr(RawFrame(video, data[:-1], stride)) is None
    assert to_bgr(RawFrame(video, data, stride - 2)) is None
