"""The examples of docs/api.md run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clips import read_numbers, write_clip
from tests.paths import ROOT

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("number", range(4))
def test_the_example_runs(number: int, tmp_path: Path) -> None:
    write_clip(tmp_path / "talk.mp4", 4, audio="aac")
    script = tmp_path / "example.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{EXAMPLES[number]}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    if "convert(" in EXAMPLES[number]:
        assert done.stdout.startswith("4 True")
        assert len(read_numbers(tmp_path / "talk-alpha.mp4")) == 4
