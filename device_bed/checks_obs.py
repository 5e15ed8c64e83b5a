"""The virtual camera in OBS Studio, which is driven without a display through its obs-websocket."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse

from app.core.types import BgrImage
from app.doctor.proof import bar_error
from app.output.virtual_camera import VirtualCamera
from device_bed import marks
from device_bed.producer import backend
from device_bed.program import SLACK
from device_bed.tools import DEVICE, LABEL, ended_process, expect, load, needs, say
from tests.output.pictures import FPS, marked_bars, sender
from tests.waiting import eventually

START_LIMIT_S = 120.0
SCREENSHOTS = 20
ERROR_AS_BT709 = 36
"""OBS takes every V4L2 device for BT.709; saturated colours are 34 of 255 off then."""
WIDTH, HEIGHT = 640, 480


PORT = 4455
_HELLO, _IDENTIFY, _REQUEST, _RESPONSE = 0, 1, 6, 7


def prepare(home: Path) -> None:
    """Write settings without first-run questions, with the websocket (in `global.ini` for OBS 29, in its own file for
    later ones), a canvas of 640x480 and a scene "Scene": the virtual camera as a source "camera" before white.
    """
    folder = home / ".config" / "obs-studio"
    (folder / "plugin_config" / "obs-websocket").mkdir(parents=True)
    (folder / "basic" / "scenes").mkdir(parents=True)
    (folder / "basic" / "profiles" / "Small").mkdir(parents=True)
    (folder / "basic" / "profiles" / "Small" / "basic.ini").write_text(
        "[General]\nName=Small\n[Video]\nBaseCX=640\nBaseCY=480\nOutputCX=640\nOutputCY=480\n"
    )
    (folder / "global.ini").write_text(
        "[General]\nFirstRun=true\nLastVersion=503447555\nEnableAutoUpdates=false\n"
        "[Basic]\nSceneCollection=Untitled\nSceneCollectionFile=Untitled\nProfile=Small\nProfileDir=Small\n"
        f"[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={PORT}\nAuthRequired=false\n"
    )
    socket = {"first_load": False, "server_enabled": True, "server_port": PORT, "auth_required": False}
    (folder / "plugin_config" / "obs-websocket" / "config.json").write_text(json.dumps(socket))
    white = {"color": 0xFFFFFFFF, "width": 1920, "height": 1080}
    items = [{"name": "white", "id": 1, "visible": True}, {"name": "camera", "id": 2, "visible": True}]
    sources = [
        {"id": "color_source", "versioned_id": "color_source_v3", "name": "white", "settings": white},
        {"id": "v4l2_input", "versioned_id": "v4l2_input", "name": "camera", "settings": {"device_id": DEVICE}},
        {"id": "scene", "versioned_id": "scene", "name": "Scene", "settings": {"id_counter": 2, "items": items}},
    ]
    scenes: dict[str, object] = {
        "name": "Untitled",
        "current_scene": "Scene",
        "current_program_scene": "Scene",
        "scene_order": [{"name": "Scene"}],
        "sources": sources,
    }
    (folder / "basic" / "scenes" / "Untitled.json").write_text(json.dumps(scenes))


class Obs:
    """A connection to a running OBS."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._session: ClientSession | None = None
        self._socket: ClientWebSocketResponse | None = None

    def connect(self, timeout_s: float = 90.0) -> None:
        """Wait for OBS and connect."""
        self._loop.run_until_complete(asyncio.wait_for(self._connect(), timeout_s))

    def ask(self, request: str, **data: object) -> dict[str, Any]:
        """Return the answer to a request; fail if OBS refuses it."""
        return self._loop.run_until_complete(asyncio.wait_for(self._ask(request, data), 30))

    def screenshot(self) -> BgrImage:
        """Return what OBS draws for the camera."""
        text = str(self.ask("GetSourceScreenshot", sourceName="camera", imageFormat="png")["imageData"])
        data = np.frombuffer(base64.b64decode(text.split(",", 1)[1]), np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

    def wait_for_frames(self, timeout_s: float = 60.0) -> None:
        """Wait until the camera of the scene has delivered a frame: OBS takes no screenshot before."""
        eventually(lambda: self._camera_width() > 0, timeout_s=timeout_s)

    def _camera_width(self) -> float:
        items = self.ask("GetSceneItemList", sceneName="Scene")["sceneItems"]
        widths = {item["sourceName"]: item["sceneItemTransform"]["sourceWidth"] for item in items}
        return float(widths["camera"])

    def close(self) -> None:
        """Disconnect."""
        self._loop.run_until_complete(self._disconnect())
        self._loop.close()

    async def _disconnect(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()
        await asyncio.sleep(0.2)  # aiohttp closes its transports later

    async def _connect(self) -> None:
        self._session = ClientSession()
        while self._socket is None:
            with suppress(ClientError):
                self._socket = await self._session.ws_connect(f"ws://127.0.0.1:{PORT}", max_msg_size=1 << 26)
            await asyncio.sleep(0.5)
        assert (await self._socket.receive_json())["op"] == _HELLO
        await self._socket.send_json({"op": _IDENTIFY, "d": {"rpcVersion": 1, "eventSubscriptions": 0}})
        await self._socket.receive_json()

    async def _ask(self, request: str, data: dict[str, object]) -> dict[str, Any]:
        assert self._socket is not None
        while True:
            asked = {"requestType": request, "requestId": "1", "requestData": data}
            await self._socket.send_json({"op": _REQUEST, "d": asked})
            answer = await self._socket.receive_json()
            assert answer["op"] == _RESPONSE
            status = answer["d"]["requestStatus"]
            if status.get("code") != 207:  # not ready: OBS still loads its scenes
                break
            await asyncio.sleep(0.5)
        assert status["result"], f"{request}: {status}"
        return dict(answer["d"].get("responseData") or {})


def picture() -> None:
    """Check that OBS lists the camera, its size, and the age of frames; its colours are those of BT.709."""
    load()
    with sender(marked_bars(WIDTH, HEIGHT), _camera()), _running() as obs:
        items = obs.ask("GetInputPropertiesListPropertyItems", inputName="camera", propertyName="device_id")
        listed = [item["itemName"] for item in items["propertyItems"]]
        obs.wait_for_frames(START_LIMIT_S * SLACK)
        found, errors = [], []
        for _ in range(SCREENSHOTS):
            image = obs.screenshot()
            mark = marks.read(image)
            if mark is not None:
                found.append(mark)
            errors.append(bar_error(image))
    say(f"listed {listed}; {image.shape[1]}x{image.shape[0]}, largest error {max(errors):.1f} of 255")
    expect(any(LABEL in name for name in listed), "OBS does not list it")
    expect(image.shape == (HEIGHT, WIDTH, 3), "unexpected size")
    expect(max(errors) <= ERROR_AS_BT709, "wrong colours")
    expect(len(found) > SCREENSHOTS // 2, f"only {len(found)} of {SCREENSHOTS} marks can be read")
    expect(len({number for number, _ in found}) > 1, "the picture stands still")
    say(f"with the time of a screenshot, age median {np.median([age for _, age in found]):.0f} ms")


def _camera() -> VirtualCamera:
    return VirtualCamera(DEVICE, WIDTH, HEIGHT, FPS, backend=backend())


@contextmanager
def _running() -> Iterator[Obs]:
    needs("obs", "Xvfb")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        prepare(home)
        environment = {
            **os.environ,
            "HOME": folder,
            "XDG_CONFIG_HOME": f"{folder}/.config",
            "DISPLAY": ":87",
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }
        display = ["Xvfb", ":87", "-screen", "0", "640x480x24"]
        studio = ["obs", "--multi", "--disable-shutdown-check"]
        with (home / "log").open("wb") as log, ended_process(display, env=environment, stdout=log, stderr=log):
            until_s = time.monotonic() + 60
            while not Path("/tmp/.X11-unix/X87").exists():
                expect(time.monotonic() < until_s, "the display does not start")
                time.sleep(0.1)
            with ended_process(studio, env=environment, stdout=log, stderr=log):
                obs = Obs()
                try:
                    obs.connect(START_LIMIT_S * SLACK)
                    yield obs
                except (AssertionError, TimeoutError) as error:
                    said = (home / "log").read_text(errors="replace")[-2000:]
                    expect(False, f"{type(error).__name__}: {error}; OBS says: {said}")
                finally:
                    obs.close()


CHECKS = {"obs": picture}
