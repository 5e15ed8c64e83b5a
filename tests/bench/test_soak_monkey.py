"""What the soak does to a pipeline while the pipeline works on its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

from app.core.settings import Settings
from app.runtime.pipeline import Pipeline
from benchmarks.soak_monkey import KEPT, Monkey, SoakWorld


class FilesOfPipeline:
    """Writes recordings as a pipeline does, without the rest of it."""

    def __init__(self) -> None:
        self.settings = Settings()

    def change(self, update: Callable[[Settings], Settings]) -> None:
        self.settings = update(self.settings)
        for path in (self.settings.output.record, self.settings.output.record_alpha):
            if path is not None:
                path.touch()


def test_old_recordings_are_removed_while_files_are_renamed(tmp_path: Path) -> None:
    pipeline = FilesOfPipeline()
    monkey = Monkey(cast("Pipeline", pipeline), SoakWorld(), tmp_path, seed=0)
    background = tmp_path / "background.mp4"
    renamed = tmp_path / "1.part.mp4"
    renamed.symlink_to(tmp_path / "gone.mp4")  # listed, but no longer there
    for _ in range(2 * (KEPT + 3)):  # every second one ends a recording
        monkey.record()
    kept = {f"{number}{kind}.mp4" for number in range(4, KEPT + 4) for kind in ("", "-alpha")}
    assert {path.name for path in tmp_path.glob("*.mp4")} == {background.name, *kept}
