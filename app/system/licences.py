"""What the packages that are installed with the program state about their licences."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata


def licences(folders: Sequence[str] | None = None) -> dict[str, str]:
    """Return package with version → licence, sorted. folders: where packages are; by default those of this Python."""
    found = metadata.distributions() if folders is None else metadata.distributions(path=list(folders))
    return dict(sorted(map(_entry, found), key=lambda entry: entry[0].lower()))


def stated(fields: metadata.PackageMetadata) -> str:
    """Return the licence in a package's metadata: its expression, else its licence field, else its classifiers."""
    lines = fields.get_all("Classifier", []) or []
    classifiers = [line.split(" :: ")[-1] for line in lines if line.startswith("License")]
    known = fields.get_all("License-Expression") or fields.get_all("License") or [""]
    return known[0].split("\n")[0] or "; ".join(classifiers)


def _entry(package: metadata.Distribution) -> tuple[str, str]:
    return f"{package.metadata['Name']} {package.version}", stated(package.metadata)
