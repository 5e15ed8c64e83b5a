from __future__ import annotations

import sys

from app.config import paths, program
from tests.paths import ROOT


def test_a_source_folder_is_started_with_run_py() -> None:
    assert program.name() == "run.py"
    assert program.command() == [sys.executable, str(ROOT / "run.py")]
    assert program.advice("Run `python3 run.py doctor`.") == "Run `python3 run.py doctor`."


def test_the_manual_of_a_source_folder_is_its_docs() -> None:
    assert paths.manual_page("apps.md") == ROOT / "docs" / "apps.md"
