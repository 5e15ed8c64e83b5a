"""Write the lock files in `requirements/` from `requirements.txt` and `requirements-dev.txt`; needs `uv`.

    python -m tools.lock_requirements

A lock file pins every package, also transitive ones, for every supported Python and system, with the SHA-256 of each
published file: `base` for the program, `dev` for the tests, `torch` for PyPI's build of PyTorch, `cuda` for what only
that build needs on Linux, `torch-cpu` for PyTorch's own build without CUDA. The hashes of the last one come from
PyTorch's index; if that cannot be reached, those in the present file are kept.
"""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "requirements"
CPU_INDEX = "https://download.pytorch.org/whl/cpu/torch/"
OLDEST_PYTHON = "3.10"
CUDA_ONLY = re.compile(r"nvidia-|cuda-|triton$")
HEADER = "# Written by tools/lock_requirements.py; do not edit.\n"

Entries = dict[str, list[str]]
"""Lock entries, each several lines of text, by package name; a package has one per Python or system."""


def entries_of(text: str) -> Entries:
    """Split a lock file into its entries, without comments."""
    found: Entries = {}
    for entry in re.split(r"\n(?=\w)", "\n" + re.sub(r"\n *#.*", "", "\n" + text).strip()):
        name = re.match(r"[\w.-]+", entry.strip())
        if name is not None:
            found.setdefault(name[0], []).append(entry.strip())
    return found


def resolve(requirements: Path) -> Entries:
    """Return the locked entries of everything that `requirements` needs. Raises CalledProcessError."""
    command = ["uv", "pip", "compile", "--quiet", "--no-config", "--no-header", "--no-annotate", "--universal"]
    command += ["--generate-hashes", "--python-version", OLDEST_PYTHON, str(requirements)]
    return entries_of(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def cpu_entry(version: str, present: str) -> str:
    """Return the entry of PyTorch's builds without CUDA for Linux from its index, or else that in `present`.

    Exit if neither has this version.
    """
    try:
        with urllib.request.urlopen(CPU_INDEX, timeout=30) as page:
            links = page.read().decode()
    except OSError as error:
        print(f"{CPU_INDEX} cannot be reached ({error}); the hashes of its builds are kept.", file=sys.stderr)
        if f"torch=={version}+cpu " not in present:
            sys.exit(f"No hashes of torch {version}+cpu are known; run this where {CPU_INDEX} answers.")
        return entries_of(present)["torch"][0]
    build = rf"torch-{re.escape(version)}%2Bcpu-cp3\d+-[\w-]*manylinux\w*\.whl#sha256=(\w{{64}})"
    hashes = sorted(set(re.findall(build, links)))
    return " \\\n".join([f"torch=={version}+cpu", *(f"    --hash=sha256:{digest}" for digest in hashes)])


def write(name: str, entries: Entries) -> None:
    """Write one lock file."""
    lines = [entry for package in sorted(entries) for entry in entries[package]]
    (LOCKS / f"{name}.lock").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Write all lock files."""
    everything, base = resolve(ROOT / "requirements-dev.txt"), resolve(ROOT / "requirements.txt")
    (torch,) = everything.pop("torch")
    present = LOCKS / "torch-cpu.lock"
    cpu = cpu_entry(
        torch.partition("==")[2].split()[0], present.read_text(encoding="utf-8") if present.exists() else ""
    )
    cuda = {name: found for name, found in everything.items() if CUDA_ONLY.match(name)}
    dev = {name: found for name, found in everything.items() if name not in base and name not in cuda}
    write("base", {name: found for name, found in everything.items() if name in base and name not in cuda})
    write("dev", dev)
    write("cuda", cuda)
    write("torch", {"torch": [torch]})
    write("torch-cpu", {"torch": [cpu]})


if __name__ == "__main__":
    main()
