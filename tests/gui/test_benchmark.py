"""The benchmark of the window: what it does is what the window still has."""

from __future__ import annotations

import itertools

from app.gui.application import Session
from benchmarks import bench_gui


def test_every_action_of_the_benchmark_is_one_that_the_window_has(session: Session) -> None:
    """It had stopped at a setting that was gone, and nothing had run it since."""
    assert bench_gui.wait(30, lambda: session.bridge.status.frames_out > 0)
    one_round = itertools.takewhile(
        lambda action: action.func != session.window.strip.library.reload,
        bench_gui.actions(session),
    )
    beat = bench_gui.Heartbeat()

    done = []
    for action in one_round:
        action()
        bench_gui.wait(0.02)
        done.append(action.func.__name__)
    beat.stop()

    assert {"choose", "set_mode", "edit", "set", "resize", "check"} <= set(done)
    assert beat.gaps_ms


def test_the_heartbeat_of_the_benchmark_measures_gaps(session: Session) -> None:
    assert bench_gui.wait(30, lambda: session.bridge.status.frames_out > 0)

    measured = bench_gui.heartbeat(session, 0.5)

    assert measured["seconds"] == 0.5
    assert measured["worst_gap_ms"] != 0
