"""Hours of use in minutes: random commands and faults while memory, threads and files are watched.

    python -m benchmarks.soak --frames 200000
    python -m benchmarks.soak --seconds 600 --engine mattecam --json soak.json

The pipeline is the real one. With `--engine fake` source and network are stand-ins that run as fast
as they can, so that many frames go through; any model's name runs that network on the demo view.
Commands of `ctl` come from several threads; the same seed gives each thread the same commands.
Exits with 1 when something grows, a thread is left, a command ends in a defect, or a pixel of the
room reaches an output.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil

from app.core.process import limit_heaps
from app.runtime.context import default_parts
from app.runtime.pipeline import Pipeline
from app.settings import Settings
from benchmarks.soak_commands import CommandMonkey
from benchmarks.soak_files import SoakFiles
from benchmarks.soak_monkey import ROOMS, Monkey, SoakWorld
from models.table import NETWORKS

SAMPLE_EVERY_S = 2.0
ACT_EVERY_S = 0.2
COMMAND_THREADS, COMMAND_PAUSE_S = 3, 1.0
MAX_GROWTH_MB = 40.0
"""Between the medians of the second and the last quarter; caches and the allocator settle in the
first.
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at a moment."""

    at_s: float
    frames: int
    rss_mb: float
    threads: int
    files: int


@dataclass(frozen=True, slots=True)
class Report:
    """What happened."""

    frames: int
    sent: int
    leaks: dict[str, int]
    """Pictures with a pixel of a room, by its source."""
    ended: bool
    """Every thread of the pipeline ended when it was stopped."""
    acts: dict[str, int]
    commands: dict[str, int]
    refused: int
    """Commands that were answered with a reason."""
    before: Sample
    after: Sample
    samples: list[Sample]
    faults: list[str]
    """What is not as it should be, in words; none is a pass."""


def run(frames: int, seconds: float, engine: str, seed: int) -> Report:
    """Soak until so many frames or seconds have passed."""
    world = SoakWorld() if engine == "fake" else None
    process, started_s = psutil.Process(), time.monotonic()
    before = _sample(process, 0.0, 0)
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder:
        parts = default_parts() if world is None else world.parts()
        pipeline = Pipeline(_settings(engine), parts=parts)
        monkey = Monkey(pipeline, world, seed)
        sources, models = (["demo"], [engine]) if world is None else ([*ROOMS], ["auto", *NETWORKS])
        commands = CommandMonkey(pipeline, SoakFiles(Path(folder)), sources, models, seed)
        pipeline.start()
        commands.start(COMMAND_THREADS, COMMAND_PAUSE_S)
        pause, next_sample_s = threading.Event(), 0.0
        while (
            status := pipeline.status()
        ).frames_out < frames and time.monotonic() - started_s < seconds:
            monkey.act()
            pause.wait(ACT_EVERY_S)
            elapsed_s = time.monotonic() - started_s
            if elapsed_s >= next_sample_s:
                next_sample_s = elapsed_s + SAMPLE_EVERY_S
                samples.append(_sample(process, elapsed_s, status.frames_out))
        commands.stop()
        status, ended = pipeline.status(), pipeline.stop()
    gc.collect()
    after = _sample(process, time.monotonic() - started_s, status.frames_out)
    leaks = {} if world is None else dict(world.leaks)
    sent = status.frames_sent if world is None else world.sent
    faults = [
        *_faults(before, after, ended, leaks),
        *dict.fromkeys(commands.defects),
        *growth(samples),
    ]
    acts, done = dict(monkey.acts), dict(commands.commands)
    return Report(
        status.frames_out,
        sent,
        leaks,
        ended,
        acts,
        done,
        commands.refused,
        before,
        after,
        samples,
        faults,
    )


def _settings(engine: str) -> Settings:
    settings = Settings()
    if engine == "fake":
        return settings
    return settings.replace(
        capture=settings.capture.replace(source="demo", width=640, height=480),
        matting=settings.matting.replace(model=engine),
        output=settings.output.replace(virtual_camera="off"),
    )


def _sample(process: psutil.Process, at_s: float, frames: int) -> Sample:
    return Sample(
        round(at_s, 1),
        frames,
        round(process.memory_info().rss / 1e6, 1),
        threading.active_count(),
        process.num_fds(),
    )


def _faults(before: Sample, after: Sample, ended: bool, leaks: dict[str, int]) -> list[str]:
    found = [f"{count} pictures showed the room of {source}" for source, count in leaks.items()]
    if not ended:
        found.append("a thread did not end")
    if after.threads > before.threads:
        found.append(f"{after.threads - before.threads} threads were left")
    return found


def growth(samples: list[Sample]) -> list[str]:
    """Return what grew, in words."""
    quarter = len(samples) // 4
    if quarter < 2:
        return ["too few samples to see growth; run it longer"]
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    grown_mb = _median(late, "rss_mb") - _median(early, "rss_mb")
    found = [f"memory grew by {grown_mb:.0f} MB"] if grown_mb > MAX_GROWTH_MB else []
    return found + [
        f"{what} grew from {_median(early, what):.0f} to {_median(late, what):.0f}"
        for what in ("threads", "files")
        if _median(late, what) > _median(early, what) + 3
    ]


def _median(samples: list[Sample], what: str) -> float:
    return float(np.median([getattr(sample, what) for sample in samples]))


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--engine", default="fake")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    wanted = parser.parse_args()
    limit_heaps()  # as the program does
    report = run(wanted.frames, wanted.seconds, wanted.engine, wanted.seed)
    if wanted.json is not None:
        wanted.json.write_text(json.dumps(asdict(report), indent=2))
    print(f"{'s':>7} {'frames':>9} {'RSS MB':>8} {'threads':>8} {'files':>6}")
    for sample in [*report.samples[:: max(1, len(report.samples) // 12)], report.after]:
        print(
            f"{sample.at_s:7.0f} {sample.frames:9d} {sample.rss_mb:8.1f} {sample.threads:8d} "
            f"{sample.files:6d}"
        )
    print(
        f"seed {wanted.seed}: {report.frames} frames, {report.sent} pictures sent, acts "
        f"{report.acts}"
    )
    total = sum(report.commands.values())
    print(f"{total} commands, {report.refused} of them refused: {report.commands}")
    print("passed" if not report.faults else f"FAILED: {'; '.join(report.faults)}")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
