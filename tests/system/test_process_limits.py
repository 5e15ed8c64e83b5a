"""A crash writes no memory to disk, which holds frames of the camera; a service may open more files."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHILD = """
import atexit, resource
_, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
atexit.register(lambda: print("limits", hard, resource.getrlimit(resource.RLIMIT_CORE)[0]))
from app.cli.main import run_to_exit
run_to_exit(["version"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for core dumps")
def test_the_program_leaves_no_core_dump() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    words, hard, soft = done.stdout.split()[-3:]
    assert words == "limits"
    if int(hard) == 0:
        pytest.skip("the system forbids core dumps already")
    assert int(soft) == 0


FILES = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
from app.system.process_limits import raise_descriptor_limit
raise_descriptor_limit(128)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
raise_descriptor_limit(100)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for files")
def test_a_service_may_open_more_files() -> None:
    done = subprocess.run([sys.executable, "-c", FILES], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["128", "128"]
