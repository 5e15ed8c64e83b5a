"""The precision that "Automatic" takes, as the panel tells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.core.messages.matting import TrialText
from app.gui.panels.matting import PrecisionControl
from app.gui.state import services
from app.gui.state.services import PrecisionChoice
from app.gui.state.tasks import Tasks
from app.matting.base.interface import EngineInfo
from app.matting.selection import measured
from app.matting.selection.measured import Trial, note_trials
from app.runtime.status import PipelineStatus
from models.mattecam.paths import BUNDLED
from tests.gui.controls import made_store
from tests.gui.widgets import find

ENGINE = EngineInfo("mattecam", "openvino", "int8", "cpu", 0.25, (320, 180))


def running(engine: EngineInfo = ENGINE) -> PipelineStatus:
    return PipelineStatus(engine=engine)


@pytest.fixture
def control(qtbot: QtBot, tasks: Tasks) -> PrecisionControl:
    made = PrecisionControl(made_store(), tasks)
    qtbot.addWidget(made)
    return made


def sentence(control: PrecisionControl) -> str:
    shown = find(control, QLabel, "precisionChosen")
    return "" if shown.isHidden() else shown.text()


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        (PrecisionChoice("int8", 2.24, False), "Automatic: int8, 2.2 times as fast as float32 on this computer"),
        (PrecisionChoice("float32", 1.0, False), "Automatic: float32, the best choice on this computer"),
        (PrecisionChoice(TrialText.ONE_THREAD(precision="int8"), 0.98, False),
         "Automatic: int8 on one thread, the best choice on this computer"),
        (PrecisionChoice("bfloat16", None, True), "Automatic: bfloat16 until this computer has been measured"),
        (PrecisionChoice("float32", None, True), "Automatic: float32 until this computer has been measured"),
        (PrecisionChoice("float32", None, False), "Automatic: float32"),
    ],
)  # fmt: skip
def test_the_panel_says_what_automatic_takes(
    control: PrecisionControl, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, choice: PrecisionChoice, text: str
) -> None:
    monkeypatch.setattr(services, "precision_choice", lambda model, weights: choice)
    assert not sentence(control), "nothing before the network is known"
    control.show_status(running())
    qtbot.waitUntil(lambda: sentence(control) == text)


def test_the_sentence_follows_the_network_and_is_looked_up_once(
    control: PrecisionControl, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Path | None]] = []

    def choice(model: str, weights: Path | None) -> PrecisionChoice | None:
        asked.append((model, weights))
        return None if model == "u2net" else PrecisionChoice(model, 2.0, False)

    monkeypatch.setattr(services, "precision_choice", choice)
    for _ in range(2):
        control.show_status(running())
    qtbot.waitUntil(lambda: "mattecam" in sentence(control))
    control.show_status(PipelineStatus())
    assert sentence(control), "kept while the engine is rebuilt"
    control.show_status(running(replace(ENGINE, model="rvm-mobilenetv3")))
    qtbot.waitUntil(lambda: "rvm-mobilenetv3" in sentence(control))
    control.store.edit("matting", weights=Path("own.pth"))
    control.show_status(running())
    qtbot.waitUntil(lambda: "mattecam" in sentence(control))
    control.reload()
    control.show_status(running())
    qtbot.waitUntil(lambda: len(asked) == 4)
    assert asked == [
        ("mattecam", None), ("rvm-mobilenetv3", None), ("mattecam", Path("own.pth")), ("mattecam", Path("own.pth")),
    ]  # fmt: skip
    control.show_status(running(replace(ENGINE, model="u2net")))
    qtbot.waitUntil(lambda: not sentence(control))


def test_an_answer_that_comes_too_late_is_dropped(
    control: PrecisionControl, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server or a graphics card has no choice that is measured here."""
    answers: list[Callable[[], None]] = []
    monkeypatch.setattr(tasks, "run", lambda work, done: answers.append(lambda: done(work())))
    control.show_status(running())
    control.show_status(running(replace(ENGINE, executor="webrtc")))
    answers[0]()
    assert not sentence(control)
    control.show_status(running())
    answers[1]()
    assert sentence(control)
    control.show_status(running(replace(ENGINE, executor="webrtc")))
    assert not sentence(control)


def test_the_choice_is_the_one_of_the_kept_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "measurable", lambda: {"mattecam": BUNDLED})
    before = services.precision_choice("mattecam", None)
    assert before is not None and before.gain is None and before.provisional
    trials = [("float32", None, 20.0), ("float32", 1, 30.0), ("int8", None, 9.0), ("int8", 1, 8.0)]
    note_trials("mattecam", BUNDLED, [Trial(precision, of, ms, 2.0, ms + 2.0) for precision, of, ms in trials])
    assert services.precision_choice("mattecam", None) == PrecisionChoice("int8 on one thread", 3.2, False)
    note_trials("mattecam", BUNDLED, [])
    failed = services.precision_choice("mattecam", None)
    assert failed is not None and failed.gain is None and not failed.provisional, "it is not tried again"
