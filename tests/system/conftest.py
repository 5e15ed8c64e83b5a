"""A folder in place of the repository, with packages on disk that its lock files name."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from app.system import environment
from tests.paths import ROOT


def add_wheel(folder: Path, package: str, number: str, *, content: str = "") -> str:
    """Write a minimal package that pip can install; return its lock entry."""
    info = f"{package}-{number}.dist-info"
    files = {
        f"{package}.py": f"number = {number!r}\n{content}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {number}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text)}\n"
        for name, text in files.items()
    ]
    path = folder / f"{package}-{number}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join([*record, f"{info}/RECORD,,\n"]))
    return f"{package}=={number} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the repository, with a package index on disk that holds torch and nothing else."""
    root = tmp_path / "a clone"
    for folder in ("wheels", "requirements"):
        (root / folder).mkdir(parents=True)
    monkeypatch.setattr(environment, "ROOT", root)
    monkeypatch.setattr(environment, "VENV", root / ".venv")
    monkeypatch.setattr(environment, "PYTHON", root / ".venv" / environment.PYTHON.relative_to(ROOT / ".venv"))
    monkeypatch.setattr(environment, "PYTORCH_INDEX", "http://127.0.0.1:9")
    monkeypatch.setattr(environment, "SMI_QUERY", ("no-such-program",))
    monkeypatch.setattr(environment, "NVIDIA_MARK", "/no-such-file")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (root / "wheels").as_uri())
    torch = add_wheel(root / "wheels", "torch", "2.0+cpu")
    lock(
        root,
        base="thing==1.0 --hash=sha256:" + "0" * 64,
        cuda="",
        torch=torch,
        **{"torch-cpu": torch, "torch-cu126": "", "torch29-cu126": ""},
    )
    return root


def lock(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / "requirements" / f"{name}.lock").write_text(text)
