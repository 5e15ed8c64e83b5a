"""Weights: registry, search path, verification; downloads from a local server."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar
from unittest.mock import Mock

import pytest
import requests

from app.core import paths
from models import download as downloads
from models import weights
from models.download import download, download_at_set_up, fetch
from models.errors import DownloadError, WeightsError, WeightsNotFoundError
from models.program import program_command
from models.table import MODELS, NETWORKS, WeightSpec, recommended
from models.weights import SHIPPED_SHA256, WeightState, find, hash_record, verified
from tests.clips import names_in
from tests.published import install
from tests.serving import Handler, served
from tests.stand_ins import always

REMOVES_OPEN_FILE = pytest.mark.posix("removal of files that are open")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's weights folder."""
    path = tmp_path / "mine"
    path.mkdir()
    monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(path))
    return path


def test_the_registry_covers_every_model_and_only_encrypted_addresses() -> None:
    for name, network in NETWORKS.items():
        spec = network.weights
        assert spec.name == network.name == name
        assert spec.licence
        assert Path(spec.file).name == spec.file
        assert spec.url is None or spec.url.startswith("https://")
        assert spec.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", spec.sha256)
    assert [name for name, network in NETWORKS.items() if network.bundled] == [
        "mattecam",
        "mattecam-plate",
    ]


def test_weights_and_program_agree_on_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path))
    assert weights.user_folder() == tmp_path / "models"
    monkeypatch.delenv("MATTECAM_DATA_DIR")
    assert weights.user_folder() == paths.data_dir() / "models"


def test_an_explicit_file_comes_first_and_folders_are_searched_in_order(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(WeightsNotFoundError, match=r"run\.py weights download u2netp"):
        find("u2netp")
    users = weights.user_folder() / "u2netp.pth"
    mine = folder / "u2netp.pth"
    own = tmp_path / "own.pth"
    users.parent.mkdir(parents=True)
    for file in (users, mine):
        file.touch()
        assert find("u2netp") == file
    with pytest.raises(WeightsNotFoundError, match=re.escape(str(own))):
        find("u2netp", own)
    own.touch()
    assert find("u2netp", own) == own
    assert [place.name for place in weights.search_folders()] == [
        "mine",
        "models",
        "weights",
        "mattecam",
    ]


def test_a_file_in_a_closed_folder_is_not_called_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "stat", Mock(side_effect=PermissionError(errno.EACCES, "Permission denied"))
    )
    with pytest.raises(WeightsNotFoundError, match=r"own.pth cannot be read; check .* permissions"):
        find("u2net", Path("closed/own.pth"))


def test_verify_compares_published_and_recorded_hashes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def state(name: str) -> WeightState:
        return verified(NETWORKS[name].weights)

    good = folder / "u2netp.pth"
    other = folder / "torchscript_resnet101_fp32.pth"
    good.write_bytes(b"not what was published")
    assert state("u2netp") is WeightState.DIFFERENT
    other.write_bytes(b"anything")
    assert state("bgmv2-resnet101") is WeightState.UNKNOWN
    hash_record(other).write_text(hashlib.sha256(b"anything").hexdigest() + "  name\n")
    assert state("bgmv2-resnet101") is WeightState.RECORDED
    other.write_bytes(b"changed")
    assert state("bgmv2-resnet101") is WeightState.DIFFERENT
    assert state("u2net") is WeightState.MISSING
    install(good, "u2netp", monkeypatch)
    assert state("u2netp") is WeightState.VERIFIED


def test_the_files_that_ship_are_those_that_are_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {file.relative_to(MODELS).as_posix(): file for file in MODELS.rglob("*.safetensors")}
    assert {name: weights.sha256_of(file) for name, file in shipped.items()} == SHIPPED_SHA256, (
        "update models/weights.py"
    )
    assert {verified(NETWORKS[name].weights) for name in ("mattecam", "mattecam-plate")} == {
        WeightState.SHIPPED
    }
    monkeypatch.setitem(SHIPPED_SHA256, "mattecam/student.safetensors", "0" * 64)
    assert verified(NETWORKS["mattecam"].weights) is WeightState.DIFFERENT, "damaged"


def test_an_unreadable_file_is_named(folder: Path) -> None:
    with pytest.raises(WeightsError, match=re.escape(str(folder))):
        weights.sha256_of(folder)


CONTENT = bytes(range(256)) * 4096


class Server(Handler):
    """Serves CONTENT in the way that the path names; records the requested ranges."""

    protocol_version = "HTTP/1.1"
    ranges: ClassVar[list[str | None]] = []
    sent: ClassVar[int] = 0

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        Server.ranges.append(wanted)
        start = int(match[1]) if (match := re.fullmatch(r"bytes=(\d+)-", wanted or "")) else 0
        rest = CONTENT[start:]
        half = len(CONTENT) // 2
        answers: dict[str, tuple[int, dict[str, object], bytes]] = {
            "absent": (404, {}, b""),
            "moved": (302, {"Location": "/file"}, b""),
            "no-address": (302, {"Location": "http://["}, b""),
            "no-length": (200, {"Content-Length": "many"}, b""),
            "page": (200, {"Content-Type": "text/html; charset=utf-8"}, b"<html></html>"),
            "whole": (200, {}, CONTENT),  # ignores ranges
            "cut": (
                206 if start else 200,
                {"Content-Length": len(rest)},
                rest[:half],
            ),  # disconnects half-way
            "longer": (200, {}, CONTENT + CONTENT),
            "unknown-length": (200, {"Content-Length": None}, CONTENT),
            "endless": (200, {"Content-Length": None}, b""),
            "file": (206, {}, rest)
            if 0 < start < len(CONTENT)
            else (416 if start else 200, {}, rest),
        }
        kind = self.path.strip("/")
        status, headers, body = answers[kind]
        if status >= 400:
            self.send_error(status)
            return
        self.send_response(status)
        for name, value in ({"Content-Length": len(body)} | headers).items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)
        if kind == "endless":
            with contextlib.suppress(OSError):  # the client disconnects
                for _ in range(200):
                    self.wfile.write(CONTENT)
                    Server.sent += len(CONTENT)
        self.close_connection = kind in ("cut", "no-length", "unknown-length", "endless")


SHA256 = hashlib.sha256(CONTENT).hexdigest()
SPEC = WeightSpec("a-model", "a.pth", "MIT", "https://example.org/a.pth", len(CONTENT), SHA256)
UNPUBLISHED = replace(SPEC, bytes=None, sha256=None)


@pytest.fixture
def server() -> Iterator[str]:
    Server.ranges.clear()
    Server.sent = 0
    with served(Server) as address:
        yield address


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "a.pth"


def part_of(target: Path, content: bytes) -> Path:
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(content)
    return part


@pytest.mark.parametrize(
    ("kind", "begun"),
    [("file", 0), ("moved", 0), ("unknown-length", 0), ("file", 1000), ("whole", 1000)],
)
def test_a_download_is_whole_with_progress_also_after_an_interruption(
    server: str, target: Path, kind: str, begun: int
) -> None:
    if begun:
        part_of(target, CONTENT[:begun])
    seen: list[tuple[int, int | None]] = []
    fetch(SPEC, f"{server}/{kind}", target, lambda done, total: seen.append((done, total)))

    assert target.read_bytes() == CONTENT
    assert names_in(target.parent) == ["a.pth"]
    assert Server.ranges[-1] == (f"bytes={begun}-" if begun else None)
    assert begun or [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(CONTENT), None if kind == "unknown-length" else len(CONTENT))


@pytest.mark.parametrize(
    ("kind", "progress", "stopped"),
    [
        (
            "cut",
            downloads.ignore_progress,
            pytest.raises(DownloadError, match="the download resumes"),
        ),
        ("file", Mock(side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt)),
    ],
    ids=["by the server", "by the user"],
)
def test_a_download_that_is_stopped_can_go_on(
    server: str,
    target: Path,
    kind: str,
    progress: downloads.Progress,
    stopped: AbstractContextManager[object],
) -> None:
    with stopped:
        fetch(SPEC, f"{server}/{kind}", target, progress)
    assert names_in(target.parent) == ["a.pth.part"]
    begun = target.with_name("a.pth.part").stat().st_size
    fetch(SPEC, f"{server}/file", target)
    assert target.read_bytes() == CONTENT
    assert Server.ranges == [None, f"bytes={begun}-"] and begun > 0


@pytest.mark.parametrize("cancelled_at", [1, pytest.param(2, marks=REMOVES_OPEN_FILE)])
@pytest.mark.parametrize("begun", [0, 1000])
def test_a_download_that_was_cancelled_while_it_waited_changes_no_file_of_the_next_one(
    server: str, target: Path, begun: int, cancelled_at: int
) -> None:
    """1: its server answers at last; 2: a block arrives at last."""
    part_of(target, CONTENT[:begun])
    checks: list[int] = []

    def check() -> None:
        checks.append(1)
        if len(checks) == cancelled_at:
            target.with_name("a.pth.part").unlink()
            part_of(target, b"")  # as the next one begins
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(SPEC, f"{server}/file", target, check=check)

    assert target.with_name("a.pth.part").read_bytes() == b""


@pytest.mark.parametrize(
    ("url", "spec", "words"),
    [
        ("{server}/absent", SPEC, r"a-model .*HTTP status 404.*--weights"),
        ("http://127.0.0.1:1/a.pth", SPEC, "No internet"),
        ("{server}/no-length", SPEC, "No internet"),
        ("{server}/no-address", SPEC, "No internet"),
        # Google Drive answers so, with status 200, when the quota of a file is used up.
        ("{server}/page", UNPUBLISHED, "could not be downloaded"),
        ("{server}/endless", SPEC, "could not be downloaded"),
        ("{server}/longer", SPEC, "could not be downloaded"),
        ("{server}/endless", UNPUBLISHED, "could not be downloaded"),
    ],
)
def test_a_failed_download_is_a_sentence_stops_at_its_size_and_leaves_no_file(
    server: str,
    target: Path,
    url: str,
    spec: WeightSpec,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", len(CONTENT))
    seen: list[int] = []

    with pytest.raises(DownloadError, match=words):
        fetch(spec, url.format(server=server), target, lambda done, total: seen.append(done))

    assert max(seen, default=0) <= len(CONTENT)
    assert Server.sent < 100 * len(CONTENT)
    assert names_in(target.parent) == []


@pytest.mark.parametrize(
    ("beginning", "refused"),
    [(b"x" * 1000, True), (CONTENT + b"too long", False), (b"x" * len(CONTENT), True)],
)
def test_a_wrong_beginning_never_becomes_weights(
    server: str, target: Path, beginning: bytes, refused: bool
) -> None:
    part_of(target, beginning)
    target.write_bytes(b"what worked")
    if refused:
        folder = re.escape(str(target.parent))
        said = rf"differs from the published file.*\(checksum .* as a\.pth in the folder {folder}\."
        with pytest.raises(DownloadError, match=said):
            fetch(SPEC, f"{server}/file", target)
        assert target.read_bytes() == b"what worked"
        assert names_in(target.parent) == ["a.pth"]
    fetch(SPEC, f"{server}/file", target)
    assert target.read_bytes() == CONTENT
    assert names_in(target.parent) == ["a.pth"]


def test_without_a_published_hash_the_first_is_kept(server: str, target: Path) -> None:
    fetch(UNPUBLISHED, f"{server}/file", target)
    assert hash_record(target).read_text() == f"{SHA256}  a.pth\n"
    hash_record(target).write_text("0" * 64)
    target.write_bytes(b"what worked")
    with pytest.raises(DownloadError, match="or the one downloaded first"):
        fetch(UNPUBLISHED, f"{server}/file", target)
    assert target.read_bytes() == b"what worked"


@pytest.mark.parametrize("begun", [0, 1000])
@pytest.mark.parametrize("replaces", [False, pytest.param(True, marks=REMOVES_OPEN_FILE)])
def test_what_two_programs_download_at_once_is_not_trusted(
    server: str, target: Path, begun: int, replaces: bool
) -> None:
    """The other one appends to the same file, or begins it anew."""
    part = part_of(target, CONTENT[:begun])
    others: list[int] = []

    def other(done: int, total: int | None) -> None:
        if not others:
            others.append(done)
            if replaces:
                part.unlink()
            with part.open("ab") as file:
                file.write(CONTENT[:1000])

    with pytest.raises(DownloadError, match="could not be downloaded"):
        fetch(UNPUBLISHED, f"{server}/file", target, other)
    assert others and names_in(target.parent) == []


def test_a_folder_that_cannot_be_made_is_named(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="cannot be written"):
        fetch(SPEC, f"{server}/file", tmp_path / "file" / "a.pth")


def test_encryption_is_not_given_up_on_the_way(
    server: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = requests.get(f"{server}/file", stream=True, timeout=60)
    monkeypatch.setattr(requests, "get", always(answer))

    with pytest.raises(DownloadError) as caught:
        fetch(SPEC, "https://example.org/a.pth", target)

    assert "without encryption" in str(caught.value.__cause__)
    assert names_in(target.parent) == []


def test_download_by_name(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(NETWORKS["u2netp"], weights=replace(SPEC, url=f"{server}/file"))
    monkeypatch.setitem(NETWORKS, "a-model", spec)
    path = download("a-model")
    assert path.read_bytes() == CONTENT
    assert download("a-model") == path
    assert len(Server.ranges) == 1
    download("a-model", again=True)
    assert len(Server.ranges) == 2
    path.write_bytes(b"damaged")
    assert download("a-model").read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="are part of the program"):
        download("mattecam")


def test_a_file_from_elsewhere_is_installed_only_if_it_is_the_published_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = tmp_path / "right"
    wrong = tmp_path / "wrong"
    right.write_bytes(CONTENT)
    wrong.write_bytes(CONTENT[::-1])
    monkeypatch.setitem(NETWORKS, "a-model", replace(NETWORKS["u2netp"], weights=SPEC))
    target = weights.user_folder() / "a.pth"
    with pytest.raises(
        DownloadError, match=r"wrong differs from the published file \(checksum\); download a\.pth"
    ):
        downloads.install("a-model", wrong)
    assert not target.parent.exists()
    assert downloads.install("a-model", right) == target
    with pytest.raises(DownloadError):
        downloads.install("a-model", wrong)
    assert names_in(target.parent) == ["a.pth"] and target.read_bytes() == CONTENT, (
        "what is installed stays"
    )


def refuse_to_replace(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Refuse so many times, as Windows does while a program has the file open."""
    monkeypatch.setattr(downloads, "WINDOWS", True)
    refusals = iter(range(times))
    replace_file = Path.replace

    def refusing(self: Path, target: Path) -> Path:
        if next(refusals, None) is not None:
            raise PermissionError(errno.EACCES, "denied", str(self), None, str(target))
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", refusing)


def test_weights_that_are_open_for_a_moment_are_replaced(
    server: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were said to lie in a folder that cannot be written to."""
    target.parent.mkdir()
    target.write_bytes(b"damaged")
    refuse_to_replace(monkeypatch, times=2)

    fetch(SPEC, f"{server}/file", target)

    assert target.read_bytes() == CONTENT


def test_weights_that_stay_open_are_kept_and_the_download_goes_on_later(
    server: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.parent.mkdir()
    target.write_bytes(b"in use")
    refuse_to_replace(monkeypatch, times=1000)
    monkeypatch.setattr(downloads, "HELD_S", 0.0)

    with pytest.raises(DownloadError, match=r"a\.pth cannot be replaced: a program has it open"):
        fetch(SPEC, f"{server}/file", target)

    assert target.read_bytes() == b"in use"
    assert names_in(target.parent) == ["a.pth", "a.pth.part"]


class FirstServer(Handler):
    """Serves CONTENT, waits with the rest of it for ever, or serves another file; counts the
    requests.
    """

    requests: ClassVar[int] = 0
    kind: ClassVar[str] = "whole"
    released: ClassVar[threading.Event] = threading.Event()

    def do_GET(self) -> None:
        FirstServer.requests += 1
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(wanted[1]) if wanted else 0
        body = CONTENT[::-1] if self.kind == "another" else CONTENT
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if self.kind == "hangs":
            self.wfile.write(body[start : len(body) // 2])
            self.released.wait(60)
            return
        self.wfile.write(body[start:])


@pytest.fixture
def first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FirstServer]]:
    """A first start, whose recommended network is on this server; `folder`: no weights are
    there.
    """
    FirstServer.requests = 0
    FirstServer.kind = "whole"
    FirstServer.released.clear()
    monkeypatch.delenv("MATTECAM_NO_MODELS")
    with served(FirstServer) as address:
        spec = replace(
            recommended().weights, url=f"{address}/file", bytes=len(CONTENT), sha256=SHA256
        )
        monkeypatch.setitem(NETWORKS, spec.name, replace(recommended(), weights=spec))
        yield FirstServer
        FirstServer.released.set()


ASKED = (
    "Downloading a finer network, Fine (Robust Video Matting): 1 MB, GPL-3.0; --no-models or "
    "MATTECAM_NO_MODELS=1 goes without it."
)
FAILED = (
    "Fine (Robust Video Matting) could not be downloaded, so the network that ships is used; the "
    f"window or `{program_command()} weights download rvm-mobilenetv3` tries again."
)


def test_the_set_up_downloads_the_recommended_network_once_and_resumes(
    first: type[FirstServer],
) -> None:
    said: list[str] = []
    target = weights.user_folder() / recommended().weights.file
    target.parent.mkdir(parents=True)
    part_of(target, CONTENT[:1000])

    download_at_set_up(said.append)

    assert target.read_bytes() == CONTENT and said == [ASKED]

    target.unlink()  # as somebody does who wants it no more
    download_at_set_up(said.append)

    assert not target.exists() and first.requests == 1


@pytest.mark.parametrize(
    ("kind", "limit_s", "told"),
    [
        ("hangs", 0.1, FAILED),
        (
            "another",
            60.0,
            f"What was downloaded is not the published file and was deleted; `{program_command()} "
            "weights download rvm-mobilenetv3` tries again.",
        ),
    ],
)
def test_a_failed_download_of_the_set_up_is_one_sentence_and_is_not_tried_again(
    first: type[FirstServer], kind: str, limit_s: float, told: str
) -> None:
    said: list[str] = []
    first.kind = kind

    for _ in range(2):
        download_at_set_up(said.append, limit_s=limit_s)

    assert said == [ASKED, told]
    assert not (weights.user_folder() / recommended().weights.file).exists()
    first.released.set()
    for thread in threading.enumerate():
        if thread.name == "download-at-set-up":
            thread.join(60)
    assert first.requests == 1


def test_an_unreachable_server_is_one_sentence(
    first: type[FirstServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    spec = replace(recommended().weights, url="http://127.0.0.1:1/file")
    monkeypatch.setitem(NETWORKS, spec.name, replace(recommended(), weights=spec))

    download_at_set_up(said.append)

    assert said == [ASKED, FAILED] and first.requests == 0


def test_who_wants_no_network_or_has_it_is_not_asked(
    first: type[FirstServer], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with monkeypatch.context() as declined:
        declined.setenv("MATTECAM_NO_MODELS", "1")
        download_at_set_up(said.append)
    (folder / recommended().weights.file).write_bytes(CONTENT)
    download_at_set_up(said.append)

    assert not said and first.requests == 0
