"""How many threads may run: the cores of the process and the quotas of its control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core import threads
from app.core.threads import cpu_share, thread_limit, usable_cores

CORES = 16
OLD = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
"""Files of version 1 of control groups."""


@pytest.fixture(autouse=True)
def _cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_own_cores", lambda: CORES)


@pytest.mark.parametrize(
    ("groups", "quotas", "cores"),
    [
        ("0::/user.slice/app.scope\n", {}, CORES),
        ("0::/user.slice/app.scope\n", {"user.slice/app.scope": "50000 100000"}, 0.5),
        ("0::/user.slice/app.scope\n", {"user.slice/app.scope": "max 100000", "user.slice": "300000 100000"}, 3),
        ("0::/user.slice/app.scope\n", {"user.slice/app.scope": "400000 100000", "user.slice": "300000 100000"}, 3),
        ("0::/user.slice/app.scope\n", {"user.slice/other.scope": "50000 100000"}, CORES),
        ("0::/a:b\n", {"a:b": "150000 100000"}, 1.5),
        ("0::/\n", {"": "200000 100000"}, 2),
        ("0::/\n", {"": "9900000 100000"}, CORES),
        ("0::/\n", {"": "?"}, CORES),
        ("0::/../../outside\n", {"": "200000 100000"}, 2),
        ("9:pids:/\n1:cpu,cpuacct:/docker/12ab\n", {"cpu/docker/12ab": "150000 100000"}, 1.5),
        ("1:cpu,cpuacct:/docker/12ab\n", {"cpu/docker/12ab": "-1 100000", "cpu/docker": "700000 100000"}, 7),
        ("1:cpu:/docker/of-the-host\n", {"cpu": "100000 100000"}, 1),
        ("1:cpuacct:/a\n1:cpuset:/a\n", {"cpu/a": "100000 100000"}, CORES),
        (None, {"": "200000 100000"}, 2),
    ],
)
def test_the_least_quota_of_the_nearest_group_and_of_all_above_counts(
    groups: str | None, quotas: dict[str, str], cores: float, tmp_path: Path
) -> None:
    """Only the quota at the top counted, which a container has; systemd and others set it on a group below."""
    membership = tmp_path / "membership"
    if groups is not None:
        membership.write_text(groups)
    for group, text in quotas.items():
        folder = tmp_path / "cgroup" / group
        folder.mkdir(parents=True, exist_ok=True)
        words = text.split() if group.startswith("cpu") else [text]
        for name, word in zip(OLD if group.startswith("cpu") else ["cpu.max"], words, strict=True):
            (folder / name).write_text(f"{word}\n")
    assert cpu_share(tmp_path / "cgroup", membership) == cores


@pytest.mark.parametrize(("share", "cores", "limit"), [(0.2, 1, 1), (1.5, 2, 2), (CORES, CORES, None)])
def test_a_quota_limits_the_threads(
    share: float, cores: int, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All cores were taken, so that the quota was used up early and every step waited for the next period."""
    monkeypatch.setattr(threads, "cpu_share", lambda: share)
    assert (usable_cores(), thread_limit()) == (cores, limit)
