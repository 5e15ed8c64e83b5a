"""The decision for each frame, and what another engine is built for."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from app.core.settings import BackgroundSettings, EdgeSettings
from app.runtime.engines.plan import EngineKey, PassThrough, Skip, StandBy
from app.runtime.status import Phase
from tests.runtime.engines.simulated import AUTO, bench


def test_a_choice_that_fails_is_reported_as_ever() -> None:
    with bench() as simulated:
        simulated.run(0.5, 2)
        wrong = AUTO.replace(model="rvm-resnet50")
        assert simulated.settle(wrong).model == "auto"
        assert simulated.status.errors == ("It does not fit; choose another.",)


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
