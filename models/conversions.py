"""Converted networks that were published with this copy of the program: where they are, and fetching them.

Copies without PyTorch, which converts networks, need them. The bundled ones lie in the sources, others in a package;
for the rest it has a list, which `tools.convert_networks` writes. They are kept under their SHA-256, so that no other
version of the program, whose converted networks differ, takes them.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import shutil
import zipfile
from pathlib import Path

from models.spec import WeightSpec
from models.weights import MODELS, user_folder

CONVERTED = MODELS / "converted"
"""Folder of the converted networks of this copy: the bundled ones, in a package also others."""
LIST = "published.json"


def converts() -> bool:
    """Return whether this copy converts networks itself."""
    return importlib.util.find_spec("torch") is not None


@functools.cache
def published(model: str) -> WeightSpec | None:
    """Return the archive of a network's conversions; None if there is none, or if this copy converts networks."""
    file = CONVERTED / LIST
    if converts() or not file.is_file():
        return None
    entry = json.loads(file.read_text("utf-8")).get(model)
    return entry and WeightSpec(model, licence="", note="", **entry)


def folders(model: str) -> list[Path]:
    """Return the folders with conversions of a network that are used here: with PyTorch none, so that changes count."""
    if converts():
        return []
    spec = published(model)
    return [CONVERTED] if spec is None else [CONVERTED, _fetched(spec)]


def missing(model: str) -> WeightSpec | None:
    """Return the archive of a network's conversions if it is yet to be fetched."""
    spec = published(model)
    return None if spec is None or _fetched(spec).is_dir() else spec


def unpack(archive: Path, spec: WeightSpec) -> None:
    """Put the content of a verified archive into place of an earlier one, and delete the archive. Raises OSError."""
    target = _fetched(spec)
    new = target.with_name("new")
    shutil.rmtree(target.parent, ignore_errors=True)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(new)
    new.replace(target)
    archive.unlink()


def _fetched(spec: WeightSpec) -> Path:
    return user_folder() / "converted" / spec.name / str(spec.sha256)
