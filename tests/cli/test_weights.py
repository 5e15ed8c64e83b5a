"""`run.py weights` through the real command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.main import main
from models.faults import WeightsFault
from models.table import NETWORKS
from models.weights import DownloadError


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


def test_the_bundled_model_cannot_be_downloaded(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "download", "mattecam"]) == 1
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
    assert main(["weights", "download", "student"]) != 0


def test_a_download_shows_a_bar_only_once_data_arrives(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then treats the output as a terminal
    sent: list[tuple[int, int | None]] = []

    def broken(name: str, progress: Callable[[int, int | None], None], *, again: bool) -> Path:
        for received in sent:
            progress(*received)
        raise DownloadError(WeightsFault.NO_CONNECTION, model=name, url="https://example.org")

    monkeypatch.setattr("models.download.download", broken)
    assert main(["weights", "download", "u2net"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert len(output.err.splitlines()) == 1
    assert output.err.startswith("mattecam: The weights of u2net could not be downloaded")
    sent.append((500_000, 1_000_000))
    assert main(["weights", "download", "u2net"]) == 1
    assert "0.5/1.0 MB" in capsys.readouterr().err
