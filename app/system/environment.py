"""Makes and completes `.venv` beside run.py, with nothing but the standard library.

An interrupted preparation is gone on from at the next start: pip keeps what it downloaded, and the stamp that says
"done" is written at the very end.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
"""PyTorch's own builds without CUDA, which save gigabytes where there is no NVIDIA GPU."""
PROBE_TIMEOUT_S = 5.0
NVIDIA_MARKS = ("/proc/driver/nvidia/version", os.path.expandvars(r"%SystemRoot%\System32\nvml.dll"))
STEP = re.compile(r"^ *((?:Collecting|Processing|Downloading|Installing) .*)", re.MULTILINE)
NOISE = re.compile(r" \(from .*|(?<= )\S*/|-(?:cp|py)\d\S*\.whl")
"""What of pip's lines nobody needs: who wants the package, the folder, the build."""
CAUSES = {
    r"No space left|Errno 28": "the disk is full; free 4 GB, or 10 GB with an NVIDIA GPU",
    r"Permission denied|Access is denied|Read-only file": f"{VENV} cannot be written; make it writable",
    r"CERTIFICATE_VERIFY_FAILED|SSLError": "the package index's certificate was refused; set PIP_CERT to the right one",
    r"Connection|NameResolution|ProxyError|[Tt]imed? ?out": "the package index cannot be reached; check the network",
    r"No matching distribution|Failed (to build|building)": f"a package does not fit Python {VERSION} here; try 3.12",
}
"""What pip says, and what it means to the user; the first that is found counts."""


def installed(requirements: Path) -> bool:
    """Whether this Python has every pinned version, in whatever build: 2.13.0+cpu is 2.13.0."""
    return all(_version(package) == version for package, version in pins(requirements))


def pins(requirements: Path) -> Iterator[tuple[str, str]]:
    """The (package, version) lines that hold for this Python, those of included files too."""
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from pins(requirements.with_name(line[3:]))
        pin = re.match(r'([\w.-]+)==([\w.]+)(?:; python_version (<|>=) "3\.(\d+)")?$', line)
        if pin and (pin[3] is None or (sys.version_info < (3, int(pin[4]))) == (pin[3] == "<")):
            yield pin[1], pin[2]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package).partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None


def inside() -> bool:
    """Whether this Python is that of `.venv`."""
    return Path(sys.prefix).resolve() == VENV


def prepare(requirements: Path) -> None:
    """Make or complete `.venv`; called where this Python lacks packages.

    Starts at the same time wait for one another. Raises OSError or CalledProcessError with the reason.
    """
    stamp = VENV / f"{requirements.stem}.done"
    texts = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("requirements*.txt")))
    wanted = f"{VERSION} {hashlib.sha256(texts.encode()).hexdigest()}"

    def ready() -> bool:
        # Inside, packages are missing in spite of the stamp.
        return not inside() and PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted

    if ready():
        return
    print(f"mattecam: preparing {VENV}, once; this takes some minutes", file=sys.stderr, flush=True)
    with lock_environment() as lock:
        if ready():
            return
        if not _works():
            if importlib.util.find_spec("ensurepip") is None:
                raise OSError(f"Python's venv module is missing; on Debian `sudo apt install python{VERSION}-venv`")
            venv.create(VENV, clear=True, symlinks=os.name != "nt", with_pip=True)
        _remove_halves()
        _install(requirements, lock)
        # What would keep the first start waiting for some seconds.
        subprocess.run([str(PYTHON), "-m", "app.matting.warm_up"], cwd=ROOT, check=False)
        stamp.write_text(wanted)


@contextlib.contextmanager
def lock_environment() -> Iterator[int]:
    """The system unlocks when this process and the pip that inherits the handle have ended, however they do."""
    with Path(f"{VENV}.lock").open("w") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _works() -> bool:
    check = [str(PYTHON), "-c", "import pip, sys; print('%d.%d' % sys.version_info[:2])"]
    return PYTHON.exists() and subprocess.run(check, capture_output=True, text=True).stdout.strip() == VERSION


def _remove_halves() -> None:
    """Forget packages that pip was stopped in the middle of: it would take them for installed."""
    site = sysconfig.get_path("purelib", "nt" if os.name == "nt" else "posix_prefix", {"base": str(VENV)})
    for package in Path(site).glob("*.dist-info"):
        if not (package / "INSTALLER").exists():
            shutil.rmtree(package)


def _install(requirements: Path, lock: int) -> None:
    index, log = VENV / "index.txt", VENV / "pip.log"
    index.write_text(f"--extra-index-url {CPU_INDEX}\n" if wants_cpu_build() else "")
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar=off", "-r", str(index)]
    with log.open("w") as out:
        pip = subprocess.Popen(
            [str(PYTHON), "-m", "pip", "install", *options, "-r", str(requirements)],
            stdout=out,
            stderr=out,
            env={**os.environ, "PIP_USER": "0"},
            pass_fds=() if os.name == "nt" else (lock,),
        )
    try:
        _show_progress(pip, log)
    finally:
        pip.terminate()
        pip.wait()
    if pip.returncode != 0:
        raise OSError(f"{explain(log.read_text(errors='replace'))} (all that pip said is in {log})")


def explain(said: str) -> str:
    """Why pip failed, out of what it said."""
    return next((meaning for pattern, meaning in CAUSES.items() if re.search(pattern, said)), "pip failed")


def _show_progress(pip: subprocess.Popen[bytes], log: Path) -> None:
    """One line on a terminal that tells the time and what pip is at; elsewhere a line for each step."""
    started, shown, ended = time.monotonic(), "", False
    while not ended:
        with contextlib.suppress(subprocess.TimeoutExpired):
            pip.wait(0.3)
        ended = pip.poll() is not None
        steps = STEP.findall(log.read_text(errors="replace"))
        count = sum(step.startswith(("Collecting", "Processing")) for step in steps)
        step = f"package {count}: {NOISE.sub('', steps[-1])}"[:68] if steps else "asking the package index"
        if sys.stderr.isatty():
            print(f"\r{time.monotonic() - started:4.0f} s  {step:68}", end="", file=sys.stderr, flush=True)
        elif step != shown:
            print(f"  {step}", file=sys.stderr, flush=True)
        shown = step
    if sys.stderr.isatty():
        print(file=sys.stderr)


def wants_cpu_build() -> bool:
    """On Linux and Windows without an NVIDIA GPU, where PyTorch's index answers."""
    if sys.platform == "darwin" or shutil.which("nvidia-smi") or any(Path(mark).exists() for mark in NVIDIA_MARKS):
        return False
    try:
        urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=PROBE_TIMEOUT_S).close()  # noqa: S310 - a constant
    except (OSError, http.client.HTTPException):
        return False
    return True
