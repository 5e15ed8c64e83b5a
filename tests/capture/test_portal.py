"""The camera of a portal: a played portal on a private bus leads to a real PipeWire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pytest

from app.capture.base import LiveSource
from app.capture.portal import PortalSource
from app.capture.table import open_source
from app.core.errors import SourceLostError, SourceOpenError
from app.core.settings import CaptureSettings
from app.core.types import Frame
from app.doctor.proof import bar_error
from app.output.pipewire import PipeWireNode
from app.system.pipewire.reader import RawFrame, to_bgr
from app.system.pipewire.video_format import Layout, VideoFormat
from app.system.portal import PortalError, PortalFault, open_cameras, read_permissions
from tests.pipewire_camera import LAYOUTS, camera, is_listed, packed
from tests.pipewire_session import PrivateSession
from tests.played_portals import PlayedPortal
from tests.waiting import eventually

SETTINGS = CaptureSettings(source="portal", width=64, height=48, fps=30)


@pytest.fixture
def portal(pipewire: PrivateSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedPortal]:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", pipewire.environment["DBUS_SESSION_BUS_ADDRESS"])
    with PlayedPortal(pipewire.folder / "pipewire-0") as portal:
        yield portal


def next_frame(source: PortalSource) -> Frame:
    for _ in range(60):
        frame = source.read()
        if frame is not None:
            return frame
    raise AssertionError("no frame")


def fails(wanted: str = "", **changes: object) -> str:
    with pytest.raises(SourceOpenError) as caught:
        PortalSource(wanted, SETTINGS)
    return str(caught.value)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_read_with_its_colours(portal: PlayedPortal, layout: Layout) -> None:
    with camera(f"webcam {layout}", layout):
        source = PortalSource(f"webcam {layout}", SETTINGS)
        try:
            frame = next_frame(source)
            assert bar_error(frame.image) <= (10 if layout == "MJPG" else 6)
            info = source.info
            assert (info.kind, info.id, info.pixel_format) == ("camera", f"portal:webcam {layout}", layout)
            assert (info.width, info.height, info.fps) == (64, 48, 30)
            assert [next_frame(source).index for _ in range(3)] == [1, 2, 3]
            assert isinstance(source, LiveSource), "a paused program would decode its frames"
            assert source.skip() and next_frame(source).index == 5
        finally:
            source.close()
            source.close()
        assert source.read() is None


def test_the_camera_is_chosen_by_name_and_never_our_own(portal: PlayedPortal) -> None:
    eventually(lambda: not is_listed("webcam"))
    with camera("mattecam", title="Mattecam"), camera("v4l2.mattecam", title="Mattecam (V4L2)"):
        assert "offers no camera" in fails()
        with camera("first"), camera("second", title="Second Camera"):
            for wanted, title in (("", "first"), ("second", "Second Camera"), ("Second Camera", "Second Camera")):
                source = PortalSource(wanted, SETTINGS)
                source.close()
                assert source.info.name == title
            assert "choose one of first, Second Camera" in fails("nobody")
            with camera("third", title="Second Camera"):
                eventually(lambda: "several cameras Second Camera; choose one of portal:" in fails("Second Camera"))


def test_a_removed_camera_is_lost(portal: PlayedPortal) -> None:
    with camera("webcam") as remove:
        source = PortalSource("", SETTINGS)
        next_frame(source)
        remove()
        with pytest.raises(SourceLostError, match="webcam of the portal is gone"):
            for _ in range(60):
                source.read()
        source.close()


def test_a_silent_camera_is_an_error(portal: PlayedPortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.capture.portal.FIRST_FRAME_S", 0.3)
    node = PipeWireNode(VideoFormat("YUY2", 64, 48, Fraction(30)), name="webcam", title="webcam")
    assert "delivers no frames" in fails()
    node.close()


def test_refusals_are_explained(portal: PlayedPortal) -> None:
    portal.responses["AccessCamera"] = 1
    assert "refused access" in fails()
    portal.responses["AccessCamera"] = 2
    assert "not answered" in fails()
    portal.responses["AccessCamera"] = None
    with pytest.raises(PortalError, match="did not answer"):
        open_cameras(question_s=0.2)


def test_what_the_portal_says_unasked(portal: PlayedPortal) -> None:
    portal.permissions = {"": ["yes"], "org.mozilla.firefox": ["no"], "empty": []}
    assert read_permissions() == {"": "yes", "org.mozilla.firefox": "no"}
    portal.permissions = None
    assert read_permissions() == {}
    assert portal.asked == 0


def test_without_a_portal_or_a_bus(pipewire: PrivateSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", pipewire.environment["DBUS_SESSION_BUS_ADDRESS"])
    with pytest.raises(PortalError) as caught:
        read_permissions()
    assert caught.value.fault is PortalFault.NO_PORTAL
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={pipewire.folder}/none")
    with pytest.raises(SourceOpenError, match="no camera portal"):
        open_source(SETTINGS)


def raw(layout: Layout, change: Callable[[bytes], bytes] = lambda data: data, stride: int | None = None) -> RawFrame:
    video = VideoFormat(layout, 64, 48, Fraction(30))
    return RawFrame(video, change(packed(layout).tobytes()), stride or video.stride)


@pytest.mark.parametrize("layout", LAYOUTS[:-1])
def test_rows_may_be_padded_and_frames_cut(layout: Layout) -> None:
    stride = VideoFormat(layout, 64, 48, Fraction(30)).stride
    plain = to_bgr(raw(layout))
    assert plain is not None and bar_error(plain) <= 6
    rows = np.frombuffer(raw(layout).data, np.uint8).reshape(-1, stride)
    padded = np.pad(rows, ((0, 0), (0, 32))).tobytes()
    image = to_bgr(raw(layout, lambda _: padded[:-32], stride + 32))
    if layout == "I420":
        assert image is None
    else:
        assert image is not None and (image == plain).all()
    assert to_bgr(raw(layout, lambda data: data[:-1])) is None
    assert to_bgr(raw(layout, stride=stride - 2)) is None
