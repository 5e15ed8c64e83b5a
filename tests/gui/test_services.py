"""What the panels ask of the rest of the program, and the status line."""

from __future__ import annotations

import subprocess
import sys

from PyQt6.QtCore import QLocale
from PyQt6.QtWidgets import QApplication

from app.core.messages.matting import ModelText
from app.core.types import SourceInfo
from app.gui.i18n.language import translate
from app.gui.widgets.slider_text import times
from app.gui.widgets.status_line import describe_status
from app.runtime.status import Lowered, Phase, PipelineStatus


def test_listing_devices_imports_torch_only_where_there_may_be_a_gpu() -> None:
    code = (
        "import platform, sys; from app.gui.state import services; from app.matting.selection import hardware;"
        "from app.matting.selection.cuda_cards import CudaCards;"
        "hardware.cuda_cards = lambda: CudaCards(None); platform.system = lambda: 'Linux';"
        "print(services.devices(), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(('cpu', 'CPU'),) False"


def test_the_preparation_shows_its_progress() -> None:
    status = PipelineStatus(busy=ModelText.PREPARING(step=2, count=4))
    assert "step 2 of 4" in describe_status(status)


def test_a_lowered_matting_rate_is_shown() -> None:
    status = PipelineStatus(lowered=Lowered(30.0, None, False, 20.0))
    assert describe_status(status).endswith("This computer is busy – 20 pictures per second")


def test_the_status_line_says_that_the_output_is_frozen() -> None:
    status = PipelineStatus(phase=Phase.RUNNING)
    assert describe_status(status).startswith("Running")
    assert describe_status(status, frozen=True).startswith("Frozen")
    assert describe_status(PipelineStatus(phase=Phase.PAUSED), frozen=True).startswith("Paused")


def test_numbers_are_written_as_in_the_chosen_language(qapp: QApplication) -> None:
    source = SourceInfo("camera", "Camera", "id", 640, 480, 29.97, "")
    status = PipelineStatus(source=source, fps_in=29.97, fps_out=14.5, lowered=Lowered(30.0, None, False, 14.5))
    before = describe_status(status)
    with translate(qapp, QLocale("de")):
        german = describe_status(status)
        assert times(150) == "1,50 ×"
    assert "30,0 Bilder/s ein, 14,5 aus" in german
    assert "– 14,5 " in german
    assert describe_status(status) == before
