"""What packages leave out of Python and of the wheels: tests, headers, tools, and libraries that
nothing loads.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

STDLIB = (
    "config-*",
    "*.so.dSYM",
    "test",
    "*/test",
    "*/tests",
    "tkinter",
    "turtle*",
    "idlelib",
    "lib2to3",
    "pydoc_data",
    "ensurepip",
    "distutils",
    "sqlite3",
    "curses",
    "lib-dynload/_test*",
    "lib-dynload/_ctypes_test*",
    "lib-dynload/_xx*",
    "lib-dynload/xx*",
    "lib-dynload/_tkinter*",
    "lib-dynload/_curses*",
    "lib-dynload/_sqlite3*",
    "lib-dynload/_dbm*",
    "lib-dynload/_gdbm*",
    "lib-dynload/nis*",
    "lib-dynload/ossaudiodev*",
    "lib-dynload/readline*",
    "ctypes/macholib",
    "cgi.py",
    "cgitb.py",
)
"""Patterns below the folder of the standard library."""
QT = (
    "Core",
    "DBus",
    "Gui",
    "Network",
    "OpenGL",
    "Svg",
    "WaylandClient",
    "Widgets",
    "WlShellIntegration",
    "XcbQpa",
    "WaylandEglClientHwIntegration",
)
"""Libraries of Qt that the window loads, also through plug-ins."""
QT_PLUGINS = (
    "iconengines",
    "imageformats",
    "platforminputcontexts",
    "platforms",
    "platformthemes",
    "styles",
    "tls",
    "wayland-decoration-client",
    "wayland-graphics-integration-client",
    "wayland-shell-integration",
    "xcbglintegrations",
)
QT_PLATFORMS = ("qoffscreen", "qminimal", "qwayland", "qwindows", "qxcb")
QT_MODULES = ("QtCore", "QtGui", "QtNetwork", "QtSvg", "QtWidgets", "sip")
OPENVINO_LIBRARIES = (
    "openvino_intel_cpu_plugin",
    "openvino_intel_gpu_plugin",
    "openvino_ir_frontend",
    "tbb",
    "hwloc",
)
"""What their names begin with, beside `openvino` itself; as all names of libraries here without
`lib` and suffix.
"""
PACKAGES = (
    "pip*",
    "_distutils_hack",
    "numpy/**/tests",
    "numpy/f2py",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/random/lib",
    "numpy/random/_examples",
    "numpy/_pyinstaller",
    "numpy/testing/_private/extbuild.py",
    "numpy/_core/_*tests*.so",
    "numpy/_core/_*tests*.pyd",
    "psutil/tests",
    "cv2/data",
    "cv2/qt",
    "av/include",
    "openvino/include",
    "openvino/cmake",
    "openvino/tools",
    "openvino/torch",
    "openvino/preprocess/torchvision",
    "openvino/libs/pkgconfig",
    "openvino/libs/*.json",
    "openvino/frontend/pytorch",
    "openvino/frontend/tensorflow",
    "openvino/frontend/jax",
    "openvino/frontend/onnx",
    "openvino/frontend/paddle",
    "openvino/frontend/*.so",
    "openvino/lib",
    "PyQt6/bindings",
    "PyQt6/Qt6/plugins/platformthemes/libqgtk3.so",
    "PyQt6/lupdate",
    "PyQt6/uic",
    "PyQt6/Qt6/qml",
    "PyQt6/Qt6/qsci",
    "PyQt6/Qt6/libexec",
    "**/*.pyi",
    "**/*.pyx",
    "**/*.pxd",
    "**/*.h",
    "**/*.hpp",
    "**/*.c",
    "**/*.cpp",
    "**/*.pc",
    "**/*.lib",
    "**/__pycache__",
)
"""Patterns below the folder of the packages; `_unused` adds parts of Qt and OpenVINO."""


def prune(folder: Path, patterns: Iterable[str]) -> None:
    """Delete what the patterns match, and parts of Qt and OpenVINO that nothing loads."""
    for path in [path for pattern in patterns for path in folder.glob(pattern)] + _unused(folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _unused(packages: Path) -> list[Path]:
    """Return libraries, plug-ins and modules of Qt and OpenVINO that are not in the lists above."""
    qt, openvino = packages / "PyQt6" / "Qt6", packages / "openvino" / "libs"
    kept = {f"Qt6{name}" for name in QT}
    # On Windows the libraries of Qt lie in `bin`; on Linux tools do.
    libraries = [*qt.glob("lib/*"), *qt.glob("bin/*")]
    found = [
        path for path in libraries if stem(path) not in kept and not stem(path).startswith("icu")
    ]
    found += [path for path in qt.glob("plugins/*") if path.name not in QT_PLUGINS]
    found += [
        path for path in qt.glob("plugins/platforms/*") if not stem(path).startswith(QT_PLATFORMS)
    ]
    found += [path for path in qt.glob("plugins/imageformats/*") if stem(path).startswith("qpdf")]
    found += [path for path in qt.glob("translations/*") if not path.name.startswith("qtbase_")]
    modules = [*packages.glob("PyQt6/*.so"), *packages.glob("PyQt6/*.pyd")]
    found += [path for path in modules if stem(path) not in QT_MODULES]
    for path in openvino.glob("*"):
        if stem(path) != "openvino" and not stem(path).startswith(OPENVINO_LIBRARIES):
            found.append(path)
    return found


def stem(path: Path) -> str:
    """Return the name of a library as both systems have it: without `lib`, suffix and version."""
    return path.name.removeprefix("lib").partition(".")[0]
