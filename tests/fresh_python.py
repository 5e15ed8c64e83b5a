"""Other programs: code that needs a Python of its own, and programs that have a device open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.paths import ROOT


def printed_by(
    code: str,
    *words: str,
    folder: Path = ROOT,
    limit_s: float = 115,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run the code in a new process; returns what it prints. words: its arguments."""
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=limit_s
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def program(device: Path, how: str) -> Iterator[int]:
    """Another program that has the device open; gives its process id."""
    code = f"import os, sys; os.open(sys.argv[1], os.{how}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(device)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        process.stdout.readline()
        yield process.pid
        process.stdin.close()
        process.wait(60)
