"""What a desktop and a package index read: menu entry, icon, AppStream metadata, manual page, the
README as a page.

`setup.py` and the Debian package write the same files. Imports the standard library only: it runs
in the build of a wheel.
"""

from __future__ import annotations

import gzip
import os
import re
import time
from collections.abc import Mapping
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DESKTOP = ROOT / "deploy" / "desktop"
FOLDERS = ("applications", "icons", "man", "metainfo")
"""Those below `share` that a desktop reads."""
LONGEST_NOTES = 6
"""Entries of the changelog that a software centre shows."""


def desktop_files(share: Path, version: str, moment: int | None = None) -> list[Path]:
    """Write what a desktop reads below a folder `share`; return the files. moment: of the release,
    now if unknown.
    """
    if moment is None:
        moment = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    values = {
        "@VERSION@": version,
        "@DATE@": time.strftime("%Y-%m-%d", time.gmtime(moment)),
        "@ADDRESS@": address(),
        "@RAW@": f"{address()}/raw/v{version}",
        "@NOTES@": notes_in_xml((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version),
    }
    texts = {
        "applications/mattecam.desktop": (DESKTOP / "mattecam.desktop").read_text(encoding="utf-8"),
        "metainfo/org.mattecam.Mattecam.metainfo.xml": filled(
            DESKTOP / "mattecam.metainfo.xml.in", values
        ),
        "icons/hicolor/scalable/apps/mattecam.svg": (ROOT / "app/gui/images/app.svg").read_text(
            encoding="utf-8"
        ),
        "man/man1/mattecam.1.gz": filled(DESKTOP / "mattecam.1.in", values),
    }
    for name, text in texts.items():
        write(share / name, text)
    return [share / name for name in texts]


def address() -> str:
    """Return the address of the project: that of `Repository` in pyproject.toml."""
    found = re.search(
        r'^Repository = "(.+)"$',
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert found is not None, "pyproject.toml names no Repository"
    return found[1]


def section_of(changelog: str, version: str) -> str:
    """Return what the changelog says of a version; empty if it has no such section."""
    found = re.search(
        rf"^## \[{re.escape(version)}\].*\n([\s\S]*?)(?=^## |\Z)", changelog, re.MULTILINE
    )
    return "" if found is None else found[1].strip()


def notes_in_xml(changelog: str, version: str) -> str:
    """Return the first entries of a version, or of what is unreleased, as list items for AppStream."""
    section = section_of(changelog, version) or section_of(changelog, "Unreleased")
    entries = re.findall(r"^- (.+)$", section, re.MULTILINE)
    plain = [
        re.sub(r"\[([^\]]+)\]\([^)]*\)|[`*]", r"\1", entry) for entry in entries[:LONGEST_NOTES]
    ]
    return "\n".join(f"          <li>{escape(entry, quote=False)}</li>" for entry in plain)


def page_for_index(readme: str, version: str) -> str:
    """Return the README as a package index shows it: whole addresses, and commands of the installed
    program.
    """
    blob = f"{address()}/blob/v{version}/"
    raw = f"{address()}/raw/v{version}/"
    page = re.sub(r"(!\[[^\]]*\])\((?!\w+:)([^)]+)\)", rf"\1({raw}\2)", readme)
    page = re.sub(r"(?<!!)(\[[^\]]*\])\((?!\w+:)([^)#]+)", rf"\1({blob}\2", page)
    lines = [in_installed_program(line) for line in page.splitlines() if "run.py test" not in line]
    return "\n".join(lines) + "\n"


def in_installed_program(line: str) -> str:
    """Return a line of a code block or a table with the command `mattecam`; others stay."""
    if not line.startswith(("    ", "| `")):
        return line
    line = line.replace("uv tool install .", "uv tool install mattecam")
    return re.sub(r"(python3 )?\brun\.py", "mattecam", line)


def filled(template: Path, values: Mapping[str, str]) -> str:
    """Return a template with its `@NAMES@` replaced."""
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def write(path: Path, text: str) -> None:
    """Write a file of a package, compressed if its name says so, the same in every build."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    path.chmod(0o644)
