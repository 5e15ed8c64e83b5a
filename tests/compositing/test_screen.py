"""Screens and windows as background."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from Xlib.display import Display

from app.compositing.screen import RATE_HZ, ScreenBackground
from app.config.parsing import parse_background
from app.core.errors import BackgroundError, UsageError
from app.core.messages.media import ScreenText
from app.core.settings import BackgroundSettings
from app.core.types import BgrImage
from app.system.screen import ScreenGrabber, asks_for_screens, screen_count, window_titles
from tests.waiting import eventually

SETTINGS = BackgroundSettings(kind="screen", screen="screen:1")


class FakeScreen:
    """Counts what is grabbed; shows the level that a test sets."""

    moves: ClassVar[bool] = False
    screens = 2
    level = 10
    lost = False
    broken = False
    grabs = 0
    open_ones = 0

    def __init__(self, _target: str) -> None:
        self._thread = threading.get_ident()
        type(self).open_ones += 1

    def grab(self) -> BgrImage:
        assert threading.get_ident() == self._thread
        type(self).grabs += 1
        if self.lost:
            raise BackgroundError(ScreenText.LOST(target="screen:1"))
        if self.broken:
            raise RuntimeError("an error that nobody foresaw")
        return np.full((90, 160, 3), self.level, np.uint8)

    def close(self) -> None:
        type(self).open_ones -= 1


@pytest.fixture
def screen() -> Iterator[type[FakeScreen]]:
    class Screen(FakeScreen):
        pass

    yield Screen
    assert Screen.open_ones == 0, "every connection is closed"


def test_the_newest_image_is_shown_and_a_still_screen_stays_the_same_object(screen: type[FakeScreen]) -> None:
    with closing(ScreenBackground(SETTINGS, screen)) as background:
        first = background.backdrop(64, 36, 0.0)
        assert first.shape == (36, 64, 3)
        assert (first == 10).all()
        grabbed = screen.grabs
        eventually(lambda: background.backdrop(64, 36, 0.0) is first and screen.grabs > grabbed + 3)
        screen.level = 200
        eventually(lambda: bool((background.backdrop(64, 36, 0.0) == 200).all()))
        background.follow(SETTINGS.replace(zoom=2))
        assert background.backdrop(80, 45, 0.0).shape == (45, 80, 3)
        background.close()


def test_nothing_is_captured_while_nobody_looks(screen: type[FakeScreen], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.compositing.screen.UNSEEN_S", 0.1)

    def rests() -> bool:
        grabbed = screen.grabs
        threading.Event().wait(4 / RATE_HZ)
        return screen.grabs == grabbed

    with closing(ScreenBackground(SETTINGS, screen)) as background:
        background.backdrop(64, 36, 0.0)
        eventually(rests)
        grabbed = screen.grabs
        eventually(lambda: background.backdrop(64, 36, 0.0) is not None and screen.grabs > grabbed)


def test_an_image_from_before_a_pause_is_not_shown_after_it(
    screen: type[FakeScreen], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may show what the user did when the pause began."""
    monkeypatch.setattr("app.compositing.screen.UNSEEN_S", 0.05)
    monkeypatch.setattr("app.compositing.screen.OUTDATED_S", 0.4)
    with closing(ScreenBackground(SETTINGS, screen)) as background:
        background.backdrop(64, 36, 0.0)
        threading.Event().wait(0.2)  # the last image of the pause has been taken
        screen.level = 200
        threading.Event().wait(0.5)
        assert shown(background) in (0, 200)
        eventually(lambda: shown(background) == 200)


def shown(background: ScreenBackground) -> int | str:
    """Return the brightest value of the image, or why there is none."""
    try:
        return int(np.max(background.backdrop(64, 36, 0.0)))
    except BackgroundError as error:
        return str(error)


@pytest.mark.parametrize("fault", ["lost", "broken"])
def test_a_lost_screen_is_reported_and_comes_back(
    screen: type[FakeScreen], monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr("app.compositing.screen.RETRY_S", 0.05)
    with closing(ScreenBackground(SETTINGS, screen)) as background:
        setattr(screen, fault, True)
        eventually(lambda: "can no longer be captured" in str(shown(background)))
        setattr(screen, fault, False)
        eventually(lambda: shown(background) == 10)


def test_a_screen_that_may_be_another_one_is_not_shown_until_the_screens_are_as_before(
    screen: type[FakeScreen], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a screen was unplugged, another one had its number, and was sent."""
    monkeypatch.setattr("app.compositing.screen.RETRY_S", 0.05)
    with closing(ScreenBackground(SETTINGS, screen)) as background:
        eventually(lambda: shown(background) == 10)
        screen.lost, screen.level = True, 200
        eventually(lambda: "can no longer be captured" in str(shown(background)))
        screen.screens, screen.lost = 1, False
        eventually(lambda: "screens have changed" in str(shown(background)))
        grabbed = screen.grabs
        eventually(lambda: screen.grabs > grabbed + 3 or screen.open_ones == 0)
        assert "screens have changed" in str(shown(background))
        screen.screens = 2
        eventually(lambda: shown(background) == 200)


@pytest.mark.usefixtures("display")
def test_a_screen_is_not_grabbed_after_the_screens_have_changed() -> None:
    with closing(Display()) as display, closing(ScreenGrabber("screen:1")) as grabber:
        grabber.grab()
        resources = display.screen().root.xrandr_get_screen_resources()
        display.xrandr_set_crtc_config(resources.crtcs[0], resources.config_timestamp, 0, 0, 0, 1, [])  # off
        with pytest.raises(BackgroundError, match="screens have changed"):
            grabber.grab()


def test_a_screen_that_cannot_be_captured_is_refused_at_once(screen: type[FakeScreen]) -> None:
    screen.lost = True
    with pytest.raises(BackgroundError, match="allow screen recording"):
        ScreenBackground(SETTINGS, screen)


def test_screens_regions_and_windows_on_the_command_line() -> None:
    for text in ("screen", "screen:2", "region:0,-20,640x360", "window:Slides – Editor"):
        assert parse_background(text) == BackgroundSettings(kind="screen", screen=text)
    for wrong in ("screen:0", "screen:x", "region:1,2", "region:0,0,0x9", "window:"):
        with pytest.raises(UsageError):
            parse_background(wrong)


def test_a_wayland_session_lists_neither_screens_nor_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert asks_for_screens()
    assert screen_count() == 0
    assert window_titles() == ()


def test_without_a_display_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    for target in ("screen:1", "window:any"):
        with pytest.raises(BackgroundError, match="no display"):
            ScreenGrabber(target)


@pytest.fixture
def display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run an X server without a screen of its own, with two windows of known colours."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "640x360x24", "-nolisten", "tcp"],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    with os.fdopen(reader) as answer:
        number = answer.readline().strip()
    monkeypatch.setenv("DISPLAY", f":{number}")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    clients = [
        subprocess.Popen(
            ["xmessage", "-name", "one", "-title", title, "-geometry", geometry, "-bg", colour, text],
            stderr=subprocess.DEVNULL,
        )
        for title, geometry, colour, text in (
            ("Talk of today", "200x120+40+30", "#ff0000", "x"),
            ("Chat", "200x120+380+200", "#0000ff", "y"),
        )
    ]
    yield
    for process in (*clients, server):
        process.terminate()
        process.wait(60)


@pytest.mark.usefixtures("display")
def test_titles_beyond_latin_letters_are_read() -> None:
    """Desktops read such titles from `_NET_WM_NAME`; `WM_NAME` holds Latin letters alone."""
    display = Display()
    window = display.screen().root.create_window(50, 60, 100, 80, 0, display.screen().root_depth)
    title = "Präsentation – 発表"
    window.change_text_property(display.intern_atom("_NET_WM_NAME"), display.intern_atom("UTF8_STRING"), title)
    window.map()
    display.sync()
    try:
        eventually(lambda: title in window_titles())
    finally:
        display.close()


@pytest.mark.skipif(shutil.which("xmessage") is None, reason="xmessage is not installed")
@pytest.mark.usefixtures("display")
def test_a_real_display_is_captured() -> None:
    eventually(lambda: {"Talk of today", "Chat"} <= set(window_titles()))
    assert screen_count() == 1
    with closing(ScreenGrabber("screen:1")) as whole:
        assert whole.grab().shape == (360, 640, 3)
    with closing(ScreenGrabber("window:talk of")) as talk:
        red = talk.grab()
        assert 100 <= red.shape[0] <= 140 and 180 <= red.shape[1] <= 220
        assert np.mean(np.all(red == (0, 0, 255), axis=2)) > 0.5
    with closing(ScreenGrabber("region:600,300,200x200")) as part:
        assert part.grab().shape == (60, 40, 3), "what lies beyond the screen is left out"
    for target, why in (
        ("screen:2", "only 1"),
        ("window:nothing like it", "no visible window"),
        ("region:9000,0,10x10", "outside"),
    ):
        with pytest.raises(BackgroundError, match=why):
            ScreenGrabber(target)
