"""Responsiveness of the window: gaps of the GUI thread, cost of the preview, latency of changes,
start-up time.

    python -m benchmarks.bench_gui [--model M] [--weights F] [--seconds 60]

Prints JSON. The window runs over the demo source while a script uses its controls. A heartbeat on
the GUI thread measures the gaps between event-loop iterations, the preceding action of the script,
and the CPU time of the thread itself; the rest of a gap is preemption. The cost of the preview
compares alternating periods with and without preview in one run. The start-up time is measured in
separate processes, from the end of the imports to the first camera frame in the preview: once
without a cached converted network, and once with it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QEventLoop, QTimer

from app.core.settings import CaptureSettings, MattingSettings, OutputSettings
from app.gui.application import Session, WindowOptions, make_application
from app.gui.bridge import ViewMode
from app.settings import Settings

BEAT_MS, ACTION_MS = 5, 150
LIMIT_MS = 50.0
TURN_S, TURNS = 4.0, 4
COSTLY_RATIO = 0.375
PATIENCE_S = 60.0
TOLERANCE = 60
"""The matte of a small network is not exactly zero in the corner."""


class Heartbeat:
    """A timer on the GUI thread that records each gap and the CPU time of the thread during it."""

    def __init__(self) -> None:
        self.gaps_ms: list[tuple[float, float, str]] = []
        self.doing = ""
        """The last action of the script."""
        self._last = (time.perf_counter(), time.thread_time())
        self._timer = QTimer()
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def stop(self) -> None:
        """Stop the timer."""
        self._timer.stop()

    def _beat(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self.gaps_ms.append(
            ((now[0] - self._last[0]) * 1000, (now[1] - self._last[1]) * 1000, self.doing)
        )
        self._last = now


def wait(seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
    """Run the event loop; return True as soon as `until` returns True."""
    loop = QEventLoop()
    look = QTimer()
    look.setInterval(2)
    look.timeout.connect(lambda: loop.exit(1) if until() else None)
    look.start()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    return loop.exec() == 1


def actions(session: Session) -> Iterator[partial[Any]]:
    """Yield actions of a user, endlessly."""
    window, store = session.window, session.store
    tiles = [tile for tile in window.strip.model.tiles if tile.kind != "none"]  # which asks
    for number in itertools.count():
        yield partial(window.strip.choose, tiles[number % len(tiles)])
        yield partial(session.store.edit, "window", all_settings=number % 2 == 0)
        yield from (
            partial(store.edit, "background", blur_strength=strength)
            for strength in range(0, 100, 20)
        )
        yield from (
            partial(window.action_bar.set_mode, mode) for mode in (*ViewMode, ViewMode.COMPOSITE)
        )
        yield from (
            partial(store.edit, "matting", downsample_ratio=ratio)
            for ratio in (0.25, 0.3, 0.35, None)
        )
        yield from (partial(store.edit, "matting.edges", grow_px=grown) for grown in (-3, 0, 3, 0))
        yield partial(window.resize, 1000 + 60 * (number % 5), 800)
        yield partial(session.store.edit, "window", mirror_preview=number % 2 == 0)
        yield partial(session.store.edit, "window", theme="light" if number % 2 == 0 else "dark")
        yield from (partial(store.edit, "framing", zoom=zoom) for zoom in (1.5, 2.5, 1))
        yield from (partial(store.set, "paused", paused) for paused in (True, False))
        yield partial(window.devices.check)
        yield partial(window.strip.library.reload)


def heartbeat(session: Session, seconds: float) -> dict[str, object]:
    """Run user actions for some seconds and return statistics of the gaps."""
    wait(1)
    beat = Heartbeat()
    todo = actions(session)
    user = QTimer()
    user.setInterval(ACTION_MS)

    def act() -> None:
        action = next(todo)
        beat.doing = " ".join(map(str, (action.func.__name__, *action.args, action.keywords)))[:80]
        action()

    user.timeout.connect(act)
    user.start()
    wait(seconds)
    user.stop()
    beat.stop()
    gaps = sorted(gap for gap, _own, _doing in beat.gaps_ms)
    worst, own = max(beat.gaps_ms), max(beat.gaps_ms, key=lambda gap: gap[1])
    return {
        "seconds": seconds,
        "worst_gap_ms": round(gaps[-1], 1),
        "p99_gap_ms": round(gaps[int(len(gaps) * 0.99)], 1),
        "worst_after": worst[2],
        "gaps_over_50_ms": [
            f"{gap:.0f} ms, {own:.0f} of its own, after {doing}"
            for gap, own, doing in beat.gaps_ms
            if gap > LIMIT_MS
        ],
        "worst_own_ms": round(own[1], 1),
        "worst_own_after": own[2],
    }


def preview_cost(session: Session) -> dict[str, float]:
    """Return the frame rate with and without preview, measured alternately at a fixed ratio that
    loads the CPU.
    """
    fps: dict[bool, list[float]] = {True: [], False: []}
    session.store.edit(
        "matting", governor=False, executor="openvino", downsample_ratio=COSTLY_RATIO
    )
    assert wait(PATIENCE_S, partial(_uses_ratio, session, COSTLY_RATIO))
    wait(TURN_S)
    for turn in range(2 * TURNS):
        shown = turn % 2 == 0
        session.window.setVisible(shown)
        wait(0.5)
        frames, started_s = session.bridge.status.frames_out, time.perf_counter()
        wait(TURN_S)
        fps[shown].append(
            (session.bridge.status.frames_out - frames) / (time.perf_counter() - started_s)
        )
    session.window.show()
    with_preview, without = statistics.median(fps[True]), statistics.median(fps[False])
    return {
        "fps_with_preview": round(with_preview, 2),
        "fps_without": round(without, 2),
        "cost_percent": round(100 * (1 - with_preview / without), 1),
    }


def reaction(session: Session) -> dict[str, float]:
    """Return the latency of a new background in frames and of a new ratio in seconds."""
    frames = []
    for number, colour in enumerate(((0, 0, 255), (255, 0, 0), (0, 255, 0))):
        before = session.bridge.status.frames_out
        session.store.edit(
            "background", kind="colour", colour="#{2:02x}{1:02x}{0:02x}".format(*colour)
        )

        def seen(colour: tuple[int, int, int] = colour) -> bool:
            picture = session.bridge.picture
            corner = (0, 0, 0) if picture is None else picture.image[2, 2].tolist()
            return all(
                abs(shown - wanted) < TOLERANCE
                for shown, wanted in zip(corner, colour, strict=True)
            )

        assert wait(PATIENCE_S, seen), f"background {number} never came"
        frames.append(session.bridge.status.frames_out - before)
    seconds = []
    for ratio in (0.3, 0.2, 0.35, 0.25, 0.4):
        started_s = time.perf_counter()
        session.store.edit("matting", downsample_ratio=ratio)
        assert wait(PATIENCE_S, partial(_uses_ratio, session, ratio)), f"ratio {ratio} never came"
        seconds.append(time.perf_counter() - started_s)
    return {
        "background_frames": max(frames),
        "ratio_s": round(statistics.median(seconds), 2),
        "slowest_ratio_s": round(max(seconds), 2),
    }


def _uses_ratio(session: Session, ratio: float) -> bool:
    engine = session.bridge.status.engine
    return engine is not None and abs(engine.downsample_ratio - ratio) < 1e-6


def first_picture_s(settings: Settings) -> float:
    """Return the time from now, after the imports, to the first camera frame in the preview."""
    app = make_application()
    started_s = time.perf_counter()
    session = Session(app, settings, WindowOptions(seconds=3600))
    session.start()
    try:
        # the first picture in the preview is the stand-by card
        assert wait(PATIENCE_S, lambda: shows_camera(session)), str(session.bridge.status.errors)
        return time.perf_counter() - started_s
    finally:
        session.close()


def shows_camera(session: Session) -> bool:
    """Return whether the preview has rendered a picture with a frame."""
    picture = session.bridge.picture
    return (
        session.window.preview.image is not None
        and picture is not None
        and picture.frame is not None
    )


def start_s(chosen: argparse.Namespace) -> float:
    """Run `first_picture_s` in a new process."""
    words = [
        "--model",
        chosen.model,
        *(["--weights", str(chosen.weights)] if chosen.weights else []),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_gui", "--start-only", *words],
        stdout=subprocess.PIPE,
        check=True,
    )
    return round(float(done.stdout), 2)


def measure(settings: Settings, chosen: argparse.Namespace) -> dict[str, object]:
    """Run all measurements."""
    starts = {"first_start_s": start_s(chosen), "start_s": start_s(chosen)}
    session = Session(make_application(), settings, WindowOptions(seconds=3600))
    session.start()
    try:
        assert wait(PATIENCE_S, lambda: session.bridge.status.frames_out > 5), str(
            session.bridge.status.errors
        )
        return {
            **starts,
            "reaction": reaction(session),
            "heartbeat": heartbeat(session, chosen.seconds),
            "preview": preview_cost(session),
            "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        }
    finally:
        session.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="auto")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--start-only", action="store_true", help="only print the seconds to the first picture"
    )
    chosen = parser.parse_args()
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    settings = Settings(
        capture=CaptureSettings(source="demo"),
        matting=MattingSettings(model=chosen.model, weights=chosen.weights),
        output=OutputSettings(virtual_camera="off"),
    )
    if chosen.start_only:
        print(first_picture_s(settings))
        return
    with tempfile.TemporaryDirectory() as home:
        for name in ("CONFIG", "DATA", "RUNTIME"):
            os.environ[f"MATTECAM_{name}_DIR"] = str(Path(home) / name.lower())
        print(json.dumps(measure(settings, chosen), indent=2))


if __name__ == "__main__":
    main()
