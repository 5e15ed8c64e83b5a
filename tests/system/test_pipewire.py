"""Parameters of PipeWire, packed and parsed without its library, and a connection where it is not installed."""

from __future__ import annotations

import os
import threading
import time
from fractions import Fraction
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.system.pipewire import library, pods
from app.system.pipewire.connection import Connection
from app.system.pipewire.stream import Stream, StreamListener
from app.system.pipewire.video_format import Layout, VideoFormat, any_format, parse_format
from tests.waiting import beside


def test_a_pod_has_the_layout_of_the_headers() -> None:
    """Bytes as the C builders of SPA write them: size, type, body, padding to eight bytes."""
    pod = pods.build_object(0x40003, 3, {1: pods.identifier(2), 0x20003: pods.rectangle(640, 480)})
    assert pod.hex(" ", 4) == (
        "38000000 0f000000 03000400 03000000 "
        "01000000 00000000 04000000 03000000 02000000 00000000 "
        "03000200 00000000 08000000 0a000000 80020000 e0010000"
    )
    assert pods.pod_bytes(pod[:8]) == len(pod)


@pytest.mark.parametrize("layout", ["YUY2", "I420", "NV12", "BGRx", "BGRA", "RGBA", "RGB", "BGR"])
def test_a_format_is_parsed_as_it_was_offered(layout: Layout) -> None:
    video = VideoFormat(layout, 1280, 720, Fraction(30000, 1001))
    assert parse_format(video.as_offer()) == video


def test_a_choice_is_parsed_as_its_default() -> None:
    wanted = VideoFormat("NV12", 640, 360, Fraction(25))
    assert parse_format(any_format(["NV12", "YUY2"], 640, 360, Fraction(25))) == wanted


@pytest.mark.parametrize(
    ("layout", "stride", "size"),
    [("YUY2", 1280, 1280 * 360), ("I420", 640, 640 * 540), ("NV12", 640, 640 * 540), ("BGRA", 2560, 2560 * 360)],
)
def test_the_size_of_a_frame(layout: Layout, stride: int, size: int) -> None:
    video = VideoFormat(layout, 640, 360, Fraction(30))
    assert (video.stride, video.frame_bytes) == (stride, size)


@given(st.binary(max_size=200))
def test_damaged_parameters_are_value_errors(pod: bytes) -> None:
    try:
        parse_format(pod)
    except ValueError:
        return


@given(st.integers(0, 300))
def test_a_cut_parameter_is_a_value_error_or_whole(length: int) -> None:
    pod = VideoFormat("YUY2", 640, 360, Fraction(30)).as_offer()
    try:
        assert parse_format(pod[:length]).layout == "YUY2"
    except ValueError:
        assert length < len(pod)


def test_the_socket_of_a_portal_is_closed_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program asks again and again: the descriptors would run out."""

    def missing() -> None:
        raise OSError("libpipewire-0.3.so.0: cannot open shared object file")

    monkeypatch.setattr(library, "load", missing)
    remote = os.open(os.devnull, os.O_RDONLY)
    with pytest.raises(OSError, match="libpipewire"):
        Connection(remote)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(remote)


def test_a_stream_is_not_closed_before_a_buffer_that_was_taken_is_given_back() -> None:
    """The buffer was given back to no stream: the program crashed."""
    lock, pipewire = threading.RLock(), Mock(**{"pw_stream_new.return_value": 7})
    stream = Stream({}, Mock(StreamListener), Mock(Connection, library=pipewire, core=1, locked=lambda: lock))
    with lock:  # as the thread of PipeWire holds it while it delivers an event
        address = stream.dequeue()
        assert address is not None
        closing = beside(stream.close)
        time.sleep(0.1)
        stream.queue(address)
    closing.result(60)
    pipewire.pw_stream_queue_buffer.assert_called_once_with(7, address)
    stream.update([b""])
    assert stream.dequeue() is None and not pipewire.pw_stream_update_params.called
