"""A copy of the program without the service says so in one sentence."""

from __future__ import annotations

import sys

import pytest

from app.cli.main import main


@pytest.mark.parametrize("words", [["serve"], ["headless", "--engine", "remote", "--server", "https://x"]])
def test_a_missing_service_is_named(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "service", None)
    assert main(words) == 1
    assert "needs the WebRTC service, which this copy of Mattecam lacks." in capsys.readouterr().err
