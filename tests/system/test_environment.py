"""The environment of a source folder: its packages, the build of torch for this machine, and how they are installed."""

from __future__ import annotations

import errno
import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from platform import machine
from unittest.mock import Mock

import pytest
from packaging.markers import Marker

from app.system import environment
from app.system.environment import ALSO, BUILDS, Nvidia, TorchBuild, find_nvidia, suitable_builds
from tests.paths import ROOT
from tests.serving import Handler, served
from tests.stand_ins import always

NO_DRIVER = None
PASCAL = (6, 1)
VOLTA = (7, 0)
TURING = (7, 5)
ADA = (8, 9)
HOPPER = (9, 0)
BLACKWELL = (12, 0)
LOCK_ENTRY = re.compile(
    r"^([\w.-]+)==([\w.+]+)(?: ; (.+?))? \\\n    --hash=sha256:\w{64}", re.MULTILINE
)


def add_wheel(folder: Path, package: str, number: str, *, content: str = "") -> str:
    """Write a minimal package that pip can install; return its lock entry."""
    info = f"{package}-{number}.dist-info"
    files = {
        f"{package}.py": f"number = {number!r}\n{content}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {number}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    path = folder / f"{package}-{number}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return f"{package}=={number} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def lock(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / "requirements" / f"{name}.lock").write_text(text)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the repository, with a package index on disk that holds torch and nothing else."""
    root = tmp_path / "a clone"
    for folder in ("wheels", "requirements"):
        (root / folder).mkdir(parents=True)
    monkeypatch.setattr(environment, "ROOT", root)
    monkeypatch.setattr(environment, "VENV", root / ".venv")
    monkeypatch.setattr(
        environment, "PYTHON", root / ".venv" / environment.PYTHON.relative_to(ROOT / ".venv")
    )
    monkeypatch.setattr(environment, "PYTORCH_INDEX", "http://127.0.0.1:9")
    monkeypatch.setattr(environment, "SMI_QUERY", ("no-such-program",))
    monkeypatch.setattr(environment, "NVIDIA_MARK", "/no-such-file")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (root / "wheels").as_uri())
    torch = add_wheel(root / "wheels", "torch", "2.0+cpu")
    lock(
        root,
        base=f"thing==1.0 --hash=sha256:{'0' * 64}",
        cuda="",
        torch=torch,
        **{"torch-cpu": torch},
    )
    return root


@pytest.mark.parametrize(
    ("requirements", "there"),
    [
        ("# words\nthing==1.0\nPyTest_Timeout==2.4.0\n", True),
        ("thing==0.1\n", False),
        ("older==0.2\n", True),  # 0.1 will do as well
        ("pytest==0.0.1\n", False),
        ("absent==1\n", False),
        ('absent==1; python_version < "3.9"\n', True),
        ('absent==1; python_version >= "3.9"\n', False),
        ("-r other.txt\n", False),
        ("lost==1.0\n", False),
    ],
)
def test_installed_knows_versions_markers_and_included_files(
    requirements: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(environment, "ALSO", {"older": "0.1", "absent": "1"})
    for name, number in (
        ("thing", "1.0+cpu"),
        ("older", "0.1"),
        ("pytest_timeout", "2.4.0"),
        ("lost", ""),
    ):
        (tmp_path / f"{name}-1.dist-info").mkdir()
        # a power failure during the setup leaves files without content
        metadata = number and f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n"
        (tmp_path / f"{name}-1.dist-info/METADATA").write_text(metadata)
    (tmp_path / "other.txt").write_text("absent==1\n")
    (tmp_path / "r.txt").write_text(requirements)

    assert environment.installed(tmp_path / "r.txt") is there


@pytest.mark.parametrize(
    ("system", "processor", "version", "said"),
    [
        ("linux", "x86_64", "2.34", ""),
        ("linux", "x86_64", "2.31", "this is Linux x86_64 with glibc 2.31."),
        ("linux", "aarch64", "2.36", "this is Linux aarch64 with glibc 2.36."),
        ("linux", "aarch64", "2.41", ""),
        ("linux", "x86_64", "", "this is Linux x86_64 without glibc."),
        ("linux", "riscv64", "2.41", "this is Linux riscv64 with glibc 2.41."),
        ("darwin", "arm64", "14.0", ""),
        ("darwin", "arm64", "13.6.1", "this is Darwin arm64 with macOS 13.6.1."),
        ("darwin", "x86_64", "15.1", "this is Darwin x86_64 with macOS 15.1."),
        ("win32", "AMD64", "", ""),
        ("win32", "ARM64", "", "this is Windows ARM64."),
    ],
)
def test_a_system_for_which_there_are_no_packages_is_named(
    system: str, processor: str, version: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some minutes, pip's answer was taken for a wrong version of Python."""
    names = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.system", lambda: names[system])
    monkeypatch.setattr("platform.machine", always(processor))
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc" if version else "", version))
    monkeypatch.setattr("platform.mac_ver", always((version, ("", "", ""), processor)))
    problem = environment.unsupported_system()

    assert problem is None if not said else problem is not None and problem.endswith(said)


@pytest.mark.posix("symbolic links for everybody")
def test_the_environment_may_lie_on_another_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise run.py would start itself again and again where a package is missing."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")

    assert environment.inside()


def number_in(root: Path) -> str:
    code = "import thing; print(thing.number)"
    return subprocess.run(
        [environment.PYTHON, "-c", code], capture_output=True, text=True, cwd=root
    ).stdout.strip()


@pytest.mark.long
def test_prepare_from_nothing_and_from_what_failures_left(
    clone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # One test, because making the environment takes the most time by far.
    requirements = clone / "requirements.txt"
    requirements.write_text("thing==1.0\n")
    (clone / "models").mkdir()
    (clone / "models/download.py").write_text("open('downloaded', 'w')")
    with pytest.raises(OSError, match="does not support Python"):
        environment.set_up(requirements)
    told = capsys.readouterr().err
    assert "making the environment" in told and "about 550 MB are downloaded" in told

    with monkeypatch.context() as offline:
        offline.delenv("PIP_NO_INDEX")
        offline.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        offline.setenv("PIP_RETRIES", "1")
        with pytest.raises(OSError, match="the package index cannot be reached"):
            environment.set_up(requirements)

    add_wheel(clone / "wheels", "thing", "1.0", content="forged = True")
    with pytest.raises(OSError, match="differs from the published one"):
        environment.set_up(requirements)

    lock(clone, base=add_wheel(clone / "wheels", "thing", "1.0"))
    with monkeypatch.context() as patch:
        # and that pip has ended is checked for every test
        patch.setattr(environment, "show_progress", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            environment.set_up(requirements)

    environment.set_up(requirements)
    assert number_in(clone) == "1.0"
    assert "package 2 of 2: Installing collected packages: thing" in capsys.readouterr().err
    assert (clone / "downloaded").exists(), "the network, once the packages are there"
    (clone / "downloaded").unlink()

    log = clone / ".venv" / "pip.log"
    log.unlink()
    environment.set_up(requirements)
    assert not log.exists()
    assert capsys.readouterr().err == ""

    # As pip leaves it when it is killed in the middle of a package; and the pins have changed since.
    (info,) = (clone / ".venv").glob("[lL]ib/*/site-packages/thing-1.0.dist-info")
    (info / "INSTALLER").unlink()
    (info.parent / "thing.py").unlink()
    requirements = clone / "requirements-dev.txt"
    requirements.write_text("# changed\nthing==1.0\n")
    lock(clone, dev="")
    environment.set_up(requirements)
    assert number_in(clone) == "1.0"
    assert not (clone / "downloaded").exists(), "the tests need no network"


OUTPUT = """Looking in indexes: https://example.org/simple
Ignoring colorama: markers 'sys_platform == "win32"' don't match your environment
Requirement already satisfied: numpy==2.4.6 in /home/a/.venv/lib (from -r base.lock (line 1))
Collecting numba==0.68.1 (from -r base.lock (line 2))
  Downloading numba-0.68.1-cp311-cp311-manylinux_2_28_x86_64.whl (3.8 MB)
"""


@pytest.mark.parametrize(
    ("output", "total", "step"),
    [
        ("Looking in indexes", 57, ""),
        (OUTPUT, 57, "package 2 of 57: Downloading numba-0.68.1 (3.8 MB)"),
        (OUTPUT, 0, "package 2: Downloading numba-0.68.1 (3.8 MB)"),
    ],
)
def test_packages_are_counted_of_a_total_with_those_that_are_there(
    output: str, total: int, step: str
) -> None:
    assert environment.step_of(output, total) == step


def test_a_step_that_takes_long_is_said_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log of a server showed nothing for a minute while pip copied files."""
    (tmp_path / "pip.log").write_text(OUTPUT)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"]) as child:
        environment.show_progress(child, tmp_path / "pip.log", "asking", 57, silent_s=0)
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) > 1 and all(
        line.endswith("package 2 of 57: Downloading numba-0.68.1 (3.8 MB)") for line in lines
    )


def test_the_total_counts_what_is_for_this_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    entries = LOCK_ENTRY.findall((ROOT / "requirements/base.lock").read_text())

    counted = environment.count_packages([ROOT / "requirements/base.lock"])

    assert counted == sum(not marker or Marker(marker).evaluate() for _, _, marker in entries) > 30


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]",
            "certificate of the package index",
        ),
        (
            "Retrying ... NewConnectionError('<...>: Failed to establish a new connection",
            "cannot be reached",
        ),
        (
            "ReadTimeoutError(\"HTTPSConnectionPool(host='x', port=443): Read timed out.",
            "cannot be reached",
        ),
        ("ERROR: No matching distribution found for av==18.1.0", "does not support Python"),
        ("ERROR: Failed building wheel for pyvirtualcam", "does not support Python"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "differs from the published one",
        ),
        ("ERROR: something new", "pip failed"),
    ],
)
def test_what_pip_says_becomes_one_reason(said: str, meaning: str) -> None:
    assert meaning in environment.explain(said)


def test_a_copy_of_the_program_that_only_another_user_may_write_to_is_named() -> None:
    """The advice was to start again, which fails in the same way."""
    folder = Path("/opt/mattecam")
    told = environment.failure(
        PermissionError(errno.EACCES, "Permission denied", str(folder / ".venv.lock"))
    )

    assert f"{folder} is not writable; make it writable." in told


@pytest.mark.parametrize(
    ("platform", "machine", "nvidia", "cuda"),
    [
        ("linux", "x86_64", NO_DRIVER, []),
        ("linux", "x86_64", Nvidia("580.65.06", (ADA,)), ["13.0", "12.6"]),
        ("linux", "x86_64", Nvidia("590.10", (BLACKWELL,)), ["13.0"]),
        ("linux", "x86_64", Nvidia("590.10"), ["13.0", "12.6"]),
        ("linux", "x86_64", Nvidia("570.86", (HOPPER,)), ["12.6"]),
        ("linux", "x86_64", Nvidia("570.86", (BLACKWELL,)), []),
        ("linux", "x86_64", Nvidia("580.65.06", (PASCAL,)), ["12.6"]),
        ("linux", "x86_64", Nvidia("580.65.06", (VOLTA,)), ["12.6"]),
        ("linux", "x86_64", Nvidia("580.65.06", (PASCAL, TURING)), ["13.0", "12.6"]),
        ("linux", "x86_64", Nvidia("580.65.06", ((3, 5),)), []),
        ("linux", "x86_64", Nvidia("525.60.13", (TURING,)), ["12.6"]),
        ("linux", "x86_64", Nvidia("470.256.02", (TURING,)), []),
        ("linux", "aarch64", Nvidia("580.65.06", (HOPPER,)), ["13.0"]),
        ("linux", "aarch64", Nvidia("570.86", (HOPPER,)), []),
        ("win32", "AMD64", NO_DRIVER, []),
        ("win32", "AMD64", Nvidia("581.15", (ADA,)), ["13.0", "12.6"]),
        ("win32", "AMD64", Nvidia("560.94", (ADA,)), ["12.6"]),
        ("win32", "AMD64", Nvidia("581.15", (PASCAL,)), ["12.6"]),
        ("win32", "AMD64", Nvidia("472.12", (PASCAL,)), []),
        ("win32", "ARM64", Nvidia("581.15", (ADA,)), []),
        ("darwin", "arm64", NO_DRIVER, []),
    ],
)
def test_the_builds_that_suit_a_machine(
    platform: str, machine: str, nvidia: Nvidia | None, cuda: list[str]
) -> None:
    builds = suitable_builds(platform, machine, nvidia)
    assert [build.cuda for build in builds if build.cuda] == cuda
    assert [build.lock for build in builds[len(cuda) :]] == (
        ["torch-cpu"] if platform == "linux" else []
    ) + ["torch"]


@pytest.mark.parametrize("build", BUILDS, ids=str)
def test_a_build_has_one_file_with_a_hash_for_every_python(build: TorchBuild) -> None:
    """Files for Linux and Windows are for x86-64, and those without a marker for every system."""
    assert build.lock == (f"torch-{build.index}" if build.index else "torch")
    machine = "AMD64" if build.platform == "win32" else "x86_64"
    for file in filter(None, (build.lock, build.libraries)):
        entries = LOCK_ENTRY.findall((ROOT / f"requirements/{file}.lock").read_text())
        for python in ("3.10", "3.11", "3.12", "3.13", "3.14"):
            here = {"python_version": python, "python_full_version": f"{python}.1"}
            here |= {"sys_platform": build.platform, "platform_machine": machine}
            found = {
                name: number
                for name, number, marker in entries
                if not marker or Marker(marker).evaluate(here)
            }
            assert ("torch" in found) is (file == build.lock) and found
            assert found.get("torch", "2.13.0").partition("+")[0] in {"2.13.0", ALSO["torch"]}


@pytest.mark.parametrize(
    ("smi", "mark", "expected"),
    [
        ("580.65.06, 8.9\n580.65.06, 6.1\n", "", Nvidia("580.65.06", (ADA, PASCAL))),
        ("581.15, [N/A]\n", "", Nvidia("581.15")),
        (
            "",
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22\nGCC 12.2.0",
            Nvidia("550.54.14"),
        ),
        (
            "",
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release",
            Nvidia("580.65.06"),
        ),
        ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "", None),
        ("", "", None),
    ],
)
def test_driver_and_cards_are_found(
    tmp_path: Path, smi: str, mark: str, expected: Nvidia | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "version").write_text(mark)
    monkeypatch.setattr(environment, "NVIDIA_MARK", str(tmp_path / ("version" if mark else "none")))
    query = (sys.executable, "-c", f"print({smi!r})") if smi else ("no-such-program-of-nvidia",)
    monkeypatch.setattr(environment, "SMI_QUERY", query)

    assert find_nvidia() == expected


def installed_by(requirements: Path, monkeypatch: pytest.MonkeyPatch, lacks: str = "") -> list[str]:
    """Return the options of each call of pip, files without their folder. lacks: the lock file of no such package."""
    calls: list[str] = []

    def pip(options: list[str], log: Path, lock: int, count: int) -> None:
        calls.append(
            " ".join(
                option if "//" in option else Path(option).stem
                for option in options
                if option != "-r"
            )
        )
        if calls[-1] == lacks:
            log.write_text("ERROR: No matching distribution found for torch==2.13.0+cpu")
            raise OSError("a package does not support this Python")

    monkeypatch.setattr(environment, "_pip", pip)
    monkeypatch.setattr(environment, "count_packages", always(0))
    environment.VENV.mkdir()
    environment.install(requirements, environment.VENV / "pip.log", 0)
    return calls


@pytest.mark.skipif(
    sys.platform != "linux" or machine() != "x86_64", reason="other builds exist elsewhere"
)
@pytest.mark.parametrize(
    ("stem", "answers", "driver", "calls"),
    [
        ("requirements-dev", True, "", ["--index-url INDEX/cpu torch-cpu", "base dev"]),
        ("requirements", False, "", ["torch-cpu", "base"]),
        ("requirements", False, "580.65.06, 8.9", ["torch", "base cuda"]),
        (
            "requirements",
            True,
            "550.54.14, 8.9",
            ["--index-url INDEX/cu126 torch-cu126", "base cuda-cu126"],
        ),
    ],
)
def test_pytorchs_own_index_is_asked_for_torch_alone(
    clone: Path,
    monkeypatch: pytest.MonkeyPatch,
    stem: str,
    answers: bool,
    driver: str,
    calls: list[str],
) -> None:
    if driver:
        monkeypatch.setattr(environment, "SMI_QUERY", (sys.executable, "-c", f"print({driver!r})"))
    with served(Handler) as index:
        if answers:
            monkeypatch.setattr(environment, "PYTORCH_INDEX", index)
        found = installed_by(clone / f"{stem}.txt", monkeypatch)

    assert found == [call.replace("INDEX", index) for call in calls]
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(environment.LOCKED)


@pytest.mark.skipif(
    sys.platform != "linux", reason="PyPI's builds for other systems have no CUDA libraries"
)
def test_an_index_without_pytorchs_own_builds_gives_that_of_pypi(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert installed_by(clone / "requirements.txt", monkeypatch, "torch-cpu") == [
        "torch-cpu",
        "torch",
        "base cuda",
    ]
