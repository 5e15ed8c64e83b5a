"""Measure streams through `run.py serve` on this machine: latency of frames end to end, frame rate, CPU time.

    python -m benchmarks.bench_serve --streams 1 --seconds 20

The service runs in a process of its own. A client in this process sends frames of the demo with a number in a strip
below them (`app/webrtc/marks.py`), each read back from the matte that the service returns: coding, network stack,
decoding and matting are part of the latency; the camera and the display are not. `--as-shipped` leaves aiortc as it is.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import aiohttp
import numpy as np
import psutil
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame

from app.capture.demo import DemoSource
from app.webrtc.ice import peer_configuration
from app.webrtc.marks import COUNT, STRIP_PX, mark_strip, read_mark
from app.webrtc.receiving import host_addresses, repair_aiortc

FPS = 30
WIDTH, HEIGHT = 640, 360
WARM_UP_S = 5.0
CLIP = 60


class Camera(MediaStreamTrack):
    """Sends numbered frames at a steady rate and notes when."""

    kind = "video"

    def __init__(self, images: list[VideoFrame]) -> None:
        super().__init__()
        self._images = images
        self._started_s = time.perf_counter()
        self.sent_s: dict[int, float] = {}
        self._index = 0

    async def recv(self) -> VideoFrame:
        await asyncio.sleep(max(0.0, self._started_s + self._index / FPS - time.perf_counter()))
        if self.readyState != "live":
            raise MediaStreamError
        number = self._index % COUNT
        planes = np.asarray(self._images[self._index % CLIP].to_ndarray(format="yuv420p"), np.uint8).copy()
        planes[HEIGHT : HEIGHT + STRIP_PX] = mark_strip(number, WIDTH)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = self._index * 90_000 // FPS, Fraction(1, 90_000)
        self.sent_s[number] = time.perf_counter()
        self._index += 1
        return frame


class Stream:
    """One stream and what came back."""

    def __init__(self, images: list[VideoFrame]) -> None:
        self.camera = Camera(images)
        self.latencies_s: list[float] = []
        self.arrivals_s: list[float] = []
        self.connection = RTCPeerConnection(peer_configuration(()))
        self._reading: asyncio.Task[None] | None = None

    async def connect(self, address: str, http: aiohttp.ClientSession) -> None:
        """Offer the stream."""

        @self.connection.on("track")
        def arrived(track: MediaStreamTrack) -> None:
            self._reading = asyncio.ensure_future(self._read(track))

        self.connection.addTrack(self.camera)
        codecs = [c for c in RTCRtpSender.getCapabilities("video").codecs if c.mimeType in ("video/VP8", "video/rtx")]
        self.connection.getTransceivers()[0].setCodecPreferences(codecs)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        offer = {"type": "offer", "sdp": self.connection.localDescription.sdp, "output": "matte"}
        async with http.post(f"{address}/offer", json=offer) as answer:
            answer.raise_for_status()
            await self.connection.setRemoteDescription(RTCSessionDescription(**(await answer.json())))

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            now_s = time.perf_counter()
            assert isinstance(frame, VideoFrame)
            planes = np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)
            number = read_mark(planes[HEIGHT : HEIGHT + STRIP_PX])
            if number is not None and number in self.camera.sent_s:
                self.latencies_s.append(now_s - self.camera.sent_s.pop(number))
                self.arrivals_s.append(now_s)

    async def close(self) -> None:
        """End the stream."""
        self.camera.stop()
        await self.connection.close()
        if self._reading is not None:
            await self._reading


def clip() -> list[VideoFrame]:
    """Return frames of the demo with room for the strip."""
    source = DemoSource(WIDTH, HEIGHT, float(FPS), realtime=False)
    strip = np.zeros((STRIP_PX, WIDTH, 3), np.uint8)
    frames = [np.vstack([source.render(index), strip]) for index in range(CLIP)]
    source.close()
    return [VideoFrame.from_ndarray(frame, format="bgr24").reformat(format="yuv420p") for frame in frames]


async def measure(address: str, server: psutil.Process, streams: int, seconds: float) -> None:
    """Run the streams and print the figures."""
    images = clip()
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{address}/healthz"):
                    break
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)
        clients = [Stream(images) for _ in range(streams)]
        for client in clients:
            await client.connect(address, http)
        await asyncio.sleep(WARM_UP_S)
        for client in clients:
            client.latencies_s.clear()
            client.arrivals_s.clear()
        before, own = sum(server.cpu_times()[:2]), time.process_time()
        started_s = time.perf_counter()
        await asyncio.sleep(seconds)
        took_s = time.perf_counter() - started_s
        cpu_s, own_s = sum(server.cpu_times()[:2]) - before, time.process_time() - own
        frames = sum(len(client.latencies_s) for client in clients)
        for client in clients:
            ms = sorted(1e3 * latency for latency in client.latencies_s)
            gaps = [b - a for a, b in zip(client.arrivals_s, client.arrivals_s[1:], strict=False)]
            print(
                f"{len(ms) / took_s:.1f} fps back, latency p50 {statistics.median(ms):.1f} ms,"
                f" p95 {ms[int(len(ms) * 0.95)]:.1f} ms, least {ms[0]:.1f} ms, longest gap {1e3 * max(gaps):.0f} ms"
            )
        print(
            f"service {100 * cpu_s / took_s:.0f} % CPU, {1e3 * cpu_s / max(frames, 1):.1f} ms a frame,"
            f" {server.memory_info().rss / 1e6:.0f} MB; clients {100 * own_s / took_s:.0f} % CPU;"
            f" load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        for client in clients:
            await client.close()


def main() -> None:
    """Start the service, measure, and end it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--port", type=int, default=8799)
    parser.add_argument("--as-shipped", action="store_true", help="without the repair of aiortc, at both ends")
    options = parser.parse_args()
    run = "from app.cli.main import run_to_exit; run_to_exit()"
    if options.as_shipped:
        run = f"import app.webrtc.receiving as r; r.TESTED_VERSIONS = (); {run}"
    else:
        repair_aiortc()
    assert host_addresses(True, True)
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", run, "serve", "--port", str(options.port)]
    with subprocess.Popen(command, cwd=root) as process:
        try:
            server = psutil.Process(process.pid)
            asyncio.run(measure(f"http://127.0.0.1:{options.port}", server, options.streams, options.seconds))
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
