"""Video devices of a played kernel: files in the folder of the fixture `kernel`, and answers of their drivers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.capture import v4l2


def plug(kernel: Path, number: int, name: str, node: int = 0) -> None:
    folder = kernel / "sys" / f"video{number}"
    folder.mkdir()
    (folder / "name").write_text(f"{name}\n")
    (folder / "index").write_text(f"{node}\n")


def unplug(kernel: Path, number: int) -> None:
    shutil.rmtree(kernel / "sys" / f"video{number}")


def answers(monkeypatch: pytest.MonkeyPatch, known: dict[str, v4l2.Capability | OSError]) -> None:
    def query(path: str) -> v4l2.Capability:
        answer = known[path]
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(v4l2, "query", query)
