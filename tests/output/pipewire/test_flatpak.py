"""A program in a Flatpak sandbox shows the PipeWire camera if the user permits it; a minute long."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import pytest

from app.core.types import BgrImage
from app.doctor.proof import bar_error
from tests.output.pictures import FPS
from tests.output.pipewire.desktop import desktop
from tests.output.pipewire.feeding import MARKED, marked_camera
from tests.output.pipewire.sandbox import APP, in_sandbox, install, permit, viewer
from tests.output.web_page import ages_of, browser_command, page
from tests.pipewire_session import NEEDS_GSTREAMER, PrivateSession, has_gstreamer
from tests.vm import marks
from tests.waiting import eventually

__all__ = ["desktop"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
FRAMES = 90
WIDTH, HEIGHT = MARKED
REFUSED = 3


@pytest.fixture
def sandbox(desktop: PrivateSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PrivateSession:
    if shutil.which("flatpak") is None or not has_gstreamer():
        pytest.skip(f"needs flatpak, python3-gi and what GStreamer {NEEDS_GSTREAMER}")
    monkeypatch.setenv("PIPEWIRE_RUNTIME_DIR", str(desktop.folder))
    install(desktop, tmp_path / "flatpak")
    return desktop


@contextmanager
def running(session: PrivateSession, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, env=session.environment, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            subprocess.run(["flatpak", "kill", APP], env=session.environment, check=False)
            process.kill()


def frame_of(output: IO[bytes]) -> BgrImage:
    """Return the next frame of the viewer's output."""
    data = output.read(WIDTH * HEIGHT * 3 // 2)
    assert len(data) == WIDTH * HEIGHT * 3 // 2, "the viewer has ended"
    planes = np.frombuffer(data, np.uint8).reshape(HEIGHT * 3 // 2, WIDTH)
    return cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420).astype(np.uint8, copy=False)


def test_a_program_in_a_sandbox_shows_the_camera(sandbox: PrivateSession) -> None:
    permit(sandbox, "yes")
    with marked_camera() as camera:
        with running(sandbox, in_sandbox(viewer("mattecam"))) as process:
            assert process.stdout is not None
            first = frame_of(process.stdout)
            found = [mark for _ in range(FRAMES) if (mark := marks.read(frame_of(process.stdout))) is not None]
            assert camera.readers == 1
        eventually(lambda: camera.readers == 0)
    ages = [age for _, age in found]
    print(f"age: median {np.median(ages):.1f} ms, p95 {np.percentile(ages, 95):.1f} ms")  # noqa: T201
    assert bar_error(first) <= 2 and len(found) == FRAMES
    assert np.median(ages) <= 1000 / FPS + 10


def test_a_program_that_may_not_use_cameras_gets_no_frame(sandbox: PrivateSession) -> None:
    permit(sandbox, "no")
    with marked_camera() as camera:
        with running(sandbox, in_sandbox(viewer("mattecam"))) as process:
            assert process.stdout is not None
            assert process.stdout.read() == b""
            assert process.wait(60) == REFUSED
        assert camera.readers == 0


def test_firefox_in_a_sandbox_shows_the_camera(sandbox: PrivateSession, tmp_path: Path) -> None:
    if shutil.which("firefox-esr") is None:
        pytest.skip("needs firefox-esr")
    permit(sandbox, "yes")
    with marked_camera() as camera, page() as (address, reports):
        command = browser_command("firefox-esr", tmp_path / "profile", address)
        with running(sandbox, in_sandbox(command, tmp_path / "profile")):
            report = reports.get(timeout=300)
        eventually(lambda: camera.readers == 0)
    assert report.get("label") == "Mattecam" and report["cameras"] == ["Mattecam"], report
    ages = ages_of(report)
    print(f"{report['fps']} fps, age: median {np.median(ages):.1f} ms, p95 {np.percentile(ages, 95):.1f} ms")  # noqa: T201
    assert (report["width"], report["height"]) == (WIDTH, HEIGHT) and report["fps"] >= 2
