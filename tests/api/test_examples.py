"""The examples of docs/api.md run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clips import read_numbers, write_clip
from tests.paths import ROOT

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), re.DOTALL)
assert len(EXAMPLES) == 4


@pytest.mark.parametrize("example", EXAMPLES, ids=map(str, range(5)))
def test_the_example_runs(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path / "talk.mp4", 4, audio="aac")
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "docs/api.md", "exec"), {"__name__": "__main__"})
    if "convert(" in example:
        assert capsys.readouterr().out.startswith("4 True")
        assert len(read_numbers(tmp_path / "talk-alpha.mp4")) == 4
