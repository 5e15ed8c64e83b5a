"""The registry of weights, the search path and verification."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.files import paths
from models import weights
from models.shipped import SHA256
from models.spec import WeightSpec
from models.table import NETWORKS
from models.weights import (
    WeightsError,
    WeightsNotFoundError,
    WeightState,
    describe,
    find,
    hash_record,
    spec_of,
    verified,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's weights folder."""
    path = tmp_path / "mine"
    path.mkdir()
    monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(path))
    return path


def test_the_registry_covers_every_model_and_only_encrypted_addresses() -> None:
    for name, network in NETWORKS.items():
        spec = network.weights
        assert spec.name == network.name == name
        assert spec.licence
        assert Path(spec.file).name == spec.file
        assert spec.url is None or spec.url.startswith("https://")
        assert spec.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", spec.sha256)
    assert [name for name, network in NETWORKS.items() if network.bundled] == ["mattecam", "mattecam-plate"]


def test_weights_and_program_agree_on_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path))
    assert weights.user_folder() == tmp_path / "models"
    monkeypatch.delenv("MATTECAM_DATA_DIR")
    assert weights.user_folder() == paths.data_dir() / "models"


def test_an_explicit_file_comes_first_and_must_exist(folder: Path, tmp_path: Path) -> None:
    (folder / "u2netp.pth").touch()
    own = tmp_path / "own.pth"
    with pytest.raises(WeightsNotFoundError, match=re.escape(str(own))):
        find("u2netp", own)
    own.touch()
    assert find("u2netp", own) == own
    assert find("u2netp") == folder / "u2netp.pth"


def test_folders_are_searched_in_order(folder: Path) -> None:
    users = weights.user_folder() / "u2netp.pth"
    users.parent.mkdir(parents=True)
    users.touch()
    assert find("u2netp") == users
    (folder / "u2netp.pth").touch()
    assert find("u2netp") == folder / "u2netp.pth"
    assert [place.name for place in weights.search_folders()] == ["mine", "models", "weights", "mattecam"]


def test_missing_weights_name_the_command_that_gets_them() -> None:
    with pytest.raises(WeightsNotFoundError, match=r"run\.py weights download u2net-human-seg"):
        find("u2net-human-seg")
    with pytest.raises(WeightsNotFoundError, match="no weights named mona-lisa"):
        find("mona-lisa")


def test_describe_tells_what_is_on_hand(folder: Path) -> None:
    (folder / "rvm_resnet50.pth").touch()
    by_name = {report.spec.name: report for report in describe()}
    assert by_name["rvm-resnet50"].path == folder / "rvm_resnet50.pth"
    assert by_name["rvm-resnet50"].state is None
    assert by_name["u2net"].path is None
    assert by_name["u2net"].state is WeightState.MISSING


def test_verify_compares_published_and_recorded_hashes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def state(name: str) -> WeightState | None:
        return verified(spec_of(name)).state

    good, other = folder / "u2netp.pth", folder / "torchscript_resnet101_fp32.pth"
    good.write_bytes(b"not what was published")
    assert state("u2netp") is WeightState.DIFFERENT
    other.write_bytes(b"anything")
    assert state("bgmv2-resnet101") is WeightState.UNKNOWN
    hash_record(other).write_text(hashlib.sha256(b"anything").hexdigest() + "  name\n")
    assert state("bgmv2-resnet101") is WeightState.RECORDED
    other.write_bytes(b"changed")
    assert state("bgmv2-resnet101") is WeightState.DIFFERENT
    assert state("u2net") is WeightState.MISSING
    published = hashlib.sha256(good.read_bytes()).hexdigest()
    spec = WeightSpec("u2netp", "u2netp.pth", "", "", "https://example.org/x", sha256=published)
    monkeypatch.setitem(NETWORKS, "u2netp", replace(NETWORKS["u2netp"], weights=spec))
    assert state("u2netp") is WeightState.VERIFIED


def test_the_files_that_ship_are_those_that_are_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {file.relative_to(weights.MODELS).as_posix(): file for file in weights.MODELS.rglob("*.safetensors")}
    assert {name: weights.sha256_of(file) for name, file in shipped.items()} == SHA256, "update models/shipped.py"
    assert {verified(spec_of(name)).state for name in ("mattecam", "mattecam-plate")} == {WeightState.SHIPPED}
    monkeypatch.setitem(SHA256, "mattecam/student.safetensors", "0" * 64)
    assert verified(spec_of("mattecam")).state is WeightState.DIFFERENT, "damaged"


def test_an_unreadable_file_is_named(folder: Path) -> None:
    with pytest.raises(WeightsError, match=re.escape(str(folder))):
        weights.sha256_of(folder)
