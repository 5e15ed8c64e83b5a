"""Drives OBS Studio without a display, through its obs-websocket."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse
from numpy.typing import NDArray

from tests.waiting import eventually

PORT = 4455
_HELLO, _IDENTIFY, _REQUEST, _RESPONSE = 0, 1, 6, 7


def prepare(home: Path, kind: str, settings: Mapping[str, object]) -> None:
    """Write settings without first-run questions, with the websocket (in `global.ini` for OBS 29, in its own file for
    later ones), a canvas of 640x480 and a scene "Scene": a source "camera" of `kind`
    before white. A source that is added through the websocket would never hear the answer of the portal: OBS waits for
    it in a thread without an event loop.
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
        {"id": kind, "versioned_id": kind, "name": "camera", "settings": dict(settings)},
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

    def screenshot(self, source: str) -> NDArray[np.uint8]:
        """Return (H, W, 4) uint8 BGRA: what OBS draws for a source or a scene."""
        text = str(self.ask("GetSourceScreenshot", sourceName=source, imageFormat="png")["imageData"])
        data = np.frombuffer(base64.b64decode(text.split(",", 1)[1]), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        assert image is not None
        return image.astype(np.uint8, copy=False)

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
