"""The files that a soak uses: backgrounds, zones, and recordings that come and go."""

from __future__ import annotations

import json
import threading
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from app.media.video_writer import VideoWriter

KEPT = 3
"""Newest recordings that are kept; older ones are removed, so that they do not fill the disk."""
ZONES = {
    "zones": [
        {"points": [[0.1, 0.1], [0.4, 0.4]], "radius": 0.1, "camera": "camera:1"},
        {"points": [[0.6, 0.1], [0.9, 0.9]], "radius": 0.1},
    ]
}
WIDTH, HEIGHT = 64, 48


class SoakFiles:
    """Files in one folder. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pictures = [folder / f"picture{number}.png" for number in range(3)]
        dice = np.random.default_rng(1)
        for path in self.pictures:
            cv2.imwrite(str(path), dice.integers(0, 12, (90, 160, 3), np.uint8))
        self.video = folder / "background.mp4"
        writer = VideoWriter(self.video, WIDTH, HEIGHT, 25.0)
        for shade in range(30):
            writer.write(np.full((HEIGHT, WIDTH, 3), shade, np.uint8))
        writer.close()
        self.backgrounds = (*self.pictures, self.video, folder / "missing.png")
        self.zones = folder / "zones.json"
        self.zones.write_text(json.dumps(ZONES))
        self._numbers = count(1)
        self._lock = threading.Lock()

    def next_recording(self) -> Path:
        """Return the name of the next recording, and remove old ones."""
        with self._lock:
            number = next(self._numbers)
            for suffix in ("", ".part"):  # by name: pathlib keeps every pattern that it compiled
                (self.folder / f"recording{number - KEPT}{suffix}.mp4").unlink(missing_ok=True)
            return self.folder / f"recording{number}.mp4"
