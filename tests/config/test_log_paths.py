"""The log names the user's files without their folders."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from app.config import logs
from app.core.errors import BackgroundError
from app.core.files import paths
from app.core.messages.media import ImageText

log = logging.getLogger("app.test")
FOLDER = "/home/me/My private pictures"
BEACH = Path(FOLDER) / "beach 1.png"


@pytest.fixture
def file() -> Path:
    path = logs.set_up_window()
    assert path is not None
    return path


def test_a_picture_is_named_without_its_folder(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    damaged = ImageText.DAMAGED(file=BEACH)
    log.info("%s cannot be decoded: %s", BEACH, "end of file")
    log.info("Shortcut for %s %s", "background", str(BEACH))
    log.warning("%s", damaged)
    log.warning("%s", BackgroundError(damaged))
    try:
        try:
            raise FileNotFoundError(2, "No such file or directory", str(BEACH))
        except OSError as error:
            raise BackgroundError(damaged) from error
    except BackgroundError as error:
        log.warning("The background failed.", exc_info=error)
    written = file.read_text()
    assert FOLDER not in written
    assert written.count("beach 1.png") == 5  # the second warning repeats the first
    assert FOLDER in capsys.readouterr().err, "the terminal shows where the user finds it"


def test_devices_and_own_folders_stay(file: Path) -> None:
    own = paths.data_dir() / "models" / "a.pth"
    log.info("%s %s %s", Path("/dev/video0"), own, "/")
    assert f"/dev/video0 {own} /" in file.read_text()
