"""Outputs: their steady clock, cards drawn beside it, and when a recording begins, what it contains and how it ends."""

from __future__ import annotations

import itertools
import os
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from app.backgrounds.standby import draw_card
from app.core.errors import ModelError, SinkLostError, Stage
from app.core.settings import OutputSettings
from app.core.types import BgrImage, PictureKind
from app.core.worker import NICENESS
from app.output.base import FrameSink, SinkContext
from app.output.recording import FEEDER_NICENESS, Recorder
from app.runtime.backdrops import PLAIN_GREY, StandbyPictures
from app.runtime.clock import SteadyClock
from app.runtime.context import Timing
from app.runtime.pipeline import Pipeline
from app.runtime.status import Phase, PipelineStatus, StatusBoard
from app.settings import Settings
from mattecam.testing import HEIGHT, WIDTH, FakeClock, FakeSink
from tests.fakes.states import has_problem_of, has_problems, records, reports
from tests.fakes.world import BASE, FakeWorld, Hold, apply, composites, live, running
from tests.output.recordings import FakeDevice
from tests.stand_ins import always
from tests.waiting import eventually, eventually_is, no_longer, scheduled


@pytest.fixture
def recorded(tmp_path: Path) -> Settings:
    """Settings with which the output is recorded."""
    return BASE.replaced_at(["output"], record=tmp_path / "a.mp4")


def recorder(world: FakeWorld) -> FakeSink:
    """Wait for a recording to begin."""

    def records_pictures() -> bool:
        return any(sink.name == "recorder" and len(sink.pictures) > 2 for sink in world.sinks)

    eventually(records_pictures)
    return next(sink for sink in world.sinks if sink.name == "recorder")


def names_of_sinks(world: FakeWorld) -> set[str]:
    return {sink.name for sink in world.sinks}


def ends_with_card(film: FakeSink) -> bool:
    return film.pictures[-1].kind is PictureKind.STANDBY


def has_been_given(sink: FakeSink, more_than: int) -> bool:
    return len(sink.pictures) > more_than


def records_matte(pipeline: Pipeline) -> bool:
    return pipeline.status().outputs.get("recording_alpha") is not None


def has_encoded(pipeline: Pipeline, frames: int) -> bool:
    return pipeline.status().encoded_frames >= frames


def recorded_files(pipeline: Pipeline) -> tuple[str, ...]:
    return pipeline.status().recorded


def is_open(microphone: FakeDevice) -> bool:
    return microphone.open_now > 0


def has_given(microphone: FakeDevice, timely: int) -> bool:
    """Whether so many blocks of sound were given in time."""
    return microphone.timely >= timely


def has_problems_on(board: StatusBoard) -> bool:
    return bool(board.read().problems)


def draws(cards: StandbyPictures) -> bool:
    return cards.builder.busy


def with_recording(settings: Settings, file: Path | None) -> Settings:
    return settings.replaced_at(["output"], record=file)


def record_of(pipeline: Pipeline) -> Path | None:
    return pipeline.settings.output.record


def shows_image(world: FakeWorld, image: BgrImage) -> bool:
    return np.array_equal(world.newest().image, image)


def test_a_recording_begins_with_the_first_matte_and_keeps_later_cards(
    recorded: Settings,
    world: FakeWorld,
) -> None:
    world.faults.put("build_engine", world.faults.hang)
    with running(world, recorded) as pipeline:
        eventually_is({"virtual_camera", "recorder"}, names_of_sinks, world)
        eventually(world.has_sent, 5)
        world.faults.heal()
        film = recorder(world)
        assert film.pictures[0].kind is PictureKind.COMPOSITE, "the program's start was recorded"
        apply(pipeline, recorded.replace(paused=True))
        eventually(ends_with_card, film)


def test_a_card_on_its_way_while_the_first_matte_comes_is_not_recorded(
    recorded: Settings,
    world: FakeWorld,
) -> None:
    opening = Hold()
    step = Hold()
    matted = threading.Event()

    def hold_the_output() -> None:
        """The composite is not handed over before the recorder, which holds the card, has had time to send it."""
        picture = pipeline.preview.get(0)
        if picture is not None and picture.kind is PictureKind.COMPOSITE and not matted.is_set():
            matted.set()
            opening.go_on.set()
            eventually(records, pipeline)
            time.sleep(0.05)

    world.faults.put("open_recorder", opening)
    world.faults.put("step", step)
    with running(world, recorded) as pipeline:
        assert opening.entered.wait(60), "it has a card to send by now"
        pipeline.listen(hold_the_output)
        step.go_on.set()
        assert recorder(world).pictures[0].kind is PictureKind.COMPOSITE


def test_an_output_begins_with_the_newest_picture_once_it_is_open(
    recorded: Settings,
    world: FakeWorld,
) -> None:
    opened_s = list[float]()

    def open_slowly() -> None:
        (camera,) = world.sinks
        first = len(camera.pictures) + 3
        # The picture before was handed to all.
        eventually(has_been_given, camera, first + 1)
        frame = camera.pictures[first].frame
        opened_s.append(frame.captured_at_s if frame else 0.0)

    world.faults.put("open_recorder", open_slowly)
    with live(world) as pipeline:
        apply(pipeline, recorded)
        first = recorder(world).pictures[0].frame
    assert first is not None and first.captured_at_s >= opened_s[0] > 0


def test_a_full_disk_stops_one_recording_and_nothing_else_and_stays_reported(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    """A run without a window ended with 0 although its recording had failed."""
    output = BASE.output.replace(record=tmp_path / "full.mp4", record_alpha=tmp_path / "alpha.mp4")
    with running(world, BASE.replace(output=output)) as pipeline:
        world.faults.put(
            "open_recorder",
            partial(eventually, has_problems, pipeline),
        )
        eventually(records_matte, pipeline)
        composites(pipeline)
        assert [problem.stage for problem in pipeline.status().problems] == [Stage.RECORDING]


def test_a_recording_that_was_stopped_ends_also_if_the_next_one_fails(
    recorded: Settings, tmp_path: Path, world: FakeWorld
) -> None:
    """It went on for ever, which no status said: stop and start had come between two pictures."""
    with running(world, recorded) as pipeline:
        first = recorder(world)
        world.faults.put("open_recorder", SinkLostError("The disk is full."))
        for file in (None, tmp_path / "b.mp4"):
            pipeline.change(partial(with_recording, file=file))
        eventually(has_problem_of, pipeline, Stage.RECORDING)
        eventually_is(None, record_of, pipeline)
        no_longer(records, pipeline)
        sent = len(first.pictures)
        composites(pipeline)
        assert len(first.pictures) == sent


def test_no_recording_fails_unexplained(
    recorded: Settings,
    world: FakeWorld,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The problems were read first: a recording that failed meanwhile looked like one that had been stopped."""
    read = StatusBoard.read

    def read_before_it_fails(board: StatusBoard) -> PipelineStatus:
        monkeypatch.setattr(StatusBoard, "read", read)
        before = read(board)
        world.faults.put("recorder", SinkLostError("The disk is full."))
        no_longer(records, pipeline)
        return before

    with running(world, recorded) as pipeline:
        eventually(records, pipeline)
        monkeypatch.setattr(StatusBoard, "read", read_before_it_fails)
        status = pipeline.status()
        assert status.recording is not None or status.problems


@pytest.mark.posix("moves of open files")
def test_a_recording_that_is_moved_is_told_while_it_runs(tmp_path: Path, world: FakeWorld) -> None:
    folder = tmp_path / "talks"
    folder.mkdir()
    settings = BASE.replaced_at(["output"], record=folder / "a.mp4")
    with running(world, settings, parts=world.parts().with_sinks(recording=Recorder)) as pipeline:
        eventually(has_encoded, pipeline, 1)
        folder.rename(tmp_path / "renamed")

        eventually(reports, pipeline, "was moved while it runs")

        assert pipeline.status().recording is not None
        apply(pipeline, BASE)
        eventually_is((str(tmp_path / "renamed" / "a.mp4"),), recorded_files, pipeline)


def test_every_encoded_frame_is_counted_and_the_frame_path_has_priority(
    recorded: Settings,
    world: FakeWorld,
) -> None:
    parts = world.parts().with_sinks(recording=Recorder)
    timing = Timing(background_wait_s=60)
    with running(world, recorded, timing, parts=parts) as pipeline:
        eventually(has_encoded, pipeline, 5)
        if sys.platform == "linux":  # only there a thread has a niceness of its own
            own = os.getpriority(os.PRIO_PROCESS, 0)
            niceness = {name: value for name, value, _ in scheduled()}
            assert {
                niceness[name] for name in ("capture", "matting", "output-clock", "virtual-camera")
            } == {own}
            assert niceness["background-open"] == min(19, own + NICENESS)
            assert niceness["encoder"] == min(19, own + FEEDER_NICENESS)
    with av.open(str(recorded.output.record)) as container:
        images = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert pipeline.status().encoded_frames == len(images)
    assert images[0][4:12, 4:12, 0].mean() > 200, "blue behind the person"


def test_the_encoder_is_told_of_every_step(recorded: Settings, world: FakeWorld) -> None:
    gaps = list[Callable[[float], object]]()
    in_steps = list[object]()

    def open_recorder(path: Path, width: int, height: int, context: SinkContext) -> FrameSink:
        gaps.append(context.wait_for_gap)
        return FakeSink("recorder")

    def look_for_a_gap() -> None:
        in_steps.append(gaps[0](0.05))

    def has_looked_thrice() -> bool:
        return len(in_steps) >= 3

    with running(
        world, recorded, parts=world.parts().with_sinks(recording=open_recorder)
    ) as pipeline:
        eventually(len, gaps)
        world.faults.put("step", look_for_a_gap)
        eventually(has_looked_thrice)
        world.faults.put("step", ModelError("The network fails."))
        eventually(has_problems, pipeline)
        assert gaps[0](60), "a step that fails is over"
    assert not any(in_steps), "no gap is reported within a step"


def test_sound_is_recorded_but_not_while_paused_nor_with_the_matte(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    path = tmp_path / "a.mp4"
    matte = tmp_path / "matte.mp4"
    device = FakeDevice()
    recorders = world.parts().with_sinks(
        recording=Recorder,
        recording_alpha=partial(Recorder, alpha=True),
    )
    parts = replace(recorders, open_microphone=device.open)
    sound = BASE.replaced_at(
        ["output"],
        record=path,
        record_alpha=matte,
        microphone="default",
        encoder="x264",
    )
    with running(world, sound, parts=parts) as pipeline:
        # From then on it has sound.
        eventually(is_open, device)
        eventually(has_encoded, pipeline, 1)
        eventually(has_given, device, 50)
        apply(pipeline, sound.replace(paused=True))
        no_longer(is_open, device)
        time.sleep(1)
        assert device.open_now == 0, "a paused program holds no microphone"
        apply(pipeline, sound)
        eventually(is_open, device)
        eventually(has_given, device, 85)
        assert device.opened == ["default", "default"]
        device.lost = True
        eventually(has_problem_of, pipeline, Stage.MICROPHONE)
        assert pipeline.status().recording is not None
        apply(pipeline, BASE)
        no_longer(records, pipeline)
        no_longer(has_problem_of, pipeline, Stage.MICROPHONE)
    assert device.open_now == 0
    with av.open(str(path)) as container:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    with av.open(str(matte)) as container:
        assert not container.streams.audio
    loud = np.abs(heard[: len(heard) // 960 * 960].reshape(-1, 960)).max(axis=1) > 0.05
    quiet_s = max(np.diff(np.flatnonzero(np.diff(loud.astype(int))))) * 0.02
    assert loud.sum() * 0.02 > 1.2 and quiet_s > 0.9


def test_the_end_of_the_program_waits_for_a_recording_to_be_finished(
    recorded: Settings,
    world: FakeWorld,
) -> None:
    """Hours of packets take longer to copy than threads take to end."""
    begun = threading.Event()
    finished = threading.Event()

    def finish() -> None:
        begun.set()
        time.sleep(2)
        finished.set()

    world.faults.put("close_recorder", finish)
    with live(world, recorded) as pipeline:
        eventually(records, pipeline)
        apply(pipeline, BASE)
        assert begun.wait(60)
        ended = pipeline.stop(timeout_s=1)
        assert finished.is_set()
        # Threads that end after the recording have had no time left, and end all the same.
        assert ended


def test_something_plain_until_the_card_is_drawn_then_the_last_one_and_no_problem_of_another() -> (
    None
):
    board = StatusBoard()
    begun = threading.Event()
    may_draw = threading.Event()
    drawn = list[str]()
    soon, fails = (OutputSettings(standby_text=text) for text in ("soon", "fails"))

    def draw(text: str, image: Path | None, width: int, height: int) -> BgrImage:
        begun.set()
        assert may_draw.wait(60)
        drawn.append(text)
        if text == "fails":
            raise RuntimeError("an error that nobody foresaw")
        return draw_card(text, image, width, height)

    def is_plain(settings: OutputSettings, width: int) -> bool:
        return bool((cards.card(settings, width, 48).image == PLAIN_GREY).all())

    cards = StandbyPictures(board, draw)
    cards.builder.start()
    try:
        cards.card(fails, 64, 48)
        assert begun.wait(60)
        first = cards.card(soon, 64, 48)
        assert is_plain(soon, 64) and first.size == (64, 48) and first.kind is PictureKind.STANDBY
        may_draw.set()
        no_longer(is_plain, soon, 64)
        card = cards.card(soon, 64, 48)
        assert card.kind is PictureKind.STANDBY
        assert np.array_equal(card.image, draw_card("soon", None, 64, 48))
        assert not board.read().errors, "the card that failed was not the one wanted"
        assert is_plain(soon, 80), "a card of another size does not stand in"
        no_longer(is_plain, soon, 80)
        card = cards.card(soon, 80, 48)
        assert cards.card(fails, 80, 48) is card
        eventually(is_plain, fails, 80)
        eventually(has_problems_on, board)
        assert [problem.stage for problem in board.read().problems] == [Stage.OUTPUT]
        no_longer(draws, cards)
        assert drawn.count("fails") == 2, "it was drawn again"
    finally:
        assert cards.builder.stop(60)


def test_letters_without_a_font_are_reported_beside_the_card_that_lacks_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hindi, Thai and emoji were drawn as question marks, and nothing was said."""
    monkeypatch.setenv("PATH", "")  # no fontconfig
    board = StatusBoard()
    cards = StandbyPictures(board)
    cards.builder.start()
    try:
        cards.card(OutputSettings(standby_text="ฆ"), 64, 48)

        eventually(has_problems_on, board)

        assert "letters ฆ of the stand-by text" in board.read().problems[0].message
        cards.card(OutputSettings(standby_text="soon"), 64, 48)
        no_longer(has_problems_on, board)
    finally:
        assert cards.builder.stop(60)


def test_an_image_that_cannot_be_read_is_reported_early_and_text_replaces_it(
    tmp_path: Path,
    world: FakeWorld,
) -> None:
    """The text was English in every language, and the report came with the first card, too late to choose another."""
    parts = replace(world.parts(), standby_text=always("Einen Moment"))
    gone = BASE.replaced_at(["output"], standby_image=tmp_path / "gone.png")
    card = draw_card("Einen Moment", None, WIDTH, HEIGHT)
    with live(world, timing=Timing(stale_s=60), parts=parts) as pipeline:
        apply(pipeline, gone)
        eventually(reports, pipeline, "gone.png")
        assert pipeline.status().phase is Phase.RUNNING
        apply(pipeline, gone.replace(paused=True))
        eventually(shows_image, world, card)
        apply(pipeline, BASE)
        no_longer(has_problems, pipeline)


class SimulatedTime(FakeClock):
    """Time that goes by only where somebody waits; stands in for the clock's time and for the event `stop`."""

    def wait(self, duration_s: float) -> bool:
        self.now_s += duration_s
        return False


def test_the_clock_neither_drifts_nor_makes_up_for_missed_ticks() -> None:
    simulated = SimulatedTime()
    clock = SteadyClock(200, simulated)
    for _ in range(40):
        assert clock.wait(simulated)  # type: ignore[arg-type]
    assert simulated.now_s == pytest.approx(0.2, abs=0.005)
    simulated.now_s += 0.1  # a long tick: 20 are missed
    burst_s = simulated.now_s
    for _ in range(4):
        clock.wait(simulated)  # type: ignore[arg-type]
    assert 0.009 <= simulated.now_s - burst_s <= 0.02


def play(arrivals_s: list[float]) -> tuple[list[float], list[float]]:
    """A clock of 30 Hz over news at these times: how long each that was sent had waited, and when the ticks ended."""
    simulated = SimulatedTime()
    coming = deque(arrivals_s)
    waits_s = list[float]()
    ticks_s = list[float]()
    clock = SteadyClock(30, simulated)
    while coming:
        clock.wait(simulated)  # type: ignore[arg-type]
        simulated.now_s = min(max(simulated.now_s, coming[0]), simulated.now_s + clock.remaining_s)
        newest_s: float | None = None
        while coming and coming[0] <= simulated.now_s:
            newest_s = coming.popleft()
        if newest_s is not None:
            clock.note_arrival()
            waits_s.append(simulated.now_s - newest_s)
        ticks_s.append(simulated.now_s)
    return waits_s, ticks_s


@pytest.mark.parametrize("rate_hz", [5.0, 14.3, 23.8, 29.0])
def test_what_comes_more_slowly_than_the_clock_never_waits(rate_hz: float) -> None:
    waits_s, ticks_s = play([0.02 + n / rate_hz for n in range(400)])
    assert len(waits_s) == 400
    assert max(waits_s) == 0
    assert 29.5 < len(ticks_s) / ticks_s[-1] <= 30.1


@pytest.mark.parametrize("phase_ms", range(0, 34, 3))
def test_a_camera_at_the_clocks_rate_hardly_waits_and_loses_nothing(phase_ms: int) -> None:
    dice = random.Random(phase_ms)
    waits_s, ticks_s = play(
        [0.1 + phase_ms / 1e3 + n / 30 + dice.gauss(0, 0.002) for n in range(600)]
    )

    assert sorted(waits_s)[570] < 0.002
    assert len(waits_s) >= 597
    assert len(ticks_s) - len(waits_s) < 30, "hardly a repetition"


def test_what_comes_faster_is_sent_at_the_clocks_rate() -> None:
    waits_s, ticks_s = play([n / 100 for n in range(2000)])
    gaps_s = [after - before for before, after in itertools.pairwise(ticks_s[5:-1])]

    assert max(waits_s[:-1]) <= 0.0101
    assert max(gaps_s) - min(gaps_s) < 1e-6
    assert len(ticks_s) / ticks_s[-1] == pytest.approx(30, rel=0.01)
