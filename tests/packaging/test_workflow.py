"""The workflow on GitHub caches packages under the lock files that decide what is installed."""

from __future__ import annotations

import re

from tests.paths import ROOT


def test_the_cache_depends_on_the_lock_files() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    patterns = re.findall(r"cache-dependency-path: (.+)", workflow)
    assert len(patterns) == workflow.count("cache: pip")
    for pattern in patterns:
        assert set(ROOT.glob(pattern)) == set((ROOT / "requirements").glob("*.lock"))


def test_a_published_package_knows_whose_releases_to_ask_for() -> None:
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert 'tools.packages.release dist --project "$GITHUB_REPOSITORY"' in workflow
