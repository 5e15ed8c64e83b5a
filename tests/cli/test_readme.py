"""The commands and the example of README run."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from app.cli.main import main
from app.core.files import paths
from tests.clips import write_clip
from tests.offline.batch.clips import resource_tracker
from tests.paths import ROOT

__all__ = ["resource_tracker"]

README = (ROOT / "README.md").read_text("utf-8")
LINES = [line.strip() for line in re.findall(r"^    python3 run\.py(.*?)(?: #.*)?$", README, re.MULTILINE)]
MORE = {
    "": ["--help"],  # opens the window
    "doctor --fix": ["--help"],  # asks for the password of root
    "weights download rvm-mobilenetv3": ["--help"],  # goes online
    "headless --background blur": ["--source", "demo", "--virtual-camera", "off", "--frames", "3"],  # opens a camera
}
"""What is added to the commands that need more than files."""


def test_there_is_something_to_run() -> None:
    assert set(MORE) < set(LINES) and any("convert" in line for line in LINES)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("resource_tracker")
@pytest.mark.parametrize("line", [line for line in LINES if line != "test"])
def test_each_command_runs(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recordings").mkdir()
    for name in ("talk.mp4", "recordings/monday.mp4", "recordings/friday.mp4"):
        write_clip(tmp_path / name, 2)
    for name in ("photo.jpg", "beach.jpg"):
        shutil.copy(paths.assets_dir() / "astronaut.png", tmp_path / name)
    assert main([*shlex.split(line), *MORE.get(line, [])]) == 0


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    short = example.replace("range(30)", "range(2)").replace("1280", "192").replace("720", "144")
    exec(short, {})
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 ")
