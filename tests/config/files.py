"""Files as other versions and other disks leave them."""

from __future__ import annotations

import json
from pathlib import Path

from app.config.scenes import SceneStore


def unreadable(path: Path) -> None:
    """Let the system refuse to read a file. Tests run as root too, for whom modes do not count."""
    path.mkdir()
    (path / "mine").touch()


def saved_scenes(folder: Path, **scenes: object) -> SceneStore:
    """Return the store of a file with these scenes, as another version may have written them."""
    (folder / "scenes.json").write_text(json.dumps({"version": 1, "scenes": scenes}))
    return SceneStore(folder / "scenes.json")
