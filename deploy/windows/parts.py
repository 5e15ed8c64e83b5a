"""Parts of the place where Windows programs run (build.sh): names of a C library, and requirements of Windows.

`python parts.py exports WINE_UCRTBASE_DLL OUT` writes ucrtbase.def and ucrtwine.dll into the folder OUT;
`python parts.py locked LOCK_FILE` prints the requirements of a lock file that Windows needs.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.markers import Marker

HERE = Path(__file__).resolve().parent
COMPILER = "x86_64-w64-mingw32-gcc"
OBJDUMP = "x86_64-w64-mingw32-objdump"
WINE_MARK = slice(64, 80)
"""Where a library says that it is Wine's own: one with another name is loaded as a file only without it."""
WINDOWS = {
    "implementation_name": "cpython",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_system": "Windows",
    "python_full_version": "3.11.6",
    "python_version": "3.11",
    "sys_platform": "win32",
    "extra": "",
}
"""The Python of the place, in the words of markers."""


def exported(library: Path) -> list[str]:
    """Return the names that a library exports."""
    listing = subprocess.run([OBJDUMP, "-p", str(library)], capture_output=True, text=True, check=True).stdout
    table = listing.split("[Ordinal/Name Pointer] Table", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\s+\[\s*\d+\].* (\S+)$", table, re.MULTILINE)


def own_names() -> set[str]:
    """Return the names of the functions in runtime.c."""
    source = [COMPILER, "-E", "-P", str(HERE / "runtime.c")]
    expanded = subprocess.run(source, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\bown_(\w+)\(", expanded))


def write_exports(library: Path, folder: Path) -> None:
    """Write what a library of the same name needs: its names, most of them forwarded, and Wine's under another name."""
    own = own_names()
    lines = ["LIBRARY ucrtbase.dll", "EXPORTS"]
    for name in sorted(own.union(exported(library))):
        target = f"own_{name}" if name in own else f"ucrtwine.{name}"
        lines.append(f'"{name}" = "{target}"')
    (folder / "ucrtbase.def").write_text("\n".join(lines) + "\n", encoding="ascii")
    content = bytearray(library.read_bytes())
    if content[WINE_MARK] != b"Wine builtin DLL":
        sys.exit(f"{library} is no library of Wine as it is known here.")
    content[WINE_MARK] = bytes(16)
    (folder / "ucrtwine.dll").write_bytes(content)


def locked(lock: Path) -> Iterator[str]:
    """Yield the requirements of a lock file that Windows needs, with their hashes and without markers."""
    joined = lock.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in joined.splitlines():
        if not line or line.startswith("#"):
            continue
        requirement, *hashes = re.split(r"\s+(?=--hash=)", line.strip())
        name, _, marker = (part.strip() for part in requirement.partition(";"))
        if not marker or Marker(marker).evaluate(WINDOWS):
            yield " ".join((name, *hashes))


def main(words: list[str]) -> None:
    """Run one of the two commands."""
    if words[0] == "exports":
        write_exports(Path(words[1]), Path(words[2]))
    else:
        print("\n".join(locked(Path(words[1]))))  # noqa: T201 - the result


if __name__ == "__main__":
    main(sys.argv[1:])
