"""Measure films on this machine: one after the other, worker processes and Ray; equal bits, and memory of the workers.

    python -m benchmarks.bench_films CLIP... [--rounds 2] [--rows jobs-1 jobs-2 ray-1 ray-2]
    python -m benchmarks.bench_films CLIP... --copies 60 --frames 12 --rows jobs-2 ray-2

Every row converts all clips into an empty folder, with `convert_batch` as `run.py convert` uses it. The rate counts
from the first frame of the batch to its end; the time also counts the start of workers. All hashes are compared with
those of the first row. `--copies N` repeats the clips under other names until there are N, `--frames` shortens them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import av
import psutil

from app.core.settings import BackgroundSettings, Settings
from app.offline.batch.base import Workers
from app.offline.batch.cluster import LOCAL, RayWorkers
from app.offline.batch.manifest import MANIFEST, last_records
from app.offline.batch.plan import plan_jobs
from app.offline.batch.pool import Pool
from app.offline.batch.run import Event
from app.offline.batch.session import convert_batch

ROWS = ("jobs-1", "jobs-2", "ray-1", "ray-2")
SAMPLE_S = 0.25


@dataclass
class Row:
    """Figures of one run of a row."""

    name: str
    seconds: float = 0.0
    frames: int = 0
    rate_hz: float = 0.0
    hashes: dict[str, str | None] = field(default_factory=dict)
    memory_mb: list[float] = field(default_factory=list)
    """The largest worker's memory when each clip ended."""


class Memory:
    """Samples the memory of the largest descendant of this process on a thread."""

    def __init__(self) -> None:
        self.largest_mb = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory")
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        own = psutil.Process()
        while not self._stop.wait(SAMPLE_S):
            sizes = [0.0]
            for child in own.children(recursive=True):
                with suppress(psutil.Error):
                    sizes.append(child.memory_info().rss / 1e6)
            self.largest_mb = max(sizes)


def workers_of(row: str) -> Workers:
    """Return the workers that a row names, such as `jobs-2` or `ray-1`."""
    kind, _, count = row.partition("-")
    return Pool(int(count)) if kind == "jobs" else RayWorkers(LOCAL, int(count))


def measure(row: str, clips: Sequence[Path], folder: Path) -> Row:
    """Convert the clips once."""
    settings = Settings(background=BackgroundSettings(kind="colour"))
    jobs = plan_jobs([str(clip) for clip in clips], str(folder), settings, alpha=None, foreground=None)
    figures, memory = Row(row), Memory()
    first_s = 0.0

    def note(event: Event) -> None:
        nonlocal first_s
        if event.state == "progress" and event.frames and not first_s:  # Ray also reports tasks that begin
            first_s = time.perf_counter()
        if event.state == "failed":
            raise SystemExit(f"{event.file}: {event.error}")
        if event.state == "done":
            figures.memory_mb.append(memory.largest_mb)

    started_s = time.perf_counter()
    try:
        convert_batch(jobs, str(folder), lambda: workers_of(row), tell=note)
    finally:
        memory.close()
    ended_s = time.perf_counter()
    records = last_records(folder / MANIFEST)
    figures.hashes = {Path(record.file).name: record.sha256 for record in records.values()}
    figures.frames = sum(record.frames for record in records.values())
    figures.seconds = ended_s - started_s
    figures.rate_hz = figures.frames / (ended_s - first_s)
    return figures


def shortened(clip: Path, folder: Path, name: str, frames: int | None) -> Path:
    """Return a copy of the clip's first frames, without encoding them again; a link to the clip for None."""
    target = folder / name
    if frames is None:
        target.symlink_to(clip.resolve())
        return target
    with av.open(str(clip)) as source, av.open(str(target), "w") as copy:
        video = source.streams.video[0]
        stream = copy.add_stream_from_template(video)
        for number, packet in enumerate(source.demux(video)):
            if number == frames or not packet.size:
                break
            packet.stream = stream
            copy.mux(packet)
    return target


def main() -> None:
    """Measure the rows in turn, round by round, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--copies", type=int)
    parser.add_argument("--frames", type=int)
    parser.add_argument("--json", action="store_true", help="also print the figures of every run")
    options = parser.parse_args()
    runs: list[Row] = []
    with tempfile.TemporaryDirectory() as home:
        given = options.clips * -(-(options.copies or 1) // len(options.clips))
        given = given[: options.copies] if options.copies else options.clips
        clips_folder = Path(home) / "clips"
        clips_folder.mkdir()
        clips = [
            shortened(clip, clips_folder, f"{number:03}-{clip.name}", options.frames)
            for number, clip in enumerate(given)
        ]
        for turn in range(options.rounds):
            for row in options.rows:
                runs.append(measure(row, clips, Path(home) / f"{row}-{turn}"))
                if options.json:
                    print(json.dumps({**vars(runs[-1]), "hashes": None}), flush=True)
    print_table(runs, options.rows)


def print_table(runs: Sequence[Row], rows: Sequence[str]) -> None:
    """Print medians per row; the ratio is that of rates to the first row's."""
    by_row = {name: [run for run in runs if run.name == name] for name in rows}
    base_hz = statistics.median(run.rate_hz for run in by_row[rows[0]])
    print(
        f"{len(runs[0].hashes)} clips, {runs[0].frames} frames; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"{'row':8}{'seconds':>9}{'fps':>8}{'ratio':>7}{'bits':>11}  largest worker, MB after clip 1, 5, half, all")
    for name, measured in by_row.items():
        rate_hz = statistics.median(run.rate_hz for run in measured)
        seconds = statistics.median(run.seconds for run in measured)
        same = all(run.hashes == runs[0].hashes for run in measured)
        sizes = measured[-1].memory_mb
        marks = [sizes[min(index, len(sizes) - 1)] for index in (0, 4, len(sizes) // 2, len(sizes) - 1)]
        print(
            f"{name:8}{seconds:9.1f}{rate_hz:8.1f}{rate_hz / base_hz:7.2f}{'equal' if same else 'DIFFERENT':>11}  "
            + ", ".join(f"{size:.0f}" for size in marks)
        )


if __name__ == "__main__":
    main()
