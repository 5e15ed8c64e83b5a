"""The first start after installation: frame rate of the first seconds, and stalls of the window.

    python -m benchmarks.bench_first_start [--set-up] [--model student] [--seconds 10]

Starts the window over the demo source in a new process with empty folders, so that nothing is compiled or converted.
`--set-up` first runs what run.py runs at set-up, as a user does who starts in a terminal. Prints JSON: the duration of
the set-up, the time from the shown window to the first composite, the frame rate in each second from then on, the
longest gap between two events of the GUI thread, with the CPU time of the thread itself, before and after that moment,
and the functions that the window's process compiled.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from numba.core import event
from PyQt6.QtCore import QEventLoop, QTimer

from app.core.settings import CaptureSettings, MattingSettings, OutputSettings, Settings
from app.gui.shell.application import Session, WindowOptions, make_application
from app.gui.shell.single_instance import SingleInstance
from app.gui.state.log_buffer import LogBuffer

BEAT_MS = 5
PATIENCE_S = 180.0


class Compiled(event.Listener):  # type: ignore[misc]
    """Collects the functions that numba compiles in this process; those of its cache do not count."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def on_start(self, started: event.Event) -> None:
        """Note the function."""
        self.names.append(str(started.data["dispatcher"].__name__))

    def on_end(self, ended: event.Event) -> None:
        """Do nothing."""


class FirstSeconds:
    """Watches a session from `start` on, until some seconds after the first composite."""

    def __init__(self, session: Session, seconds: float) -> None:
        self._session = session
        self._seconds = seconds
        self._started = self._last = (time.perf_counter(), time.thread_time())
        self._beats: list[tuple[float, float, float]] = []
        """(end in seconds since the start, gap, CPU time of the GUI thread within the gap), in seconds"""
        self._frames: list[tuple[float, int]] = []
        """(seconds since the start, composites so far)"""
        self._first_s: float | None = None
        self._loop = QEventLoop()

    def watch(self) -> None:
        """Run the event loop until all is measured."""
        timer = QTimer()
        timer.setInterval(BEAT_MS)
        timer.timeout.connect(self._beat)
        timer.start()
        self._loop.exec()
        timer.stop()

    def result(self) -> dict[str, object]:
        """Return the measurements."""
        assert self._first_s is not None, str(self._session.bridge.status.errors)
        rates = []
        for second in range(int(self._seconds)):
            first, last = (self._composites(self._first_s + second + more) for more in (0, 1))
            rates.append(last - first)
        return {
            "first_composite_s": round(self._first_s, 2),
            "fps": rates,
            "longest_gap_before": self._longest(0, self._first_s),
            "longest_gap_after": self._longest(self._first_s, self._first_s + self._seconds),
        }

    def _beat(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        at_s = now[0] - self._started[0]
        self._beats.append((at_s, now[0] - self._last[0], now[1] - self._last[1]))
        self._last = now
        frames = self._session.pipeline.status().frames_out
        self._frames.append((at_s, frames))
        if self._first_s is None and frames:
            self._first_s = at_s
        if at_s > (PATIENCE_S if self._first_s is None else self._first_s + self._seconds):
            self._loop.quit()

    def _composites(self, at_s: float) -> int:
        return max((frames for time_s, frames in self._frames if time_s <= at_s), default=0)

    def _longest(self, from_s: float, to_s: float) -> dict[str, float]:
        at_s, gap_s, own_s = max((beat for beat in self._beats if from_s < beat[0] <= to_s), key=lambda beat: beat[1])
        return {"ms": round(gap_s * 1000, 1), "own_ms": round(own_s * 1000, 1), "at_s": round(at_s, 2)}


def first_seconds(model: str, seconds: float) -> dict[str, object]:
    """Start the window in this process, measure, and close it."""
    settings = Settings(
        capture=CaptureSettings(source="demo"),
        matting=MattingSettings(model=model),
        output=OutputSettings(virtual_camera="off"),
    )
    session = Session(make_application(), settings, WindowOptions(seconds=3600), SingleInstance(), LogBuffer())
    measured = FirstSeconds(session, seconds)
    compiled = Compiled()
    event.register("numba:compile", compiled)
    session.start()
    try:
        measured.watch()
        return measured.result() | {"compiled": compiled.names}
    finally:
        session.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set-up", action="store_true")
    parser.add_argument("--model", default="student")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--window", action="store_true", help="only start the window, in this process and its folders")
    chosen = parser.parse_args()
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if chosen.window:
        print(json.dumps(first_seconds(chosen.model, chosen.seconds)))
        return
    with tempfile.TemporaryDirectory() as home:
        folders = {f"MATTECAM_{name}_DIR": str(Path(home) / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
        environment = {**os.environ, **folders, "NUMBA_CACHE_DIR": str(Path(home) / "numba")}
        results: dict[str, object] = {}
        if chosen.set_up:
            started_s = time.perf_counter()
            subprocess.run([sys.executable, "-m", "app.matting.preparation.preparation"], env=environment, check=True)
            results["set_up_s"] = round(time.perf_counter() - started_s, 1)
        words = ["--window", "--model", chosen.model, "--seconds", str(chosen.seconds)]
        module = [sys.executable, "-m", "benchmarks.bench_first_start"]
        for name in ("first_start", "second_start"):
            done = subprocess.run([*module, *words], env=environment, stdout=subprocess.PIPE, check=True)
            results[name] = json.loads(done.stdout)
        results["load_average"] = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
