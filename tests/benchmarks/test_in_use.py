"""The benchmark of the program in use, and the soak: its commands, its files, and a short run."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app.control.commands import parse_words
from app.core.errors import MattecamError, ModelError
from app.core.settings import CaptureSettings, MattingSettings
from app.runtime.context import Timing
from app.runtime.pipeline import Pipeline
from app.settings import Settings
from benchmarks import soak
from benchmarks.in_use import child, program, run
from benchmarks.in_use.camera_like import CameraLikeSource, camera_frames
from benchmarks.in_use.cpu import PARTS, CpuSample, ThreadTime, cpu_ms, cpu_part, cpu_parts_s
from benchmarks.in_use.report import table
from benchmarks.in_use.run import in_use, merged
from benchmarks.soak_commands import CommandMonkey
from benchmarks.soak_files import SoakFiles
from benchmarks.soak_monkey import ROOMS, SoakWorld, rooms_in
from mattecam.testing import FakeClock, room_picture

SMALL = Settings(
    capture=CaptureSettings(width=192, height=144, fps=30),
    matting=MattingSettings(model="mattecam", device="cpu", downsample_ratio=0.5),
)


def test_a_thread_that_has_ended_leaves_no_times() -> None:
    """Every engine and recording has threads of its own: their times stayed, and were those of a new thread's id."""

    def work() -> None:
        with cpu_part("a short thread"):
            pass
        assert any(part == "a short thread" for _, part in cpu_parts_s())

    for _ in range(20):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert not [part for _, part in cpu_parts_s() if part == "a short thread"]


def test_the_source_delivers_decoded_frames_at_its_rate_and_counts_missed_ones() -> None:
    clock = FakeClock()

    def wait(seconds: float) -> None:
        clock.now_s += seconds

    source = CameraLikeSource(camera_frames(64, 48, 30, 4), 64, 48, 100.0, clock, wait)
    assert source.is_live, "a paused program would decode its frames"
    read = [frame for frame in (source.read() for _ in range(12)) if frame is not None]
    assert {frame.image.shape for frame in read} == {(48, 64, 3)}
    assert [frame.captured_at_s for frame in read] == pytest.approx(
        [frame.index / 100 for frame in read]
    )
    assert source.missed == 0
    clock.now_s += 0.105
    late = source.read()
    assert late is not None and late.index == read[-1].index + 10
    assert source.missed == 9
    source.close()


def test_cpu_time_is_divided_by_thread_and_section_and_sums_up() -> None:
    kinds = (
        ("capture", False),
        ("matting", False),
        ("matting", True),
        ("virtual-camera", False),
    )  # True: native

    def at(second: float, *cpu_s: float) -> CpuSample:
        threads = {number: ThreadTime(*kind, cpu_s[number]) for number, kind in enumerate(kinds)}
        return CpuSample(second, sum(cpu_s), threads, {(1, "network"): cpu_s[1] / 2})

    before = at(0, 1, 2, 3, 4)
    after = at(1, 2, 4, 6, 8.5)
    spent = cpu_ms(before, after, 100)
    assert spent["capture"] == 10 and spent["camera"] == 45
    assert spent["network"] == 30 + 10 and spent["finish"] == 20 - 10
    assert spent["total"] == pytest.approx(sum(spent[part] for part in PARTS)) == 105


@pytest.mark.long
@pytest.mark.usefixtures("qapp")
def test_every_field_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "rows_of_child", child.measure)  # in this process, and quickly
    monkeypatch.setattr(run, "SHORTEST_S", 0.1)
    monkeypatch.setattr(child, "SHORTEST_IDLE_S", 0.1)
    monkeypatch.setattr(program, "TIMING", Timing(demand_linger_s=0.1))
    for name, value in {"WARM_UP_FRAMES": 3, "WARM_UP_S": 0.0, "SETTLE_S": 0.0}.items():
        monkeypatch.setattr(program, name, value)
    phases = [("preview", "camera", "recording")]
    result = json.loads(json.dumps(in_use(SMALL, 4.0, phases=phases)))
    (row,) = (row for row in result["results"] if row["what"] == "in-use")
    assert row["outputs"] == ["preview", "camera", "recording"]
    assert row["fps"] > 0 and row["dropped"] >= 0
    assert row["end_to_end_ms"]["p95"] >= row["end_to_end_ms"]["median"] > 0
    assert row["step_ms"] > 0 and row["step_alone_ms"] > 0
    spent = row["cpu_ms_per_frame"]
    parts = ("capture", "network", "finish", "convert", "camera", "encode", "preview", "gui")
    assert all(spent[part] > 0 for part in (*parts, "total")), spent
    assert row["gui_stall_ms"]["longest"] > 0
    idle = {row["what"]: row["cpu_percent"] for row in result["results"] if "cpu_percent" in row}
    assert set(idle) == {"resting", "paused"} and all(percent >= 0 for percent in idle.values())
    assert {"model": "mattecam", "size": [192, 144], "downsample_ratio": 0.5}.items() <= row.items()
    threads = {"matting": 15.04, "timer": 0.01}
    rows = [
        row | {"outputs": ["preview", "camera"], "fps": 30.0},
        row | {"fps": 27.0, "threads": threads},
    ]
    lines = table({"results": [*rows, *result["results"]]}).splitlines()
    assert any(line.startswith("| preview + camera + recording | 27.0 |") for line in lines)
    assert "| matting | 15.0 |" in lines and not any(line.startswith("| timer") for line in lines)
    assert any(
        line.startswith("Frame rate with the recording") and line.endswith(" 0.90.")
        for line in lines
    )
    assert any("Resting (camera)" in line for line in lines)


def camera_row(
    fps: float, dropped: int, stall: dict[str, float] | None, **more: object
) -> dict[str, object]:
    return {
        "outputs": ["camera"],
        "fps": fps,
        "dropped": dropped,
        "gui_stall_ms": stall,
        "lowered": None,
        **more,
    }


def test_rounds_are_merged_into_one_row() -> None:
    first = camera_row(20.0, 2, {"p99": 8.0, "longest": 90.0}, lowered="to 20")
    second = camera_row(29.0, 1, {"p99": 9.0, "longest": 10.0})
    third = camera_row(30.0, 0, None, threads={"a": 1.5})
    every = camera_row(29.0, 3, {"p99": 8.5, "longest": 90.0}, lowered="to 20", threads={"a": 1.5})

    assert merged([first, second, third]) == every
    assert merged([third]) == third


def test_a_process_that_fails_is_reported_in_one_sentence() -> None:
    chosen = run.fixed(SMALL, "mattecam")
    broken = chosen.replace(matting=chosen.matting.replace(device="mps"))

    with pytest.raises(ModelError) as caught:
        in_use(broken, 1.0, phases=[()])

    assert "\n" not in str(caught.value)
    assert "Error" not in str(caught.value), "the name of an exception tells the user nothing"


def test_commands_follow_from_the_seed_and_ask_for_no_room(tmp_path: Path) -> None:
    pipeline = Pipeline(Settings(), parts=SoakWorld().parts())
    monkey = CommandMonkey(pipeline, SoakFiles(tmp_path), [*ROOMS], ["auto"], seed=1)
    first, second = (
        [monkey.words(dice) for _ in range(2000)]
        for dice in (random.Random("1-0"), random.Random("1-0"))
    )
    names = {words[0] for words in first}
    assert {"background", "scene", "set", "record", "pause"} <= names
    assert any(words[:2] == ["set", "people.zones"] for words in first)
    assert [words[0] for words in first] == [words[0] for words in second]
    for words in first:
        assert words[:2] not in (["background", "none"], ["set", "background.kind"])
        try:
            parse_words(words)
        except MattecamError:
            assert words[0] in ("set", "reset")


def test_a_room_is_found_by_its_colour() -> None:
    image = room_picture()
    assert rooms_in(image) == ["camera:0"]
    image[3, 4] = ROOMS["camera:2"]
    assert rooms_in(image) == ["camera:0", "camera:2"]
    assert rooms_in(np.zeros_like(image)) == []


@pytest.mark.slow
@pytest.mark.error_logs
@pytest.mark.timeout(300)
def test_random_commands_and_faults_show_no_room() -> None:
    seed = time.time_ns() % 10_000
    report = soak.run(10**9, 20.0, "fake", seed)
    again = f"repeat with: python -m benchmarks.soak --seconds 20 --seed {seed}"
    assert sum(report.commands.values()) > 20, again
    assert not report.leaks, again
    assert report.ended, again
    grown = ("memory grew", "threads grew", "files grew", "too few samples")
    assert not [fault for fault in report.faults if not fault.startswith(grown)], again
