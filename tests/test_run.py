"""The first start on a machine: preparing the environment from the lock files, and its failures."""

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
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from platform import machine

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


LOCK_ENTRY = re.compile(r"^([\w.-]+)==([\w.+]+)(?: ; (.+?))?((?: \\\n    --hash=sha256:\w{64})+)$", re.MULTILINE)


def locked() -> dict[str, str]:
    """Return package → version for this Python from the lock files, with the libraries of one build with CUDA."""
    found: dict[str, str] = {}
    other_builds = {"cuda-cu126.lock", "cuda29-cu126.lock", "torch29-cu126.lock"}
    for path in (path for path in (ROOT / "requirements").glob("*.lock") if path.name not in other_builds):
        text = path.read_text()
        entries = LOCK_ENTRY.findall(text)
        assert len(entries) == len(re.findall(r"^\w", text, re.MULTILINE)), f"{path.name}: an entry without a hash"
        for name, number, marker, _ in entries:
            if not marker or Marker(marker).evaluate():
                number = number.partition("+")[0]
                assert found.setdefault(name, number) == number, f"{name} is locked twice"
    return found


def test_the_lock_files_hold_every_requirement_and_what_it_requires() -> None:
    versions = locked()
    for name, number in environment.pins(ROOT / "requirements-dev.txt"):
        assert versions[canonicalize_name(name)] == number, "run python -m tools.lock_requirements"
    for package in versions:
        try:
            required = distribution(package).requires or []
        except PackageNotFoundError:
            continue  # needed for another build of torch only
        for requirement in map(Requirement, required):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                number = versions[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(number), f"{package} requires {requirement}"


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


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the repository, with a package index on disk that holds torch and nothing else."""
    root = tmp_path / "a clone"
    for folder in ("wheels", "requirements"):
        (root / folder).mkdir(parents=True)
    monkeypatch.setattr(environment, "ROOT", root)
    monkeypatch.setattr(environment, "VENV", root / ".venv")
    monkeypatch.setattr(environment, "PYTHON", root / ".venv" / environment.PYTHON.relative_to(ROOT / ".venv"))
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
        base="thing==1.0 --hash=sha256:" + "0" * 64,
        cuda="",
        torch=torch,
        **{"torch-cpu": torch, "torch-cu126": "", "torch29-cu126": ""},
    )
    return root


def lock(root: Path, **files: str) -> None:
    for name, text in files.items():
        (root / "requirements" / f"{name}.lock").write_text(text)


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


@pytest.mark.skipif(sys.platform != "linux", reason="PyPI's builds for other systems have no CUDA libraries")
def test_the_cuda_libraries_come_with_pypis_build_of_torch_alone(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock(clone, base=add_wheel(clone / "wheels", "thing", "1.0"))
    lock(clone, torch=add_wheel(clone / "wheels", "torch", "3.0"), cuda=add_wheel(clone / "wheels", "cudalib", "1.0"))
    requirements = clone / "requirements.txt"
    requirements.write_text("thing==1.0\n")
    environment.prepare(requirements)
    site = clone / ".venv/lib" / f"python{environment.VERSION}/site-packages"
    assert (site / "torch-2.0+cpu.dist-info").exists()
    assert not (site / "cudalib.py").exists()

    lock(clone, **{"torch-cpu": "torch==3.0+cpu --hash=sha256:" + "0" * 64})
    environment.prepare(requirements)
    assert (site / "torch-3.0.dist-info").exists()
    assert (site / "cudalib.py").exists()


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []
    monkeypatch.setattr(environment, "_pip", lambda options, log, lock: calls.append(options))
    environment.VENV.mkdir()
    return calls


def played_driver(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Let an NVIDIA driver answer with these lines of `driver, capability`."""
    monkeypatch.setattr(environment, "SMI_QUERY", (sys.executable, "-c", f"print({said!r})"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a CPU build of its own")
def test_pytorchs_own_index_is_asked_for_torch_alone(clone: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = recorded(monkeypatch)
    monkeypatch.setattr(environment, "PYTORCH_INDEX", index)
    environment.install(clone / "requirements-dev.txt", 0)
    locks = clone / "requirements"
    assert calls == [
        ["--index-url", f"{index}/cpu", "-r", str(locks / "torch-cpu.lock")],
        ["-r", str(locks / "base.lock"), "-r", str(locks / "serve.lock"), "-r", str(locks / "dev.lock")],
    ]
    calls.clear()
    monkeypatch.setattr(environment, "PYTORCH_INDEX", "http://127.0.0.1:9")
    environment.install(clone / "requirements.txt", 0)
    played_driver(monkeypatch, "580.65.06, 8.9")
    environment.install(clone / "requirements.txt", 0)
    assert calls == [
        ["-r", str(locks / "torch-cpu.lock")],
        ["-r", str(locks / "base.lock")],
        ["-r", str(locks / "torch.lock")],
        ["-r", str(locks / "base.lock"), "-r", str(locks / "cuda.lock")],
    ]
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(environment.LOCKED)


@pytest.mark.skipif(sys.platform != "linux" or machine() != "x86_64", reason="other builds exist elsewhere")
@pytest.mark.parametrize(
    ("known", "build", "torch", "libraries"),
    [
        ("torch-cu126", "cu126", "torch-cu126", ["cuda-cu126"]),
        ("torch29-cu126", "cu126", "torch29-cu126", ["cuda29-cu126"]),
        ("", "cpu", "torch-cpu", []),
    ],
)
def test_an_old_driver_gets_cuda_12_where_its_hashes_are_known(
    clone: Path,
    index: str,
    monkeypatch: pytest.MonkeyPatch,
    known: str,
    build: str,
    torch: str,
    libraries: list[str],
) -> None:
    calls = recorded(monkeypatch)
    monkeypatch.setattr(environment, "PYTORCH_INDEX", index)
    played_driver(monkeypatch, "550.54.14, 8.9")
    for name in ("torch-cu126", "torch29-cu126"):
        python = environment.VERSION if name == known else "3.9"
        markers = f"python_version == '{python}' and sys_platform == 'linux' and platform_machine == 'x86_64'"
        lock(clone, **{name: f"torch==2.0+cu126 ; {markers} --hash=sha256:" + "0" * 64})
    environment.install(clone / "requirements.txt", 0)
    assert calls == [
        ["--index-url", f"{index}/{build}", "-r", str(clone / f"requirements/{torch}.lock")],
        [x for name in ("base", *libraries) for x in ("-r", str(clone / f"requirements/{name}.lock"))],
    ]


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
