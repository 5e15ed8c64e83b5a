"""The programs of `examples/` run as they stand."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import cv2
import pytest

from tests.clips import demo, write_clip
from tests.paths import ROOT

EXAMPLES = ROOT / "examples"
# Name → arguments, and a file that it writes.
PROGRAMS = {
    "photo": (("photo.png", "cut-out.png"), "cut-out.png"),
    "film": (("clip.mp4", "blurred.mp4"), "blurred.mp4"),
    "live": (("clip.mp4", "2"), "live.png"),
    "background_per_frame": (("clip.mp4", "pictures"), "pictures/000001.png"),
    "own_network": (("clip.mp4", "own.mp4"), "own.mp4"),
}


def test_each_example_is_tried_and_named() -> None:
    page = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    names = {path.stem for path in EXAMPLES.glob("*.py")}

    assert names == set(PROGRAMS)
    assert [name for name in names if f"examples/{name}.py" not in page] == []


@pytest.mark.long
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_example_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, written = PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("photo.png", demo(320, 240, [0])[0])
    write_clip(tmp_path / "clip.mp4", 2)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])

    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")

    assert (tmp_path / written).stat().st_size > 0
