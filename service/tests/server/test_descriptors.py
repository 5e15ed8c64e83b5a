"""A service opens more files than a program may by default."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.paths import ROOT

FILES = """
import resource
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
from service.server.descriptors import raise_descriptor_limit
raise_descriptor_limit(128)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
raise_descriptor_limit(100)
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for files")
def test_a_service_may_open_more_files() -> None:
    done = subprocess.run([sys.executable, "-c", FILES], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["128", "128"]
