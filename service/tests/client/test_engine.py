"""The engine whose network runs on a server, with a real service in this process and with a simulated link."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from numpy.typing import NDArray

from app.api import Matting
from app.config.parsing import parse_server
from app.core.errors import ModelError, RemoteError, UsageError
from app.core.settings import EdgeSettings
from app.core.text import Text
from app.core.types import AlphaImage, Backdrop, BgrImage, BlurredBackground, Frame, Matte
from app.privacy.plausibility import MatteCheck
from service.client.engine import RemoteEngine
from service.client.link import Received, ServerLink
from service.client.signalling import reason_of
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
    frames = room_and_person(4, SIZE)
    backdrop = np.full_like(frames[0], (64, 177, 0))
    with Matting("mattecam", background="green", edges=EDGES) as matting:
        expected = [matting.step(frame).alpha.astype(float) for frame in frames]
    checks, differences = MatteCheck(), []
    with service(token=TOKEN) as live, closing(RemoteEngine(ServerLink(live.address, TOKEN), *SIZE)) as engine:
        for index, frame in enumerate(frames):
            matte = engine.step(frame, backdrop, EDGES).result()
            shown = frame if matte.frame is None else matte.frame
            checks.check(matte, Frame(shown, index, 0.0), backdrop)
            number = next(i for i, sent in enumerate(frames) if sent is shown)
            differences.append(np.abs(matte.alpha - expected[number]).mean() / 255)
        blurred = engine.step(frames[0], BlurredBackground(50), EDGES).result()
        assert blurred.composite.shape == frames[0].shape
        info = engine.info
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


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ECONNREFUSED, ""), "no server listens there"),
        (OSError(errno.EHOSTUNREACH, ""), "the network does not lead there"),
        (ConnectionResetError(errno.ECONNRESET, ""), "the connection failed"),
        (aiohttp.ServerDisconnectedError(), "the connection failed"),
    ],
)
def test_the_reason_of_a_failed_connection_is_a_message(error: Exception, reason: str) -> None:
    """It was the system's English text, or the name of the library's class, in every language of the window."""
    assert reason_of(error) == reason and isinstance(reason_of(error), Text)


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(RemoteError, match=r"does not answer \(no server listens there\); check"):
        ServerLink("http://127.0.0.1:9", None)
    with pytest.raises(RemoteError, match=r"does not answer \(no computer has this name\); check"):
        ServerLink("https://matting.invalid", None)


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
    with pytest.raises(UsageError, match=r"gone.pem cannot be used: it does not exist\."):
        ServerLink("https://127.0.0.1:9", None, ca_file=tmp_path / "gone.pem")
    with pytest.raises(UsageError, match="it holds no certificate in PEM format"):
        ServerLink("https://127.0.0.1:9", None, ca_file=key)


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
@pytest.mark.timeout(60)
def test_a_pipe_is_no_certificate_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="it holds no certificate in PEM format"):
        ServerLink("https://127.0.0.1:9", None, ca_file=tmp_path / "pipe")


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
BLACK: BgrImage = np.zeros((*SIZE[::-1], 3), np.uint8)
Alphas = Callable[[int, tuple[int, int]], AlphaImage | None]
"""Returns the alpha of a frame by its number and the size (h, w); None for silence."""


def everyone(frame: BgrImage) -> AlphaImage:
    """Find a person wherever the server does."""
    return np.full(frame.shape[:2], 255, np.uint8)


def nobody(number: int, shape: tuple[int, int]) -> AlphaImage:
    return np.zeros(shape, np.uint8)


def person_at_first(number: int, shape: tuple[int, int]) -> AlphaImage:
    """Return an alpha that shows a person in the first frame alone."""
    alpha = nobody(number, shape)
    alpha[:, :PERSON_PX] = 255 if number == 1 else 0
    return alpha


class SimulatedLink:
    """Answers each frame `delay` frames later; `ahead` frames that were never sent lie between sent and answered."""

    server = "https://matting.example"

    def __init__(self, alphas: Alphas = person_at_first, *, delay: int = 0, ahead: int = 0) -> None:
        self.alphas, self.delay, self.ahead = alphas, delay, ahead
        self.sent: list[int] = []
        self.closed = False

    def exchange(self, image: NDArray[np.uint8], number: int, after: int | None, timeout_s: float) -> Received | None:
        self.sent.append(number)
        position = max(0, len(self.sent) - 1 - self.delay)
        alpha = self.alphas(position + 1, image.shape[:2])
        return None if alpha is None else Received(self.sent[position] + self.ahead * position, alpha)

    def close(self) -> None:
        self.closed = True


def remote(link: SimulatedLink, **options: Any) -> AbstractContextManager[RemoteEngine]:
    """Return an engine of the link, on whose mattes everybody agrees unless `look` says otherwise."""
    return closing(RemoteEngine(link, *SIZE, **{"look": everyone, **options}))


def stepped(engine: RemoteEngine, frame: BgrImage = BLACK, backdrop: Backdrop = BLACK) -> Matte:
    return engine.step(frame.copy(), backdrop, EDGES).result()


def test_a_matte_that_covers_more_than_people_is_never_composited() -> None:
    """Nothing asked the network on this machine: a server could show the room."""
    with (
        remote(SimulatedLink(), look=lambda frame: np.zeros(frame.shape[:2], np.uint8)) as engine,
        pytest.raises(ModelError, match="shows more than people"),
    ):
        stepped(engine)


def test_a_late_matte_belongs_to_its_own_frame() -> None:
    frames = [np.full_like(BLACK, 10 * index) for index in range(1, 4)]
    with remote(SimulatedLink(delay=1)) as engine:
        first, second, third = [engine.step(frame, BLACK, EDGES).result() for frame in frames]
    person = np.s_[:, : PERSON_PX // 2]
    assert first.frame is None and (first.composite[person] == 10).all()
    assert second.frame is frames[0] and (second.composite[person] == 10).all()
    assert third.frame is frames[1] and not third.composite.any()


def test_silence_is_an_error_and_never_a_frame() -> None:
    link = SimulatedLink(lambda number, shape: None)
    with remote(link, silence_s=0.0) as engine, pytest.raises(RemoteError, match="sends no mattes"):
        stepped(engine)
    assert link.closed


def test_mattes_of_frames_that_were_never_sent_are_silence() -> None:
    with remote(SimulatedLink(nobody, ahead=1), silence_s=0.2) as engine:
        stepped(engine)
        with pytest.raises(RemoteError, match="sends no mattes"):
            stepped(engine)


def test_noise_of_the_coding_shows_no_background() -> None:
    def noise(number: int, shape: tuple[int, int]) -> AlphaImage:
        return np.random.default_rng(number).integers(0, 18, shape, np.uint8)

    frame = np.random.default_rng(0).integers(0, 256, BLACK.shape, np.uint8)
    with remote(SimulatedLink(noise)) as engine:
        matte = stepped(engine, frame, np.full_like(frame, 60))
    assert not matte.alpha.any()
    assert (matte.composite == 60).all()
