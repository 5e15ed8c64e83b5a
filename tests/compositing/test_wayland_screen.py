"""Screens and windows as background in a Wayland session: through a played portal, from a real PipeWire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from app.compositing import open_background
from app.compositing.screen import ScreenBackground
from app.core.errors import BackgroundError
from app.core.settings import BackgroundSettings
from app.doctor.proof import bar_error, colour_bars
from app.system.screen_portal import PortalGrabber
from tests.pipewire_camera import camera
from tests.pipewire_session import PrivateSession
from tests.played_portals import PlayedScreenCast
from tests.waiting import eventually

SETTINGS = BackgroundSettings(kind="screen", screen="screen:1")


@pytest.fixture
def portal(pipewire: PrivateSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedScreenCast]:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", pipewire.environment["DBUS_SESSION_BUS_ADDRESS"])
    with PlayedScreenCast(pipewire.folder / "pipewire-0") as portal:
        yield portal
        eventually(lambda: not portal.sessions)


def choose(portal: PlayedScreenCast, pipewire: PrivateSession, name: str = "screen", **properties: object) -> None:
    """Let the user choose a node."""
    eventually(lambda: bool(pipewire.nodes(name)))
    node = int(pipewire.nodes(name)[0]["props"]["object.id"])
    portal.streams = [(node, {key: ("(ii)", value) for key, value in properties.items()})]


def test_the_chosen_screen_is_the_background(portal: PlayedScreenCast, pipewire: PrivateSession) -> None:
    with camera("other", "BGRx"), camera("screen", "BGRx"):
        choose(portal, pipewire)
        with closing(open_background(SETTINGS)) as background:
            eventually(lambda: bar_error(np.asarray(background.backdrop(64, 48, 0.0))) <= 6)
            first = background.backdrop(64, 48, 0.0)
            eventually(lambda: background.backdrop(64, 48, 0.0) is first)
            assert portal.types == [1] and len(portal.sessions) == 1
            background.close()


def test_a_window_is_asked_for_as_a_window(portal: PlayedScreenCast, pipewire: PrivateSession) -> None:
    with camera("screen", "BGRA"):
        choose(portal, pipewire)
        PortalGrabber("window:*").close()
    assert portal.types == [2]


def test_a_region_is_cut_out_of_a_scaled_screen(portal: PlayedScreenCast, pipewire: PrivateSession) -> None:
    with camera("screen", "BGRx"):
        choose(portal, pipewire, position=(100, 50), size=(32, 24))
        with closing(PortalGrabber("region:100,50,4x6")) as grabber:
            part = grabber.grab()
            assert part.shape == (12, 8, 3)
            np.testing.assert_allclose(part, np.broadcast_to(colour_bars(8, 1)[0, 0], part.shape), atol=2)
            assert grabber.grab().shape == part.shape
        with pytest.raises(BackgroundError, match="outside the screens"):
            PortalGrabber("region:0,0,50x50")


def test_a_capture_that_the_desktop_ends_is_reported_and_not_asked_for_again(
    portal: PlayedScreenCast, pipewire: PrivateSession
) -> None:
    with camera("screen", "BGRx") as remove:
        choose(portal, pipewire)

        def ended() -> bool:
            try:
                background.backdrop(64, 48, 0.0)
            except BackgroundError as error:
                return "has ended the capture of screen:1" in str(error)
            return False

        with closing(ScreenBackground(SETTINGS)) as background:
            assert not ended()
            remove()
            eventually(ended)
            eventually(lambda: not portal.sessions)
            assert portal.types == [1]


@pytest.mark.parametrize(
    ("member", "response", "why"),
    [
        ("CreateSession", 2, "No screen was chosen"),
        ("SelectSources", 1, "did not allow"),
        ("Start", 1, "did not allow"),
        ("Start", 2, "No screen was chosen"),
        ("Start", None, "No screen was chosen"),
    ],
)
def test_refusals_are_explained_and_close_the_session(
    portal: PlayedScreenCast, member: str, response: int | None, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.system.screen_portal.QUESTION_S", 0.3)
    portal.responses[member] = response
    with pytest.raises(BackgroundError, match=why):
        PortalGrabber("screen:1")


def test_a_choice_of_nothing_is_explained(portal: PlayedScreenCast) -> None:
    with pytest.raises(BackgroundError, match="No screen was chosen"):
        PortalGrabber("screen:1")


def test_without_a_portal_there_is_a_sentence(pipewire: PrivateSession, monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (pipewire.environment["DBUS_SESSION_BUS_ADDRESS"], f"unix:path={pipewire.folder}/none"):
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        with pytest.raises(BackgroundError, match="offers no screens"):
            PortalGrabber("screen:1")
