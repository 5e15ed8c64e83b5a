"""The program in use, beside another version of it and beside a plain loop with the same network
and recorder.

    python -m benchmarks.bench_in_use [--model mattecam] [--weights FILE] [--downsample-ratio 0.25]
        [--precision float32] [--fps 30] [--before FOLDER] [--seconds 15] [--turns 2]

Prints the tables of docs/performance.md for a model in Markdown; then `run.py headless --record` on
a 720p MJPEG file, alternating with the checkout in FOLDER; then the program and the plain loop, in
turn. The recordings are read back: frames, rate, duration. `--turns 0` leaves them out. `--fps 60`
is a camera that the program cannot keep up with, so that its rate is comparable with that of the
plain loop, which reads as fast as it can.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
from av.packet import Packet
from av.video.stream import VideoStream

from app.core.settings import CaptureSettings, MattingSettings
from app.matting.choice.choice import choose
from app.matting.torch.torch_backend import load_core, usual_loop
from app.media.jpeg import MjpgDecoder
from app.media.video_writer import VideoWriter
from app.settings import Settings
from benchmarks.in_use.camera_like import camera_frames
from benchmarks.in_use.report import table
from benchmarks.in_use.run import fixed, in_use, program_row

ROOT = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 1280, 720
CLIP_FRAMES = 300
WARM_UP = 3
LOOP_TURNS = 3
SKIPPED_S = 5.0
"""Start-up time that does not count."""


def write_clip(path: Path, fps: int) -> None:
    """Write the demo scene as an MJPEG file, frame by frame as a camera sends it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=fps)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj422p"
        for number, frame in enumerate(camera_frames(WIDTH, HEIGHT, fps, CLIP_FRAMES)):
            packet = Packet(frame.tobytes())
            packet.stream, packet.time_base = stream, Fraction(1, fps)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            container.mux_one(packet)


def headless(folder: Path, clip: Path, settings: Settings, seconds: float) -> dict[str, Any]:
    """Record with the checkout in `folder` and return its measurements."""
    matting = settings.matting
    with tempfile.TemporaryDirectory() as home:
        out, status = Path(home) / "out.mp4", Path(home) / "status.json"
        words = [
            "--source",
            str(clip),
            "--virtual-camera",
            "off",
            "--record",
            str(out),
            "--status-json",
            str(status),
        ]
        words += [
            "--model",
            matting.model,
            "--precision",
            matting.precision,
            "--seconds",
            str(seconds),
        ]
        words += [
            "--downsample-ratio",
            str(matting.downsample_ratio),
            "--fps",
            f"{settings.capture.fps:g}",
        ]
        words += ["--weights", str(matting.weights)] if matting.weights is not None else []
        environment = {**os.environ, "PYTHONPATH": str(folder), "MATTECAM_CONFIG_DIR": home}
        command = [sys.executable, str(folder / "run.py"), "headless", *words]
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        cores = cores_of(child, seconds)
        child.communicate()
        fields = json.loads(status.read_text())
        return {
            "fps": fields["frames_out"] / seconds,
            "step": fields["latency_ms"]["step"]["median"],
            "end_to_end": fields["latency_ms"]["end_to_end"],
            "cores": cores,
            "cpu_ms": 1000 * cores * seconds / max(1, fields["frames_out"]),
            "recording": recording(out),
        }


def cores_of(child: subprocess.Popen[bytes], seconds: float) -> float:
    """Return the mean CPU load of a process after its start-up."""
    process = psutil.Process(child.pid)
    time.sleep(SKIPPED_S)
    before, started_s = sum(process.cpu_times()[:2]), time.perf_counter()
    time.sleep(max(1.0, seconds - SKIPPED_S))
    spent_s = sum(process.cpu_times()[:2]) - before
    return spent_s / (time.perf_counter() - started_s)


def recording(path: Path) -> str:
    """Describe a recording by frames, intervals and duration."""
    with av.open(str(path)) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
        stream = container.streams.video[0]
        duration_s = float((stream.duration or 0) * (stream.time_base or 0))
    steps_ms = [1000 * (after - before) for before, after in pairwise(times)] or [0.0]
    return (
        f"{len(times)} frames, {np.percentile(steps_ms, 5):.0f}–{np.percentile(steps_ms, 95):.0f} "
        f"ms apart, {duration_s:.2f} s"
    )


def usual_loop_fps(matting: MattingSettings, fps: int, seconds: float) -> float:
    """Return the frame rate of a plain loop: decode, eager network, composite in numpy, encode, one
    after the other.
    """
    choice = choose(matting.replace(executor="eager", precision="float32"))
    core = load_core(choice.model, choice.weights, matting.refiner, 0.5, "cpu", "float32")
    ratio = matting.downsample_ratio or 1.0
    backdrop = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    step = usual_loop(core.network, backdrop, ratio, "cpu")
    clip, decoder = camera_frames(WIDTH, HEIGHT, fps, 30), MjpgDecoder()
    with tempfile.TemporaryDirectory() as folder:
        writer = VideoWriter(Path(folder) / "out.mp4", WIDTH, HEIGHT, fps)
        ended_s: list[float] = []
        while len(ended_s) <= 2 * WARM_UP or ended_s[-1] - ended_s[WARM_UP] < seconds:
            image = decoder.decode(clip[len(ended_s) % len(clip)])
            assert image is not None
            writer.write(step(image))
            ended_s.append(time.perf_counter())
        writer.abort()
    return (len(ended_s) - 1 - WARM_UP) / (ended_s[-1] - ended_s[WARM_UP])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="mattecam")
    parser.add_argument(
        "--weights", type=Path, help="a checkpoint for the model in place of the installed one"
    )
    parser.add_argument("--downsample-ratio", type=float, default=0.25)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--fps", type=int, default=30, help="of the camera-like source")
    parser.add_argument("--before", type=Path, help="a checkout of an earlier version")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement")
    parser.add_argument(
        "--turns", type=int, default=2, help="of recordings beside another checkout"
    )
    parser.add_argument("--still", action="store_true", help="nothing moves before the camera")
    parser.add_argument(
        "--json", action="store_true", help="print the measurements of this version alone, as JSON"
    )
    chosen = parser.parse_args()
    matting = MattingSettings(
        model=chosen.model,
        weights=chosen.weights,
        downsample_ratio=chosen.downsample_ratio,
        precision=chosen.precision,
        device="cpu",
    )
    settings = Settings(
        capture=CaptureSettings(width=WIDTH, height=HEIGHT, fps=chosen.fps), matting=matting
    )
    result = in_use(
        settings, chosen.seconds * 7, lambda line: print(line, file=sys.stderr), still=chosen.still
    )
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    print(json.dumps(result["machine"]), table(result), "", sep="\n", flush=True)
    if chosen.turns:
        compare_recordings(settings, chosen.before, chosen.turns, chosen.seconds)
    compare_with_plain_loop(settings, chosen.seconds / LOOP_TURNS)


def compare_with_plain_loop(settings: Settings, seconds: float) -> None:
    """Print the rates of the program with everything on and of the plain loop, in turn."""
    matting, rates = fixed(settings, settings.matting.model).matting, []
    for _ in range(LOOP_TURNS):
        usual_fps = usual_loop_fps(matting, int(settings.capture.fps), seconds)
        rates.append((program_row(settings, seconds)["fps"], usual_fps))
    turns = ", ".join(f"{program_fps:.1f} and {usual_fps:.1f}" for program_fps, usual_fps in rates)
    ratio = statistics.median(program_fps / usual_fps for program_fps, usual_fps in rates)
    print(
        f"\nProgram with everything on, and plain loop with decoder and recorder, in turn: {turns} "
        "fps."
    )
    print(f"The program is {ratio:.1f} times as fast.")


def compare_recordings(settings: Settings, before: Path | None, turns: int, seconds: float) -> None:
    """Print a table of recordings by this checkout and the one in `before`, in turn."""
    versions = [ROOT, *([before.resolve()] if before else [])]
    print(
        "| version | fps | step ms | end to end ms (p95) | cores | CPU ms per composite | "
        "recording |"
    )
    print("|---|---:|---:|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "camera.avi"
        write_clip(clip, int(settings.capture.fps))
        for _ in range(turns):
            for version in versions:
                row = headless(version, clip, settings, seconds)
                latency = row["end_to_end"]
                print(
                    f"| {'this' if version == ROOT else 'before'} | {row['fps']:.1f} | "
                    f"{row['step']:.1f} | {latency['median']:.0f} ({latency['p95']:.0f}) | "
                    f"{row['cores']:.2f} | {row['cpu_ms']:.1f} | {row['recording']} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
