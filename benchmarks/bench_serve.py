"""Measure streams through `run.py serve` on this machine: latency of frames end to end, frame rate, CPU time.

    python -m benchmarks.bench_serve --streams 1 --seconds 20
    python -m benchmarks.bench_serve --streams 4 --precision int8 --encoded [--output composite]
    python -m benchmarks.bench_serve --parts

The service runs in a process of its own. A client in this process sends frames of the demo with a number in a strip
below them (`service/webrtc/marks.py`), each read back from the matte that the service returns: coding, network stack,
decoding and matting are part of the latency; the camera and the display are not. `--as-shipped` leaves aiortc as it is.
`--encoded` sends frames that were encoded before, so that the client takes little of the cores that it shares with the
service; its latency lacks the encoder. `--output composite` asks for composites before the blurred background, as
browsers get them, in strict mode; they carry no number, so that no latency is known. `--parts` prints the CPU time of
each part of the service per frame instead.
"""

from __future__ import annotations

import argparse
import asyncio
import math
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
from av import Packet, VideoFrame
from numpy.typing import NDArray

from benchmarks.stream_client import CLIP, HEIGHT, WIDTH, Stream, clip, encoded
from service.server.encoding import CleanVp8Encoder
from service.server.matting import Output
from service.server.run import stream_matting
from service.server.sessions import Request
from service.webrtc.receiving import host_addresses, repair_aiortc

WARM_UP_S = 5.0
PARTS = ("decode", "convert", "step", "encode")
T = TypeVar("T")
Given = TypeVar("Given")


async def measure(
    address: str,
    server: psutil.Process,
    streams: int,
    seconds: float,
    images: list[VideoFrame] | list[Packet[Any]],
    output: Output,
) -> None:
    """Run the streams and print the figures."""
    async with aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{address}/healthz"):
                    break
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)
        clients = [Stream(images, output) for _ in range(streams)]
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
        frames = sum(len(client.arrivals_s) for client in clients)
        for client in clients:
            ms = sorted(1e3 * latency for latency in client.latencies_s) or [math.nan]
            gaps = [b - a for a, b in zip(client.arrivals_s, client.arrivals_s[1:], strict=False)]
            longest_ms = 1e3 * max(gaps, default=0.0)
            print(
                f"{len(client.arrivals_s) / took_s:.1f} fps back, latency p50 {statistics.median(ms):.1f} ms,"
                f" p95 {ms[int(len(ms) * 0.95)]:.1f} ms, least {ms[0]:.1f} ms, longest gap {longest_ms:.0f} ms"
            )
        print(
            f"service {100 * cpu_s / took_s:.0f} % CPU, {1e3 * cpu_s / max(frames, 1):.1f} ms a frame,"
            f" {server.memory_info().rss / 1e6:.0f} MB; clients {100 * own_s / took_s:.0f} % CPU;"
            f" load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        for client in clients:
            await client.close()


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
    parser.add_argument("--output", choices=[output.value for output in Output], default=Output.MATTE.value)
    parser.add_argument("--parts", action="store_true", help="CPU time of the service by part, without a network")
    options = parser.parse_args()
    if options.parts:
        print_parts(options.precision)
        return
    images = encoded(clip()) if options.encoded else clip()
    output = Output(options.output)
    run = (
        f"import functools, service.server.run as s;"
        f" s.stream_matting = functools.partial(s.stream_matting, precision={options.precision!r});"
        f" from app.cli.main import run_to_exit; run_to_exit()"
    )
    if options.as_shipped:
        run = f"import service.webrtc.receiving as r; r.TESTED_VERSIONS = (); {run}"
    else:
        repair_aiortc()
    assert host_addresses(True, True)
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-c", run, "serve", "--port", str(options.port), "--streams", str(options.streams)]
    with subprocess.Popen(command, cwd=root) as process:
        try:
            server = psutil.Process(process.pid)
            address = f"http://127.0.0.1:{options.port}"
            asyncio.run(measure(address, server, options.streams, options.seconds, images, output))
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
