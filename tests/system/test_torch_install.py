"""From where PyTorch is installed, and with which CUDA libraries, by driver and index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from platform import machine

import pytest

from app.system import environment, torch_build
from tests.serving import Handler, served
from tests.system.wheels import add_wheel, lock


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="PyPI's builds for other systems have no CUDA libraries")
def test_the_cuda_libraries_come_with_pypis_build_of_torch_alone(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(clone, base=add_wheel(clone / "wheels", "thing", "1.0"))
    lock(clone, torch=add_wheel(clone / "wheels", "torch", "3.0"), cuda=add_wheel(clone / "wheels", "cudalib", "1.0"))
    requirements = clone / "requirements.txt"
    requirements.write_text("thing==1.0\n")
    environment.prepare(requirements)
    site = clone / ".venv/lib" / f"python{environment.VERSION}/site-packages"
    assert (site / "torch-2.0+cpu.dist-info").exists()
    assert not (site / "cudalib.py").exists()

    lock(clone, **{"torch-cpu": "torch==3.0+cpu --hash=sha256:" + "0" * 64})
    environment.prepare(requirements)
    assert (site / "torch-3.0.dist-info").exists()
    assert (site / "cudalib.py").exists()


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr(environment, "_pip", lambda options, log, lock: calls.append(options))
    environment.VENV.mkdir()
    return calls


def played_driver(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Let an NVIDIA driver answer with these lines of `driver, capability`."""
    monkeypatch.setattr(torch_build, "SMI_QUERY", (sys.executable, "-c", f"print({said!r})"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a CPU build of its own")
def test_pytorchs_own_index_is_asked_for_torch_alone(clone: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = recorded(monkeypatch)
    monkeypatch.setattr(environment, "PYTORCH_INDEX", index)
    environment.install(clone / "requirements-dev.txt", 0)
    locks = clone / "requirements"
    assert calls == [
        ["--index-url", f"{index}/cpu", "-r", str(locks / "torch-cpu.lock")],
        ["-r", str(locks / "base.lock"), "-r", str(locks / "dev.lock")],
    ]
    calls.clear()
    monkeypatch.setattr(environment, "PYTORCH_INDEX", "http://127.0.0.1:9")
    environment.install(clone / "requirements.txt", 0)
    played_driver(monkeypatch, "580.65.06, 8.9")
    environment.install(clone / "requirements.txt", 0)
    assert calls == [
        ["-r", str(locks / "torch-cpu.lock")],
        ["-r", str(locks / "base.lock")],
        ["-r", str(locks / "torch.lock")],
        ["-r", str(locks / "base.lock"), "-r", str(locks / "cuda.lock")],
    ]
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(environment.LOCKED)


@pytest.mark.skipif(sys.platform != "linux" or machine() != "x86_64", reason="other builds exist elsewhere")
@pytest.mark.parametrize(
    ("known", "build", "torch", "libraries"),
    [
        ("torch-cu126", "cu126", "torch-cu126", ["cuda-cu126"]),
        ("torch29-cu126", "cu126", "torch29-cu126", ["cuda29-cu126"]),
        ("", "cpu", "torch-cpu", []),
    ],
)
def test_an_old_driver_gets_cuda_12_where_its_hashes_are_known(
    clone: Path, index: str, monkeypatch: pytest.MonkeyPatch, known: str, build: str, torch: str, libraries: list[str]
) -> None:
    calls = recorded(monkeypatch)
    monkeypatch.setattr(environment, "PYTORCH_INDEX", index)
    played_driver(monkeypatch, "550.54.14, 8.9")
    for name in ("torch-cu126", "torch29-cu126"):
        python = environment.VERSION if name == known else "3.9"
        markers = f"python_version == '{python}' and sys_platform == 'linux' and platform_machine == 'x86_64'"
        lock(clone, **{name: f"torch==2.0+cu126 ; {markers} --hash=sha256:" + "0" * 64})
    environment.install(clone / "requirements.txt", 0)
    assert calls == [
        ["--index-url", f"{index}/{build}", "-r", str(clone / f"requirements/{torch}.lock")],
        [x for name in ("base", *libraries) for x in ("-r", str(clone / f"requirements/{name}.lock"))],
    ]


class Answer(Handler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def index() -> Iterator[str]:
    with served(Answer) as address:
        yield address
