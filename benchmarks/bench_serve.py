"""Measure streams through `run.py serve` on this machine: latency of frames end to end, frame rate, CPU time.

    python -m benchmarks.bench_serve --streams 1 --seconds 20
    python -m benchmarks.bench_serve --streams 4 --precision int8 --encoded
    python -m benchmarks.bench_serve --parts

The service runs in a process of its own. A client in this process sends frames of the demo with a number in a strip
below them (`app/webrtc/marks.py`), each read back from the matte that the service returns: coding, network stack,
decoding and matting are part of the latency; the camera and the display are not. `--as-shipped` leaves aiortc as it is.
`--encoded` sends frames that were encoded before, so that the client takes little of the cores that it shares with the
service; its latency lacks the encoder. `--parts` prints the CPU time of each part of the service per frame instead.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import av
import cv2
import numpy as np
import psutil
from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import Packet, VideoFrame
from numpy.typing import NDArray

from app.capture.demo import DemoSource
from app.serve.encoding import CleanVp8Encoder
from app.serve.matting import Output
from app.serve.run import stream_matting
from app.serve.sessions import Request
from app.webrtc.ice import peer_configuration
from app.webrtc.marks import COUNT, STRIP_PX, mark_strip, read_mark
from app.webrtc.receiving import host_addresses, repair_aiortc

FPS = 30
WIDTH, HEIGHT = 640, 360
WARM_UP_S = 5.0
CLIP = 60
PARTS = ("decode", "convert", "step", "encode")
T = TypeVar("T")
Given = TypeVar("Given")


def _numbered(image: VideoFrame, number: int) -> NDArray[np.uint8]:
    planes = np.asarray(image.to_ndarray(format="yuv420p"), np.uint8).copy()
    planes[HEIGHT : HEIGHT + STRIP_PX] = mark_strip(number, WIDTH)
    return planes


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
        planes = _numbered(self._images[self._index % CLIP], number)
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = self._index * 90_000 // FPS, Fraction(1, 90_000)
        self.sent_s[number] = time.perf_counter()
        self._index += 1
        return frame


class EncodedCamera(MediaStreamTrack):
    """Sends frames that were encoded before, in turn; their numbers repeat with the clip."""

    kind = "video"

    def __init__(self, packets: list[Packet[Any]]) -> None:
        super().__init__()
        self._packets = packets
        self._started_s = time.perf_counter()
        self.sent_s: dict[int, float] = {}
        self._index = 0

    async def recv(self) -> Packet[Any]:  # type: ignore[override]  # aiortc's senders take packets as well
        await asyncio.sleep(max(0.0, self._started_s + self._index / FPS - time.perf_counter()))
        if self.readyState != "live":
            raise MediaStreamError
        number = self._index % CLIP
        packet = Packet(bytes(self._packets[number]))
        packet.pts, packet.time_base = self._index * 90_000 // FPS, Fraction(1, 90_000)
        self.sent_s[number] = time.perf_counter()
        self._index += 1
        return packet


class Stream:
    """One stream and what came back."""

    def __init__(self, images: list[VideoFrame] | list[Packet[Any]]) -> None:
        first = images[0]
        self.camera = (
            EncodedCamera([image for image in images if isinstance(image, Packet)])
            if isinstance(first, Packet)
            else Camera([image for image in images if isinstance(image, VideoFrame)])
        )
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


async def measure(
    address: str, server: psutil.Process, streams: int, seconds: float, images: list[VideoFrame] | list[Packet[Any]]
) -> None:
    """Run the streams and print the figures."""
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
            longest_ms = 1e3 * max(gaps, default=0.0)
            print(
                f"{len(ms) / took_s:.1f} fps back, latency p50 {statistics.median(ms):.1f} ms,"
                f" p95 {ms[int(len(ms) * 0.95)]:.1f} ms, least {ms[0]:.1f} ms, longest gap {longest_ms:.0f} ms"
            )
        print(
            f"service {100 * cpu_s / took_s:.0f} % CPU, {1e3 * cpu_s / max(frames, 1):.1f} ms a frame,"
            f" {server.memory_info().rss / 1e6:.0f} MB; clients {100 * own_s / took_s:.0f} % CPU;"
            f" load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        for client in clients:
            await client.close()


def encoded(images: list[VideoFrame]) -> list[Packet[Any]]:
    """Return the frames of the clip with their numbers, encoded as aiortc encodes them; the first is a key frame."""
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT + STRIP_PX, "yuv420p"
    encoder.time_base, encoder.bit_rate = Fraction(1, FPS), 1_000_000
    encoder.options = {"deadline": "realtime", "cpu-used": "6", "lag-in-frames": "0", "g": str(CLIP)}
    packets = []
    for number, image in enumerate(images):
        frame = VideoFrame.from_ndarray(_numbered(image, number), format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        packets += encoder.encode(frame)
    assert len(packets) == len(images)
    return packets


def print_parts(precision: str) -> None:
    """Print the median CPU time per frame of what the service does with a frame, for both kinds of output."""
    cv2.setNumThreads(1)
    packets, decoder = encoded(clip()), av.CodecContext.create("libvpx", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    print(f"{'CPU ms per frame':22}" + "".join(f"{part:>9}" for part in PARTS) + f"{'sum':>9}")
    frames = [timed(decoder.decode, packet) for packet in packets]
    for output in Output:
        matting, sender = stream_matting(Request("", output=output), precision), CleanVp8Encoder()
        spent: list[tuple[float, ...]] = []
        for (frame,), decode_ms in frames:
            given = frame if output is Output.MATTE else frame.reformat(WIDTH, HEIGHT)
            image, convert_ms = timed(to_bgr, given)
            sent, step_ms = timed(matting.step, image)
            back, pack_ms = timed(to_frame, sent.yuv)
            back.pts, back.time_base = len(spent) * 3000, Fraction(1, 90_000)
            _, encode_ms = timed(sender.encode, back)
            spent.append((decode_ms, convert_ms + pack_ms, step_ms, encode_ms))
        matting.park()
        medians = [statistics.median(part) for part in zip(*spent[CLIP // 2 :], strict=True)]
        print(f"{output.value:22}" + "".join(f"{ms:9.2f}" for ms in [*medians, sum(medians)]))


def to_bgr(frame: VideoFrame) -> NDArray[np.uint8]:
    """Convert as the service does."""
    return np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def to_frame(yuv: NDArray[np.uint8]) -> VideoFrame:
    """Convert as the service does."""
    return VideoFrame.from_ndarray(yuv, format="yuv420p")


def timed(work: Callable[[Given], T], given: Given) -> tuple[T, float]:
    """Return the result and its CPU time in milliseconds, of all threads."""
    started_s = time.process_time()
    result = work(given)
    return result, 1e3 * (time.process_time() - started_s)


def main() -> None:
    """Start the service, measure, and end it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--port", type=int, default=8799)
    parser.add_argument("--as-shipped", action="store_true", help="without the repair of aiortc, at both ends")
    parser.add_argument("--precision", default="auto", help="of the service's network: auto, float32, bfloat16, int8")
    parser.add_argument("--encoded", action="store_true", help="the client sends frames that were encoded before")
    parser.add_argument("--parts", action="store_true", help="CPU time of the service by part, without a network")
    options = parser.parse_args()
    if options.parts:
        print_parts(options.precision)
        return
    images = encoded(clip()) if options.encoded else clip()
    run = (
        f"import functools, app.serve.run as s;"
        f" s.stream_matting = functools.partial(s.stream_matting, precision={options.precision!r});"
        f" from app.cli.main import run_to_exit; run_to_exit()"
    )
    if options.as_shipped:
        run = f"import app.webrtc.receiving as r; r.TESTED_VERSIONS = (); {run}"
    else:
        repair_aiortc()
    assert host_addresses(True, True)
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", run, "serve", "--port", str(options.port), "--streams", str(options.streams)]
    with subprocess.Popen(command, cwd=root) as process:
        try:
            server = psutil.Process(process.pid)
            address = f"http://127.0.0.1:{options.port}"
            asyncio.run(measure(address, server, options.streams, options.seconds, images))
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
