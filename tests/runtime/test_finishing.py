"""Steps that overlap: the network runs on the next frame while the composite of the last one is made and checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from app.compositing import open_background
from app.compositing.overlay import render_overlay
from app.core.errors import ModelError
from app.core.settings import BackgroundSettings, EdgeSettings, Settings
from app.core.types import AlphaImage, Backdrop, BgrImage, Frame, Matte, Picture, PictureKind
from app.matting.base import EngineInfo, MattingEngine
from app.matting.selection.governor import Step
from app.runtime import finishing, matting_worker
from app.runtime.backdrops import Backdrops, background_opener
from app.runtime.board import StatusBoard
from app.runtime.capture_worker import Captured
from app.runtime.engines.decision import Decision, Run, StandBy
from app.runtime.engines.selector import EngineSelector
from app.runtime.matting_worker import MattingWorker
from app.runtime.outputs.overlay import OverlayPainter
from app.runtime.pipeline import Pipeline
from app.runtime.slot import LatestSlot
from app.runtime.status import Phase
from app.runtime.timing import Timing
from tests.fakes import FakeEngine, FakeWorld, shows_room
from tests.runtime.test_faults import IMPATIENT, KINDS, _works
from tests.runtime.test_pipeline import BASE
from tests.waiting import eventually

WIDTH, HEIGHT = 64, 48
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let steps overlap even if they are short."""
    monkeypatch.setattr(matting_worker, "CROWDED", -1.0)


class Clocks(threading.local):
    """A clock per thread, which only the engine's work moves."""

    now_s = 0.0


class Overlapping:
    """An engine whose rests wait until the test lets them go on."""

    def __init__(self) -> None:
        self.info = EngineInfo("fake", "fake", "float32", "cpu", 0.5, (WIDTH // 2, HEIGHT // 2))
        self.overlaps = True
        self.clocks = Clocks()
        self.step_s = 0.0
        """Of a step that does not overlap."""
        self.rest_s: dict[int, float] = {}
        """By brightness of the frame; a frame that is not listed takes no time."""
        self.events: list[str] = []
        self.gates: dict[int, threading.Event] = {}
        """By brightness of the frame; a frame that is not listed does not wait."""
        self.alphas: dict[int, int] = {}
        """Alpha of the whole frame by its brightness; 0 for one that is not listed."""
        self.errors: dict[int, Exception] = {}

    def begin(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False
    ) -> Callable[[], Matte]:
        number = int(frame[0, 0, 0])
        self.events.append(f"begin {number}")
        if number == 0:
            raise ModelError("The network fails.")

        def finish() -> Matte:
            if number in self.gates:
                assert self.gates[number].wait(PATIENCE_S)
            self.events.append(f"rest {number}")
            self.clocks.now_s += self.rest_s.get(number, 0.0)
            if number in self.errors:
                raise self.errors[number]
            alpha = np.full((HEIGHT, WIDTH), self.alphas.get(number, 0), np.uint8)
            assert isinstance(backdrop, np.ndarray)
            return Matte(np.where(alpha[..., None] > 0, frame, backdrop), alpha)

        return finish

    def step(self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False) -> Matte:
        self.events.append("step")
        self.clocks.now_s += self.step_s
        return Matte(np.array(backdrop), np.zeros((HEIGHT, WIDTH), np.uint8))

    def reset(self, seen: AlphaImage | None = None) -> None:
        self.events.append("reset")

    def close(self) -> None:
        self.events.append("close")


class OneEngine:
    """In place of `EngineSelector`: one engine until it fails."""

    def __init__(self, engine: Overlapping) -> None:
        self.engine: Overlapping | None = engine
        self.errors, self.begun_frames, self.steps = list[str](), list[int](), list[Step]()

    def decide(self, frame: Frame, generation: int, settings: Settings) -> Decision:
        if self.engine is None:
            return StandBy(Phase.WAITING)
        engine = cast("MattingEngine", self.engine)
        return Run(engine, settings.framing, (generation, 1), frame.index, reset=frame.index == 0)

    def poll(self) -> None: ...

    def begun(self, run: Run) -> None:
        self.begun_frames.append(run.index)

    def completed(self, run: Run, step: Step) -> None:
        self.steps.append(step)

    def failed(self, error: Exception) -> None:
        self.errors.append(str(error))
        self.close_engine()

    def close_engine(self) -> None:
        if self.engine is not None:
            self.engine.close()
        self.engine = None


class Bench:
    """The inference thread with one engine, and what it publishes."""

    def __init__(self) -> None:
        self.engine = Overlapping()
        self.engines = OneEngine(self.engine)
        self.published: list[Picture | StandBy] = []
        self.tested_beside: list[list[str]] = []
        """What the engine had done when it was tested."""
        self.slot = LatestSlot[Captured]()
        self.stop = threading.Event()
        self._index = 0

    def send(self, brightness: int) -> None:
        """Give the thread the next frame, and wait until it has taken it."""
        image = np.full((HEIGHT, WIDTH, 3), brightness, np.uint8)
        self.slot.put(Captured(Frame(image, self._index, 0.0), 1))
        self._index += 1

    def happens(self, *events: str) -> None:
        """Wait until the engine has done exactly this since the first reset."""
        eventually(lambda: self.engine.events[1:] == list(events))

    @property
    def shown(self) -> list[int | str]:
        """The brightness of each composite's frame, or `card`."""
        return [
            "card" if isinstance(each, StandBy) or each.frame is None else int(each.frame.image[0, 0, 0])
            for each in self.published
        ]


@contextmanager
def bench() -> Iterator[Bench]:
    """Run the inference thread over a plain blue background."""
    tried = Bench()
    board = StatusBoard()
    opener, painter = background_opener(open_background), OverlayPainter(render_overlay, board)
    opener.start()
    painter.preparer.start()
    backdrops = Backdrops(opener, board)
    settings = Settings(background=BackgroundSettings(kind="colour", colour="#0000ff"))
    backdrops.follow(settings.background)
    eventually(lambda: not opener.busy)
    backdrops.follow(settings.background)
    worker = MattingWorker(
        lambda: settings,
        tried.slot,
        cast("EngineSelector", tried.engines),
        backdrops,
        painter,
        tried.published.append,
        lambda: False,
        lambda: False,
        lambda engine, width, height: tried.tested_beside.append(list(tried.engine.events)),
        board,
        Timing(poll_s=0.01, plausibility_hold_s=0.0),
    )
    thread = threading.Thread(target=worker.run, args=(tried.stop,))
    thread.start()
    try:
        yield tried
    finally:
        for gate in tried.engine.gates.values():
            gate.set()
        tried.stop.set()
        tried.slot.close()
        thread.join(PATIENCE_S)
        for preparer in (opener, painter.preparer):
            preparer.request_stop()
            assert preparer.join(PATIENCE_S)
    assert not thread.is_alive()
    assert tried.engine.events[-1] == "close"


def test_the_network_runs_while_the_last_frame_is_finished() -> None:
    with bench() as tried:
        tried.engine.gates[1] = threading.Event()
        tried.send(1)
        tried.happens("begin 1")
        tried.send(2)
        tried.happens("begin 1", "begin 2")
        assert not tried.published
        tried.send(3)
        tried.engine.gates[1].set()
        eventually(lambda: tried.shown == [1, 2, 3])
        order = tried.engine.events
        assert order.index("rest 1") < order.index("rest 2") < order.index("rest 3")
        assert order.index("rest 1") < order.index("begin 3"), "one frame at most is begun beside another"
        eventually(lambda: len(tried.engines.steps) == 3)
        assert tried.engines.begun_frames == [0, 1, 2]


def test_steps_that_leave_time_until_the_next_frame_do_not_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matting_worker, "CROWDED", 1e9)
    with bench() as tried:
        for count in (1, 2, 3):
            tried.send(count)
            eventually(lambda goal=count: len(tried.published) == goal)  # type: ignore[misc]
        assert tried.engine.events == ["reset", "step", "step", "step"]
        monkeypatch.setattr(matting_worker, "CROWDED", -1.0)
        tried.send(4)
        eventually(lambda: len(tried.published) == 4)
        tried.send(5)
        eventually(lambda: tried.engine.events[-1] == "rest 5")


def use_clocks(tried: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let steps take as long as the engine says, whatever else the machine does."""
    clock = SimpleNamespace(perf_counter=lambda: tried.engine.clocks.now_s, monotonic=time.monotonic)
    monkeypatch.setattr(matting_worker, "time", clock)
    monkeypatch.setattr(finishing, "time", clock)


def test_a_slow_rest_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The governor sees the longer stage, not the sum, and not the wait for the frame before."""
    with bench() as tried:
        use_clocks(tried, monkeypatch)
        tried.engine.rest_s[1] = 0.2
        tried.engine.gates[1] = threading.Event()
        tried.send(1)
        tried.happens("begin 1")
        tried.send(2)
        tried.happens("begin 1", "begin 2")
        tried.engine.gates[1].set()
        eventually(lambda: len(tried.engines.steps) == 2)
        slow, quick = tried.engines.steps
        assert slow.busy_s == pytest.approx(0.2)
        assert quick.busy_s == 0.0


def test_the_card_follows_the_last_composite() -> None:
    with bench() as tried:
        tried.engine.gates[1] = threading.Event()
        tried.send(1)
        tried.happens("begin 1")
        tried.slot.put(Captured(None, 1))
        threading.Timer(0.05, tried.engine.gates[1].set).start()
        eventually(lambda: len(tried.published) == 2)
        assert tried.shown == [1, "card"]


def test_a_rest_that_fails_shows_the_card_and_drops_the_frame_begun_beside_it() -> None:
    with bench() as tried:
        tried.engine.gates[1] = threading.Event()
        tried.engine.errors[1] = ModelError("The composite fails.")
        tried.send(1)
        tried.happens("begin 1")
        tried.send(2)
        tried.happens("begin 1", "begin 2")
        tried.engine.gates[1].set()
        eventually(lambda: len(tried.engines.errors) == 1)
        tried.send(3)
        eventually(lambda: tried.engine.events[-1] == "close" and tried.shown.count("card") >= 3)
        assert set(tried.shown) == {"card"}
        assert tried.engines.errors == ["The composite fails."]
        assert "rest 2" not in tried.engine.events


def test_a_network_that_fails_shows_what_was_finished_before() -> None:
    with bench() as tried:
        tried.engine.gates[1] = threading.Event()
        tried.send(1)
        tried.happens("begin 1")
        tried.send(0)
        tried.happens("begin 1", "begin 0")
        tried.engine.gates[1].set()
        eventually(lambda: tried.shown == [1, "card"])
        assert tried.engines.errors == ["The network fails."]


def test_both_may_fail() -> None:
    with bench() as tried:
        tried.engine.gates[1] = threading.Event()
        tried.engine.errors[1] = ModelError("The composite fails.")
        tried.send(1)
        tried.happens("begin 1")
        tried.send(0)
        tried.happens("begin 1", "begin 0")
        tried.engine.gates[1].set()
        eventually(lambda: len(tried.engines.errors) == 1 and len(tried.published) >= 2)
        assert set(tried.shown) == {"card"}
        assert tried.engines.errors == ["The composite fails."]


def test_a_self_test_has_the_engine_for_itself() -> None:
    """A frame that was begun before the test, which resets the engine, is dropped."""
    with bench() as tried:
        tried.engine.gates[2] = threading.Event()
        tried.engine.alphas[2] = 255
        tried.send(1)
        eventually(lambda: tried.shown == [1])
        tried.send(2)
        eventually(lambda: "begin 2" in tried.engine.events)
        tried.send(3)
        eventually(lambda: "begin 3" in tried.engine.events)
        assert not tried.tested_beside
        tried.engine.gates[2].set()
        eventually(lambda: tried.shown == [1, 2])
        assert tried.tested_beside == [["reset", "begin 1", "rest 1", "begin 2", "begin 3", "rest 2"]]
        tried.send(4)
        eventually(lambda: tried.shown == [1, 2, 4])
        assert "rest 3" not in tried.engine.events


def test_an_equal_frame_repeats_the_composite_that_is_not_finished_yet() -> None:
    with bench() as tried:
        for count in range(1, 32):
            tried.send(count)
            eventually(lambda goal=count: len(tried.published) == goal)  # type: ignore[misc]
        tried.engine.gates[40] = threading.Event()
        tried.send(40)
        eventually(lambda: "begin 40" in tried.engine.events)
        tried.send(40)
        threading.Timer(0.05, tried.engine.gates[40].set).start()
        eventually(lambda: tried.shown[31:] == [40, 40])
        assert tried.engine.events.count("begin 40") == 1


def test_a_composite_that_shows_too_much_is_not_published() -> None:
    with bench() as tried:
        tried.send(1)
        eventually(lambda: tried.shown == [1])
        tried.engine.alphas[2] = 1  # its composite is the frame: far more of it than alpha permits
        tried.send(2)
        eventually(lambda: tried.shown[:2] == [1, "card"])
        eventually(lambda: len(tried.engines.errors) == 1)


class OverlappingFakeEngine(FakeEngine):
    """A `FakeEngine` whose steps overlap; its rests suffer faults under the name `finish`."""

    overlaps = True

    def begin(
        self, frame: BgrImage, backdrop: Backdrop, edges: EdgeSettings, *, want_foreground: bool = False
    ) -> Callable[[], Matte]:
        matte = self.step(frame, backdrop, edges, want_foreground=want_foreground)

        def finish() -> Matte:
            self._faults.at("finish")
            return matte

        return finish


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stage", ["step", "finish", "reset"])
@pytest.mark.parametrize("moment", ["start", "middle", "shutdown"])
def test_the_room_never_shows(stage: str, kind: str, moment: str, tmp_path: Path) -> None:
    world = FakeWorld()
    world.engine = OverlappingFakeEngine
    running = Pipeline(
        BASE.replace(output=BASE.output.replace(record=tmp_path / "a.mp4")), parts=world.parts(), timing=IMPATIENT
    )

    def fault() -> None:
        KINDS[kind](world.faults)

    if moment == "start":
        world.faults.put(stage, fault)
    running.start()
    try:
        if moment != "start":
            _works(running)
            world.faults.put(stage, fault)
        if moment != "shutdown":
            eventually(lambda: len(world.pictures()) > 10)
            world.faults.heal()
            _works(running)
    finally:
        if moment == "shutdown":
            world.faults.release.set()
        assert running.stop(), "a thread did not end"
    assert FakeEngine.live == 0
    assert any(picture.kind is PictureKind.COMPOSITE for picture in world.pictures())
    assert not any(shows_room(picture.image) for picture in world.pictures())


def test_long_steps_overlap_after_some_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """One step that is held up does not change how the others run."""
    monkeypatch.setattr(matting_worker, "CROWDED", 0.9)
    with bench() as tried:
        use_clocks(tried, monkeypatch)
        tried.engine.step_s = 0.05
        for count in range(1, 11):
            tried.send(count)
            eventually(lambda goal=count: len(tried.published) == goal)  # type: ignore[misc]
        assert tried.engine.events[1:] == [*["step"] * 9, "begin 10", "rest 10"]
