from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.files.private_file import write_picture, write_private


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_text("an older file, open to all")
    path.chmod(0o644)
    write_picture(path, np.full((4, 6, 3), 77, np.uint8))
    assert path.stat().st_mode & 0o777 == 0o600
    image = cv2.imread(str(path))
    assert image is not None and image.shape == (4, 6, 3) and (image == 77).all()


def test_a_long_name_fits(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250)
    write_private(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_picture_that_a_format_cannot_hold_is_an_error_of_the_file(tmp_path: Path) -> None:
    """WebP ends at 16,383 pixels."""
    with pytest.raises(OSError, match=r"16384x4 cannot be \.webp"):
        write_picture(tmp_path / "wide.webp", np.zeros((4, 16_384, 3), np.uint8))
    assert not list(tmp_path.iterdir())
