"""Build the wheel: one package, `mattecam`, in which the program lies as the private
`mattecam._program`.

In the source tree the program is imported as `app` and `models`, names that an installed package
must not take from others. The build copies these folders into `mattecam/_program` and completes the
names in their import statements. Nothing else in the sources may name a module: see `module` in
`app/core/paths.py`.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))  # a build of a wheel does not search modules beside this file

from app import __version__  # noqa: E402
from tools.packages.desktop import desktop_files, page_for_index  # noqa: E402

PREFIX = "mattecam._program."
PROGRAM = ("app", "models")
NOT_SHIPPED = ("*__pycache__*",)
OLDEST = {"numpy": "2.0.2"}
"""Older than the pins: what a neighbour in the environment may need, and what the program was tried
with.

OpenCV 4 cannot draw the text of the stand-by card, and OpenCV 5 needs numpy 2.
"""
EXACT = ("openvino", "torch")
"""The networks that ship are converted by and for one version of OpenVINO, and others only where
PyTorch is.
"""
OF_ANOTHER = ("PyQt6-Qt6",)
"""Pinned for the sources alone: PyQt6 requires the one that suits it."""
EXTRAS = {"cluster": "requirements-cluster.txt"}


class BuildProgram(build_py):
    """Copies modules into the wheel under their complete names."""

    def run(self) -> None:
        """Build everything, and write down the commit of a checkout, which `About` shows."""
        super().run()
        if (ROOT / ".git").exists():
            line = ("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD")
            done = subprocess.run(line, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                (Path(self.build_lib) / "mattecam" / "_program" / "COMMIT").write_text(
                    done.stdout, encoding="utf-8"
                )

    def build_module(self, module: str, module_file: str, package: str) -> tuple[str, bool]:
        """Copy a module and complete its imports; return the copy and whether it is new."""
        copy, is_new = super().build_module(module, module_file, package)
        if self.editable_mode:
            raise SystemExit(
                "Mattecam cannot be installed as editable; start run.py in the source tree."
            )
        path = Path(copy)
        path.write_bytes(with_complete_imports(path.read_bytes()))
        return copy, is_new


def with_complete_imports(source: bytes) -> bytes:
    """Return a module with `from app.x import y` as `from mattecam._program.app.x import y`; line
    numbers stay.

    Raises SyntaxError for `import app.x`, which binds the name `app`, and for a relative import.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(
            alias.name.partition(".")[0] in PROGRAM for alias in node.names
        ):
            raise SyntaxError(f"line {node.lineno}: write `from app.x import y`")
        if isinstance(node, ast.ImportFrom) and node.level:
            raise SyntaxError(f"line {node.lineno}: a relative import")
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PROGRAM:
            line, start = lines[node.lineno - 1], node.col_offset + len(b"from ")
            assert line[node.col_offset :].startswith(f"from {node.module} ".encode()), line
            lines[node.lineno - 1] = line[:start] + PREFIX.encode() + line[start:]
    return b"".join(lines)


def pins(requirements: str) -> list[str]:
    """Return the packages that a file of requirements adds to those of the program."""
    text = (ROOT / requirements).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if re.match(r"[\w.\[\]-]+==", line)]


def ranges(pinned: list[str]) -> list[str]:
    """Return what the wheel requires in place of pins: from the oldest version that was tried to
    the next major one.

    A program of somebody else in the same environment needs versions of its own.
    """
    versions: dict[str, list[str]] = {}
    for pin in pinned:
        name, _, version = pin.partition(";")[0].strip().partition("==")
        versions.setdefault(name, []).append(version)
    required = []
    for name, (oldest, *newer) in versions.items():  # the first is that for Python 3.10
        following = int([oldest, *newer][-1].partition(".")[0]) + 1
        if name in EXACT:
            required.append(f"{name}=={oldest}")
        elif name not in OF_ANOTHER:
            required.append(f"{name}>={OLDEST.get(name, oldest)},<{following}")
    return required


def data_files() -> list[tuple[str, list[str]]]:
    """Return the documents and what a desktop reads, by the folder of an environment that they are
    installed into.
    """
    share = ROOT / "build" / "share"
    files = desktop_files(share, __version__)
    made = [
        (f"share/{file.parent.relative_to(share)}", [str(file.relative_to(ROOT))]) for file in files
    ]
    return [
        (
            "share/doc/mattecam",
            [str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("docs/*.md"))],
        ),
        *made,
    ]


required = pins("requirements.txt")
torch = [pin for pin in required if pin.startswith("torch==")]
found = find_namespace_packages(
    str(ROOT), include=[f"{top}*" for top in PROGRAM], exclude=NOT_SHIPPED
)
setup(
    cmdclass={"build_py": BuildProgram},
    long_description=page_for_index((ROOT / "README.md").read_text(encoding="utf-8"), __version__),
    long_description_content_type="text/markdown",
    packages=["mattecam", *(PREFIX + package for package in found)],
    package_dir={PREFIX + top: top for top in PROGRAM},
    data_files=data_files(),
    install_requires=ranges([pin for pin in required if pin not in torch]),
    extras_require={"torch": torch, **{name: pins(file) for name, file in EXTRAS.items()}},
)
