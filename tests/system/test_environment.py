"""The first start on a machine: preparing the environment from the lock files, and its failures."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import pytest

from app.system import environment
from tests.system.wheels import add_wheel, lock
from tests.waiting import beside


@pytest.mark.torch
def test_installed_compares_versions_builds_markers_and_included_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(text: str) -> bool:
        (tmp_path / "r.txt").write_text(text)
        return environment.installed(tmp_path / "r.txt")

    (tmp_path / "other.txt").write_text("no-such-package==1\n")
    torch = version("torch").partition("+")[0]
    assert check(f"# words\ntorch=={torch}\npytest=={version('pytest')}\n")
    assert check(f"PyTest_Timeout=={version('pytest-timeout')}\n")
    assert not check("torch==0.1\n")
    with monkeypatch.context() as patched:
        patched.setitem(environment.ALSO, "torch", torch)
        assert check("torch==0.1\n")
        patched.setitem(environment.ALSO, "no-such-package", "1")
        assert not check("no-such-package==1\n")
    assert not check("pytest==0.0.1\n")
    assert not check("no-such-package==1\n")
    assert check('no-such-package==1; python_version < "3.9"\n')
    assert not check('no-such-package==1; python_version >= "3.9"\n')
    assert not check("-r other.txt\n")


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
    monkeypatch.setattr("platform.machine", lambda: processor)
    monkeypatch.setattr("platform.libc_ver", lambda: ("glibc" if version else "", version))
    monkeypatch.setattr("platform.mac_ver", lambda: (version, ("", "", ""), processor))
    problem = environment.unsupported_system()
    assert problem is None if not said else problem is not None and problem.endswith(said)


def test_a_package_that_lost_its_metadata_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power failure during the setup leaves files without content."""
    (tmp_path / "thing-1.0.dist-info").mkdir()
    (tmp_path / "thing-1.0.dist-info/METADATA").touch()
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "r.txt").write_text("thing==1.0\n")
    assert not environment.installed(tmp_path / "r.txt")


def test_the_environment_may_lie_on_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise run.py would start itself again and again where a package is missing."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    assert environment.inside()


def number_in(root: Path) -> str:
    code = "import thing; print(thing.number)"
    return subprocess.run([environment.PYTHON, "-c", code], capture_output=True, text=True, cwd=root).stdout.strip()


def interrupted(pip: subprocess.Popen[bytes], log: Path) -> None:
    raise KeyboardInterrupt


@pytest.mark.long
def test_prepare_from_nothing_and_from_what_failures_left(
    clone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # One test, because making the environment takes the most time by far.
    requirements = clone / "requirements.txt"
    requirements.write_text("thing==1.0\n")
    with pytest.raises(OSError, match="does not support Python"):
        environment.prepare(requirements)

    with monkeypatch.context() as offline:
        offline.delenv("PIP_NO_INDEX")
        offline.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        offline.setenv("PIP_RETRIES", "1")
        with pytest.raises(OSError, match="the package index cannot be reached"):
            environment.prepare(requirements)

    add_wheel(clone / "wheels", "thing", "1.0", content="forged = True")
    with pytest.raises(OSError, match="differs from the published one"):
        environment.prepare(requirements)

    lock(clone, base=add_wheel(clone / "wheels", "thing", "1.0"))
    with monkeypatch.context() as patch:
        patch.setattr(environment, "_show_progress", interrupted)  # and that pip has ended is checked for every test
        with pytest.raises(KeyboardInterrupt):
            environment.prepare(requirements)

    environment.prepare(requirements)
    assert number_in(clone) == "1.0"
    assert "package 1: Installing collected packages: thing" in capsys.readouterr().err

    log = clone / ".venv" / "pip.log"
    log.unlink()
    environment.prepare(requirements)
    assert not log.exists()
    assert capsys.readouterr().err == ""

    # As pip leaves it when it is killed in the middle of a package; and the pins have changed since.
    (info,) = (clone / ".venv").glob("[lL]ib/*/site-packages/thing-1.0.dist-info")
    (info / "INSTALLER").unlink()
    (info.parent / "thing.py").unlink()
    requirements.write_text("# changed\nthing==1.0\n")
    environment.prepare(requirements)
    assert number_in(clone) == "1.0"


def test_starts_at_the_same_time_wait_for_one_another(clone: Path) -> None:
    entered = threading.Event()

    def second() -> None:
        with environment.lock_environment():
            entered.set()

    with environment.lock_environment():
        start = beside(second)
        assert not entered.wait(0.3)
    start.result(60)


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]",
            "certificate of the package index is not trusted",
        ),
        ("Retrying ... NewConnectionError('<...>: Failed to establish a new connection", "cannot be reached"),
        ("ReadTimeoutError(\"HTTPSConnectionPool(host='x', port=443): Read timed out.", "cannot be reached"),
        ("ERROR: No matching distribution found for av==18.1.0", "does not support Python"),
        ("ERROR: Failed building wheel for pyvirtualcam", "does not support Python"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "differs from the published one"),
        ("ERROR: something new", "pip failed"),
    ],
)
def test_what_pip_says_becomes_one_reason(said: str, meaning: str) -> None:
    assert meaning in environment.explain(said)


def test_a_copy_of_the_program_that_only_another_user_may_write_to_is_named() -> None:
    """The advice was to start again, which fails in the same way."""
    told = environment.failure(PermissionError(errno.EACCES, "Permission denied", "/opt/mattecam/.venv.lock"))
    assert "/opt/mattecam is not writable; make it writable." in told
