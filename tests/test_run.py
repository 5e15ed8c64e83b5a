"""`run.py` starts from any folder, and explains itself to an older Python."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.system import environment
from tests.paths import ROOT


def test_an_older_python_gets_one_sentence() -> None:
    source = (ROOT / "run.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    code = f"import sys; sys.version_info = (3, 9, 1); exec(compile({source!r}, 'run.py', 'exec'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert re.fullmatch(r"Mattecam needs Python 3\.10 or newer; this is .*\n", done.stderr)


def test_it_starts_from_any_folder(tmp_path: Path) -> None:
    if not environment.installed(ROOT / "requirements.txt"):
        pytest.skip("this Python has other versions than the pinned ones, so run.py would prepare its own")
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "weights", "list"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("model\t")
    assert not list(tmp_path.iterdir())
