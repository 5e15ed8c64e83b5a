from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from app.config import logs
from app.core.files import paths, program
from tests.paths import ROOT


def test_a_source_folder_is_started_with_run_py() -> None:
    assert program.name() == "run.py"
    assert program.command() == [sys.executable, "-I", str(ROOT / "run.py")]
    assert program.advice("Run `python3 run.py doctor`.") == "Run `python3 run.py doctor`."


def test_the_documents_of_a_source_folder_are_its_docs() -> None:
    assert paths.documents_dir() == ROOT / "docs"


def test_an_installed_copy_names_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "SCRIPT", tmp_path / "run.py")
    assert program.name() == "mattecam"
    assert Path(program.command()[0]).stem == "mattecam"
    assert program.advice("Run `python3 run.py doctor` or run.py headless.") == (
        "Run `mattecam doctor` or mattecam headless."
    )
    record = logging.LogRecord("x", logging.WARNING, "", 0, "run `run.py doctor` for %s", ("a.mkv",), None)
    assert logs.ShortFormatter().format(record) == "mattecam: run `mattecam doctor` for a.mkv"


def test_a_packaged_copy_names_its_commit_and_an_image_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program.commit() == ""
    monkeypatch.setattr(program, "COMMIT", tmp_path / "COMMIT")
    program.COMMIT.write_text("0123456789ab\n")
    assert program.commit() == "0123456789ab"
    monkeypatch.setattr(program, "SCRIPT", tmp_path / "run.py")


def test_packages_are_installed_into_the_environment_of_this_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = str(tmp_path / "my env" / "bin" / "python")
    monkeypatch.setattr(sys, "executable", python)
    monkeypatch.chdir(ROOT)
    from_source = program.how_to_install("requirements-cluster.txt", ["ray"])
    assert from_source == f"run `'{python}' -m pip install -r requirements-cluster.txt`"
    monkeypatch.chdir(tmp_path)
    elsewhere = program.how_to_install("requirements-cluster.txt", ["ray"])
    assert elsewhere == f"run `'my env/bin/python' -m pip install -r {ROOT / 'requirements-cluster.txt'}`"
    monkeypatch.setattr(program, "ROOT", tmp_path)
    installed = program.how_to_install("requirements-cluster.txt", ["ray"])
    assert installed == "run `'my env/bin/python' -m pip install ray`"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "this copy has no pip" in program.how_to_install("requirements-cluster.txt", ["ray"])
