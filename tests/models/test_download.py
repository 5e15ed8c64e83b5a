"""Downloads from a local server: complete, resumed, truncated, wrong, refused; files left after a failure."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.core.files.weights import download_weights
from models import download as downloads
from models.download import download, fetch
from models.spec import WeightSpec
from models.table import NETWORKS
from models.weights import DownloadError, WeightsNotFoundError, hash_record
from tests.models.file_server import CONTENT, Server
from tests.serving import served
from tests.waiting import eventually

SHA256 = hashlib.sha256(CONTENT).hexdigest()
SPEC = WeightSpec("a-model", "a.pth", "MIT", "", "https://example.org/a.pth", len(CONTENT), SHA256)


@pytest.fixture
def server() -> Iterator[str]:
    Server.ranges.clear()
    Server.sent = 0
    with served(Server) as address:
        yield address


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "a.pth"


def names(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def part_of(target: Path, content: bytes) -> Path:
    target.parent.mkdir(exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(content)
    return part


@pytest.mark.parametrize(
    ("kind", "begun"), [("file", 0), ("moved", 0), ("unknown-length", 0), ("file", 1000), ("whole", 1000)]
)
def test_a_download_is_whole_with_progress_also_after_an_interruption(
    server: str, target: Path, kind: str, begun: int
) -> None:
    if begun:
        part_of(target, CONTENT[:begun])
    seen: list[tuple[int, int | None]] = []
    fetch(SPEC, f"{server}/{kind}", target, lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert names(target) == ["a.pth"]
    assert Server.ranges[-1] == (f"bytes={begun}-" if begun else None)
    assert begun or [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (len(CONTENT), None if kind == "unknown-length" else len(CONTENT))


def test_a_cut_transfer_is_named_and_resumed(server: str, target: Path) -> None:
    with pytest.raises(DownloadError, match="the download resumes"):
        fetch(SPEC, f"{server}/cut", target)
    assert names(target) == ["a.pth.part"]
    fetch(SPEC, f"{server}/file", target)
    assert target.read_bytes() == CONTENT
    assert Server.ranges == [None, f"bytes={len(CONTENT) // 2}-"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("{server}/absent", r"a-model .*HTTP status 404.*--weights"),
        ("http://127.0.0.1:1/a.pth", "No internet"),
        ("{server}/no-length", "No internet"),
        ("{server}/no-address", "No internet"),
    ],
)
def test_a_failed_download_is_a_sentence_and_leaves_no_empty_file(
    server: str, target: Path, url: str, words: str
) -> None:
    with pytest.raises(DownloadError, match=words):
        fetch(SPEC, url.format(server=server), target)
    assert names(target) == []


def test_a_user_who_stops_it_can_go_on(server: str, target: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int | None) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        fetch(SPEC, f"{server}/file", target, stop)
    assert names(target) == ["a.pth.part"]
    fetch(SPEC, f"{server}/file", target)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("beginning", "refused"), [(b"x" * 1000, True), (CONTENT + b"too long", False), (b"x" * len(CONTENT), True)]
)
def test_a_wrong_beginning_never_becomes_weights(server: str, target: Path, beginning: bytes, refused: bool) -> None:
    part_of(target, beginning)
    target.write_bytes(b"what worked")
    if refused:
        wrong = rf"not the published file.* as a\.pth in the folder {target.parent}\."
        with pytest.raises(DownloadError, match=wrong):
            fetch(SPEC, f"{server}/file", target)
        assert target.read_bytes() == b"what worked"
        assert names(target) == ["a.pth"]
    fetch(SPEC, f"{server}/file", target)
    assert target.read_bytes() == CONTENT
    assert names(target) == ["a.pth"]


def test_a_page_of_the_server_never_becomes_weights(server: str, target: Path) -> None:
    """Google Drive answers so, with status 200, when the quota of a file is used up."""
    with pytest.raises(DownloadError, match="could not be downloaded"):
        fetch(replace(SPEC, sha256=None, bytes=None), f"{server}/page", target)
    assert names(target) == []


def test_without_a_published_hash_the_first_is_kept(server: str, target: Path) -> None:
    fetch(replace(SPEC, sha256=None, bytes=None), f"{server}/file", target)
    assert hash_record(target).read_text() == f"{SHA256}  a.pth\n"
    hash_record(target).write_text("0" * 64)
    target.write_bytes(b"what worked")
    with pytest.raises(DownloadError, match="not the file that was downloaded first"):
        fetch(replace(SPEC, sha256=None, bytes=None), f"{server}/file", target)
    assert target.read_bytes() == b"what worked"


@pytest.mark.parametrize("kind", ["endless", "longer"])
def test_a_download_stops_at_the_published_size(server: str, target: Path, kind: str) -> None:
    seen: list[int] = []
    with pytest.raises(DownloadError, match="sends more than 1048576 bytes"):
        fetch(SPEC, f"{server}/{kind}", target, lambda done, total: seen.append(done))
    assert max(seen, default=0) <= len(CONTENT)
    assert Server.sent < 100 * len(CONTENT)
    assert list(target.parent.iterdir()) == []


def test_a_download_of_unknown_size_is_limited(server: str, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MAX_BYTES", len(CONTENT))
    with pytest.raises(DownloadError, match="sends more than 1048576 bytes"):
        fetch(replace(SPEC, bytes=None, sha256=None), f"{server}/endless", target)
    assert list(target.parent.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="cannot be written"):
        fetch(SPEC, f"{server}/file", tmp_path / "file" / "a.pth")


def test_encryption_is_not_given_up_on_the_way(target: Path) -> None:
    @dataclass
    class Answer:
        headers: Mapping[str, str]
        status_code: int = 200
        url: str = "http://example.org/a.pth"

    transfer = downloads._Transfer("https://example.org/a.pth", target, None, downloads.ignore_progress)
    with pytest.raises(ConnectionError, match="without encryption"):
        transfer._on_response(Answer({}))


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


def test_a_model_that_is_downloaded_twice_at_once_is_fetched_once(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = replace(NETWORKS["u2netp"], weights=replace(SPEC, url=f"{server}/slow"))
    monkeypatch.setitem(NETWORKS, "a-model", spec)
    waits = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(download_weights, "a-model", downloads.ignore_progress)
        eventually(lambda: len(Server.ranges) == 1)
        second = threads.submit(download_weights, "a-model", lambda done, total: waits.set())
        assert waits.wait(60)
        Server.goes_on.set()
        assert first.result().read_bytes() == second.result().read_bytes() == CONTENT
    assert len(Server.ranges) == 1


def test_what_cannot_be_downloaded_is_said() -> None:
    with pytest.raises(DownloadError, match="are part of the program"):
        download("mattecam")
    with pytest.raises(WeightsNotFoundError):
        download("mona-lisa")


def test_a_file_from_elsewhere_is_installed_only_if_it_is_the_published_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTECAM_DATA_DIR", str(tmp_path / "data"))
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_bytes(b"published")
    wrong.write_bytes(b"another file")
    digest = hashlib.sha256(b"published").hexdigest()
    spec = replace(SPEC, sha256=digest, bytes=len(b"published"))
    monkeypatch.setattr(downloads, "spec_of", lambda _name: spec)
    with pytest.raises(DownloadError, match=r"wrong is not the published file of a-model"):
        downloads.install("a-model", wrong)
    assert not (tmp_path / "data").exists()
    target = downloads.install("a-model", right)
    assert target.read_bytes() == b"published"
    assert [file.name for file in target.parent.iterdir()] == [target.name]
    with pytest.raises(DownloadError):
        downloads.install("a-model", wrong)
    assert target.read_bytes() == b"published", "what is installed stays"


def test_the_log_has_the_fate_of_a_download(server: str, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    caplog.set_level("INFO", "models.download")
    with pytest.raises(DownloadError):
        fetch(SPEC, f"{server}/absent", target)
    with pytest.raises(KeyboardInterrupt):
        fetch(SPEC, f"{server}/file", target, stop)
    fetch(SPEC, f"{server}/file", target)
    told = [message.removeprefix("The download of a-model ") for message in caplog.messages]
    assert [words.split(" ")[0] for words in told] == ["from", "failed:", "from", "was", "from", "is"]
    assert told[-1] == f"is done: a.pth, {len(CONTENT)} bytes."
