"""The examples of docs/api.md run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clips import read_numbers, write_clip
from tests.paths import ROOT

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)
COUNT = 5


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == COUNT


@pytest.mark.parametrize("number", range(COUNT))
def test_the_example_runs(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path / "talk.mp4", 4, audio="aac")
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[number], f"docs/api.md, example {number}", "exec"), {"__name__": "__main__"})
    if "convert(" in EXAMPLES[number]:
        assert capsys.readouterr().out.startswith("4 True")
        assert len(read_numbers(tmp_path / "talk-alpha.mp4")) == 4
