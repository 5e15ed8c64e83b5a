"""Threads and the newest-value slot between them, the status, and a watchdog that names whichever dies or hangs."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import MattecamError, SourceOpenError, Stage, t
from app.core.files import is_stream
from app.core.settings import BackgroundSettings, CaptureSettings
from app.core.types import PictureKind
from app.core.worker import Builder, Built, LatestSlot, SlotClosed, Worker
from app.privacy.gate import Gate
from app.runtime.backdrops import StandbyPictures
from app.runtime.context import PipelineContext, Timing
from app.runtime.pipeline import Pipeline, Watchdog
from app.runtime.status import (
    MAX_REMEMBERED_LINES,
    Latency,
    Meter,
    Phase,
    PipelineStatus,
    RepeatedLines,
    StatusBoard,
    write_status,
)
from app.settings import Settings, SettingsOwner
from mattecam.testing import FakeClock, FakeEngine
from tests.fakes.states import has_problems, records
from tests.fakes.world import (
    BASE,
    FakeRecorder,
    FakeWorld,
    Hold,
    apply,
    composites,
    ignore,
    live,
    running,
    with_wall,
)
from tests.waiting import eventually, eventually_is, no_longer

TIMING = Timing(watchdog_s=0.02, stale_s=0.3, demand_poll_s=0.02)


def die() -> None:
    raise SystemExit("made to die")


def only_cards_from_now_on(world: FakeWorld) -> None:
    sent = len(world.pictures()) + 5  # some may be on their way
    eventually(world.has_sent, sent + 5)
    assert {picture.kind for picture in world.pictures()[sent:]} == {PictureKind.STANDBY}


def names_the_thread(pipeline: Pipeline, name: str, stage: Stage) -> bool:
    problems = pipeline.status().problems
    return any(
        problem.stage is stage and f"The {name} thread " in problem.message for problem in problems
    )


@pytest.mark.parametrize("how", ["dies", "stalls"])
def test_without_the_output_clock_the_watchdog_sends_the_card_until_it_goes_on(
    how: str,
    world: FakeWorld,
) -> None:
    hang = Hold()
    with live(world, BASE, TIMING) as pipeline:
        suffer = die if how == "dies" else hang

        def suffer_on_the_clock() -> None:
            if threading.current_thread().name == "output-clock":
                suffer()

        pipeline.listen(suffer_on_the_clock)
        eventually(names_the_thread, pipeline, "output-clock", Stage.OUTPUT)
        only_cards_from_now_on(world)
        if how == "stalls":
            hang.go_on.set()
            no_longer(has_problems, pipeline)
            composites(pipeline)
            eventually(world.shows, PictureKind.COMPOSITE)


def problems_at_each_check(checks: int, clock: Worker, *watched: Worker) -> tuple[list[int], int]:
    """Let a watchdog check so often; return the number of problems before each check and at last, and that of cards."""
    context = PipelineContext(SettingsOwner(BASE), FakeWorld().parts(), TIMING)
    gate = Gate(context.owner, StandbyPictures(context.board).card)
    output = Mock(thread=clock)
    watchdog = Watchdog(context, gate, output, *watched)
    stop = threading.Event()
    found = list[int]()

    def next_check(timeout: float | None = None) -> bool:
        found.append(len(context.board.read().problems))
        return len(found) > checks

    stop.wait = next_check  # type: ignore[method-assign]
    watchdog.run(stop)
    return found, output.send_card.call_count


def test_a_program_that_was_stopped_reports_no_thread() -> None:
    """SIGSTOP stops the watchdog as well, which may be the first to go on."""
    answers = iter([t("late"), None, t("late"), t("late"), None] * 2)
    late = Worker("late", ignore, Stage.CAPTURE)
    late.overdue_call = partial(next, answers)  # type: ignore[method-assign]
    seen = [0, 0, 0, 0, 1, 0]

    assert problems_at_each_check(5, late) == (seen, 3), (
        "in place of the clock the card leaves all the same"
    )
    assert problems_at_each_check(5, Worker("output-clock", ignore), late) == (seen, 0)


def test_the_log_names_a_dead_thread_and_its_error_once(caplog: pytest.LogCaptureFixture) -> None:
    """It had the traceback ten times a second until the program ended."""

    def fail(_stop: object) -> None:
        die()

    camera = Worker("capture", fail, Stage.CAPTURE)
    returned = Worker("returned", ignore)
    stopped = Worker("stopped", ignore)
    stopped.request_stop()
    for worker in (camera, returned, stopped):
        assert not worker.died, "it was not started yet"
        worker.start()
        assert worker.join(60)
    assert (camera.died, returned.died, stopped.died) == (True, True, False), (
        "dead is what was not asked to end"
    )
    assert problems_at_each_check(3, Worker("output-clock", ignore), camera) == ([0, 1, 1, 1], 0)
    ended, named = caplog.messages
    assert ended == "The capture thread ended with an error." and named.startswith(
        "The capture thread "
    )


@pytest.mark.parametrize(
    ("thread", "fault", "stage"),
    [
        ("capture", "read", Stage.CAPTURE),
        ("matting", "step", Stage.MATTING),
        ("virtual-camera", "virtual_camera", Stage.VIRTUAL_CAMERA),
        ("recording", "recorder", Stage.RECORDING),
        ("engine-builder", "build_engine", Stage.MATTING),
        ("background-opener", "open_background", Stage.BACKGROUND),
        ("demand", "count_readers", Stage.VIRTUAL_CAMERA),
    ],
)
def test_a_thread_that_dies_is_named(
    thread: str,
    fault: str,
    stage: Stage,
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    makes_pictures = thread in ("capture", "matting")
    record = None if makes_pictures else tmp_path / "a.mp4"
    with live(world, BASE.replaced_at(["output"], record=record), TIMING) as pipeline:
        eventually_is(not makes_pictures, records, pipeline)
        world.faults.put(fault, die)
        changed = pipeline.settings.replaced_at(["matting"], model="mattecam")
        apply(pipeline, changed.replace(background=with_wall(tmp_path).background))
        eventually(names_the_thread, pipeline, thread, stage)
        if makes_pictures:
            only_cards_from_now_on(world)
            assert pipeline.status().phase is Phase.WAITING
        else:
            composites(pipeline)
        world.faults.heal()


@pytest.mark.error_logs
@pytest.mark.parametrize("part", ["preparation", "watchdog", "preview"])
def test_the_end_finishes_recordings_whatever_else_fails(
    part: str, tmp_path: Path, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Mock(side_effect=PermissionError("refused"))
    preparation = Mock(progress=None, cancel=refused if part == "preparation" else Mock())
    file = tmp_path / "a.mp4"
    settings = BASE.replace(output=BASE.output.replace(record=file))
    pipeline = Pipeline(settings, parts=replace(world.parts(), preparation=preparation))
    if part == "preview":
        monkeypatch.setattr(pipeline.preview, "close", refused)
    elif part == "watchdog":
        watchdog = pipeline._watchdog.thread  # noqa: SLF001
        stop = watchdog.stop

        def stop_and_fail(limit_s: float) -> None:
            stop(limit_s)
            refused()

        monkeypatch.setattr(watchdog, "stop", stop_and_fail)
    pipeline.start()
    eventually(has_recorded, world)

    succeeded = pipeline.stop()

    assert not succeeded
    assert file.exists()
    assert FakeEngine.live == 0
    assert pipeline.status().phase is Phase.STOPPED


def test_the_log_names_the_thread_that_does_not_end_and_its_call(
    world: FakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    hang = Hold()
    pipeline = Pipeline(BASE, parts=world.parts(), timing=TIMING)
    pipeline.listen(hang)
    pipeline.start()
    assert hang.entered.wait(60)

    ended = pipeline.stop(timeout_s=0.1)
    hang.go_on.set()

    assert not ended
    assert "The output-clock thread did not end in time" in caplog.text
    assert "self.go_on.wait" in caplog.text
    assert pipeline._clock.thread.join(60)  # noqa: SLF001


def test_the_death_of_the_watchdog_is_seen_by_the_status(world: FakeWorld) -> None:
    with running(world, BASE, TIMING) as pipeline:
        broken = Worker("broken", ignore)
        broken.overdue_call = die  # type: ignore[method-assign]
        pipeline.watch(broken)
        eventually(names_the_thread, pipeline, "watchdog", Stage.OUTPUT)


WALL = BASE.replace(background=BackgroundSettings(kind="image", path=Path("share/wall.png")))
PORTAL = BASE.replace(capture=CaptureSettings(source="portal"))


@pytest.mark.parametrize(
    ("call", "settings", "stage", "message"),
    [
        ("read", BASE, Stage.CAPTURE, "fake does not respond; reconnect it"),
        ("step", BASE, Stage.MATTING, "The model does not respond on cpu; start the program again"),
        (
            "virtual_camera",
            BASE,
            Stage.VIRTUAL_CAMERA,
            "virtual_camera does not respond; close the programs that use",
        ),
        ("open_source", BASE, Stage.CAPTURE, "The source fake does not open; reconnect it"),
        ("open_source", PORTAL, Stage.CAPTURE, None),
        (
            "open_background",
            WALL,
            Stage.BACKGROUND,
            f"The background {WALL.background.path} does not open; reconnect its disk",
        ),
        (
            "open_virtual_camera",
            BASE,
            Stage.VIRTUAL_CAMERA,
            "The output virtual camera does not open; close the",
        ),
        ("load", BASE, Stage.VIRTUAL_CAMERA, None),
    ],
)
def test_a_call_that_hangs_is_named_until_it_goes_on_unless_no_device_is_waited_for(
    call: str, settings: Settings, stage: Stage, message: str | None, world: FakeWorld
) -> None:
    """The desktop asks the user for a portal's camera; what packs the frames of a camera is loaded on its thread."""
    hang = Hold()

    def named() -> bool:
        problems = [found.message for found in pipeline.status().problems if found.stage is stage]
        return bool(problems) and (message is None or problems[0].startswith(message))

    opens = call.startswith("open_") or call == "load"
    if opens:
        world.faults.put(call, hang)
    with running(
        world, settings, replace(TIMING, hang_s=0.2, step_hang_s=0.2, open_hang_s=0.2)
    ) as pipeline:
        if not opens:
            composites(pipeline)
            world.faults.put(call, hang)
        assert hang.entered.wait(60)
        if message is None:
            time.sleep(0.5)
            assert not named()
        else:
            eventually(named)
        hang.go_on.set()
        no_longer(named)


@given(st.lists(st.integers(), min_size=1))
def test_a_slot_keeps_the_newest_counts_the_rest_as_dropped_and_gives_it_after_it_was_closed(
    values: list[int],
) -> None:
    slot: LatestSlot[int] = LatestSlot()
    assert slot.get(0) is None
    for value in values:
        slot.put(value)
    slot.close()
    slot.put(0)  # too late
    assert (slot.get(), slot.dropped) == (values[-1], len(values) - 1)
    with pytest.raises(SlotClosed):
        slot.get()


def is_busy(builder: Builder[int, int]) -> bool:
    return builder.busy


def has_outcome(builder: Builder[int, int]) -> bool:
    return builder.outcome is not None


def waits_for_a_thread(builder: Builder[int, int]) -> bool:
    """Whether a request is pending, and the thread of the one before still runs."""
    return builder.pending and not builder.busy


def has_recorded(world: FakeWorld) -> bool:
    return any(sink.pictures for sink in world.sinks if isinstance(sink, FakeRecorder))


@contextmanager
def building(
    build: Callable[[int], int],
    discard: Callable[[int], None],
) -> Iterator[Builder[int, int]]:
    builder = Builder("builder", build, discard)
    builder.start()
    yield builder
    assert builder.stop(60)


def test_the_newest_request_wins_and_no_error_of_build_or_discard_ends_the_building() -> None:
    begun = threading.Event()
    gate = threading.Event()
    discarded = list[int]()

    def build(key: int) -> int:
        begun.set()
        gate.wait(60)
        assert builder.busy, "until the newest is built"
        return 10 // key

    def discard(value: int) -> None:
        discarded.append(value)
        raise OSError("the device is gone")

    with building(build, discard) as builder:
        builder.request(1)
        assert begun.wait(60)
        for key in (2, 3, 4):
            builder.request(key)
        assert builder.busy
        assert builder.take_outcome() is None
        gate.set()
        no_longer(is_busy, builder)
        assert builder.take_outcome() == Built(4, 2, None)
        builder.retire(7)
        builder.request(0)
        no_longer(is_busy, builder)
        failed = builder.take_outcome()
        assert failed is not None and isinstance(failed.error, ZeroDivisionError)
        builder.request(5)
        eventually_is(Built(5, 2, None), builder.take_outcome)
    assert discarded == [10, 7]


def test_what_is_retired_is_discarded_with_its_memory_before_the_next_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    happened: list[str] = []
    monkeypatch.setattr(
        "app.core.worker.return_free_memory",
        partial(happened.append, "memory returned"),
    )

    def build(key: int) -> int:
        happened.append(f"built {key}")
        return key

    def discard(value: int) -> None:
        happened.append(f"discarded {value} on {threading.current_thread().name}")
        if value == 1:
            builder.retire(2)
            builder.request(3)

    with building(build, discard) as builder:
        builder.retire(1)
        eventually(has_outcome, builder)
        first, second = ([f"discarded {value} on builder", "memory returned"] for value in (1, 2))
        assert happened == [*first, *second, "built 3"]
    builder.retire(4)
    assert builder.join(60)
    late = [what.split(" on ")[0] for what in happened[5:] if what != "memory returned"]
    assert late == ["discarded 3", "discarded 4"], "what nobody took, and what came too late"


def test_what_is_withdrawn_is_not_waited_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its disk may stand still."""
    begun = threading.Event()
    answers = threading.Event()
    built: list[int] = []

    def wait_for_the_disk(_file: Path) -> None:
        begun.set()
        assert answers.wait(60)

    def discard(_value: int) -> None:
        """Nothing is held."""

    monkeypatch.setattr("app.core.worker.touch", wait_for_the_disk)

    def build(key: int) -> int:
        if key == 1:
            builder.reach(tmp_path / "film.mp4", begun.set)
        built.append(key)
        return key

    with building(build, discard) as builder:
        builder.request(1)
        assert begun.wait(60)
        builder.withdraw()
        assert not builder.pending

        builder.request(2)

        eventually(waits_for_a_thread, builder)
        assert built == [2]
        answers.set()


def test_a_part_of_a_stage_has_one_problem_and_the_log_says_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "app.runtime.status")
    board = StatusBoard()
    for problem, part, still_open in (
        (SourceOpenError("The film is damaged."), "film", ["The film is damaged."]),
        ("The picture is missing.", "card", ["The film is damaged.", "The picture is missing."]),
        ("The picture is missing.", "card", ["The film is damaged.", "The picture is missing."]),
        (None, "card", ["The film is damaged."]),
        (None, "card", ["The film is damaged."]),
        ("The film is gone.", "film", ["The film is gone."]),
        (None, None, ["The film is gone."]),
        (None, "film", []),
    ):
        board.report(Stage.BACKGROUND, problem, part)
        assert [each.message for each in board.read().problems] == still_open
    errors = "The film is damaged.", "The picture is missing.", "The film is gone."
    assert board.read().errors == errors
    over = [f"Over: {errors[1]}", f"Over: {errors[2]}"]
    assert caplog.messages == [*errors[:2], over[0], errors[2], over[1]]


def test_a_line_that_comes_again_and_again_is_written_once_a_minute_with_a_count() -> None:
    clock = FakeClock(100.0)
    lines = RepeatedLines(clock)
    written = []
    for _ in range(130):
        written += [lines.to_write("The camera delivers no frames."), lines.to_write("Opened.")]
        clock.now_s += 1.0
    other = lines.to_write("The camera is disconnected.")

    assert other == "The camera is disconnected."
    assert [line for line in written if line is not None] == [
        "The camera delivers no frames.",
        "Opened.",
        "The camera delivers no frames. (and 59 times since this line was last written)",
        "Opened. (and 59 times since this line was last written)",
        "The camera delivers no frames. (and 59 times since this line was last written)",
        "Opened. (and 59 times since this line was last written)",
    ]


def test_lines_that_always_differ_are_written_and_forgotten() -> None:
    lines = RepeatedLines(FakeClock())
    texts = [f"Frame {number} is damaged." for number in range(MAX_REMEMBERED_LINES + 1)]

    assert [lines.to_write(text) for text in texts] == texts

    assert lines.to_write(texts[-1]) is None
    assert lines.to_write(texts[0]) == texts[0]


def test_the_problems_of_a_long_run_have_a_limit_and_the_log_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The status grew until no client got it any more."""
    board = StatusBoard()
    for number in range(300):
        board.report(Stage.CAPTURE, f"The camera {number} failed: {'x' * 2000}.")

    board.report(Stage.CAPTURE, "The last one.")

    status = board.read()
    assert len(status.errors) == 25 and status.errors[0].startswith("The camera 0 failed")
    assert status.errors[-1] == "There were further problems; the log has them."
    assert sum(map(len, status.errors)) < 51_000
    assert [problem.message for problem in status.problems] == ["The last one."], (
        "what is open is never left out"
    )
    assert "The camera 299 failed" in caplog.text


def test_latency_and_rate_are_those_of_the_last_seconds() -> None:
    clock = FakeClock(1000.0)
    meter = Meter(span_s=0.5, now=clock)
    assert (meter.latency(), meter.per_second()) == (Latency(), 0)
    meter.add(60)
    clock.now_s += 0.6
    for milliseconds in range(1, 101):
        clock.now_s += 0.00499
        meter.add(milliseconds / 1e3)
    figures = meter.latency()
    assert (figures.median, figures.p95) == pytest.approx((51, 96))
    assert meter.per_second() == pytest.approx(1 / 0.00499)
    clock.now_s += 0.2
    assert meter.per_second() == pytest.approx(60 / (0.2 + 59 * 0.00499)), "none came for a while"
    clock.now_s += 0.4
    assert (meter.per_second(), meter.count) == (0, 101)


@pytest.mark.skipif(os.name != "posix", reason="needs links, pipes and file modes")
@pytest.mark.timeout(60)
def test_the_status_replaces_a_link_but_is_written_into_a_stream_and_a_pipe_that_is_read(
    tmp_path: Path,
) -> None:
    """Without a reader the program waited for one without a word."""
    notes = tmp_path / "notes"
    path = tmp_path / "status.json"
    pipe = tmp_path / "pipe"
    notes.write_text("mine")
    path.symlink_to(notes)
    write_status(path, PipelineStatus(seconds=2.0004, cpu_seconds=1.0))
    fields = json.loads(path.read_text())
    assert (notes.read_text(), fields["seconds"], fields["cpu_percent"]) == ("mine", 2.0, 50.0)
    assert not path.is_symlink() and path.stat().st_mode & 0o777 == 0o600
    # As /dev/stdout may lead to a file; macOS asks the mode of the descriptor.
    with notes.open("r+") as entered:
        write_status(Path(f"/dev/fd/{entered.fileno()}"), PipelineStatus())
    assert json.loads(notes.read_text())["frames_in"] == 0
    assert is_stream(Path("/dev/none")), "whatever it leads to, as /dev/stdout does"
    os.mkfifo(pipe)
    with pytest.raises(
        MattecamError, match="pipe cannot be written: no program reads from it; start one that does"
    ):
        write_status(pipe, PipelineStatus())
    with os.fdopen(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        write_status(pipe, PipelineStatus())
        assert json.loads(reader.read())["frames_in"] == 0
