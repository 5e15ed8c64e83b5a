"""The workflows on GitHub: packages are cached under the lock files, and actions are named by commit."""

from __future__ import annotations

import re

from tests.paths import ROOT


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
