"""The engine whose network runs on a server, with a real service in this process and with a simulated link."""

from __future__ import annotations

import socket
import ssl
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.api import Matting
from app.config.parsing import parse_server
from app.core.errors import ModelError, RemoteError, UsageError
from app.core.settings import EdgeSettings
from app.core.types import AlphaImage, BgrImage, BlurredBackground, Frame
from app.privacy.plausibility import CompositeCheck
from service.client.engine import RemoteEngine
from service.client.link import Received, ServerLink
from service.server.limits import Limits
from service.tests.server.service import Running, room_and_person, running
from service.tests.threaded import on_thread
from tests.certificates import self_signed, server_context

pytestmark = pytest.mark.timeout(300)
SIZE = (640, 360)
EDGES = EdgeSettings(strict="off")
TOKEN = "a-secret-of-many-characters"


def service(
    limits: Limits | None = None, token: str | None = None, tls: ssl.SSLContext | None = None
) -> AbstractContextManager[Running]:
    """Run a service on a thread of its own."""
    return on_thread(running(limits, token=token, tls=tls))


def test_a_composite_is_that_of_a_local_engine_but_for_coding() -> None:
    frames = room_and_person(8, SIZE)
    backdrop = np.full_like(frames[0], (64, 177, 0))
    with Matting("student", background="green", edges=EDGES) as matting:
        expected = [matting.step(frame).alpha.astype(float) for frame in frames]
    checks, differences = CompositeCheck(), []
    with service(token=TOKEN) as live:
        engine = RemoteEngine(ServerLink(live.address, TOKEN), *SIZE)
        try:
            for index, frame in enumerate(frames):
                matte = engine.step(frame, backdrop, EDGES).result()
                shown = frame if matte.frame is None else matte.frame
                checks.check(matte, Frame(shown, index, 0.0), backdrop)
                number = next(i for i, given in enumerate(frames) if given is shown)
                differences.append(np.abs(matte.alpha - expected[number]).mean() / 255)
            blurred = engine.step(frames[0], BlurredBackground(50), EDGES).result()
            assert blurred.composite.shape == frames[0].shape
            info = engine.info
        finally:
            engine.close()
    assert (info.device, info.executor) == (live.address, "webrtc")
    assert info.round_trip_ms is not None and info.round_trip_ms > 0
    assert np.mean(differences) < 0.04, differences


def test_a_full_server_and_a_wrong_token_are_named() -> None:
    with service(Limits(streams=1), token=TOKEN) as live:
        with pytest.raises(RemoteError, match="refused the stream: The token is missing or wrong"):
            ServerLink(live.address, None)
        link = ServerLink(live.address, TOKEN)
        with pytest.raises(RemoteError, match="no free stream"):
            ServerLink(live.address, TOKEN)
        link.close()
        link.close()


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(RemoteError, match=r"does not answer \(Connection refused\); check"):
        ServerLink("http://127.0.0.1:9", None)


def test_a_server_that_hangs_or_is_not_trusted_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RemoteError, match="no answer in time"):
            ServerLink(address, None, connect_s=0.5)
    cert, key = self_signed(tmp_path)
    context = server_context(cert, key)
    with service(tls=context) as live, pytest.raises(RemoteError, match="its certificate is not trusted"):
        ServerLink(live.address, None)


def test_a_server_is_trusted_by_its_certificate_file(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    context = server_context(cert, key)
    with service(tls=context) as live:
        ServerLink(live.address, None, ca_file=cert).close()
    with pytest.raises(UsageError, match=r"gone.pem cannot be used: No such file or directory\."):
        ServerLink("https://127.0.0.1:9", None, ca_file=tmp_path / "gone.pem")
    with pytest.raises(UsageError, match="it holds no certificate in PEM format"):
        ServerLink("https://127.0.0.1:9", None, ca_file=key)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "matting.example",
        "http://matting.example",
        "ftp://x",
        "https://",
        "https://x?a",
        "https://a@x",
        "http://[::",
        "https://x:99999",
    ],
)
def test_an_address_is_https_or_this_machine(address: str) -> None:
    with pytest.raises(UsageError, match="is not the address"):
        parse_server(address)
    assert parse_server("https://matting.example:8765/") == "https://matting.example:8765"
    assert parse_server("http://127.0.0.1:8765") == "http://127.0.0.1:8765"


PERSON_PX = 240
"""The person of a simulated server is so wide, at the left."""


def everyone(frame: BgrImage) -> AlphaImage:
    """Find a person wherever the server does."""
    return np.full(frame.shape[:2], 255, np.uint8)


class SimulatedLink:
    """Answers each frame `delay` frames later with an alpha whose value tells the frame."""

    server = "https://matting.example"

    def __init__(self, delay: int) -> None:
        self.delay = delay
        self.given: list[int] = []
        self.closed = False

    def exchange(self, image: NDArray[np.uint8], number: int, after: int | None, timeout_s: float) -> Received | None:
        self.given.append(number)
        if self.delay < 0:
            return None
        answered = self.given[max(0, len(self.given) - 1 - self.delay)]
        alpha = np.zeros(image.shape[:2], np.uint8)
        alpha[:, :PERSON_PX] = 255 if answered == self.given[0] else 0
        return Received(answered, alpha)

    def close(self) -> None:
        self.closed = True


def test_a_matte_that_covers_more_than_people_is_never_composited() -> None:
    """Nothing asked the network on this machine: a server could show the room."""
    engine = RemoteEngine(SimulatedLink(delay=0), *SIZE, look=lambda frame: np.zeros(frame.shape[:2], np.uint8))
    with pytest.raises(ModelError, match="shows more than people"):
        engine.step(np.full((360, 640, 3), 90, np.uint8), np.zeros((360, 640, 3), np.uint8), EDGES).result()
    engine.close()


def test_a_late_matte_belongs_to_its_own_frame() -> None:
    frames = [np.full((360, 640, 3), 10 * index, np.uint8) for index in range(1, 5)]
    backdrop = np.zeros_like(frames[0])
    engine = RemoteEngine(SimulatedLink(delay=1), *SIZE, look=everyone)
    first = engine.step(frames[0], backdrop, EDGES).result()
    second = engine.step(frames[1], backdrop, EDGES).result()
    third = engine.step(frames[2], backdrop, EDGES).result()
    engine.close()
    person = np.s_[:, : PERSON_PX // 2]
    assert first.frame is None and (first.composite[person] == 10).all()
    assert second.frame is frames[0] and (second.composite[person] == 10).all()
    assert third.frame is frames[1] and not third.composite.any()


def test_silence_is_an_error_and_never_a_frame() -> None:
    link = SimulatedLink(delay=-1)
    engine = RemoteEngine(link, *SIZE, silence_s=0.0, look=everyone)
    with pytest.raises(RemoteError, match="sends no mattes"):
        engine.step(np.zeros((360, 640, 3), np.uint8), np.zeros((360, 640, 3), np.uint8), EDGES).result()
    engine.close()
    assert link.closed


def test_mattes_of_frames_that_were_never_sent_are_silence() -> None:
    class Lying(SimulatedLink):
        def exchange(
            self, image: NDArray[np.uint8], number: int, after: int | None, timeout_s: float
        ) -> Received | None:
            self.given.append(number)
            return Received(number + len(self.given) - 1, np.zeros(image.shape[:2], np.uint8))

    engine = RemoteEngine(Lying(delay=0), *SIZE, silence_s=0.2, look=everyone)
    engine.step(np.zeros((360, 640, 3), np.uint8), np.zeros((360, 640, 3), np.uint8), EDGES).result()
    with pytest.raises(RemoteError, match="sends no mattes"):
        engine.step(np.zeros((360, 640, 3), np.uint8), np.zeros((360, 640, 3), np.uint8), EDGES).result()
    engine.close()


def test_noise_of_the_coding_shows_no_background() -> None:
    class Noisy(SimulatedLink):
        def exchange(
            self, image: NDArray[np.uint8], number: int, after: int | None, timeout_s: float
        ) -> Received | None:
            noise = np.random.default_rng(number).integers(0, 18, image.shape[:2], np.uint8)
            return Received(number, noise)

    frame = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    backdrop = np.full_like(frame, 60)
    engine = RemoteEngine(Noisy(0), *SIZE, look=everyone)
    matte = engine.step(frame, backdrop, EDGES).result()
    engine.close()
    assert not matte.alpha.any()
    assert (matte.composite == 60).all()


def test_a_late_matte_is_blurred_as_its_own_frame_asks() -> None:
    """The frame before was magnified: its room must not be blurred as that of the next frame."""
    across = (127.5 + 127.5 * np.sin(2 * np.pi * np.arange(SIZE[0]) / 100)).astype(np.uint8)
    frame = np.ascontiguousarray(np.broadcast_to(across[None, :, None], (SIZE[1], SIZE[0], 3)))

    class Empty(SimulatedLink):
        def exchange(self, image: NDArray[np.uint8], number: int, after: int | None, timeout_s: float) -> Received:
            received = super().exchange(image, number, after, timeout_s)
            assert received is not None
            return Received(received.number, np.zeros(image.shape[:2], np.uint8))

    engine = RemoteEngine(Empty(delay=1), *SIZE, look=everyone)
    try:
        for zoom in (4.0, 4.0, 1.0):
            matte = engine.step(frame.copy(), BlurredBackground(70, zoom=zoom), EDGES).result()
        late = matte.composite[120:240].mean(axis=(0, 2))
        assert np.ptp(late[100:500]) < 20
        matte = engine.step(frame.copy(), BlurredBackground(70), EDGES).result()
        assert np.ptp(matte.composite[120:240].mean(axis=(0, 2))[100:500]) > 60
    finally:
        engine.close()
