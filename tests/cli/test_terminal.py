"""What commands print besides results."""

from __future__ import annotations

import pytest
from rich.progress import TaskProgressColumn

from app.cli.terminal import progress_bar


def test_the_title_of_a_progress_bar_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("talk [final]\npart 1.mp4", TaskProgressColumn()) as show:
        show(1, 2)
    assert "talk [final] part 1.mp4" in capsys.readouterr().err
