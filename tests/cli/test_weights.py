"""`run.py weights` through the real command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.main import main
from models.table import NETWORKS


def lines(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split("\t") for line in capsys.readouterr().out.splitlines()]


def test_list_is_tab_separated_away_from_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    header, *rows = lines(capsys)
    assert header == ["model", "state", "size", "licence", "what it is"]
    assert [row[0] for row in rows] == list(NETWORKS)
    assert "107.9 MB" in next(row for row in rows if row[0] == "rvm-resnet50")


def test_verify_fails_where_a_file_is_not_the_published_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTECAM_WEIGHTS_DIR", str(tmp_path))
    assert main(["weights", "verify"]) == 0
    capsys.readouterr()
    path = tmp_path / "u2netp.pth"
    path.write_bytes(b"something else")
    assert main(["weights", "verify"]) == 1
    output = capsys.readouterr()
    assert f"u2netp\tnot the published file\t{path}" in output.out.splitlines()
    assert str(path) in output.err
    assert "Traceback" not in output.err


@pytest.mark.parametrize(
    ("words", "code"), [(["download", "mona-lisa"], 2), (["download"], 2), (["download", "student"], 1)]
)
def test_what_cannot_be_downloaded_has_its_exit_code(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["weights", *words]) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err


def test_download_prints_the_file_alone(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched(name: str, progress: object, *, again: bool) -> Path:
        return Path(f"/models/{name}{again}")

    monkeypatch.setattr("models.download.download", fetched)
    assert main(["weights", "download", "u2net", "bgmv2-resnet101", "--again"]) == 0
    output = capsys.readouterr()
    assert output.out.splitlines() == [str(Path("/models/u2netTrue")), str(Path("/models/bgmv2-resnet101True"))]
    assert "No checksum of bgmv2-resnet101 is published" in output.err
