"""Build the wheel: one package, `mattecam`, in which the program lies as the private `mattecam._program`.

In the source tree the program is imported as `app` and `models`, names that an installed package must not
take from others. The build copies these folders into `mattecam/_program` and completes the names in their import
statements. Nothing else in the sources may name a module: see `module` in `app/core/paths.py`.
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
OLDEST = {
    "av": "14.0.1",
    "cv2-enumerate-cameras": "1.1.18.3",
    "jeepney": "0.8.0",
    "numba": "0.61.2",
    "numpy": "1.26.4",
    "opencv-python-headless": "4.10.0.84",
    "pi-heif": "0.18.0",
    "pillow": "10.4.0",
    "platformdirs": "4.2.2",
    "psutil": "6.0.0",
    "pydantic": "2.9.2",
    "PyQt6": "6.7.1",
    "pyvirtualcam": "0.12.0",
    "requests": "2.32.3",
    "rich": "13.8.1",
    "safetensors": "0.4.5",
    "simplejpeg": "1.7.6",
    "typer": "0.12.5",
}
"""Oldest versions that the program ran with, all together (docs/packages.md); the locked ones are for the sources."""
EXACT = ("openvino", "torch")
"""The networks that ship are converted by and for one version of OpenVINO, and others only where PyTorch is."""
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
                (Path(self.build_lib) / "mattecam" / "_program" / "COMMIT").write_text(done.stdout, encoding="utf-8")

    def build_module(self, module: str, module_file: str, package: str) -> tuple[str, bool]:
        """Copy a module and complete its imports; return the copy and whether it is new."""
        copy, is_new = super().build_module(module, module_file, package)
        if self.editable_mode:
            raise SystemExit("Mattecam cannot be installed as editable; start run.py in the source tree.")
        path = Path(copy)
        path.write_bytes(with_complete_imports(path.read_bytes()))
        return copy, is_new


def with_complete_imports(source: bytes) -> bytes:
    """Return a module with `from app.x import y` as `from mattecam._program.app.x import y`; line numbers stay.

    Raises SyntaxError for `import app.x`, which binds the name `app`, and for a relative import.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(alias.name.partition(".")[0] in PROGRAM for alias in node.names):
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
    """Return what the wheel requires in place of pins: from the oldest version that was tried to the next major one.

    A program of somebody else in the same environment needs versions of its own.
    """
    newest: dict[str, str] = {}
    for pin in pinned:
        name, _, version = pin.partition(";")[0].strip().partition("==")
        if name not in OF_ANOTHER:
            newest[name] = version  # that for newer Pythons comes last
    return [
        f"{name}=={version}" if name in EXACT else f"{name}>={OLDEST[name]},<{int(version.partition('.')[0]) + 1}"
        for name, version in newest.items()
    ]


def data_files() -> list[tuple[str, list[str]]]:
    """Return the documents and what a desktop reads, by the folder of an environment that they are installed into."""
    share = ROOT / "build" / "share"
    files = desktop_files(share, __version__)
    made = [(f"share/{file.parent.relative_to(share)}", [str(file.relative_to(ROOT))]) for file in files]
    return [("share/doc/mattecam", [str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("docs/*.md"))]), *made]


required = pins("requirements.txt")
torch = [pin for pin in required if pin.startswith("torch==")]
found = find_namespace_packages(str(ROOT), include=[f"{top}*" for top in PROGRAM], exclude=NOT_SHIPPED)
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
