"""Parsing of source names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capture import SourceName, open_source, parse_source
from app.core.errors import MattecamError, SourceOpenError, UsageError
from app.core.settings import CaptureSettings


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("auto", SourceName("auto")),
        ("demo", SourceName("demo")),
        ("demo:empty", SourceName("demo", "empty")),
        ("camera:0", SourceName("camera", "0")),
        ("camera:/dev/video2", SourceName("camera", "/dev/video2")),
        ("0", SourceName("camera", "0")),
        ("./0", SourceName("file", "./0")),
        ("/dev/video2", SourceName("camera", "/dev/video2")),
        ("/dev/v4l/by-id/usb-046d_HD", SourceName("camera", "/dev/v4l/by-id/usb-046d_HD")),
        ("camera:usb-046d_HD-video-index0", SourceName("camera", "usb-046d_HD-video-index0")),
        ("camera:platform:vivid-000", SourceName("camera", "platform:vivid-000")),
        ("clips/a film.mp4", SourceName("file", "clips/a film.mp4")),
        ("C:\\clips\\film.mp4", SourceName("file", "C:\\clips\\film.mp4")),
    ],
)
def test_names_of_the_command_line(text: str, name: SourceName) -> None:
    assert parse_source(text) == name
    assert parse_source(str(name)) == name


@pytest.mark.parametrize("text", ["", "  ", "camera:", "camera:  ", "a\0b", "rtsp://10.0.0.2/live"])
def test_invalid_names(text: str) -> None:
    with pytest.raises(UsageError):
        parse_source(text)
    with pytest.raises(SourceOpenError):
        open_source(CaptureSettings(source=text))


@given(st.text())
def test_any_text_is_parsed_or_a_usage_error(text: str) -> None:
    try:
        name = parse_source(text)
    except UsageError:
        assert not text.strip() or "\0" in text or "://" in text or not text.removeprefix("camera:").strip()
        return
    assert parse_source(str(name)) == name
    assert bool(name.value) == (name.kind in ("camera", "file"))


def test_the_demo_has_the_requested_size() -> None:
    source = open_source(CaptureSettings(source="demo", width=320, height=200, fps=24))
    source.close()
    assert (source.info.kind, source.info.width, source.info.height, source.info.fps) == ("demo", 320, 200, 24)


def test_an_unknown_home_folder_is_a_missing_video() -> None:
    with pytest.raises(MattecamError, match=r"There is no video file ~nobody-of-that-name/a\.mp4"):
        open_source(CaptureSettings(source="~nobody-of-that-name/a.mp4"))
