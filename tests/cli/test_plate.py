"""`run.py plate`: the plate that it writes, of which camera, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.capture import table
from app.capture.demo import DemoSource
from app.capture.devices import CameraDevice
from app.cli import main
from app.core.settings import CaptureSettings
from app.core.types import SourceInfo
from app.matting.plate.capture import plate_info
from app.output import camera_list

SIZE = 160, 96


def test_it_writes_the_plate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plate.png"
    words = ["--seconds", "0.3", "--countdown", "0", "--source", "demo:empty", "--size", "160x96"]
    assert main.main(["plate", "--output", str(path), *words]) == 0
    said = capsys.readouterr()
    assert said.out == f"{path}\n"
    assert "Step out" in said.err
    empty = DemoSource(*SIZE, 30, empty_scene_s=3.0, motion=0).render(0)
    assert np.abs(np.asarray(cv2.imread(str(path)), int) - empty).mean() < 5
    info = plate_info(path)
    assert info is not None
    assert info.camera == "demo"
    assert main.main(["plate", "--output", str(path), *words]) == 0, "an earlier plate is replaced"


def test_it_refuses_someone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "plate.png"
    words = ["--seconds", "0.3", "--countdown", "0", "--source", "demo", "--size", "160x96"]
    assert main.main(["plate", "--output", str(path), *words]) == 1
    assert "Someone is still in view" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


class Sent(DemoSource):
    """What another program sends to its virtual camera: the empty room."""

    def __init__(self, camera: str, settings: CaptureSettings) -> None:
        super().__init__(*SIZE, 30, empty_scene_s=60, motion=0)
        self.info = SourceInfo("camera", "EOS Webcam", camera, *SIZE, 30.0, "")


@pytest.mark.parametrize("sends", [True, False])
def test_auto_is_the_camera_that_a_run_takes(
    sends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A virtual camera that another program sends to was not taken; a run takes it."""
    sent = CameraDevice("eos", "EOS Webcam", "/dev/video9", 9, ((160, 96),), ("YU12",), is_virtual=True)
    monkeypatch.setattr(table, "list_cameras", lambda: [sent])
    monkeypatch.setattr(table, "_open_camera", Sent)
    monkeypatch.setattr(camera_list, "is_busy", lambda path: sends and path == sent.path)
    path = tmp_path / "plate.png"
    code = main.main(["plate", "--output", str(path), "--seconds", "0.3", "--countdown", "0"])
    said = capsys.readouterr().err
    if sends:
        assert code == 0, said
        assert plate_info(path) is not None
    else:
        assert code == 1 and "No camera was found" in said and not path.exists()
