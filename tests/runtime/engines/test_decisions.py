"""The decision for each frame, what another engine is built for, and what happens while it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import Mock

import pytest

from app.core.settings import BackgroundSettings, EdgeSettings, MattingSettings
from app.runtime.engines.plan import EngineKey, PassThrough, Run, Skip, StandBy
from app.runtime.status import Phase
from tests.runtime.engines.simulated import AUTO, Bench, bench
from tests.waiting import eventually


def test_one_decision_for_each_frame() -> None:
    with bench() as simulated:
        assert simulated.decide() == StandBy(Phase.STARTING)
        simulated.settle()
        first = simulated.matte()
        assert first.reset
        simulated.ended(first)
        assert simulated.decide() == replace(first, index=first.index + 1, reset=False)
        for change, expected in (
            ({"paused": True}, StandBy(Phase.PAUSED)),
            ({"paused": True, "frozen": True}, StandBy(Phase.PAUSED)),
            ({"frozen": True}, Skip()),
            ({"background": BackgroundSettings(kind="none")}, PassThrough()),
        ):
            assert simulated.decide(**change) == expected
            after = simulated.matte()
            assert after.reset and not after.continues, "the frames in between were not matted: nobody is known"
            simulated.ended(after)


def test_what_changes_per_frame_needs_no_other_engine() -> None:
    with bench() as simulated:
        simulated.settle()
        for changed in (AUTO.replace(edges=EdgeSettings(feather_px=3)), AUTO.replace(governor=False)):
            assert simulated.settle(changed)
        assert len(simulated.built) == 1


def test_after_a_measurement_the_engine_is_changed_without_a_gap() -> None:
    """`auto` may take another precision then; nothing but composites is shown meanwhile."""
    with bench() as simulated:
        simulated.settle()
        first = simulated.matte()
        simulated.ended(first)
        simulated.gate.clear()
        simulated.measurements += 1
        for _ in range(5):
            run = simulated.matte()
            assert run.engine is first.engine and not run.reset
            simulated.ended(run)
        simulated.gate.set()
        eventually(lambda: simulated.matte().engine is not first.engine)
        run = simulated.matte()
        assert run.reset and run.continues, "the people of the last frame are still there"
        assert len(simulated.built) == 2
        simulated.ended(run)
        assert not simulated.matte().reset
        eventually(lambda: simulated.built[0].closed_on == "engine-builder")
        simulated.settle()
        assert len(simulated.built) == 2, "once per measurement"


def test_a_measurement_does_not_try_again_what_was_replaced() -> None:
    missing = AUTO.replace(model="rvm-resnet50")
    with bench() as simulated:
        simulated.settle()
        eventually(lambda: bool(simulated.decide(missing) and simulated.status.problems))
        built = len(simulated.built)
        simulated.measurements += 1
        simulated.settle(missing)
        assert len(simulated.built) == built
        simulated.measurements += 1
        assert isinstance(simulated.decide(missing), Run), "the engine that works goes on"


def test_unchanged_settings_are_not_validated_for_each_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Mock(wraps=EngineKey.of)
    monkeypatch.setattr(EngineKey, "of", made)
    with bench() as simulated:
        simulated.settle()
        for camera, more in (("", 0), ("other", 1), ("other", 0)):
            before = made.call_count
            simulated.decide(camera=camera)
            assert made.call_count == before + more
        simulated.settle(AUTO.replace(model="mattecam"), camera="other")
        assert len(simulated.built) == 2


def test_the_log_names_each_engine_and_why_it_is_used(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "app.runtime.engines.selector")
    with bench() as simulated:
        simulated.run(2.8, 6)
        simulated.settle()
    assert caplog.messages == [
        "The engine is auto on cpu (float32, simulated, ratio 0.5), as the settings ask.",
        "The engine is mattecam on cpu (float32, simulated, ratio 0.5), for the frame rate.",
    ]


PINNED = MattingSettings(model="mattecam", governor=False, executor="eager")
NEW = PINNED.replace(downsample_ratio=0.3)
BUSY_S = 0.05


@pytest.fixture
def stepped() -> Iterator[Bench]:
    """After a step that ended at 10 s."""
    with bench() as made:
        made.settle(PINNED)
        made.now_s = 10.0
        made.ended(made.matte(PINNED), BUSY_S)
        yield made


def test_frames_are_skipped_for_as_long_as_the_last_step_took(stepped: Bench) -> None:
    assert isinstance(stepped.decide(PINNED), Run), "nothing is being built"
    stepped.gate.clear()
    stepped.now_s = 10.0 + 0.9 * BUSY_S
    assert isinstance(stepped.decide(NEW), Skip)
    stepped.now_s = 10.0 + 1.1 * BUSY_S
    assert isinstance(stepped.decide(NEW), Run), "the old ratio goes on"
    stepped.gate.set()
    stepped.settle(NEW)
    stepped.now_s = 10.0
    assert isinstance(stepped.decide(NEW), Run)


def test_no_frame_is_skipped_for_another_network(stepped: Bench) -> None:
    stepped.gate.clear()
    other = NEW.replace(model="rvm-mobilenetv3")
    assert isinstance(stepped.decide(other), Run)
    assert stepped.selector.preparer.busy


def test_the_old_engine_is_closed_on_the_builder_thread(stepped: Bench) -> None:
    stepped.settle(NEW)
    eventually(lambda: [engine.closed_on for engine in stepped.built] == ["engine-builder", ""])


def test_people_stay_when_only_the_engine_changes(stepped: Bench) -> None:
    assert not stepped.matte(PINNED).reset
    stepped.settle(NEW)
    swapped = stepped.matte(NEW)
    assert swapped.reset and swapped.continues
    other_source = stepped.matte(NEW, generation=2)
    assert other_source.reset and not other_source.continues
