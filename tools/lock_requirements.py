"""Write the lock files in `requirements/` from `requirements.txt` and `-dev`; needs `uv`.

    python -m tools.lock_requirements

A lock file pins every package, also transitive ones, for every supported Python and system, with the SHA-256 of each
published file: `base` for the program, `dev` for the tests, `torch` for PyPI's build of PyTorch, `cuda` for what only
that build needs on Linux. PyTorch's own builds are in `torch-cpu`, `torch-cu126` and `torch-cu130` (Windows);
`cuda-cu126` is what the build for CUDA 12.6 needs on Linux. `torch29-cu126` and `cuda29-cu126` are the same for an
older version of torch, for Pythons that the former lacks. The hashes of PyTorch's own builds come from its index; if
that cannot be reached, those in the present files are kept.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from app.system.environment import PYTORCH_INDEX

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "requirements"
PYTHONS = (10, 14)
"""First and last minor version of Python 3."""
CUDA_126 = """\
cuda-toolkit[cublas,cudart,cufft,cufile,cupti,curand,cusolver,cusparse,nvjitlink,nvrtc,nvtx]==12.6.3 ; {system}
cuda-bindings>=12.9,<13 ; {system}
nvidia-cudnn-cu12==9.10.2.21 ; {system}
nvidia-cusparselt-cu12==0.7.1 ; {system}
nvidia-nccl-cu12==2.29.3 ; {system}
nvidia-nvshmem-cu12==3.4.5 ; {system}
triton==3.7.1 ; {system} and python_version < '3.15'
""".format(system="sys_platform == 'linux' and platform_machine == 'x86_64'")
"""What torch 2.13.0+cu126 requires on Linux, from its metadata; change it with the version of torch."""
OLDER_VERSION = "2.9.1"
"""A version of torch for CUDA 12.6 on Linux, for Pythons for which no hash of the pinned version is known."""
OLDER_PYTHONS = (10, 12)
"""Its first and last minor version of Python."""
OLDER_CUDA_126 = """\
nvidia-cublas-cu12==12.6.4.1 ; {system}
nvidia-cuda-cupti-cu12==12.6.80 ; {system}
nvidia-cuda-nvrtc-cu12==12.6.77 ; {system}
nvidia-cuda-runtime-cu12==12.6.77 ; {system}
nvidia-cudnn-cu12==9.10.2.21 ; {system}
nvidia-cufft-cu12==11.3.0.4 ; {system}
nvidia-cufile-cu12==1.11.1.6 ; {system}
nvidia-curand-cu12==10.3.7.77 ; {system}
nvidia-cusolver-cu12==11.7.1.2 ; {system}
nvidia-cusparse-cu12==12.5.4.2 ; {system}
nvidia-cusparselt-cu12==0.7.1 ; {system}
nvidia-nccl-cu12==2.27.5 ; {system}
nvidia-nvjitlink-cu12==12.6.85 ; {system}
nvidia-nvshmem-cu12==3.3.20 ; {system}
nvidia-nvtx-cu12==12.6.77 ; {system}
triton==3.5.1 ; {system}
""".format(system="sys_platform == 'linux' and platform_machine == 'x86_64'")
"""What torch 2.9.1+cu126 requires on Linux, from its metadata."""
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
    command += ["--generate-hashes", "--python-version", f"3.{PYTHONS[0]}", str(requirements)]
    return entries_of(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def index_page(build: str) -> str:
    """Return the page of torch in PyTorch's index of a build, such as `cu126`; empty if it cannot be reached."""
    url = f"{PYTORCH_INDEX}/{build}/torch/"
    try:
        with urllib.request.urlopen(url, timeout=30) as page:  # noqa: S310 - a constant
            return str(page.read().decode())
    except OSError as error:
        print(f"{url} cannot be reached ({error}); the hashes of its builds are kept.", file=sys.stderr)
        return ""


def cpu_entries(version: str) -> list[str]:
    """Return the entry of PyTorch's builds without CUDA for Linux. Exit if their hashes are unknown."""
    build = rf"torch-{re.escape(version)}%2Bcpu-cp3\d+-[\w-]*manylinux\w*\.whl#sha256=(\w{{64}})"
    hashes = sorted(set(re.findall(build, index_page("cpu"))))
    if not hashes:
        return kept("torch-cpu", f"{version}+cpu")
    return [" \\\n".join([f"torch=={version}+cpu", *(f"    --hash=sha256:{digest}" for digest in hashes)])]


def cuda_entries(
    version: str, build: str, systems: Iterable[str], lock: str = "", pythons: tuple[int, int] = PYTHONS
) -> list[str]:
    """Return one entry per file of a build with CUDA, such as `cu126`, for `systems` (as `sys.platform`).

    lock: name of the lock file if it is not `torch-BUILD`; pythons: first and last minor version.
    """
    file = (
        rf"torch-{re.escape(version)}%2B{build}-cp3(\d+)-cp3\1-(manylinux\w*_x86_64|win_amd64)\.whl#sha256=(\w{{64}})"
    )
    entries = []
    for minor, tag, digest in set(re.findall(file, index_page(build))):
        system, machine = ("win32", "AMD64") if tag == "win_amd64" else ("linux", "x86_64")
        if system in systems and pythons[0] <= int(minor) <= pythons[1]:
            entries.append(cuda_entry(f"{version}+{build}", f"3.{minor}", system, machine, digest))
    return sorted(entries) or kept(lock or f"torch-{build}", f"{version}+{build}")


def cuda_entry(version: str, python: str, system: str, machine: str, digest: str) -> str:
    """Return the entry of one file. `app.system.environment` reads its markers."""
    markers = f"python_version == '{python}' and sys_platform == '{system}' and platform_machine == '{machine}'"
    return f"torch=={version} ; {markers} \\\n    --hash=sha256:{digest}"


def kept(name: str, version: str) -> list[str]:
    """Return the entries of the present lock file. Exit if it has another version."""
    present = LOCKS / f"{name}.lock"
    text = present.read_text(encoding="utf-8") if present.exists() else ""
    if f"torch=={version} " not in text:
        sys.exit(f"No hashes of torch {version} are known; run this where {PYTORCH_INDEX} answers.")
    return entries_of(text)["torch"]


def write(name: str, entries: Entries) -> None:
    """Write one lock file."""
    lines = [entry for package in sorted(entries) for entry in entries[package]]
    (LOCKS / f"{name}.lock").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Write all lock files."""
    everything, base = resolve(ROOT / "requirements-dev.txt"), resolve(ROOT / "requirements.txt")
    (torch,) = everything.pop("torch")
    version = torch.partition("==")[2].split()[0]
    cuda = {name: found for name, found in everything.items() if CUDA_ONLY.match(name)}
    dev = {name: found for name, found in everything.items() if name not in {*base, *cuda}}
    write("base", {name: found for name, found in everything.items() if name in base and name not in cuda})
    write("dev", dev)
    write("cuda", cuda)
    write("torch", {"torch": [torch]})
    write("torch-cpu", {"torch": cpu_entries(version)})
    write("torch-cu126", {"torch": cuda_entries(version, "cu126", ("linux", "win32"))})
    write("torch-cu130", {"torch": cuda_entries(version, "cu130", ("win32",))})
    older = cuda_entries(OLDER_VERSION, "cu126", ("linux",), "torch29-cu126", OLDER_PYTHONS)
    write("torch29-cu126", {"torch": older})
    for name, packages in (("cuda-cu126", CUDA_126), ("cuda29-cu126", OLDER_CUDA_126)):
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / f"{name}.txt"
            wanted.write_text(packages, encoding="utf-8")
            write(name, resolve(wanted))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
