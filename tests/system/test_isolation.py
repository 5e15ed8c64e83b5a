"""The program runs apart from packages, libraries and plug-ins that others name in variables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.system import environment, isolation
from app.system.isolation import LIBRARIES, isolated, not_isolated
from tests.paths import ROOT

SHOW = "import json, os, sys; print(json.dumps([sys.flags.isolated, dict(os.environ)]))"


@pytest.fixture
def modules(tmp_path: Path) -> str:
    """A folder with modules that fail, named like those of Python, of the program and of its packages."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    for name in ("__future__", "typing", "enum", "re", "signal", "pathlib", "numpy", "cv2", "PyQt6", "app", "models"):
        (folder / f"{name}.py").write_text(f"raise RuntimeError('another {name}')")
    return str(folder)


@pytest.fixture
def libraries(tmp_path: Path) -> str:
    """A folder with libraries that cannot be loaded, named like some that packages bring."""
    folder = tmp_path / "lib"
    folder.mkdir()
    for name in ("libQt6Core.so.6", "libtbb.so.12", "libopenvino.so.2641", "libstdc++.so.6", "libz.so.1"):
        (folder / name).write_text("another library")
    return str(folder)


WINDOW = ["--source", "demo", "--size", "320x240", "--virtual-camera", "off", "--frames", "3", "--model", "mattecam"]


def test_a_process_that_nothing_disturbs_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Debuggers and profilers lost the program, which was replaced for `PYTHONUNBUFFERED` alone."""
    replaced: list[str] = []
    monkeypatch.setattr(os, "execve", lambda *_: replaced.append("replaced"))
    for name in [name for name in os.environ if isolated(os.environ).get(name) != os.environ[name]]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    monkeypatch.setattr("site.USER_SITE", str(tmp_path))
    isolation.isolate(["python"])
    assert not replaced
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    isolation.isolate(["python"])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    isolation.isolate(["python"])
    assert replaced == ["replaced"] * 2


@pytest.mark.skipif(os.name == "nt", reason="variables of Linux")
@pytest.mark.parametrize("words", [["devices"], pytest.param(WINDOW, marks=pytest.mark.long)], ids=["short", "window"])
def test_run_py_starts_beside_broken_packages_and_libraries(
    words: list[str], modules: str, libraries: str, tmp_path: Path
) -> None:
    if not environment.installed(ROOT / "requirements.txt"):
        pytest.skip("run.py would prepare an environment of its own")
    hostile = {
        "PYTHONPATH": modules,
        "PYTHONUSERBASE": str(tmp_path),
        "PYTHONWARNINGS": "error",
        LIBRARIES: libraries,
        "QT_PLUGIN_PATH": libraries,
        "QT_QPA_PLATFORM_PLUGIN_PATH": libraries,
        "QT_QPA_PLATFORM": "offscreen",
        "MATTECAM_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, str(ROOT / "run.py"), *words]
    done = subprocess.run(command, cwd=modules, env={**os.environ, **hostile}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "another" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no exec")
def test_the_process_is_replaced_once(modules: str) -> None:
    """The second start finds what the first one removed."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from app.system.isolation import isolate\n"
    code += "isolate([sys.executable, '-I', '-c', sys.argv[1], sys.argv[1]])\n" + SHOW
    environment = {**os.environ, "PYTHONPATH": modules, "PYTHONHASHSEED": "1", "GTK_PATH": "/snap"}
    done = subprocess.run([sys.executable, "-c", code, code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    flag, seen = json.loads(done.stdout)
    assert flag == 1
    assert {name for name in environment if name not in seen} >= {"PYTHONPATH", "PYTHONHASHSEED", "GTK_PATH"}
    assert [name for name in seen if name.startswith("PYTHON")] == ["PYTHONNOUSERSITE"]


def test_folders_of_the_driver_and_of_nix_stay(tmp_path: Path, libraries: str) -> None:
    (tmp_path / "libcuda.so.1").touch()
    kept = f"/nix/store/abc/lib:{tmp_path}"
    assert isolated({LIBRARIES: f"{libraries}::{kept}"})[LIBRARIES] == kept
    assert LIBRARIES not in isolated({LIBRARIES: libraries})
    assert not_isolated({LIBRARIES: kept}) == ()
    assert not_isolated({LIBRARIES: f"{kept}:{libraries}"}) == (LIBRARIES,)


def test_a_folder_stays_that_this_python_was_loaded_from(monkeypatch: pytest.MonkeyPatch, libraries: str) -> None:
    """Without it Python does not start; other libraries in it are what the doctor names."""
    monkeypatch.setattr(isolation, "_holds_python", lambda folder: folder == libraries)
    assert isolated({LIBRARIES: f"/opt/ros/lib:{libraries}"})[LIBRARIES] == libraries
    assert not_isolated({LIBRARIES: libraries}) == (LIBRARIES,)


def test_what_the_program_sets_itself_is_not_named() -> None:
    code = "import cv2, os; from app.system.isolation import not_isolated; print(not_isolated(os.environ))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=isolated(os.environ), capture_output=True, text=True
    )
    assert done.stdout == "()\n", done.stderr


def test_what_nobody_sets_is_not_named() -> None:
    assert not_isolated({"PATH": "/usr/bin", "LD_PRELOAD": "", "PYTHONUNBUFFERED": "1"}) == ()
    assert not_isolated({"LD_PRELOAD": "x.so", "PYTHONPATH": "/x"}) == ("PYTHONPATH", "LD_PRELOAD")
