"""The wheel, installed without PyTorch: one package, its Python API and every command, from anywhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import venv
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import Parser
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app import __version__
from app.cli.main import app
from app.system.environment import pins
from tests.packaging.conftest import DEMO, run
from tests.paths import ROOT

REQUIREMENTS = ("requirements.txt", "requirements-cluster.txt")
FILES = ("setup.py", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", *REQUIREMENTS)
SOURCES = ("app", "models", "mattecam", "docs", "deploy", "tools", *FILES)
NOT_SHIPPED = shutil.ignore_patterns("__pycache__", "*.pyc")
COMMANDS: dict[str, tuple[tuple[str, ...], int, str]] = {
    "": ((*DEMO, "--status-json", "STATUS"), 0, ""),
    "headless": ((*DEMO, "--status-json", "STATUS"), 0, ""),
    "convert": (("photo.png", "matted.png"), 0, ""),
    "devices": ((), 0, "amera"),
    "ctl": (("status",), 1, "is not running"),
    "doctor": ((), 1, "PyTorch is not installed; the networks run on the CPU."),
    "bench": (("--seconds", "1"), 0, ""),
    "version": ((), 0, __version__),
    "weights": (("verify",), 0, "mattecam-plate"),
}
"""By name, the window without one: arguments, exit code, and what is printed."""
IMPORT_ALL = """
import importlib, pathlib, sys
import mattecam
folder = pathlib.Path(mattecam.__file__).parent
for path in folder.rglob("*.py"):
    name = ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        assert error.name.partition(".")[0] in ("ray", "torch"), (name, error)
assert not [name for name in sys.modules if name.partition(".")[0] in ("app", "models")]
print(len([name for name in sys.modules if name.startswith("mattecam.")]))
"""
pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.name == "nt", reason="the folders of a Windows environment differ"),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, so that no `build` folder is left in the repository."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=NOT_SHIPPED)
        else:
            shutil.copy(ROOT / name, source / name)
    if (ROOT / ".git").exists():  # the build writes down the commit
        repository = run("git", "-C", str(ROOT), "rev-parse", "--absolute-git-dir")
        (source / ".git").write_text(f"gitdir: {repository}")
    run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        source,
        "--no-deps",
        "--no-build-isolation",
        "-w",
        out,
    )
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command, in an environment that borrows the packages of this one but torch, which is an extra."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    borrowed = (path for path in sys.path if path.endswith("site-packages"))
    (site / "borrowed.pth").write_text(
        "\n".join(["import sys; sys.modules['torch'] = None", *borrowed])
    )
    run(
        sys.executable,
        "-m",
        "pip",
        f"--python={folder / 'bin' / 'python'}",
        "install",
        "-q",
        "--no-deps",
        wheel,
    )
    return folder / "bin" / "mattecam"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the installed copy, which is prepared once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def start(data: Path, tmp_path: Path) -> Callable[..., str]:
    """Run a program of the environment where nothing of the source folder can be found."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    own = {"QT_QPA_PLATFORM": "offscreen", "MATTECAM_DATA_DIR": str(data)}
    return partial(run, cwd=tmp_path, env=env | own)


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        return Parser().parsestr(
            archive.read(f"mattecam-{__version__}.dist-info/METADATA").decode()
        )


def test_the_wheel_accepts_the_locked_versions_and_those_of_others(wheel: Path) -> None:
    required = [Requirement(str(line)) for line in metadata_of(wheel).get_all("Requires-Dist", [])]
    plain = {
        canonicalize_name(each.name): each.specifier for each in required if each.marker is None
    }
    locked = {canonicalize_name(name): version for name, version in pins(ROOT / "requirements.txt")}

    assert set(plain) == set(locked) - {"torch", "pyqt6-qt6"}
    assert [name for name, versions in plain.items() if not versions.contains(locked[name])] == []
    exact = {name for name, versions in plain.items() if "==" in str(versions)}
    assert exact == {"openvino"}, "its converted networks are for one version"
    numpy = plain[canonicalize_name("numpy")]
    assert numpy.contains("2.0.2") and numpy.contains("2.9")
    extras = {each.name for each in required if each.marker is not None}
    assert {"torch", "ray"} <= extras
    assert set(metadata_of(wheel).get_all("Provides-Extra", [])) == {"cluster", "torch"}


def test_an_index_gets_everything_that_it_shows(wheel: Path) -> None:
    metadata = metadata_of(wheel)
    page = str(metadata.get_payload())
    addresses = re.findall(r"\]\(([^)#]+)", page)

    assert metadata["Version"] == __version__ and metadata["Author"]
    assert {str(line).partition(",")[0] for line in metadata.get_all("Project-URL", [])} >= {
        "Homepage",
        "Issues",
    }
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert (
        len(addresses) > 10
        and [link for link in addresses if not link.startswith("https://")] == []
    )
    assert re.findall(r"^(?: {4}|\| `).*run\.py.*", page, re.MULTILINE) == [], (
        "an installed copy has no run.py"
    )
    assert "    uv tool install mattecam " in page


@pytest.mark.skipif(sys.platform != "linux", reason="the desktops of Linux")
def test_an_environment_has_what_a_desktop_reads(command: Path) -> None:
    share = command.parents[1] / "share"
    entry = (share / "applications/mattecam.desktop").read_text(encoding="utf-8")
    assert "\nExec=mattecam\n" in entry
    assert (share / "icons/hicolor/scalable/apps/mattecam.svg").is_file()
    assert (share / "man/man1/mattecam.1.gz").is_file()
    metainfo = ElementTree.parse(share / "metainfo/org.mattecam.Mattecam.metainfo.xml").getroot()
    for name in (
        "url",
        "developer/name",
        "screenshots/screenshot/image",
        "releases/release/description/ul/li",
    ):
        assert metainfo.findtext(name), name


def test_one_package_holds_everything_that_the_sources_read(wheel: Path) -> None:
    shipped = set(zipfile.ZipFile(wheel).namelist())
    stem = f"mattecam-{__version__}"
    assert {name.partition("/")[0] for name in shipped} == {
        "mattecam",
        f"{stem}.dist-info",
        f"{stem}.data",
    }
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    names = run("git", "-C", str(ROOT), "ls-files", "app", "models", "mattecam").splitlines()
    names.append("COMMIT")
    assert {
        name if name.startswith("mattecam/") else f"mattecam/_program/{name}" for name in names
    } <= shipped


def test_no_module_takes_the_name_of_another_program(
    command: Path, tmp_path: Path, start: Callable[..., str]
) -> None:
    """All modules are imported beside a user's own `app` and `models`, which are left alone."""
    (tmp_path / "app.py").write_text("raise SystemExit('a module of the user')")
    shutil.copy(tmp_path / "app.py", tmp_path / "models.py")
    (tmp_path / "import_all.py").write_text(IMPORT_ALL)
    assert int(start(command.with_name("python"), "import_all.py")) > 150


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_runs(
    command: Path, tmp_path: Path, start: Callable[..., str], name: str
) -> None:
    assert set(COMMANDS) == {"", *getattr(typer.main.get_command(app), "commands")}  # noqa: B009 - not public in typer
    arguments, code, printed = COMMANDS[name]
    cv2.imwrite(str(tmp_path / "photo.png"), np.full((48, 64, 3), 90, np.uint8))
    assert printed in start(command, *name.split(), *arguments, code=code)
    if "STATUS" in arguments:
        status = json.loads((tmp_path / "STATUS").read_text())
        assert status["frames_out"] >= 3 and not status["errors"]


def test_the_command_starts_beside_broken_packages_and_libraries(
    command: Path, tmp_path: Path, data: Path
) -> None:
    """An environment of its own holds all that it needs; ROS and conda set these variables for whole sessions."""
    for name in ("numpy.py", "typer.py", "libQt6Core.so.6", "libtbb.so.12"):
        (tmp_path / name).write_text("raise RuntimeError")
    hostile = {
        "PYTHONPATH": str(tmp_path),
        "LD_LIBRARY_PATH": str(tmp_path),
        "MATTECAM_DATA_DIR": str(data),
    }
    assert (
        run(command, "version", cwd=tmp_path, env={**os.environ, **hostile}) == f"{__version__}\n"
    )


def test_installed_paths_and_command(command: Path, start: Callable[..., str]) -> None:
    code = (
        "from mattecam._program.app.core import paths; "
        "from mattecam._program.models.program import program_command; "
        "assert (paths.documents_dir() / 'apps.md').is_file(); "
        "assert next(paths.assets_dir().glob('backgrounds/*.jpg')); "
        "print(program_command(), *paths.start_command())"
    )
    python = command.with_name("python")
    assert start(python, "-I", "-c", code).strip() == f"mattecam {command}"
    assert "Usage: mattecam bench" in start(python, "-m", "mattecam", "bench", "--help")
