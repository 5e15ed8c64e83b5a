"""Build the wheel of OpenCV for packages, from the locked source: only what Mattecam calls.

    python -m tools.packages.opencv FOLDER

The published wheel links Intel's IPP, which may not be in a GPL-3 program, and brings OpenSSL 1.1
and a second FFmpeg. Needs a C++ compiler, and nasm for fast JPEG; takes ten minutes of processor
time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools.lock_requirements import entries_of
from tools.packages.tree import ROOT, reproducible

NAME = "opencv-python-headless"
OFF = (
    "WITH_IPP",
    "WITH_FFMPEG",
    "WITH_GSTREAMER",
    "WITH_OPENCL",
    "WITH_LAPACK",
    "WITH_EIGEN",
    "WITH_ITT",
    "WITH_OPENJPEG",
    "WITH_JASPER",
    "WITH_AVIF",
    "WITH_OPENEXR",
    "BUILD_OPENEXR",
    "WITH_PROTOBUF",
    "WITH_FLATBUFFERS",
    "WITH_1394",
    "WITH_VA",
    "WITH_VA_INTEL",
    "WITH_OBSENSOR",
    "WITH_UNIFONT",
    "ENABLE_PRECOMPILED_HEADERS",
)
ON = ("WITH_V4L", "BUILD_ZLIB", "BUILD_PNG", "BUILD_JPEG", "BUILD_TIFF", "BUILD_WEBP")
PARTS = [
    "-DBUILD_LIST=core,imgproc,imgcodecs,videoio,python3",
    *(f"-D{option}=OFF" for option in OFF),
    *(f"-D{option}=ON" for option in ON),
]
"""Options on every system."""
OPTIONS = [
    *PARTS,
    "-DCMAKE_EXE_LINKER_FLAGS=-s",
    "-DCMAKE_MODULE_LINKER_FLAGS=-s",
    # else the module searches libraries in the folder of the build, which anybody can create
    "-DCMAKE_SKIP_RPATH=ON",
]
REPLACED = {
    "setup.py": {  # requires type stubs, which OpenCV makes only of all its modules
        '[ r"python/cv2/py.typed" ] if sys.version_info >= (3, 6) else []': "[]",
        'rearrange_cmake_output_data["cv2.typing"] = ': "_ = ",
    },
    # Folders of the build: they differ from build to build, and data would be searched there.
    "opencv/modules/core/src/system.cpp": {'#include "version_string.inc"': '""'},
    "opencv/modules/core/CMakeLists.txt": {
        r"#define OPENCV_BUILD_DIR \"${CMAKE_BINARY_DIR}\"": r"#define OPENCV_BUILD_DIR \"/nonexistent\"",
        r"#define OPENCV_INSTALL_PREFIX \"${CMAKE_INSTALL_PREFIX}\"": r"#define OPENCV_INSTALL_PREFIX \"/nonexistent\"",
    },
}
"""File of the source → text in it → what stands in its place."""


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder; return its path."""
    with tempfile.TemporaryDirectory() as scratch:
        source = locked_source(Path(scratch))
        flags = f"-ffile-prefix-map={scratch}=."  # texts of errors name source files
        environment = reproducible() | {
            "CMAKE_ARGS": " ".join(OPTIONS),
            "CFLAGS": flags,
            "CXXFLAGS": flags,
        }
        environment["MAKEFLAGS"] = f"-j{os.cpu_count()}"
        pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, source)
        subprocess.run(pip, check=True, env=environment)
    (wheel,) = folder.glob("opencv_python_headless-*.whl")
    return wheel


def locked_source(folder: Path) -> Path:
    """Download the locked source into a folder, unpack it and replace texts in it; return where it
    is.
    """
    lock = entries_of((ROOT / "requirements" / "base.lock").read_text(encoding="utf-8"))
    pinned = folder / "opencv.lock"
    pinned.write_text("\n".join(lock[NAME]), encoding="utf-8")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--require-hashes",
        "--no-binary",
        NAME,
    )
    subprocess.run([*pip, "-d", folder, "-r", pinned], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder)  # noqa: S202 - its hash is locked
    source = archive.with_name(archive.name.removesuffix(".tar.gz"))
    for name, texts in REPLACED.items():
        replace_texts(source / name, texts)
    return source


def replace_texts(path: Path, texts: Mapping[str, str]) -> None:
    """Replace texts in a file of the source. Raise ValueError if one is not there: another version
    needs other ones.
    """
    content = path.read_text(encoding="utf-8")
    for found, replaced in texts.items():
        if found not in content:
            raise ValueError(f"{path.name} of this version of OpenCV does not contain {found!r}.")
        content = content.replace(found, replaced)
    path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the wheel is written")
    build_wheel(parser.parse_args().folder)
