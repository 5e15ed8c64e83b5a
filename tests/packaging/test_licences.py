"""docs/licences.md repeats what the installed packages state about themselves."""

from __future__ import annotations

import re
import sys
from importlib import metadata

import pytest

from app.system.environment import pins
from app.system.licences import stated
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
TABLES = "| licence as stated in its metadata |"


def listed() -> list[dict[str, str]]:
    """The tables of direct and of indirect dependencies, licence by package."""
    tables = [part.split("\n\n")[0] for part in PAGE.split(TABLES)[1:]]
    return [dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", table, re.MULTILINE)) for table in tables]


def test_every_direct_dependency_is_listed() -> None:
    direct, indirect = listed()
    assert set(direct) == {package for package, _ in pins(ROOT / "requirements.txt")}
    assert not set(direct) & set(indirect)


@pytest.mark.torch
@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 gets older releases, which state less")
def test_licences_are_those_of_the_installed_packages() -> None:
    direct, indirect = listed()
    installed = {str(found.metadata["Name"]) for found in metadata.distributions()}
    named = {package: licence for package, licence in indirect.items() if package in installed}
    assert len(named) > len(indirect) // 2
    expected = direct | named
    states = {package: stated(metadata.metadata(package)) for package in expected}
    differing = {package: states[package] for package in expected if states[package] != expected[package]}
    assert not differing
