"""Create and complete `.venv` beside run.py, with the standard library only.

Download the recommended network into it.

Packages are installed from the lock files in `requirements/`: pip refuses every file whose hash is
not listed there, and nothing is built from source. An interrupted setup resumes on the next start:
pip keeps what it downloaded, and the stamp that marks a complete environment is written last.
PyTorch's build suits the system, the NVIDIA driver and the cards.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.core.files import lock_file
from app.core.process import refuse_open_umask

PYTORCH_INDEX = "https://download.pytorch.org/whl"
SMI_QUERY = ("nvidia-smi", "--query-gpu=driver_version,compute_cap", "--format=csv,noheader")
NVIDIA_MARK = "/proc/driver/nvidia/version"
SMI_TIMEOUT_S = 30.0
# The oldest NVIDIA driver branch that runs programs built
# with a CUDA major version (CUDA compatibility table).
OLDEST_DRIVER = {12: 525, 13: 580}

# Compute capability of a card: (major, minor).
Capability = tuple[int, int]


@dataclass(frozen=True)
class Nvidia:
    """The NVIDIA driver and its cards."""

    # Version, such as `580.65.06`.
    driver: str
    # One per card; none if unknown.
    capabilities: tuple[Capability, ...] = ()

    @property
    def branch(self) -> int:
        """The branch of the driver, such as 580."""
        return int(self.driver.partition(".")[0])


@dataclass(frozen=True)
class TorchBuild:
    """A build of PyTorch."""

    # As `sys.platform`.
    platform: str
    # Version of CUDA; empty for a build that needs no NVIDIA card.
    cuda: str
    # Lock file of torch in `requirements/`, without `.lock`.
    lock: str
    # Folder of PyTorch's own index, whose builds with CUDA
    # are for x86-64; empty for pip's configured index (PyPI).
    index: str = ""
    # Lock file of the packages that this build needs in addition.
    libraries: str = ""
    oldest: Capability = (0, 0)
    # Range of the compute capabilities that it has code for.
    newest: Capability = (99, 9)

    def suits(self, machine: str, nvidia: Nvidia | None) -> bool:
        """Return whether processor, driver and at least one card, as far as known, run this
        build.
        """
        if not self.cuda:
            return True
        if nvidia is None or nvidia.branch < OLDEST_DRIVER[int(self.cuda.partition(".")[0])]:
            return False
        if self.index and machine.lower() not in ("x86_64", "amd64"):
            return False
        cards = nvidia.capabilities
        return not cards or any(self.oldest <= card <= self.newest for card in cards)


# The best ones first.
BUILDS = (
    TorchBuild("linux", "13.0", "torch", libraries="cuda", oldest=(7, 5)),
    TorchBuild("win32", "13.0", "torch-cu130", "cu130", oldest=(7, 5)),
    TorchBuild("linux", "12.6", "torch-cu126", "cu126", "cuda-cu126", oldest=(5, 0), newest=(9, 9)),
    TorchBuild("win32", "12.6", "torch-cu126", "cu126", oldest=(5, 0), newest=(9, 9)),
    TorchBuild("linux", "", "torch-cpu", "cpu"),
    # From an index that lacks PyTorch's build without CUDA.
    TorchBuild("linux", "", "torch", libraries="cuda"),
    # PyPI's builds for Windows and macOS have no CUDA libraries.
    TorchBuild("win32", "", "torch"),
    TorchBuild("darwin", "", "torch"),
)


def suitable_builds(platform: str, machine: str, nvidia: Nvidia | None) -> list[TorchBuild]:
    """Return the builds that run here, best first.

    platform: as `sys.platform`; machine: as `platform.machine()`; nvidia: None without an NVIDIA
    driver.
    """
    of_platform = [build for build in BUILDS if build.platform == platform]
    return [build for build in of_platform if build.suits(machine, nvidia)]


def find_nvidia() -> Nvidia | None:
    """Return the NVIDIA driver of this machine and its cards, None without a driver."""
    smi = ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        smi = subprocess.run(
            SMI_QUERY,
            capture_output=True,
            text=True,
            timeout=SMI_TIMEOUT_S,
            check=True,
        ).stdout
    # A container may have the driver without its tool.
    mark = Path(NVIDIA_MARK)
    if not mark.exists():
        return read_nvidia(smi, "")
    return read_nvidia(smi, mark.read_text(errors="replace"))


def read_nvidia(smi: str, mark: str) -> Nvidia | None:
    """Return driver and cards from the output of `SMI_QUERY` and the content of `NVIDIA_MARK`,
    each empty if missing.

    None if neither names a driver.
    """
    cards = re.findall(r"^\s*(\d{3,}[\d.]*)\s*,\s*(\d+)\.(\d+)\s*$", smi, re.MULTILINE)
    if cards:
        version = cards[0][0]
        return Nvidia(version, tuple((int(major), int(minor)) for _, major, minor in cards))
    driver = re.search(r"\b(\d{3,}\.\d+(?:\.\d+)?)\b", smi or mark)
    return Nvidia(driver[1]) if driver else None


ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
PROBE_TIMEOUT_S = 5.0
# Install only locked packages with listed hashes,
# without dependency resolution or builds from source.
LOCKED = ("--no-deps", "--require-hashes", "--only-binary=:all:")
# A version that counts as the pinned one: that for CUDA
# 12.6 on Linux, for Pythons that the newer build lacks.
ALSO = {"torch": "2.9.1"}
STEP = re.compile(
    r"^ *((?:Requirement already|Collecting|Processing|Downloading|Installing) .*)",
    re.MULTILINE,
)
# Steps of pip that are the first of a package.
COUNTED = ("Requirement", "Collecting", "Processing")
# After so long the step is said again where each is a line of its own.
SILENT_S = 5.0
# What the packages for Linux on x86-64 have to download, and those for an NVIDIA GPU.
SIZE = "550 MB"
CUDA_SIZE = "3 GB"
# A program for `.venv`, whose pip alone reads markers: it
# prints how many packages of lock files are for this one.
COUNT = """
import re, sys
from pip._vendor.packaging.markers import Marker

count = 0
for path in sys.argv[1:]:
    text = open(path, encoding="utf-8").read()
    markers = re.findall(r"^[\\w.-]+==\\S+(?: ; (.*?))? *(?:\\\\|--hash.*)?$", text, re.MULTILINE)
    count += sum(not marker or Marker(marker).evaluate() for marker in markers)
print(count)
"""
# Parts of pip's output that are not shown: requiring package, folder, build.
NOISE = re.compile(r" \(from .*|(?<= )\S*/|-(?:cp|py)\d\S*\.whl")
# Patterns in pip's output and their meaning for the user; the first match counts.
CAUSES = {
    r"No space left|Errno 28": "the disk is full; free 4 GB, or 10 GB with an NVIDIA GPU",
    r"Permission denied|Access is denied|Read-only file": f"{VENV} is not writable; make it writable",
    r"DO NOT MATCH THE HASHES": "a package differs from the published one; check PIP_INDEX_URL and pip's configuration",
    r"CERTIFICATE_VERIFY_FAILED|SSLError": "the certificate of the package index is not trusted; set PIP_CERT",
    r"Connection|NameResolution|ProxyError|[Tt]imed? ?out": "the package index cannot be reached; check the network",
    r"No matching distribution|Failed (to build|building)": f"a package does not support Python {VERSION}; try 3.12",
}


# Version of glibc or macOS that the locked wheels need,
# by system and processor; there are none for others.
OLDEST = {
    ("linux", "x86_64"): (2, 34),
    ("linux", "aarch64"): (2, 39),
    ("darwin", "arm64"): (14,),
    ("win32", "AMD64"): (),
}


def unsupported_system() -> str | None:
    """Return that this system cannot run the locked packages; None if it can."""
    name, version = _system_version()
    oldest = OLDEST.get((sys.platform, platform.machine()))
    numbers = tuple(int(number) for number in re.findall(r"\d+", version))
    if oldest is not None and numbers >= oldest:
        return None
    words = [platform.system(), platform.machine()]
    if version:
        words.append(f"with {name} {version}")
    elif sys.platform == "linux":
        words.append("without glibc")  # such as Alpine, which has musl
    system = " ".join(filter(None, words))
    return (
        "The packages need Linux with glibc 2.34 (x86-64) or 2.39 (aarch64), macOS 14 on Apple "
        f"silicon, or Windows on x86-64, or newer; this is {system}."
    )


def _system_version() -> tuple[str, str]:
    """Return what the locked wheels need a version of, and the version here.

    Empty if it is not known.
    """
    if sys.platform == "linux":
        name, version = platform.libc_ver()
    else:
        name = "macOS"
        version = platform.mac_ver()[0]
    return name, version


def installed(requirements: Path) -> bool:
    """Return whether all pinned versions are installed.

    Local versions match: 2.13.0+cpu counts as 2.13.0.
    """
    pinned = pins(requirements)
    return all(_version(name) in (version, ALSO.get(name, version)) for name, version in pinned)


def pins(requirements: Path) -> Iterator[tuple[str, str]]:
    """Yield the (package, version) pairs that apply to this Python, including those of included
    files.
    """
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from pins(requirements.parent / line[3:])
        pin = re.match(r'([\w.-]+)==([\w.]+)(?:; python_version (<|>=) "3\.(\d+)")?$', line)
        if pin is None:
            continue
        package, version, comparison, minor = pin.groups()
        is_older = comparison is not None and sys.version_info < (3, int(minor))
        if comparison is None or is_older == (comparison == "<"):
            yield package, version


def _version(package: str) -> str | None:
    try:
        version = importlib.metadata.version(package)
    except (importlib.metadata.PackageNotFoundError, KeyError):
        return None
    if not version:  # a power failure leaves files without content
        return None
    return version.partition("+")[0]


def inside() -> bool:
    """Return whether this is the interpreter of `.venv`."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def set_up(requirements: Path) -> None:
    """Create or complete `.venv`, for an interpreter that lacks packages.

    Concurrent starts wait for one another. Raises OSError or CalledProcessError with the reason.
    """
    stamp = VENV / f"{requirements.stem}.done"
    files = [requirements, *sorted((ROOT / "requirements").glob("*.lock"))]
    texts = "".join(path.read_text(encoding="utf-8") for path in files)
    wanted = f"{VERSION} {hashlib.sha256(texts.encode()).hexdigest()}"

    def ready() -> bool:
        # Inside `.venv` ignore the stamp: packages are missing although it exists.
        return not inside() and PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted

    if ready():
        return
    print(
        f"mattecam: preparing {VENV}; this happens once and takes some minutes",
        file=sys.stderr,
        flush=True,
    )
    log = VENV / "pip.log"
    refuse_open_umask()
    # Windows gives up after ten seconds.
    while (held := lock_file(Path(f"{VENV}.lock"), wait=True)) is None:
        pass
    with held:  # until this process and every pip that inherited its handle have ended
        if ready():
            return
        if not _is_usable(PYTHON):
            if importlib.util.find_spec("ensurepip") is None:
                raise OSError(
                    "Python's venv module is missing; on Debian `sudo apt install "
                    f"python{VERSION}-venv`",
                )
            import venv  # the Python of the package for Windows has none

            venv.create(VENV, clear=True, symlinks=os.name != "nt")
            log.write_text("")
            _run(
                ["ensurepip", "--upgrade", "--default-pip"],
                log,
                held.fileno(),
                "making the environment",
            )
        place = sysconfig.get_path(
            "purelib",
            "nt" if os.name == "nt" else "posix_prefix",
            {"base": str(VENV)},
        )
        for package in Path(place).glob("*.dist-info"):
            # A killed pip left it incomplete, and would skip it.
            if not (package / "INSTALLER").exists():
                shutil.rmtree(package)
        install(requirements, log, held.fileno())
        if requirements.stem == "requirements":  # not for the tests
            # Its output is for the user, who may do without it: a failure is told there.
            subprocess.run([str(PYTHON), "-m", "models.download"], cwd=ROOT, check=False)
        stamp.write_text(wanted)


def _is_usable(python: Path) -> bool:
    """Return whether an interpreter runs, has pip, and is of the version of this one."""
    if not python.exists():
        return False
    check = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    found = subprocess.run([str(python), "-I", "-c", check], capture_output=True, text=True)
    return found.stdout.strip() == VERSION


def install(requirements: Path, log: Path, lock: int) -> None:
    """Install the locked packages into `.venv`.

    lock: a handle that pip inherits. Raises OSError with the reason.
    """
    log.write_text("")
    builds = suitable_builds(sys.platform, platform.machine(), find_nvidia())
    size = CUDA_SIZE if builds[0].cuda else SIZE
    print(f"  about {size} are downloaded, unless pip has kept them", file=sys.stderr, flush=True)
    while True:
        names = ["base"]
        if requirements.stem.endswith("-dev"):
            names.append("dev")
        if builds[0].libraries:
            names.append(builds[0].libraries)
        files = [_lock_file(name) for name in names]
        count = count_packages([_lock_file(builds[0].lock), *files])
        if _install_torch(builds[0], log, lock, count, last=len(builds) == 1):
            break
        del builds[0]
    options: list[str] = []
    for file in files:
        options += ["-r", str(file)]
    _pip(options, log, lock, count)


def _lock_file(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.lock"


def count_packages(locks: list[Path]) -> int:
    """Return how many packages of these files are for this Python and system.

    0 if it cannot be told.
    """
    found = subprocess.run(
        [str(PYTHON), "-I", "-c", COUNT, *map(str, locks)],
        capture_output=True,
        text=True,
    )
    if found.returncode != 0:
        return 0
    return int(found.stdout)


def _install_torch(build: TorchBuild, log: Path, lock: int, count: int, *, last: bool) -> bool:
    """Install a build of PyTorch.

    Return False if no index offers it and it is not the last one to try.
    """
    url = f"{PYTORCH_INDEX}/{build.index}"
    # Used for torch only: with more packages the index could replace any of them.
    index = ["--index-url", url] if build.index and _answers(f"{url}/torch/") else []
    try:
        _pip([*index, "-r", str(_lock_file(build.lock))], log, lock, count)
    except OSError:
        if last or "No matching distribution" not in log.read_text(errors="replace"):
            raise
        log.write_text("")
        return False
    return True


def _pip(options: list[str], log: Path, lock: int, count: int) -> None:
    """Run `pip install`; raise OSError with the reason if it fails.

    count: of all packages, 0 if it is not known.
    """
    command = [
        "pip",
        "install",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar=off",
        *LOCKED,
        *options,
    ]
    _run(command, log, lock, "asking the package index", count)


def _run(module: list[str], log: Path, lock: int, first: str, count: int = 0) -> None:
    """Run a module of `.venv`, with progress.

    first: the step until its output names one. Raises OSError.
    """
    with log.open("a") as out:
        child = subprocess.Popen(
            [str(PYTHON), "-I", "-m", *module],
            stdout=out,
            stderr=out,
            env={**os.environ, "PIP_USER": "0"},
            pass_fds=() if os.name == "nt" else (lock,),
        )
    try:
        show_progress(child, log, first, count)
    finally:
        child.terminate()
        child.wait()
    if child.returncode != 0:
        raise OSError(f"{explain(log.read_text(errors='replace'))} (pip's output is in {log})")


def failure(error: OSError | subprocess.CalledProcessError) -> str:
    """Return what to tell the user about an error of `set_up`."""
    reason = str(error)
    if isinstance(error, OSError) and error.filename:
        reason = f"{error.filename}: {error.strerror}"
        # A start again alone changes nothing.
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason = f"{Path(error.filename).parent} is not writable; make it writable"
    return f"The environment could not be prepared: {reason}. Start again to resume the setup."


def explain(output: str) -> str:
    """Return why pip failed, from its output."""
    for pattern, meaning in CAUSES.items():
        if re.search(pattern, output):
            return meaning
    return "pip failed"


def show_progress(
    child: subprocess.Popen[bytes], log: Path, first: str, total: int, silent_s: float = SILENT_S
) -> None:
    """Show time and step in one line on a terminal.

    Elsewhere print a line per step, and one after `silent_s`.
    """
    started_s = time.monotonic()
    shown = ""
    shown_s = 0.0
    ended = False
    while not ended:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.3)
        ended = child.poll() is not None
        step = step_of(log.read_text(errors="replace"), total) or first
        now_s = time.monotonic()
        line = f"{now_s - started_s:4.0f} s  {step[:68]}"
        if sys.stderr.isatty():
            print(f"\r{line:76}", end="", file=sys.stderr, flush=True)
        elif step != shown or now_s - shown_s >= silent_s:
            print(f"  {line}", file=sys.stderr, flush=True)
            shown_s = now_s
        shown = step
    if sys.stderr.isatty():
        print(file=sys.stderr)


def step_of(output: str, total: int) -> str:
    """Return what pip does, such as `package 12 of 57: Collecting numpy`, from its output.

    Empty before the first.

    total: of all packages, 0 if it is not known.
    """
    steps = STEP.findall(output)
    if not steps:
        return ""
    count = sum(step.startswith(COUNTED) for step in steps)
    step = NOISE.sub("", steps[-1])
    if not total:
        return f"package {count}: {step}"
    return f"package {count} of {total}: {step}"


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=PROBE_TIMEOUT_S).close()  # noqa: S310 - a constant
    except (OSError, http.client.HTTPException):
        return False
    return True
