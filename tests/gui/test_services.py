"""What the panels ask of the rest of the program, and the status line."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from PyQt6.QtCore import QEvent, QLocale, QObject
from PyQt6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.messages.matting import ModelText
from app.core.types import SourceInfo
from app.gui.i18n.language import translate
from app.gui.widgets.status_line import StatusLine, describe_details, summarize
from app.gui.widgets.value_slider import times
from app.runtime.status import Lowered, Phase, PipelineStatus, ServerState
from tests.gui.widgets import existing


def test_listing_devices_imports_torch_only_where_there_may_be_a_gpu() -> None:
    code = (
        "import platform, sys; from app.gui.state import services; from app.matting.selection import hardware;"
        "from app.matting.selection.hardware import CudaCards;"
        "hardware.cuda_cards = lambda: CudaCards(None); platform.system = lambda: 'Linux';"
        "print(services.devices(), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(('cpu', 'CPU'),) False"


CONNECTING = PipelineStatus(Phase.RUNNING, server=ServerState.CONNECTING, busy="the model", fps_out=30.0)


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (PipelineStatus(busy=ModelText.PREPARING(step=2, count=4)), "step 2 of 4"),
        (CONNECTING, "connecting to the server…"),
        (replace(CONNECTING, server=ServerState.CONNECTED, busy=""), "30 pictures per second"),
        (PipelineStatus(lowered=Lowered(30.0, None, False, 20.0)), "This computer is busy – 20 pictures per second"),
    ],
)
def test_the_status_line_says_what_is_prepared_or_the_rate(status: PipelineStatus, end: str) -> None:
    assert end in summarize(status).split("   ·   ")[1]


def test_the_details_say_that_the_output_is_frozen() -> None:
    status = PipelineStatus(phase=Phase.RUNNING)
    assert describe_details(status)[0] == "Running"
    assert describe_details(status, frozen=True)[0] == "Frozen"
    assert describe_details(PipelineStatus(phase=Phase.PAUSED), frozen=True)[0] == "Paused"


def test_numbers_are_written_as_in_the_chosen_language(qapp: QApplication) -> None:
    source = SourceInfo("camera", "Camera", "id", 640, 480, 29.97, "")
    status = PipelineStatus(source=source, fps_in=29.97, fps_out=14.5, lowered=Lowered(30.0, None, False, 14.5))
    before = summarize(status)
    with translate(qapp, QLocale("de")):
        german, rates = summarize(status), describe_details(status)
        assert times(150) == "1,50 ×"
    assert "30,0 Bilder/s ein, 14,5 aus" in rates
    assert "– 14,5 " in german
    assert summarize(status) == before


RUNNING, CAMERA, NODE = Phase.RUNNING, {"virtual_camera": "/dev/video9"}, {"pipewire": "Mattecam"}


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (PipelineStatus(RUNNING, outputs=CAMERA, readers=2), "Others see you: yes, 2 programs"),
        (PipelineStatus(RUNNING, outputs=CAMERA, readers=1), "Others see you: yes, 1 program"),
        (PipelineStatus(RUNNING, outputs=CAMERA, readers=0), "Others see you: no"),
        (PipelineStatus(RUNNING, outputs=CAMERA), "Others can see you"),
        (PipelineStatus(RUNNING, outputs=NODE, readers=1), "Others see you: yes"),
        (
            PipelineStatus(RUNNING, outputs=CAMERA | NODE, readers=2),
            "Others see you: yes, at least 2 programs",
        ),
        (PipelineStatus(RUNNING), "Others see you: no"),
        (PipelineStatus(RUNNING, outputs=CAMERA, readers=1, hides_person=True), "Others see you: no"),
        (PipelineStatus(Phase.PAUSED, outputs=CAMERA, readers=1), "Others see you: no, paused"),
        (PipelineStatus(Phase.WAITING, outputs=CAMERA, readers=1), "Others see you: no"),
    ],
)
def test_the_status_line_says_who_sees_the_user(status: PipelineStatus, text: str) -> None:
    assert summarize(status).split("   ·   ")[0] == text


def test_a_frozen_output_shows_the_user_frozen_where_anybody_may_see_it() -> None:
    status = PipelineStatus(RUNNING, outputs=CAMERA)
    assert summarize(status, frozen=True).startswith("Others see you: frozen")
    assert summarize(replace(status, readers=0), frozen=True).startswith("Others see you: no")


class LayoutRequests(QObject):
    """Counts the layout requests of a widget."""

    count = 0

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        self.count += event is not None and event.type() is QEvent.Type.LayoutRequest
        return False


def test_the_status_line_lists_the_rest_on_click_and_is_laid_out_only_for_a_new_text(qtbot: QtBot) -> None:
    window, line, requests = QWidget(), StatusLine(), LayoutRequests()
    QVBoxLayout(window).addWidget(line)
    qtbot.addWidget(window)
    source = SourceInfo("camera", "R&D camera", "id", 640, 480, 30.0, "")
    status = PipelineStatus(RUNNING, source, outputs=CAMERA, size=(640, 480), fps_in=29.8, fps_out=29.9)
    line.show_status(status, frozen=False)
    window.show()
    QApplication.processEvents()
    window.installEventFilter(requests)
    line.show_status(replace(status, fps_in=29.6), frozen=False)
    QApplication.processEvents()
    assert line.text() == line.accessibleName() == "Others can see you   ·   30 pictures per second"
    assert requests.count == 0
    menu = existing(line.menu())
    menu.popup(window.pos())
    listed = [action.text() for action in menu.actions()]
    menu.close()
    assert listed == ["Running", "R&&D camera 640 × 480", "29.6 fps in, 29.9 out", "/dev/video9"]
    line.show_status(status, frozen=True)
    QApplication.processEvents()
    assert requests.count > 0
