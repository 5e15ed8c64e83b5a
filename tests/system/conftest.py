"""A folder in place of the repository, with packages on disk that its lock files name."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.system import environment
from tests.paths import ROOT
from tests.system.wheels import add_wheel, lock


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
