"""The workflows on GitHub: packages are cached under the lock files, and actions are named by commit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from app import __version__
from tests.paths import ROOT
from tools.packages.tree import archive


def test_the_cache_depends_on_the_lock_files() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    patterns = re.findall(r"cache-dependency-path: (.+)", workflow)
    assert len(patterns) == workflow.count("cache: pip")
    for pattern in patterns:
        assert set(ROOT.glob(pattern)) == set((ROOT / "requirements").glob("*.lock"))


def test_actions_are_named_by_commit() -> None:
    """The owner of an action can move its tags to other code."""
    for workflow in (ROOT / ".github" / "workflows").glob("*.yml"):
        for action in re.findall(r"uses: (.+)", workflow.read_text(encoding="utf-8")):
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}  # v[\d.]+", action), action


def test_a_published_package_knows_whose_releases_to_ask_for() -> None:
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert 'tools.packages.release dist --project "$GITHUB_REPOSITORY"' in workflow


STEP = re.compile(r"- name: AppImage of the AppDir\n +run: \|\n((?: {10}.*\n)+)")
FETCH = """\
#!/bin/sh
echo '#!/bin/sh
echo "$@"; ls Mattecam.AppDir; for last; do :; done; echo image >"$last"' >"$2"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="GNU programs")
@pytest.mark.parametrize("are_those_pinned", [True, False])
def test_the_appimage_is_put_together_by_pinned_tools(are_those_pinned: bool, tmp_path: Path) -> None:
    found = STEP.search((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    assert found is not None
    (tmp_path / "dist").mkdir()
    (tmp_path / "Mattecam.AppDir").mkdir()
    (tmp_path / "Mattecam.AppDir" / "AppRun").touch()
    archive(tmp_path / "Mattecam.AppDir", tmp_path / "dist" / f"mattecam-{__version__}-x86_64.AppDir.tar.xz")
    shutil.rmtree(tmp_path / "Mattecam.AppDir")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "curl").write_text(FETCH)
    if are_those_pinned:
        sums = '#!/bin/sh\ntest "$1" = --check || exec /usr/bin/sha256sum "$@"\n'
        (tmp_path / "bin" / "sha256sum").write_text(sums)
    for program in (tmp_path / "bin").iterdir():
        program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "GITHUB_REF_NAME": f"v{__version__}"}
    script = ["bash", "-e", "-c", textwrap.dedent(found[1])]
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    image = f"mattecam-{__version__}-x86_64.AppImage"
    assert (done.returncode == 0, (tmp_path / "dist" / image).exists()) == (are_those_pinned,) * 2, done.stderr
    if are_those_pinned:
        assert "--runtime-file runtime Mattecam.AppDir" in done.stdout and "AppRun" in done.stdout
        assert (tmp_path / "dist" / "SHA256SUMS").read_text().split()[1] == image
