"""Packages that pip can install, and lock files that name them."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path


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


def lock(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / "requirements" / f"{name}.lock").write_text(text)
