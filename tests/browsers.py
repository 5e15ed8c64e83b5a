"""Drives headless browsers with a fake camera: Chromium over the DevTools protocol, Firefox over WebDriver BiDi."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

FIREFOX_PREFERENCES = """
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("media.peerconnection.ice.loopback", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
"""
CAMERA = """() => {
  const frames = %s.map((text) => createImageBitmap(
    new Blob([Uint8Array.from(atob(text), (one) => one.charCodeAt(0))], {type: "image/jpeg"})));
  navigator.mediaDevices.getUserMedia = async () => {
    const images = await Promise.all(frames);
    const canvas = document.createElement("canvas");
    canvas.width = images[0].width; canvas.height = images[0].height;
    const context = canvas.getContext("2d");
    let index = 0;
    setInterval(() => context.drawImage(images[index++ %% images.length], 0, 0), 50);
    return canvas.captureStream(20);
  };
}"""
"""Replaces the camera of a page by JPEG images in base64."""
CHROMIUM = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--window-size=1100,1000",
    "--use-fake-ui-for-media-stream",
    "--remote-debugging-port=0",
)
START_S = 90.0


class BrowserError(Exception):
    """The browser could not do what it was asked for."""


class Browser:
    """A page in a browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)

    async def call(self, method: str, **parameters: Any) -> Any:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json(timeout=60)
            if answer.get("id") == number:
                if "result" not in answer:
                    raise BrowserError(answer)
                return answer["result"]

    async def evaluate(self, expression: str) -> Any:
        """Return the JSON value of an expression."""
        raise NotImplementedError

    async def picture(self) -> bytes:
        """Return a PNG of the page."""
        raise NotImplementedError


class Chromium(Browser):
    async def evaluate(self, expression: str) -> Any:
        try:
            found = await self.call("Runtime.evaluate", expression=f"JSON.stringify({expression})", returnByValue=True)
        except BrowserError:
            return None  # the page is being loaded
        value = found["result"].get("value")  # missing while the page is being loaded
        return None if value is None else json.loads(value)

    async def picture(self) -> bytes:
        return base64.b64decode((await self.call("Page.captureScreenshot"))["data"])


class Firefox(Browser):
    context = ""

    async def evaluate(self, expression: str) -> Any:
        found = await self.call(
            "script.evaluate",
            expression=f"JSON.stringify({expression})",
            target={"context": self.context},
            awaitPromise=False,
        )
        value = found["result"].get("value")  # missing while the page is being loaded
        return None if value is None else json.loads(value)

    async def picture(self) -> bytes:
        return base64.b64decode((await self.call("browsingContext.captureScreenshot", context=self.context))["data"])


@asynccontextmanager
async def chromium(program: str, address: str, profile: Path, video: Path) -> AsyncIterator[Chromium]:
    """Open a page with the frames of a Y4M file as the camera."""
    camera = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={video}")
    command = [program, *CHROMIUM, *camera, f"--user-data-dir={profile}", address]
    async with _process(command, profile / "log.txt"), aiohttp.ClientSession() as http:
        port_file = profile / "DevToolsActivePort"
        await _until(lambda: port_file.exists() and bool(port_file.read_text()))
        port = port_file.read_text().splitlines()[0]
        async with http.get(f"http://127.0.0.1:{port}/json") as answer:
            pages = [page for page in await answer.json() if page["type"] == "page"]
        async with http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            yield Chromium(socket)


@asynccontextmanager
async def firefox(program: str, address: str, profile: Path, images: Sequence[bytes] = ()) -> AsyncIterator[Firefox]:
    """Open a page with JPEG images in turn as the camera; without any, with Firefox's own fake camera."""
    (profile / "user.js").write_text(FIREFOX_PREFERENCES)
    log = profile / "log.txt"
    command = [
        program,
        "--headless",
        "--width=1100",
        "--height=1000",
        "--profile",
        str(profile),
        "--no-remote",
        "--remote-debugging-port=0",
    ]
    async with _process(command, log), aiohttp.ClientSession() as http:
        await _until(lambda: "WebDriver BiDi listening on" in log.read_text(errors="replace"))
        found = re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text(errors="replace"))
        assert found is not None
        async with http.ws_connect(f"{found[1]}/session", max_msg_size=0) as socket:
            browser = Firefox(socket)
            await browser.call("session.new", capabilities={})
            tree = await browser.call("browsingContext.getTree")
            browser.context = tree["contexts"][0]["context"]
            if images:
                encoded = json.dumps([base64.b64encode(image).decode() for image in images])
                await browser.call("script.addPreloadScript", functionDeclaration=CAMERA % encoded)
            await browser.call("browsingContext.navigate", context=browser.context, url=address, wait="interactive")
            yield browser
            await browser.call("session.end")


@asynccontextmanager
async def _process(command: list[str], log: Path) -> AsyncIterator[None]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 20)
            except asyncio.TimeoutError:
                process.kill()
                await process.wait()


async def _until(condition: Any) -> None:
    deadline_s = asyncio.get_running_loop().time() + START_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline_s, "the browser did not start"
        await asyncio.sleep(0.1)
