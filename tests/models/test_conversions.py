"""A package without torch fetches conversions with the weights of a network, and finds them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.errors import ModelError
from app.matting.openvino.artefact import NetworkSource
from app.matting.openvino.artefact_cache import ArtefactCache
from models import conversions, download
from models.spec import WeightSpec
from models.weights import DownloadError, sha256_of, user_folder
from tests.published import install
from tools.convert_networks import pack

MODEL = "u2netp"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installed weights, which nobody opens."""
    file = tmp_path / "weights"
    file.write_bytes(b"weights")
    return install(file, MODEL, monkeypatch)


@pytest.fixture
def archive(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The published archive of a package that lacks torch."""
    made = tmp_path / "made" / NetworkSource(MODEL, installed).artefact_name()
    made.mkdir(parents=True)
    (made / "index.json").write_text("{}")
    file = pack(made.parent, tmp_path / "archives" / f"{MODEL}.zip")
    package = tmp_path / "package"
    package.mkdir()
    entry = {"file": file.name, "url": file.as_uri(), "bytes": file.stat().st_size, "sha256": sha256_of(file)}
    (package / conversions.LIST).write_text(json.dumps({MODEL: entry}))
    monkeypatch.setattr(conversions, "CONVERTED", package)
    spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else spec(name))
    conversions.published.cache_clear()
    yield file
    conversions.published.cache_clear()


@pytest.fixture
def _copied(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is the folder of the archives."""

    def fetch(spec: WeightSpec, url: str, target: Path, progress: download.Progress) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read_bytes())

    monkeypatch.setattr(download, "fetch", fetch)


@pytest.mark.usefixtures("_copied")
def test_they_are_fetched_with_the_weights_and_found(installed: Path, tmp_path: Path) -> None:
    cache = ArtefactCache(lambda: tmp_path / "cache", conversions.folders)
    with pytest.raises(ModelError, match=f"weights download {MODEL}"):
        cache.load(NetworkSource(MODEL, installed))
    older = user_folder() / "converted" / MODEL / "of another version"
    older.mkdir(parents=True)
    assert download.download(MODEL) == installed
    found = cache.folder(NetworkSource(MODEL, installed))
    assert (found / "index.json").read_text() == "{}"
    assert [path.name for path in (user_folder() / "converted").rglob("*") if path.is_dir()] == [
        MODEL,
        found.parent.name,
        found.name,
    ]
    assert conversions.missing(MODEL) is None


@pytest.mark.usefixtures("archive")
def test_a_failed_download_is_named() -> None:
    with pytest.raises(DownloadError):
        download.download(MODEL)
    assert conversions.missing(MODEL) is not None


@pytest.mark.usefixtures("archive")
def test_own_weights_need_torch(installed: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.pth"
    own.write_bytes(installed.read_bytes() + b"!")
    with pytest.raises(ModelError, match="needs PyTorch"):
        ArtefactCache(lambda: tmp_path / "cache", conversions.folders).load(NetworkSource(MODEL, own))


def test_with_torch_nothing_is_fetched_or_taken(monkeypatch: pytest.MonkeyPatch, archive: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    conversions.published.cache_clear()
    assert conversions.missing(MODEL) is None
    assert conversions.folders(MODEL) == []
