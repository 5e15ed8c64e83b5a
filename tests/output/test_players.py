"""Recordings in programs of other people: VLC, Chromium and Firefox show each frame at its time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.types import Frame, Outgoing, Picture, PictureKind
from app.output.recording import Recorder
from tests.output.recordings import context
from tests.output.web_page import browser_command, page
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

UNEVEN_S = (0.0, 0.041, 0.1, 0.2, 0.233, 0.4, 0.6, 0.65, 0.85, 1.0)
"""Times of new composites."""
END_S = 1.2
WIDTH, HEIGHT = 320, 180
PAGE = """<!doctype html><video id="video" muted></video><script>
const tell = report => fetch("/report", {method: "POST", body: JSON.stringify(report)});
async function watch() {
  const video = document.getElementById("video"), film = await (await fetch("/recording.mp4")).blob();
  await new Promise((done, fail) => {
    video.oncanplaythrough = done;
    video.onerror = () => fail(video.error.message);
    video.src = URL.createObjectURL(new Blob([film], {type: "video/mp4"}));
  });
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext("2d"), levels = [];
  for (const time of MOMENTS) {
    const done = new Promise(resolve => { video.onseeked = resolve; });
    video.currentTime = time;
    await done;
    context.drawImage(video, 0, 0);
    levels.push(context.getImageData(160, 90, 1, 1).data[1]);
  }
  return {duration: video.duration, levels: levels};
}
watch().then(tell, error => tell({error: String(error)}));
</script>"""


@pytest.fixture(params=["variable", "constant"])
def recording(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a recording in which each new composite is brighter; composites come at `UNEVEN_S`."""
    now_s = 100.0
    shared = context(record_rate=request.param, encoder="x264")
    path = tmp_path / "recording.mp4"
    recorder = Recorder(path, WIDTH, HEIGHT, shared, clock=lambda: now_s)
    shown = [composite(number, at_s) for number, at_s in enumerate(UNEVEN_S)]
    for tick in range(round(END_S * 30) + 1):
        now_s = 100 + tick / 30
        # The clock of the outputs sends the newest composite 30 times per second.
        newest = sum(100 + at_s <= now_s + 1e-6 for at_s in UNEVEN_S)
        recorder.send(shown[newest - 1])
        least = tick if request.param == "constant" else newest
        eventually(lambda expected=least: shared.recordings[0].encoded >= expected)  # type: ignore[misc]
    recorder.close()
    return path


def level(number: int) -> int:
    """Return the grey value of a composite."""
    return 30 + 20 * number


def composite(number: int, at_s: float) -> Outgoing:
    image = np.full((HEIGHT, WIDTH, 3), level(number), np.uint8)
    return Outgoing(Picture(image, PictureKind.COMPOSITE, frame=Frame(image, number, 100 + at_s)))


def moments() -> list[float]:
    """Return the middles of the times for which one composite is shown long enough, also at a constant 30 fps."""
    return [(start + end) / 2 for start, end in pairwise((*UNEVEN_S, END_S)) if end - start > 0.09]


def tool(name: str) -> str:
    if shutil.which(name) is None:
        pytest.skip(f"needs {name}")
    return name


def test_vlc_plays_every_composite(recording: Path) -> None:
    vlc = tool("vlc")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        copy = Path(shutil.copy(recording, folder / "recording.mp4"))
        copy.chmod(0o644)
        options = ["--no-audio", "--vout=dummy", "--play-and-exit", "--video-filter=scene", "--scene-format=png"]
        options += ["--scene-ratio=1", f"--scene-path={folder}", "--no-skip-frames", "--no-drop-late-frames"]
        user = 65534 if os.geteuid() == 0 else None  # VLC refuses to run as root.
        done = subprocess.run(
            [vlc, "-I", "dummy", *options, str(copy), "vlc://quit"],
            capture_output=True,
            timeout=180,
            user=user,
            env={**os.environ, "HOME": name},
        )
        assert done.returncode == 0, done.stderr
        found = {int(np.asarray(cv2.imread(str(shot)))[90, 160, 1]) for shot in folder.glob("*.png")}
    missing = [number for number in range(len(UNEVEN_S)) if min(abs(level(number) - grey) for grey in found) > 6]
    assert missing in ([], [len(UNEVEN_S) - 1]), "the filter does not save the last frame"


@pytest.mark.parametrize("name", ["chromium", "firefox-esr"])
def test_browsers_show_each_composite_at_its_time(recording: Path, name: str, tmp_path: Path) -> None:
    html = PAGE.replace("MOMENTS", json.dumps(moments())).encode()
    with page(html, recording.read_bytes()) as (address, reports):
        command = browser_command(tool(name), tmp_path / "profile", address, pipewire=False)
        with subprocess.Popen(command) as browser:
            found = reports.get(timeout=240)
            browser.terminate()
    assert found.get("duration") == pytest.approx(END_S, abs=0.07), found
    expected = [level(sum(start <= moment for start in UNEVEN_S) - 1) for moment in moments()]
    assert found["levels"] == pytest.approx(expected, abs=6)
