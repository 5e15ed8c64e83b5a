"""The states of the window that the screenshots show exist."""

from __future__ import annotations

from app.gui.shell.application import Session
from tools.window_shots import ALL, DOCUMENTS


def test_each_state_that_a_screenshot_shows_can_be_shown(session: Session) -> None:
    """Screenshots of the assistant named a setting that was removed."""
    for shot in (*DOCUMENTS, *ALL):
        widget = shot.prepare(session)
        assert widget.isVisible(), shot.name
        if widget is not session.window:
            widget.close()
