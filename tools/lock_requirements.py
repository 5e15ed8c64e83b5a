"""Write the lock files in `requirements/` from `requirements.txt` and `-dev`; needs `uv`.

    python -m tools.lock_requirements

A lock file pins every package, also transitive ones, for every supported Python and system, with
the SHA-256 of each published file: `base` for the program, `dev` for the tests, `torch` for PyPI's
build of PyTorch, `cuda` for what only that build needs on Linux. PyTorch's own builds are in
`torch-cpu`, `torch-cu126` and `torch-cu130` (Windows); `cuda-cu126` is what the build for CUDA 12.6
needs on Linux. Both have an older version of torch for the Pythons for which no hash of the pinned
one is known. The hashes of PyTorch's own builds come from its index; if that cannot be reached,
those in the present files are kept.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from app.system.environment import PYTORCH_INDEX

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "requirements"
PYTHONS = (10, 14)
"""First and last minor version of Python 3."""
NEWER_PYTHONS = (13, 14)
"""Those for which the pinned version of torch for CUDA 12.6 on Linux has known hashes."""
OLDER_PYTHONS = (10, 12)
OLDER_VERSION = "2.9.1"
"""The version of torch for the others."""
X86_LINUX = "sys_platform == 'linux' and platform_machine == 'x86_64'"
CUDA_126 = """\
cuda-toolkit[cublas,cudart,cufft,cufile,cupti,curand,cusolver,cusparse,nvjitlink,nvrtc,nvtx]==12.6.3 ; {newer}
cuda-bindings>=12.9,<13 ; {newer}
nvidia-cudnn-cu12==9.10.2.21 ; {newer}
nvidia-cusparselt-cu12==0.7.1 ; {newer}
nvidia-nccl-cu12==2.29.3 ; {newer}
nvidia-nvshmem-cu12==3.4.5 ; {newer}
triton==3.7.1 ; {newer}
nvidia-cublas-cu12==12.6.4.1 ; {older}
nvidia-cuda-cupti-cu12==12.6.80 ; {older}
nvidia-cuda-nvrtc-cu12==12.6.77 ; {older}
nvidia-cuda-runtime-cu12==12.6.77 ; {older}
nvidia-cudnn-cu12==9.10.2.21 ; {older}
nvidia-cufft-cu12==11.3.0.4 ; {older}
nvidia-cufile-cu12==1.11.1.6 ; {older}
nvidia-curand-cu12==10.3.7.77 ; {older}
nvidia-cusolver-cu12==11.7.1.2 ; {older}
nvidia-cusparse-cu12==12.5.4.2 ; {older}
nvidia-cusparselt-cu12==0.7.1 ; {older}
nvidia-nccl-cu12==2.27.5 ; {older}
nvidia-nvjitlink-cu12==12.6.85 ; {older}
nvidia-nvshmem-cu12==3.3.20 ; {older}
nvidia-nvtx-cu12==12.6.77 ; {older}
triton==3.5.1 ; {older}
""".format(
    newer=f"{X86_LINUX} and python_version >= '3.{NEWER_PYTHONS[0]}'",
    older=f"{X86_LINUX} and python_version < '3.{NEWER_PYTHONS[0]}'",
)
"""What torch 2.13.0+cu126 and 2.9.1+cu126 require on Linux, from their metadata; change it with
these versions.
"""
CUDA_ONLY = re.compile(r"nvidia-|cuda-|triton$")
HEADER = "# Written by tools/lock_requirements.py; do not edit.\n"

Entries = dict[str, list[str]]
"""Lock entries, each several lines of text, by package name; a package has one per Python or
system.
"""


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
    command = [
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--no-config",
        "--no-header",
        "--no-annotate",
        "--universal",
    ]
    command += ["--generate-hashes", "--python-version", f"3.{PYTHONS[0]}", str(requirements)]
    return entries_of(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def index_page(build: str) -> str:
    """Return the page of torch in PyTorch's index of a build, such as `cu126`; empty if it cannot
    be reached.
    """
    url = f"{PYTORCH_INDEX}/{build}/torch/"
    try:
        with urllib.request.urlopen(url, timeout=30) as page:  # noqa: S310 - a constant
            return str(page.read().decode())
    except OSError as error:
        print(
            f"{url} cannot be reached ({error}); the hashes of its builds are kept.",
            file=sys.stderr,
        )
        return ""


def cpu_entries(version: str) -> list[str]:
    """Return the entry of PyTorch's builds without CUDA for Linux. Exit if their hashes are
    unknown.
    """
    build = rf"torch-{re.escape(version)}%2Bcpu-cp3\d+-[\w-]*manylinux\w*\.whl#sha256=(\w{{64}})"
    hashes = sorted(set(re.findall(build, index_page("cpu"))))
    if not hashes:
        return kept("torch-cpu", f"{version}+cpu")
    return [
        " \\\n".join(
            [f"torch=={version}+cpu", *(f"    --hash=sha256:{digest}" for digest in hashes)]
        )
    ]


def cuda_entries(
    version: str, build: str, system: str, pythons: tuple[int, int] = PYTHONS
) -> list[str]:
    """Return one entry per file of a build with CUDA, such as `cu126`, for a system (as
    `sys.platform`).

    pythons: first and last minor version.
    """
    tag, machine = (
        ("win_amd64", "AMD64") if system == "win32" else (r"manylinux\w*_x86_64", "x86_64")
    )
    file = rf"torch-{re.escape(version)}%2B{build}-cp3(\d+)-cp3\1-{tag}\.whl#sha256=(\w{{64}})"
    entries = [
        cuda_entry(f"{version}+{build}", f"3.{minor}", system, machine, digest)
        for minor, digest in set(re.findall(file, index_page(build)))
        if pythons[0] <= int(minor) <= pythons[1]
    ]
    if entries:
        return sorted(entries)
    return [
        entry for entry in kept(f"torch-{build}", f"{version}+{build}") if f"'{system}'" in entry
    ]


def cuda_entry(version: str, python: str, system: str, machine: str, digest: str) -> str:
    """Return the entry of one file."""
    markers = (
        f"python_version == '{python}' and sys_platform == '{system}' and platform_machine == "
        f"'{machine}'"
    )
    return f"torch=={version} ; {markers} \\\n    --hash=sha256:{digest}"


def kept(name: str, version: str) -> list[str]:
    """Return the entries of the present lock file. Exit if it has another version."""
    present = LOCKS / f"{name}.lock"
    text = present.read_text(encoding="utf-8") if present.exists() else ""
    if f"torch=={version} " not in text:
        sys.exit(f"No hashes of torch {version} are known; run this where {PYTORCH_INDEX} answers.")
    return [entry for entry in entries_of(text)["torch"] if f"torch=={version} " in entry]


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
    write(
        "base",
        {name: found for name, found in everything.items() if name in base and name not in cuda},
    )
    write("dev", dev)
    write("cuda", cuda)
    write("torch", {"torch": [torch]})
    write("torch-cpu", {"torch": cpu_entries(version)})
    write("torch-cu130", {"torch": cuda_entries(version, "cu130", "win32")})
    windows, linux = (
        cuda_entries(version, "cu126", *place) for place in (("win32",), ("linux", NEWER_PYTHONS))
    )
    older = cuda_entries(OLDER_VERSION, "cu126", "linux", OLDER_PYTHONS)
    write("torch-cu126", {"torch": [*windows, *linux, *older]})
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "cuda-cu126.txt"
        wanted.write_text(CUDA_126, encoding="utf-8")
        write("cuda-cu126", resolve(wanted))


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
