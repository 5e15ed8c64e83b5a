"""Build the wheel of OpenCV for packages, from the locked source: only what Mattecam calls.

    python -m tools.packages.opencv FOLDER

The published wheel links Intel's IPP, which may not be in a GPL-3 program, and brings OpenSSL 1.1 and a second FFmpeg.
Needs a C++ compiler, and nasm for fast JPEG; takes ten minutes of processor time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
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
OPTIONS = [
    "-DBUILD_LIST=core,imgproc,imgcodecs,videoio,python3",
    "-DCMAKE_EXE_LINKER_FLAGS=-s",
    "-DCMAKE_MODULE_LINKER_FLAGS=-s",
    "-DCMAKE_SKIP_RPATH=ON",  # else the module searches libraries in the folder of the build, which anybody can create
    *(f"-D{option}=OFF" for option in OFF),
    *(f"-D{option}=ON" for option in ON),
]
TYPE_STUBS = {
    '[ r"python/cv2/py.typed" ] if sys.version_info >= (3, 6) else []': "[]",
    'rearrange_cmake_output_data["cv2.typing"] = ': "_ = ",
}
"""Parts of the source's setup.py that require type stubs, which OpenCV makes only of all its modules."""


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder; return its path."""
    lock = entries_of((ROOT / "requirements" / "base.lock").read_text(encoding="utf-8"))
    pip = (sys.executable, "-m", "pip")
    with tempfile.TemporaryDirectory() as scratch:
        pinned = Path(scratch) / "opencv.lock"
        pinned.write_text("\n".join(lock[NAME]))
        command = ("download", "--no-deps", "--require-hashes", "--no-binary", NAME, "-d", scratch, "-r", pinned)
        subprocess.run([*pip, *command], check=True)
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as tar:
            tar.extractall(scratch)  # noqa: S202 - its hash is locked
        setup = archive.with_name(archive.name.removesuffix(".tar.gz")) / "setup.py"
        text = setup.read_text(encoding="utf-8")
        for found, replaced in TYPE_STUBS.items():
            assert found in text, found
            text = text.replace(found, replaced)
        setup.write_text(text, encoding="utf-8")
        flags = f"-ffile-prefix-map={scratch}=."  # texts of errors name source files
        environment = reproducible() | {"CMAKE_ARGS": " ".join(OPTIONS), "CFLAGS": flags, "CXXFLAGS": flags}
        environment["MAKEFLAGS"] = f"-j{os.cpu_count()}"
        subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, setup.parent], check=True, env=environment)
    (wheel,) = folder.glob("opencv_python_headless-*.whl")
    return wheel


if __name__ == "__main__":
    build_wheel(Path(sys.argv[1]))
