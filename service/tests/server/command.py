"""The command `run.py serve` in a process of its own, for tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.paths import ROOT


@contextmanager
def serving(log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the command on a free port; yield the process and its address."""
    port = 20_000 + os.getpid() % 20_000
    with log.open("wb") as output:
        command = [sys.executable, str(ROOT / "run.py"), "serve", "--port", str(port)]
        process = subprocess.Popen(command, stderr=output, stdout=output)
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()
