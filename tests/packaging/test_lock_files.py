"""The lock files hold exactly what the requirements name, and everything that those require."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app.system import environment
from tests.paths import ROOT


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_an_exact_pin_that_is_understood(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    for line in lines:
        assert re.fullmatch(r'[\w.-]+==[\w.]+(; python_version (<|>=) "3\.\d+")?', line), line
    pinned = dict(environment.pins(ROOT / name))
    assert pinned.keys() >= {re.split("==", line)[0] for line in lines}
    assert pinned["torch"] == "2.13.0"


LOCK_ENTRY = re.compile(r"^([\w.-]+)==([\w.+]+)(?: ; (.+?))?((?: \\\n    --hash=sha256:\w{64})+)$", re.MULTILINE)


def locked() -> dict[str, str]:
    """Return package → version for this Python from the lock files, with the libraries of one build with CUDA."""
    found: dict[str, str] = {}
    other_builds = {"cuda-cu126.lock", "cuda29-cu126.lock", "torch29-cu126.lock"}
    for path in (path for path in (ROOT / "requirements").glob("*.lock") if path.name not in other_builds):
        text = path.read_text()
        entries = LOCK_ENTRY.findall(text)
        assert len(entries) == len(re.findall(r"^\w", text, re.MULTILINE)), f"{path.name}: an entry without a hash"
        for name, number, marker, _ in entries:
            if not marker or Marker(marker).evaluate():
                number = number.partition("+")[0]
                assert found.setdefault(name, number) == number, f"{name} is locked twice"
    return found


def test_the_lock_files_hold_every_requirement_and_what_it_requires() -> None:
    versions = locked()
    for name, number in environment.pins(ROOT / "requirements-dev.txt"):
        assert versions[canonicalize_name(name)] == number, "run python -m tools.lock_requirements"
    for package in versions:
        try:
            required = distribution(package).requires or []
        except PackageNotFoundError:
            continue  # needed for another build of torch only
        for requirement in map(Requirement, required):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                number = versions[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(number), f"{package} requires {requirement}"
