"""Symbolic links and pipes in the folders of a batch."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.core.errors import SinkOpenError
from app.core.settings import BackgroundSettings, OverlaySettings
from app.offline.batch.job import TRIES
from app.offline.batch.manifest import MANIFEST, Manifest
from app.offline.batch.plan import settings_hash
from app.offline.batch.run import convert_batch
from tests.offline.batch.clips import SETTINGS, jobs_of
from tests.offline.batch.workers import DirectWorkers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has other links and pipes")


@pytest.mark.parametrize("name", [MANIFEST, TRIES])
def test_a_link_in_the_folder_is_refused_and_its_target_kept(tmp_path: Path, name: str) -> None:
    target, kept = tmp_path / "out", tmp_path / "kept"
    for folder in (target, kept / "mine"):
        folder.mkdir(parents=True)
    (kept / "notes").write_text("mine")
    (target / name).symlink_to(kept if name == TRIES else kept / "notes")
    with pytest.raises(SinkOpenError, match=f"{name} cannot be written: it is a symbolic link"):
        convert_batch(jobs_of([], target), str(target), DirectWorkers)
    assert (kept / "mine").is_dir()
    assert (kept / "notes").read_text() == "mine"


def test_the_manifest_follows_no_link_that_appears_after_the_check(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).symlink_to(tmp_path / "notes")
    with pytest.raises(OSError, match="symbolic links"):
        Manifest(tmp_path / MANIFEST)
    assert not (tmp_path / "notes").exists()


@pytest.mark.timeout(60)
def test_a_pipe_as_manifest_is_refused(tmp_path: Path) -> None:
    """It was waited for without a word."""
    os.mkfifo(tmp_path / MANIFEST)
    with pytest.raises(SinkOpenError, match=f"{tmp_path} cannot be written"):
        convert_batch(jobs_of([], tmp_path), str(tmp_path), DirectWorkers, resume=True)


@pytest.mark.timeout(60)
def test_what_is_no_file_is_not_read_before_the_conversion_refuses_it(tmp_path: Path) -> None:
    """A pipe was waited for without a word."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    settings_hash(SETTINGS.replace(background=BackgroundSettings(kind="image", path=pipe)))
    settings_hash(SETTINGS.replace(overlay=OverlaySettings(file=pipe)))
