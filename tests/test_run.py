"""The start on a bare machine: what is checked, what is made, and what is said where that fails."""

from __future__ import annotations

import ast
import base64
import hashlib
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path

import pytest

from app.system import environment
from tests.paths import ROOT


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_an_exact_pin_that_is_understood(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    for line in lines:
        assert re.fullmatch(r'[\w.-]+==[\w.]+(; python_version (<|>=) "3\.\d+")?', line), line
    pinned = dict(environment.pins(ROOT / name))
    assert pinned.keys() >= {re.split("==", line)[0] for line in lines}
    assert pinned["torch"] == "2.13.0"


def test_installed_compares_versions_builds_markers_and_included_files(tmp_path: Path) -> None:
    def check(text: str) -> bool:
        (tmp_path / "r.txt").write_text(text)
        return environment.installed(tmp_path / "r.txt")

    (tmp_path / "other.txt").write_text("no-such-package==1\n")
    torch = version("torch").partition("+")[0]
    assert check(f"# words\ntorch=={torch}\npytest=={version('pytest')}\n")
    assert check(f"PyTest_Timeout=={version('pytest-timeout')}\n")
    assert not check("pytest==0.0.1\n")
    assert not check("no-such-package==1\n")
    assert check('no-such-package==1; python_version < "3.9"\n')
    assert not check('no-such-package==1; python_version >= "3.9"\n')
    assert not check("-r other.txt\n")


def test_an_older_python_gets_one_sentence() -> None:
    source = (ROOT / "run.py").read_text()
    ast.parse(source, feature_version=(3, 7))
    code = f"import sys; sys.version_info = (3, 9, 1); exec(compile({source!r}, 'run.py', 'exec'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert re.fullmatch(r"Mattecam needs Python 3\.10 or newer; this is .*\n", done.stderr)


def test_it_starts_from_any_folder(tmp_path: Path) -> None:
    if not environment.installed(ROOT / "requirements.txt"):
        pytest.skip("this Python has other versions than the pinned ones, so run.py would prepare its own")
    done = subprocess.run(
        [sys.executable, str(ROOT / "run.py"), "weights", "list"], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("model\t")
    assert not list(tmp_path.iterdir())


def add_wheel(folder: Path, package: str, number: str) -> None:
    """A minimal package that pip can install."""
    info = f"{package}-{number}.dist-info"
    files = {
        f"{package}.py": f"number = {number!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {number}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text)}\n"
        for name, text in files.items()
    ]
    with zipfile.ZipFile(folder / f"{package}-{number}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(f"{info}/RECORD", "".join([*record, f"{info}/RECORD,,\n"]))


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of the repository's, without a network."""
    root = tmp_path / "a clone"
    (root / "wheels").mkdir(parents=True)
    monkeypatch.setattr(environment, "ROOT", root)
    monkeypatch.setattr(environment, "VENV", root / ".venv")
    monkeypatch.setattr(environment, "PYTHON", root / ".venv" / environment.PYTHON.relative_to(ROOT / ".venv"))
    monkeypatch.setattr(environment, "wants_cpu_build", lambda: False)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (root / "wheels").as_uri())
    return root


def number_in(root: Path) -> str:
    code = "import thing; print(thing.number)"
    return subprocess.run([environment.PYTHON, "-c", code], capture_output=True, text=True, cwd=root).stdout.strip()


def interrupted(pip: subprocess.Popen[bytes], log: Path) -> None:
    raise KeyboardInterrupt


def test_prepare_from_nothing_and_from_what_failures_left(
    clone: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # One test, because making the environment takes the most time by far.
    requirements = clone / "requirements.txt"
    requirements.write_text("thing==1.0\n")
    with pytest.raises(OSError, match="does not fit Python"):
        environment.prepare(requirements)

    with monkeypatch.context() as offline:
        offline.delenv("PIP_NO_INDEX")
        offline.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        offline.setenv("PIP_RETRIES", "1")
        with pytest.raises(OSError, match="the package index cannot be reached"):
            environment.prepare(requirements)

    add_wheel(clone / "wheels", "thing", "1.0")
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

    thread = threading.Thread(target=second)
    with environment.lock_environment():
        thread.start()
        assert not entered.wait(0.3)
    assert entered.wait(10)
    thread.join(10)


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def index() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.mark.skipif(sys.platform == "darwin", reason="there is one build for macOS")
def test_the_cpu_build_is_wanted_without_an_nvidia_gpu_where_its_index_answers(
    index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def which(name: str) -> str | None:
        return None

    def which_nvidia(name: str) -> str:
        return f"/usr/bin/{name}"

    monkeypatch.setattr(environment, "NVIDIA_MARKS", ())
    monkeypatch.setattr("shutil.which", which)
    monkeypatch.setattr(environment, "CPU_INDEX", index)
    assert environment.wants_cpu_build()
    monkeypatch.setattr(environment, "CPU_INDEX", "http://127.0.0.1:9")
    assert not environment.wants_cpu_build()
    monkeypatch.setattr(environment, "CPU_INDEX", index)
    monkeypatch.setattr("shutil.which", which_nvidia)
    assert not environment.wants_cpu_build()


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate was refused"),
        ("Retrying ... NewConnectionError('<...>: Failed to establish a new connection", "cannot be reached"),
        ("ReadTimeoutError(\"HTTPSConnectionPool(host='x', port=443): Read timed out.", "cannot be reached"),
        ("ERROR: No matching distribution found for av==18.1.0", "does not fit Python"),
        ("ERROR: Failed building wheel for pyvirtualcam", "does not fit Python"),
        ("ERROR: something new", "pip failed"),
    ],
)
def test_what_pip_says_becomes_one_reason(said: str, meaning: str) -> None:
    assert meaning in environment.explain(said)
