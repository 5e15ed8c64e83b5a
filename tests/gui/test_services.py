"""What the panels ask of the rest of the program, and the status line."""

from __future__ import annotations

import subprocess
import sys

from app.core.messages.matting import ModelText
from app.gui.widgets.status_line import describe_status
from app.runtime.status import Lowered, PipelineStatus


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
    assert describe_status(status).endswith("Machine busy: 20 of 30 fps")
