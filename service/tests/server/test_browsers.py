"""The page in real browsers with a fake camera; minutes long. MATTECAM_SHOTS names a folder for pictures."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from service.server.limits import Limits
from service.tests.server.service import room_and_person, running
from tests.browsers import Browser, chromium, firefox

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CORNER = """(() => {
  const video = document.getElementById("matted");
  if (!video.videoWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0);
  const [red, green, blue] = context.getImageData(6, 6, 1, 1).data;
  return {corner: [red, green, blue], size: [canvas.width, canvas.height],
          state: document.getElementById("state").textContent};
})()"""
GREEN = (0, 177, 64)


def program(*names: str) -> str:
    found = next((name for name in names if shutil.which(name)), None)
    if found is None:
        pytest.skip(f"needs {names[0]}")
    return found


def write_y4m(path: Path) -> None:
    with av.open(str(path), "w", format="yuv4mpegpipe") as container:
        stream = container.add_stream("wrapped_avframe", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for image in room_and_person(30, (640, 360)):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


async def shown(browser: Browser, wanted: Callable[[dict[str, Any]], bool], name: str) -> dict[str, Any]:
    found: dict[str, Any] | None = None
    deadline_s = asyncio.get_running_loop().time() + 200
    while found is None or not wanted(found):
        assert asyncio.get_running_loop().time() < deadline_s, found
        await asyncio.sleep(0.5)
        found = await browser.evaluate(CORNER)
    folder = os.environ.get("MATTECAM_SHOTS")
    if folder:
        (Path(folder) / f"{name}.png").write_bytes(await browser.picture())
    return found


def is_green(found: dict[str, Any]) -> bool:
    return all(abs(one - other) < 30 for one, other in zip(found["corner"], GREEN, strict=True))


def run_page(open_browser: Callable[[str], Any], name: str) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        async with running(Limits(streams=2)) as service:
            async with open_browser(f"{service.address}/#start&background=green") as browser:
                found = await shown(browser, lambda now: is_green(now) and "Matted" in now["state"], name)
                assert service.sessions.count == 1
            ended: Awaitable[None] = _closed(service.sessions)
            await asyncio.wait_for(ended, 60)
            return found

    return asyncio.run(run())


async def _closed(sessions: Any) -> None:
    while sessions.count:
        await asyncio.sleep(0.1)


def test_chromium_shows_the_matted_camera(tmp_path: Path) -> None:
    name = program("chromium", "google-chrome")
    video = tmp_path / "camera.y4m"
    write_y4m(video)
    profile = tmp_path / "profile"
    profile.mkdir()
    found = run_page(lambda address: chromium(name, address, profile, video), "chromium")
    assert found["size"][0] * 9 == found["size"][1] * 16


def test_firefox_shows_the_matted_camera(tmp_path: Path) -> None:
    name = program("firefox-esr", "firefox")
    run_page(lambda address: firefox(name, address, tmp_path), "firefox-camera")


def test_firefox_shows_a_matted_person(tmp_path: Path) -> None:
    name = program("firefox-esr", "firefox")
    images = [cv2.imencode(".jpg", image)[1].tobytes() for image in room_and_person(10, (640, 360))]
    run_page(lambda address: firefox(name, address, tmp_path, images), "firefox")
