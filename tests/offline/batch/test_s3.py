"""Clips and films in an S3-compatible store on this machine: fetched, uploaded whole, renamed, resumed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.offline.batch.manifest import MANIFEST, last_records
from app.offline.batch.session import state_folder
from tests.clips import write_clip
from tests.offline.batch.clips import jobs_of, sequential_hashes
from tests.paths import ROOT

for package in ("s3fs", "boto3", "moto", "flask"):
    pytest.importorskip(package, reason="needs `pip install s3fs==2026.9.0 moto[s3]==5.2.5 flask flask-cors`")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


class Store:
    """A client of the store."""

    def __init__(self, address: str) -> None:
        import boto3

        self.address = address
        self._s3: Any = boto3.client(
            "s3", endpoint_url=address, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
        )
        for bucket in ("clips", "films"):
            self._s3.create_bucket(Bucket=bucket)

    def put(self, name: str, data: bytes) -> None:
        self._s3.put_object(Bucket="clips", Key=name, Body=data)

    def films(self) -> dict[str, bytes]:
        found = self._s3.list_objects_v2(Bucket="films").get("Contents", [])
        return {each["Key"]: self._s3.get_object(Bucket="films", Key=each["Key"])["Body"].read() for each in found}

    def close(self) -> None:
        self._s3.close()


@pytest.fixture
def store() -> Iterator[Store]:
    with running_store() as address:
        opened = Store(address)
        yield opened
        opened.close()


@contextmanager
def running_store() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline_s = time.monotonic() + 120
            while not answers(port):
                assert process.poll() is None and time.monotonic() < deadline_s
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def convert(store: Store, target: str, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / "run.py"), "convert", "s3://clips/monday", target, "--model", "mattecam"]
    environment = {**os.environ, **KEYS, "AWS_ENDPOINT_URL": store.address}
    return subprocess.Popen(
        [*command, "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]], str]:
    out, err = process.communicate(timeout=250)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err


def states(events: list[dict[str, Any]]) -> dict[str, str]:
    return {event["file"].rpartition("/")[2]: event["state"] for event in events}


def hashes(target: str) -> dict[str, str | None]:
    records = last_records(state_folder(target) / MANIFEST)
    return {file.rpartition("/")[2]: record.sha256 for file, record in records.items()}


@pytest.mark.parametrize("options", [(), ("--cluster=local", "--jobs", "2")], ids=["process", "ray"])
def test_films_are_uploaded_whole_and_resumed(store: Store, tmp_path: Path, options: tuple[str, ...]) -> None:
    if options:
        pytest.importorskip("ray", reason="requirements-cluster.txt is not installed")
    clips = {name: write_clip(tmp_path / name, 8, audio="aac") for name in ("a.mp4", "b.mp4", "c.mp4")}
    for name in ("a.mp4", "b.mp4"):
        store.put(f"monday/{name}", clips[name].read_bytes())
    store.put("monday/c.mp4", b"no video")
    store.put("monday/notes.txt", b"left out")
    code, events, err = finished(convert(store, "s3://films/monday", *options))
    assert code == 1, err
    assert states(events) == {"a.mp4": "done", "b.mp4": "done", "c.mp4": "failed"}
    assert "c.mp4" in next(event["error"] for event in events if event["state"] == "failed")
    films = store.films()
    assert sorted(films) == ["monday/a.mp4", "monday/b.mp4", f"monday/{MANIFEST}"], "nothing partial is left"
    expected = sequential_hashes(jobs_of(list(clips.values()), tmp_path / "sequential"))
    by_name = {Path(source).name: sha256 for source, sha256 in expected.items()}
    assert {**hashes("s3://films/monday"), "c.mp4": ""} == {**by_name, "c.mp4": ""}
    store.put("monday/c.mp4", clips["c.mp4"].read_bytes())
    code, events, err = finished(convert(store, "s3://films/monday", "--resume", *options))
    assert code == 0, err
    assert states(events) == {"a.mp4": "skipped", "b.mp4": "skipped", "c.mp4": "done"}
    assert hashes("s3://films/monday") == by_name
    assert store.films()["monday/a.mp4"] == films["monday/a.mp4"]


def test_a_run_that_is_killed_leaves_no_film_and_is_resumed(store: Store, tmp_path: Path) -> None:
    clips = [write_clip(tmp_path / name, 300, size=(192, 96)) for name in ("a.mp4", "b.mp4")]
    for clip in clips:
        store.put(f"monday/{clip.name}", clip.read_bytes())
    process = convert(store, "s3://films/killed")
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["frames"] > 5:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert not store.films()
    code, _, err = finished(convert(store, "s3://films/killed", "--resume"))
    assert code == 0, err
    assert sorted(store.films()) == ["killed/a.mp4", "killed/b.mp4", f"killed/{MANIFEST}"]
    expected = sequential_hashes(jobs_of(clips, tmp_path / "sequential"))
    assert hashes("s3://films/killed") == {Path(source).name: sha256 for source, sha256 in expected.items()}


def test_a_folder_without_clips_is_a_sentence(store: Store) -> None:
    store.put("tuesday/a.mp4", b"")
    code, events, err = finished(convert(store, "s3://films/monday"))
    assert code == 1
    assert str(events[-1]["error"]).startswith("s3://clips/monday cannot be fetched")
    assert "Traceback" not in err
