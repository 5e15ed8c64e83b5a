"""Published weights: which exist, where they are, whether they are unmodified; their int8 and
converted versions.

This module neither loads networks nor uses the internet: `models.checkpoint` reads files,
`models.download` fetches them.

Copies of the program without PyTorch, which converts networks, need networks that were converted
when the copy was made (`tools.convert_networks`): the bundled ones lie in the sources, others in a
package.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import logging
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from models.errors import WeightsDamagedError, WeightsError, WeightsNotFoundError
from models.program import home_needed, program_command
from models.table import MODELS, NETWORKS, WeightSpec, bundled

LOG = logging.getLogger(__name__)
# Folder of the bundled weights.
SHIPPED = MODELS / bundled().name
# SHA-256 of the weights that ship with the program, by path below `models`.
SHIPPED_SHA256 = {
    "rvm/rvm_mobilenetv3-int8.safetensors": "7841075ed28a46bd8bdeaf34eec3cbae3cbf7ed57c1231b4eb8833ac3ac03766",
    "mattecam/student-int8.safetensors": "fe930e3729e175dfb7a1f32a9237ec17e97702d54b383a7ca9b8cac8d5c5af40",
    "mattecam/student-plate.safetensors": "062271f9272e71047fcef00ad500f4702983e56ff919788e890b5eb6f90ba359",
    "mattecam/student.safetensors": "9c3bb59488f24f1a53352506e19b73c19f82771e8c1de3b65b49cb365dded4e5",
}


class WeightState(Enum):
    """Verification state of a model's weights on this machine."""

    MISSING = "not installed"
    SHIPPED = "ships with the program"
    VERIFIED = "as published"
    # No published hash; the file matches the hash recorded at the first download.
    RECORDED = "as first downloaded"
    # No published and no recorded hash: the file was added manually.
    UNKNOWN = "not checkable"
    DIFFERENT = "not the published file"


@dataclass(frozen=True, slots=True)
class WeightReport:
    """A weights file, and where it is; None if it is not installed."""

    spec: WeightSpec
    path: Path | None


def user_folder() -> Path:
    """Return the download folder: `models` in the user's data folder (`$MATTECAM_DATA_DIR`
    overrides that).
    """
    named = os.environ.get("MATTECAM_DATA_DIR")
    if named:
        return Path(named) / "models"
    # Here, so that networks can be loaded where it is not installed.
    import platformdirs

    with home_needed():
        return platformdirs.user_data_path("mattecam", appauthor=False) / "models"


def search_folders() -> tuple[Path, ...]:
    """Return the folders searched for weights, in order."""
    folders = [user_folder(), MODELS.parent / "weights", SHIPPED]
    named = _named_folder()
    if named is not None:
        folders.insert(0, named)
    return tuple(folders)


def _named_folder() -> Path | None:
    named = os.environ.get("MATTECAM_WEIGHTS_DIR")
    return Path(named) if named else None


def find(name: str, explicit: Path | None = None) -> Path:
    """Return the file with a model's weights: `explicit` if given, else the first in
    `search_folders`.

    Raises WeightsNotFoundError.
    """
    if explicit is not None:
        try:
            exists = explicit.is_file()
        except OSError as error:  # such as a folder that this user may not look into
            raise WeightsNotFoundError(
                "The weights file {file} cannot be read; check the path and its permissions.",
                file=explicit,
            ) from error
        if not exists:
            raise WeightsNotFoundError(
                "There is no weights file {file}; choose another one⟦ with --weights⟧.",
                file=explicit,
            )
        return explicit
    spec = NETWORKS[name].weights
    path = on_hand(name)
    if path is not None:
        return path
    if spec.url is None:
        raise WeightsNotFoundError(
            "The weights of {model} ({file}), which are part of the program, are missing; "
            "reinstall the program, or choose a file of your own⟦ with --weights⟧.",
            model=name,
            file=spec.file,
        )
    raise WeightsNotFoundError(
        "The weights of {model} ({file}) are not installed; download them⟦ with `{program} "
        "weights download {model}`⟧, or choose a file of your own⟦ with --weights⟧.",
        model=name,
        file=spec.file,
        program=program_command(),
    )


def on_hand(name: str) -> Path | None:
    """Return the file with a model's weights in `search_folders`, or None."""
    for folder in search_folders():
        file = folder / NETWORKS[name].weights.file
        # Not `Path.is_file`, which raises where the folder is closed.
        if os.path.isfile(file):  # noqa: PTH113
            return file
    return None


@functools.cache
def _tell_of_own(path: Path, name: str) -> None:
    """Warn once per process that a file is used as the user's own weights."""
    LOG.warning(
        "The weights %s in MATTECAM_WEIGHTS_DIR differ from the published ones of %s and are used "
        "as your own; if they are not, the file is damaged: `%s weights download %s` fetches the "
        "published ones into the data folder.",
        path,
        name,
        program_command(),
        name,
    )


def check_intact(name: str, path: Path) -> None:
    """Raise WeightsDamagedError if a file in `search_folders` is not the one that was published,
    recorded or shipped.

    In the folder that the user named (`$MATTECAM_WEIGHTS_DIR`) another file is theirs, which is
    logged. A file is hashed once per process. Raises WeightsError if it cannot be read.
    """
    spec = NETWORKS[name].weights
    expected = expected_sha256(path, spec)
    if expected is None or sha256_of(path) == expected:
        return
    if path.parent == _named_folder() and recorded_sha256(path) is None:
        _tell_of_own(path, name)
        return
    if spec.url is None:
        raise WeightsDamagedError(
            "The weights file {file}, which is part of the program, is damaged; reinstall the "
            "program, or choose another file⟦ with --weights⟧.",
            file=path,
        )
    raise WeightsDamagedError(
        "The weights file {file} differs from the published file (checksum); download it again⟦ "
        "with `{program} weights download {model}`⟧, or choose a file of your own⟦ with "
        "--weights⟧.",
        file=path,
        model=name,
        program=program_command(),
    )


def expected_sha256(path: Path, spec: WeightSpec | None = None) -> str | None:
    """Return the SHA-256 that a file must have: as shipped, published, or recorded; None if there
    is none.

    spec: the entry of the file, if it is listed.
    """
    if path.is_relative_to(MODELS):
        return SHIPPED_SHA256.get(path.relative_to(MODELS).as_posix())
    if spec is None:
        return None
    return spec.sha256 or recorded_sha256(path)


def describe() -> tuple[WeightReport, ...]:
    """Return every entry and its location, without hashing."""
    return tuple(WeightReport(spec.weights, on_hand(spec.name)) for spec in NETWORKS.values())


def verified(spec: WeightSpec) -> WeightState:
    """Hash the file of a model, if it is on hand, and return its state.

    Raises WeightsError if it is unreadable.
    """
    path = on_hand(spec.name)
    if path is None:
        return WeightState.MISSING
    expected = expected_sha256(path, spec)
    if expected is None:
        return WeightState.UNKNOWN
    if sha256_of(path) != expected:
        return WeightState.DIFFERENT
    if path.parent == SHIPPED:
        return WeightState.SHIPPED
    return WeightState.VERIFIED if spec.sha256 else WeightState.RECORDED


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; a file is hashed again only if its time or size
    has changed.

    Raises WeightsError if it cannot be read.
    """
    try:
        stat = path.stat()
        return _hashed(path, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise WeightsError(
            "The weights file {file} cannot be read; check the path and its permissions.", file=path
        ) from error


@functools.lru_cache(maxsize=16)
def _hashed(path: Path, _time_ns: int, _size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def hash_record(path: Path) -> Path:
    """Return the path of the file that records the hash of a first download."""
    return path.with_name(f"{path.name}.sha256")


def recorded_sha256(path: Path) -> str | None:
    """Return the hash recorded at the first download, or None."""
    try:
        words = hash_record(path).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return None
    return words[0] if words else None


# Metadata entry of an int8 file: the SHA-256 of the weights file that it was made of and measured
# with.
SOURCE = "source_sha256"
# Metadata entry: the SHA-256 of weights that the int8 version fits as well, but with which it was
# not measured.
SIMILAR = "similar_sha256"


def int8_file(weights: Path) -> Path:
    """Return the path of the int8 version beside a weights file."""
    return weights.with_name(f"{weights.stem}-int8.safetensors")


def find_int8(weights: Path, shipped: Path | None = None) -> Path | None:
    """Return the int8 version of a weights file; None if there is none or it was made of other
    weights.

    shipped: a file in another folder, used if there is none beside the weights.
    """
    for file in (int8_file(weights), shipped):
        if file is not None and _belongs(file, weights):
            return file
    return None


def _belongs(file: Path, weights: Path) -> bool:
    """Return whether an int8 version is intact and fits the weights."""
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        return False
    try:
        if expected_sha256(file) not in (None, sha256_of(file)):
            LOG.warning("The int8 version %s is damaged and not used; reinstall the program.", file)
            return False
        with safe_open(file, framework="numpy") as opened:
            metadata: dict[str, str] = opened.metadata() or {}
        return sha256_of(weights) in (metadata.get(SOURCE), metadata.get(SIMILAR))
    except (OSError, SafetensorError, WeightsError):
        return False


# Folder of the converted networks of this copy, which are used where their name says that weights
# and OpenVINO fit. They do not follow a change of the code that converts:
# `tests/packaging/test_without_torch.py` compares.
CONVERTED = MODELS / "converted"


def converts() -> bool:
    """Return whether this copy converts networks itself."""
    return importlib.util.find_spec("torch") is not None
