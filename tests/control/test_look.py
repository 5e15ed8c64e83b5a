"""`ctl light` and `ctl overlay` against a running pipeline."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.errors import MattecamError, UsageError
from app.core.settings import OverlaySettings
from tests.control.conftest import Program


def test_the_light_controls_are_set_one_by_one(program: Program) -> None:
    assert program.run("light match 60") == "Light: match 60, wrap 0, portrait 0."
    assert program.run("light portrait 12.5") == "Light: match 60, wrap 0, portrait 12.5."
    edges = program.settings.matting.edges
    assert (edges.light_match, edges.light_wrap, edges.portrait_light) == (60, 0, 12.5)
    for wrong in ("light sun 5", "light match", "light match 101", "light wrap nan"):
        with pytest.raises(UsageError, match=r"match\|wrap\|portrait"):
            program.run(wrong)


def test_the_overlay_is_set_and_a_bad_file_changes_nothing(program: Program, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    cv2.imwrite(str(logo), np.full((9, 9, 4), 255, np.uint8))
    assert program.run(f"overlay {logo}") == "Overlay: image logo.png, text –."
    assert program.run("overlay text Ada Lovelace") == "Overlay: image logo.png, text Ada Lovelace."
    program.run("overlay place bottom")
    program.run("overlay size 50")
    kept = OverlaySettings(file=logo, text="Ada Lovelace", place="bottom", size=50)
    assert program.settings.overlay == kept
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no PNG")
    for wrong in (f"overlay {broken}", "overlay place here", "overlay size 9", "overlay no-such-file.svg"):
        with pytest.raises(MattecamError):
            program.run(wrong)
        assert program.settings.overlay == kept
    assert program.run("overlay off") == "Overlay: none."
